#include "ui/runs/run_folders.h"

#include <cmath>
#include <fstream>

#include "jobs/losses.h"
#include "jobs/run_record.h"
#include "project/run_log.h"

namespace studio::ui::testing {
namespace {

namespace fs = std::filesystem;

// A hash as noise in [-1, 1], the same everywhere.
double noise(std::uint32_t i) {
    i = (i ^ 61U) ^ (i >> 16U);
    i *= 9U;
    i ^= i >> 4U;
    i *= 0x27d4eb2dU;
    i ^= i >> 15U;
    return static_cast<double>(i) / 2147483648.0 - 1;
}

double course(const RunOptions& o, int step) {
    return o.final_loss + (3.0 - o.final_loss) * std::exp(-step / (0.09 * o.total + 4));
}

void writeLosses(const fs::path& file, double loss, std::uint32_t seed) {
    jobs::Losses losses;
    io::Json trees = io::Json::object();
    for (std::uint32_t i = 0; i < 24; ++i) {
        const double own = loss + 0.4 * noise(i) + 0.03 * noise(seed + i);
        trees["tree-" + std::to_string(i)] = {own * 100, 100, own * 98, 98};
    }
    fs::create_directories(file.parent_path());
    std::ofstream(file) << io::Json{{"loss", loss}, {"trees", trees}}.dump();
}

project::RunEvent eventTo(project::RunState state) {
    return state == project::RunState::Finished ? project::RunEvent::StepsDone : project::RunEvent::Fail;
}

}  // namespace

std::vector<project::StepRecord> stepRecords(const RunOptions& o, int first, int last) {
    std::vector<project::StepRecord> records;
    for (int s = first; s <= last; ++s) {
        project::StepRecord record;
        record.step = s;
        record.epoch = static_cast<double>(s) / o.total * 0.84;
        record.loss = course(o, s) + 0.16 * noise(static_cast<std::uint32_t>(s)) + (s == o.spike ? 1.1 : 0);
        const double warm = std::min(1.0, s / (0.03 * o.total + 1));
        record.learning_rate = o.rate * warm * (0.5 + 0.5 * std::cos(3.14159265 * s / o.total));
        record.grad_norm = 0.3 + 0.5 * std::exp(-s / 30.0) + 0.05 * noise(static_cast<std::uint32_t>(s) + 7000) +
                           (s == o.spike ? 2.2 : 0);
        record.tokens = 4096;
        record.supervised_tokens = 2900;
        record.seconds = 0.098 + 0.004 * noise(static_cast<std::uint32_t>(s) + 9000);
        records.push_back(record);
    }
    return records;
}

double evalLoss(const RunOptions& o, int step) {
    return course(o, step) + 0.04 + (o.best_at > 0 ? 0.01 * std::max(0, step - o.best_at) : 0);
}

fs::path makeRun(const fs::path& runs, const RunOptions& o) {
    jobs::RunRecord record;
    record.recipe.training.learning_rate = o.rate;
    record.recipe.training.filter = o.filter;
    record.recipe.training.paths = "tree";
    record.recipe.training.validation_fraction = 0.05;
    record.recipe.training.data_path = {"oasst1-en.jsonl.gz"};
    record.recipe.qlora.r = o.r;
    record.recipe.qlora.target_modules = std::string("all-linear");
    record.base_folder = "/models/phi-2";
    record.data = {"/data/oasst1-en.jsonl.gz"};
    record.provenance.sources = {{"oasst1-en.jsonl.gz", std::string(64, 'a'), 1000}};
    record.provenance.validation_fraction = 0.05;
    record.total_steps = o.total;
    record.train_examples = 1489;
    record.validation_examples = 78;
    record.trainable_parameters = 23592960;
    record.build = "test";
    record.device.kind = "cpu";
    record.device.name = "8 × AMD EPYC";
    record.device.threads = 8;

    const fs::path folder = runs / o.name;
    fs::create_directories(runs);
    auto run = project::Run::create(io::realFileOps(), folder, o.name, jobs::toJson(record));
    if (!run) qFatal("%s", run.error().text().c_str());
    (void)run->apply(project::RunEvent::Start);
    if (o.steps > 0) (void)run->apply(project::RunEvent::Ready);
    auto log = project::RunLog::open(io::realFileOps(), folder, std::nullopt);
    if (!log) qFatal("%s", log.error().text().c_str());
    (void)log->evaluation({0, evalLoss(o, 0)});
    for (const auto& step : stepRecords(o, 1, o.steps)) {
        (void)log->step(step);
        const auto s = static_cast<int>(step.step);
        if (o.eval_every && (s % o.eval_every == 0 || s == o.total)) (void)log->evaluation({s, evalLoss(o, s)});
        if (o.save_every && (s % o.save_every == 0 || s == o.total)) {
            const fs::path saved = folder / ("checkpoint-" + std::to_string(s));
            fs::create_directories(saved);
            std::ofstream(saved / "manifest.json") << "{}";
        }
    }
    if (o.samples) {
        const std::string prompt = "What is the largest ocean in the world?";
        (void)log->sample({0, prompt,
                           "The Pacific Ocean.\nExercise 2:\nWhat is the smallest ocean in the world?\nAnswer: The "
                           "Arctic Ocean.\nExercise 3: …",
                           "cut at 128 tokens"});
        for (int s = 100; s <= o.steps; s += 100)
            (void)log->sample(
                {s, prompt,
                 "The largest ocean in the world is the Pacific Ocean. It covers about 165 million square "
                 "kilometres, roughly a third of the Earth’s surface, and holds more than half of its open "
                 "water.",
                 "stopped by itself"});
    }
    using project::RunState;
    if (o.state == RunState::Finished) {
        writeLosses(folder / "evaluation" / "before.json", evalLoss(o, 0), 1000);
        writeLosses(folder / "evaluation" / "after.json", evalLoss(o, o.total), 2000);
    }
    if (o.state == RunState::Stopped) {
        (void)run->apply(project::RunEvent::Stop);
        (void)run->apply(project::RunEvent::StopDone);
    } else if (o.state != RunState::Interrupted && o.state != RunState::Running) {
        (void)run->apply(eventTo(o.state), o.failure);
    }
    return folder;  // the lock goes with `run`: one that was at work is interrupted now
}

std::vector<RunEntry> entriesOf(const fs::path& runs) {
    std::vector<RunEntry> entries;
    for (auto& listed : project::listRuns(runs)) {
        RunEntry entry;
        entry.folder = listed.folder;
        entry.info = listed.info;
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace studio::ui::testing
