#include "jobs/train.h"

#include <fmt/format.h>

#include <cmath>

#include "io/file.h"
#include "jobs/adapter_folder.h"
#include "jobs/chat.h"
#include "jobs/memory_advice.h"
#include "jobs/run_writer.h"
#include "jobs/train_setup.h"
#include "jobs/trainer_state.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

// A checkpoint read back, with the bytes its views point to.
struct Resumed {
    engine::api::Checkpoint checkpoint;
    io::TensorSet adapter, optimizer;
    fs::path folder;
};

Result<std::unique_ptr<Resumed>> readCheckpoint(const fs::path& folder) {
    auto resumed = std::make_unique<Resumed>();
    resumed->folder = folder;
    STUDIO_TRY(const std::string state, io::readFile(folder / "trainer_state.json", 1u << 20));
    STUDIO_TRY(resumed->checkpoint.state, parseTrainerState(state, (folder / "trainer_state.json").string()));
    STUDIO_TRY(resumed->adapter, io::readTensors(folder / "adapter_model.safetensors"));
    STUDIO_TRY(resumed->optimizer, io::readTensors(folder / "optimizer.safetensors"));
    resumed->checkpoint.adapter = resumed->adapter.tensors;
    resumed->checkpoint.optimizer = resumed->optimizer.tensors;
    return resumed;
}

// The checkpoint that --resume_from_checkpoint names; nothing where the run has none yet ("latest" then starts again).
Result<std::unique_ptr<Resumed>> findCheckpoint(io::FileOps& ops, const fs::path& run, const std::string& wanted,
                                                TrainListener& listener) {
    project::removeUnfinished(ops, run);
    if (wanted != "latest") {
        std::error_code ec;
        if (fs::weakly_canonical(fs::absolute(wanted), ec).parent_path() != fs::weakly_canonical(run, ec))
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("{} is no checkpoint of the run {}.", wanted, run.string()),
                        "Name one of its checkpoint folders, or start a new run that begins with these weights "
                        "(--adapter on the command "
                        "line).");
        STUDIO_CHECK(project::verifyCheckpoint(wanted));
        STUDIO_TRY(auto resumed, readCheckpoint(wanted));
        // What came after it is given up: a later checkpoint without its metrics must never be the newest.
        STUDIO_CHECK(project::discardCheckpointsAfter(ops, run, resumed->checkpoint.state.step));
        return resumed;
    }
    const project::CheckpointSearch found = project::newestCheckpoint(run);
    for (const std::string& note : found.notes) listener.onNotice(note);
    if (!found.newest) return nullptr;
    return readCheckpoint(found.newest->folder);
}

fs::path evaluationFile(const fs::path& run, const char* when) {
    return run / "evaluation" / (std::string(when) + ".json");
}

Result<void> writeLosses(io::FileOps& ops, const fs::path& file, const Losses& losses) {
    std::error_code ec;
    fs::create_directories(file.parent_path(), ec);
    if (ec) return fail(io::systemError(ec.value(), "The folder", file.parent_path()));
    io::Json json = toJson(losses);
    json["trees"] = treesToJson(losses.trees);
    return io::writeFileAtomic(ops, file, json.dump() + "\n");
}

struct Before {
    double loss = 0;
    TreeLosses trees;
};

Result<Before> readBefore(const fs::path& file) {
    STUDIO_TRY(const io::Json json, io::readJson(file));
    Before before;
    if (!json.contains("loss") || !json["loss"].is_number() || !json.contains("trees"))
        return fail(ErrorCode::Corrupt, fmt::format("{} cannot be read.", file.string()), "Evaluate the run again.");
    before.loss = json["loss"].get<double>();
    STUDIO_TRY(before.trees, treesFromJson(json["trees"]));
    return before;
}

// Held-out losses of the model as it stands now.
Result<Losses> heldOut(engine::api::Model& model, const TrainSetup& setup, const char* phase, const JobContext& job) {
    const config::TrainingConfig& t = setup.record.recipe.training;
    LossOptions options;
    options.batch_size = static_cast<int>(t.per_device_eval_batch_size);
    options.max_seq_length = setup.data.examples->max_seq_length;
    options.eos = setup.data.provenance.eos;
    options.phase = phase;
    auto losses = measureLosses(model, setup.data.examples, setup.validation, options, job);
    if (!losses && losses.error().code == ErrorCode::OutOfMemory)
        losses.error().hint = "Lower per_device_eval_batch_size and resume, or close other programs.";
    return losses;
}

// Memory ran out in a step: what would fit, and how the run goes on.
void adviseSmaller(Error& error, engine::api::Engine& engine, const ReadyToTrain& ready, bool has_checkpoint) {
    // An evaluation has its own setting and names it.
    if (error.hint.find("per_device_eval_batch_size") != std::string::npos) return;
    if (const std::string fits = settingsThatFit(engine, ready); !fits.empty()) error.hint = fits;
    if (!has_checkpoint) return;
    error.hint +=
        " With gradient_checkpointing this run can be resumed, with the same numbers but for rounding; another batch "
        "or length is a new run, which can begin with this one's checkpoint (--adapter on the command line).";
}

TrainSummary summary(const fs::path& run, const engine::api::TrainerState& state) {
    TrainSummary s;
    s.run = run;
    s.steps = state.step;
    s.skipped_updates = state.skipped_updates;
    if (state.weight_sum > 0) s.train_loss = state.loss_sum / state.weight_sum;
    s.seconds = state.seconds;
    s.tokens_per_s = state.seconds > 0 ? static_cast<double>(state.tokens) / state.seconds : 0;
    return s;
}

// Everything between the lock and the last state of the run.
Result<TrainSummary> work(project::Run& run, ReadyToTrain& ready, const Resumed* resumed, io::FileOps& ops,
                          std::shared_ptr<io::FileOps> shared_ops, TrainListener& listener,
                          engine::api::Mailbox& mailbox, const JobContext& job) {
    TrainSetup& setup = ready.setup;
    const fs::path& folder = run.folder();
    const bool evaluates = !setup.validation.empty();

    std::optional<Before> before;
    if (evaluates) {
        const fs::path file = evaluationFile(folder, "before");
        if (resumed && fs::exists(file)) {
            STUDIO_TRY(before, readBefore(file));
        } else if (!resumed) {
            STUDIO_TRY(const Losses losses, heldOut(*ready.model, setup, "Held-out loss before", job));
            STUDIO_CHECK(writeLosses(ops, file, losses));
            before = Before{losses.loss, losses.trees};
        }
    }

    STUDIO_TRY(RunWriter writer,
               RunWriter::open(shared_ops, folder, ready, resumed ? &resumed->checkpoint.state : nullptr, listener));
    if (before && !resumed) STUDIO_CHECK(writer.evaluationUnlessLogged(0, before->loss));
    STUDIO_CHECK(run.apply(project::RunEvent::Ready));
    std::unique_ptr<dataset::ExampleStream> evaluation;
    if (evaluates && setup.plan.eval_steps > 0) {
        STUDIO_TRY(evaluation, dataset::makeEvaluationStream(
                                   setup.data.examples, setup.validation,
                                   static_cast<int>(setup.record.recipe.training.per_device_eval_batch_size),
                                   setup.data.examples->max_seq_length));
    }
    listener.onStepping(true);
    auto steps =
        ready.model->train(setup.plan, *ready.stream, evaluation.get(), resumed ? &resumed->checkpoint : nullptr,
                           writer, writer, mailbox, {job.stop, {}});  // the writer reports, by steps
    listener.onStepping(false);
    STUDIO_TRY(const auto trained, std::move(steps));
    TrainSummary s = summary(folder, trained.state);
    if (before) s.eval_loss_before = before->loss;
    if (trained.end == engine::api::TrainResult::End::Stopped) {
        s.stopped = true;
        return s;
    }
    if (evaluates) {
        STUDIO_TRY(const Losses after, heldOut(*ready.model, setup, "Held-out loss after", job));
        STUDIO_CHECK(writeLosses(ops, evaluationFile(folder, "after"), after));
        STUDIO_CHECK(writer.evaluationUnlessLogged(trained.state.step, after.loss));
        s.eval_loss = after.loss;
        if (before) s.difference = pairedDifference(before->trees, after.trees);
    }
    return s;
}

// What a finished run found, from its records.
Result<TrainSummary> finishedSummary(const fs::path& run) {
    TrainSummary s;
    s.run = run;
    if (const auto found = project::newestCheckpoint(run); found.newest) {
        STUDIO_TRY(const auto checkpoint, readCheckpoint(found.newest->folder));
        s = summary(run, checkpoint->checkpoint.state);
    }
    s.already_complete = true;
    if (fs::exists(evaluationFile(run, "before")) && fs::exists(evaluationFile(run, "after"))) {
        STUDIO_TRY(const Before before, readBefore(evaluationFile(run, "before")));
        STUDIO_TRY(const Before after, readBefore(evaluationFile(run, "after")));
        s.eval_loss_before = before.loss;
        s.eval_loss = after.loss;
        s.difference = pairedDifference(before.trees, after.trees);
    }
    return s;
}

}  // namespace

io::Json toJson(const TrainSummary& s) {
    io::Json json{{"run", s.run.string()}, {"steps", s.steps}};
    json["train_loss"] = s.train_loss ? io::Json(*s.train_loss) : io::Json(nullptr);
    json["eval_loss"] = s.eval_loss ? io::Json(*s.eval_loss) : io::Json(nullptr);
    json["eval_loss_before"] = s.eval_loss_before ? io::Json(*s.eval_loss_before) : io::Json(nullptr);
    json["difference"] = s.difference ? toJson(*s.difference) : io::Json(nullptr);
    json["tokens_per_s"] = s.tokens_per_s;
    json["seconds"] = s.seconds;
    json["stopped"] = s.stopped;
    if (s.skipped_updates > 0) json["skipped_updates"] = s.skipped_updates;
    return json;
}

Result<TrainSummary> train(engine::api::Engine& engine, const TrainRequest& request, TrainListener& listener,
                           engine::api::Mailbox& mailbox, const std::shared_ptr<Logger>& log, const JobContext& job) {
    const std::shared_ptr<io::FileOps> ops = request.files ? request.files : io::realFileOps();
    const fs::path folder =
        fs::absolute(request.output_dir.empty() ? fs::path(request.recipe.training.output_dir) : request.output_dir);
    const bool resuming = !request.resume_from_checkpoint.empty();
    if (resuming && !project::isRunFolder(folder))
        return fail(ErrorCode::NotFound, fmt::format("{} is no run that could be resumed.", folder.string()),
                    "Name the run with --output_dir, or leave out --resume_from_checkpoint to start one.");
    if (!resuming && project::isRunFolder(folder))
        return fail(ErrorCode::AlreadyExists, fmt::format("{} already holds a run.", folder.string()),
                    "Continue it with --resume_from_checkpoint latest, or choose another --output_dir.");

    if (resuming) {
        STUDIO_TRY(const project::RunInfo info, project::readRun(folder));
        if (info.state == project::RunState::Finished) return finishedSummary(folder);
    }

    // Whatever can be refused is refused before gigabytes are loaded.
    std::unique_ptr<Resumed> resumed;
    std::optional<project::Run> run;
    TrainRequest wanted = request;
    std::optional<RunRecord> before;
    if (resuming) {
        STUDIO_TRY(run, project::Run::open(ops, folder));
        STUDIO_TRY(before, runRecord(run->info().details));
        wanted.adapter = before->adapter_folder;
        STUDIO_TRY(resumed, findCheckpoint(*ops, folder, request.resume_from_checkpoint, listener));
        if (!resumed) listener.onNotice("The run has no complete checkpoint; it starts again from its first step.");
    }
    STUDIO_TRY(ReadyToTrain ready, setUp(engine, wanted, resumed ? resumed->folder : wanted.adapter, job));
    if (resuming) {
        STUDIO_CHECK(checkResume(*before, ready.setup.record, ready.setup.notices));
        // What let the run go on holds for the next time, too.
        const bool recomputes = ready.setup.record.recipe.training.gradient_checkpointing;
        if (bool& kept = before->recipe.training.gradient_checkpointing; kept != recomputes) {
            kept = recomputes;
            STUDIO_CHECK(run->setDetails(toJson(*before)));
        }
    } else {
        const std::string name =
            request.recipe.training.run_name.value_or(folder.has_filename() ? folder.filename().string() : "run");
        STUDIO_TRY(run, project::Run::create(ops, folder, name, toJson(ready.setup.record)));
    }
    STUDIO_CHECK(run->apply(project::RunEvent::Start));
    log->info(fmt::format("run {} starts at step {} of {}", folder.string(),
                          resumed ? resumed->checkpoint.state.step : 0, ready.setup.plan.total_steps));
    listener.onReady(ready.setup, resumed ? resumed->checkpoint.state.step : 0);

    // With a checkpoint the engine puts its tensors over whatever the adapter begins with.
    auto loaded = loadForTraining(engine, ready, resumed ? resumed->folder : wanted.adapter, job);
    // "auto" may have taken the processor after all: the record names what computes.
    if (loaded && ready.model->info().device.uuid != ready.setup.record.device.uuid) {
        ready.setup.record.device = ready.model->info().device;
        loaded = run->setDetails(toJson(ready.setup.record));
        listener.onNotice(fmt::format("The run computes on {}; the log says why.", ready.setup.record.device.name));
    }
    auto result = !loaded ? Result<TrainSummary>(fail(std::move(loaded).error()))
                          : work(*run, ready, resumed.get(), *ops, ops, listener, mailbox, job);
    if (!result) {
        Error& error = result.error();
        if (loaded && error.code == ErrorCode::OutOfMemory)
            adviseSmaller(error, engine, ready, project::newestCheckpoint(folder).newest.has_value());
        if (error.cancelled()) {
            STUDIO_CHECK(run->apply(project::RunEvent::Stop));
            STUDIO_CHECK(run->apply(project::RunEvent::StopDone));
        } else {
            log->error(fmt::format("run {} failed: {}", folder.string(), error.text()));
            // The record may be on the disk that failed: the first error is the one to report.
            if (const auto noted = run->apply(project::RunEvent::Fail, error.text()); !noted)
                log->error(noted.error().text());
        }
        return result;
    }
    if (result->stopped) {
        STUDIO_CHECK(run->apply(project::RunEvent::Stop));
        STUDIO_CHECK(run->apply(project::RunEvent::StopDone));
    } else {
        STUDIO_CHECK(run->apply(project::RunEvent::StepsDone));
    }
    return result;
}

}  // namespace studio::jobs
