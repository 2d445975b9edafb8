// Runs as the window has them: started, paused, stopped, resumed, on the built-in model.
#include <QSignalSpy>
#include <cmath>

#include "config/presets.h"
#include "io/file.h"
#include "io/sha256.h"
#include "jobs/places.h"
#include "jobs/run_record.h"
#include "project/run_log.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class RunServiceTest : public QObject {
    Q_OBJECT

    // A few short steps, so that the whole takes seconds.
    static config::Recipe shortRecipe(Session& session, int steps) {
        config::Recipe recipe = session.recipe().recipe();
        recipe.training.max_steps = steps;
        recipe.training.per_device_train_batch_size = 1;
        recipe.training.max_seq_length = 96;
        recipe.training.validation_fraction = 0.2;
        recipe.training.paths = "best";
        recipe.training.sample_prompts = {};
        recipe.training.eval_strategy = "no";
        recipe.training.save_steps = 4;
        recipe.training.threads = 1;
        return recipe;
    }

    static std::string adapterHash(const std::filesystem::path& run, int step) {
        return *io::sha256File(run / ("checkpoint-" + std::to_string(step)) / "adapter_model.safetensors");
    }

    // With an engine whose models fail when they are told to (tests/engine/faulty_phi.h).
    struct FaultyEngine {
        explicit FaultyEngine(const char* plan) {
            qputenv("STUDIO_ENGINE", STUDIO_BINARY_DIR "/tests/libstudio_faulty_engine.so");
            qputenv("STUDIO_TEST_FAULTS", plan);
        }
        ~FaultyEngine() {
            qunsetenv("STUDIO_ENGINE");
            qunsetenv("STUDIO_TEST_FAULTS");
        }
    };

  private Q_SLOTS:
    void aRunGoesThroughItsStatesAndIsListed() {
        Bench bench(12);
        RunService& runs = bench.session().runs();
        QSignalSpy ended(&runs, &RunService::ended);
        std::vector<project::StepRecord> records;
        connect(&runs, &RunService::steps, this,
                [&](const auto& news) { records.insert(records.end(), news.begin(), news.end()); });
        const auto recipe = shortRecipe(bench.session(), 8);
        QVERIFY(runs.start(recipe, QStringLiteral("first"), bench.session().recipe().configFile()));
        QVERIFY(runs.active());
        QCOMPARE(runs.live()->state, project::RunState::Preparing);
        const auto second = runs.start(recipe, QStringLiteral("second"), {});
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::Busy);
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        QVERIFY(!runs.active());
        QCOMPARE(records.size(), std::size_t{8});
        for (std::size_t i = 0; i < records.size(); ++i) QCOMPARE(records[i].step, static_cast<std::int64_t>(i) + 1);
        QVERIFY(waitFor([&] { return !runs.entries().empty() && runs.entries()[0].steps == 8; }));
        QCOMPARE(runs.entries()[0].info.state, project::RunState::Finished);
        QVERIFY(runs.entries()[0].eval_loss.has_value());
        QCOMPARE(runs.nameForNewRun(QStringLiteral("first")), QStringLiteral("first-2"));
    }

    void pauseHoldsTheRunAndTheAdapterIsThatOfAnUndisturbedOne() {
        Bench bench(12);
        Session& session = bench.session();
        RunService& runs = session.runs();
        const auto recipe = shortRecipe(session, 12);
        QSignalSpy ended(&runs, &RunService::ended);
        QVERIFY(runs.start(recipe, QStringLiteral("undisturbed"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));

        QVERIFY(runs.start(recipe, QStringLiteral("paused"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return runs.stepping(); }, 60000));
        runs.pause();
        QVERIFY(runs.live()->pausing);
        QVERIFY(waitFor([&] { return runs.live()->state == project::RunState::Paused; }, 60000));
        const qint64 at = runs.live()->step;
        runs.unpause();
        QVERIFY(waitFor([&] { return !runs.live() || runs.live()->step > at; }, 60000));
        QVERIFY(waitFor([&] { return ended.count() == 2; }, 60000));
        QCOMPARE(adapterHash(session.paths().runs() / "paused", 12),
                 adapterHash(session.paths().runs() / "undisturbed", 12));
    }

    void aStoppedRunResumesToTheSameAdapter() {
        Bench bench(12);
        Session& session = bench.session();
        RunService& runs = session.runs();
        const auto recipe = shortRecipe(session, 12);
        QSignalSpy ended(&runs, &RunService::ended);
        QVERIFY(runs.start(recipe, QStringLiteral("whole"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        QVERIFY(runs.start(recipe, QStringLiteral("stopped"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return runs.live() && runs.live()->step >= 2; }, 60000));
        runs.stopAfterStep();
        QCOMPARE(runs.live()->state, project::RunState::Stopping);
        QVERIFY(waitFor([&] { return ended.count() == 2; }, 60000));
        const auto folder = session.paths().runs() / "stopped";
        QVERIFY(waitFor([&] { return runs.entries().size() == 2; }));
        const auto info = project::readRun(folder);
        QVERIFY(info);
        if (info->state != project::RunState::Finished) {
            QCOMPARE(info->state, project::RunState::Stopped);
            QVERIFY(runs.resume(folder));
            QVERIFY(waitFor([&] { return ended.count() == 3; }, 60000));
        }
        QCOMPARE(adapterHash(folder, 12), adapterHash(session.paths().runs() / "whole", 12));
        // Every step is logged once.
        const auto metrics = project::readMetrics(folder);
        QVERIFY(metrics);
        QCOMPARE(metrics->steps.size(), std::size_t{12});
    }

    void skippedUpdatesPauseTheRunUntilThePersonDecides() {
        const FaultyEngine faulty("forward 3x5 nan");
        Bench bench(12);
        RunService& runs = bench.session().runs();
        QSignalSpy ended(&runs, &RunService::ended);
        config::Recipe recipe = shortRecipe(bench.session(), 10);
        recipe.training.gradient_accumulation_steps = 1;
        QVERIFY(runs.start(recipe, QStringLiteral("trouble"), bench.session().recipe().configFile()));
        QVERIFY(waitFor([&] { return runs.live() && runs.live()->state == project::RunState::Paused; }, 60000));
        const LiveRun& live = *runs.live();
        QCOMPARE(live.step, qint64{7});
        QVERIFY2(live.trouble.contains(QStringLiteral("5 steps in a row")), qPrintable(live.trouble));
        QVERIFY(!live.trouble_trees.isEmpty());
        QVERIFY(live.trouble.contains(live.trouble_trees[0]));
        QVERIFY(live.loss && std::isfinite(*live.loss));  // the last that was a number
        runs.unpause();
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        const auto end = ended[0][0].value<RunEnd>();
        QVERIFY2(end.summary, end.error ? end.error->text().c_str() : "");
        QCOMPARE(end.summary->skipped_updates, std::int64_t{5});
    }

    void aLostDeviceFailsTheRunAndTheRestWorksOn() {
        std::string sentence;
        {
            const FaultyEngine faulty("backward 20 lost");
            Bench bench(12);
            RunService& runs = bench.session().runs();
            QSignalSpy ended(&runs, &RunService::ended);
            config::Recipe recipe = shortRecipe(bench.session(), 60);
            recipe.training.gradient_accumulation_steps = 1;
            for (const char* name : {"lost", "next"}) {
                QVERIFY(runs.start(recipe, QString::fromLatin1(name), bench.session().recipe().configFile()));
                const int before = int(ended.count());
                QVERIFY(waitFor([&] { return ended.count() > before; }, 60000));
                const auto end = ended.last()[0].value<RunEnd>();
                QVERIFY(end.error && end.error->code == ErrorCode::DeviceLost);
                QVERIFY(end.error->hint.starts_with("Restart the program."));
                if (!sentence.empty()) QCOMPARE(end.error->text(), sentence);  // at once, in the same words
                sentence = end.error->text();
                QVERIFY(!runs.active());
            }
            // The second was refused before it had a folder.
            QVERIFY(waitFor([&] { return runs.entries().size() == 1; }));
            QCOMPARE(runs.entries()[0].info.state, project::RunState::Failed);
            QCOMPARE(runs.entries()[0].info.failure, sentence);
            // What needs no engine goes on.
            QVERIFY(runs.remove(runs.entries()[0].folder));
        }
        // The next start of the program has a card again.
        Bench bench(12);
        QSignalSpy ended(&bench.session().runs(), &RunService::ended);
        QVERIFY(bench.session().runs().start(shortRecipe(bench.session(), 2), QStringLiteral("again"),
                                             bench.session().recipe().configFile()));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        QVERIFY(ended[0][0].value<RunEnd>().summary);
    }

    void aRunThatCannotBeginSaysWhy() {
        Bench bench(12);
        RunService& runs = bench.session().runs();
        auto recipe = shortRecipe(bench.session(), 4);
        recipe.training.model_name_or_path = "/nowhere/phi-2";
        std::optional<Error> error;
        connect(&runs, &RunService::ended, this, [&](const RunEnd& end) { error = end.error; });
        QVERIFY(runs.start(recipe, QStringLiteral("broken"), {}));
        QVERIFY(waitFor([&] { return error.has_value(); }, 60000));
        QVERIFY(error->message.find("/nowhere/phi-2") != std::string::npos);
        QVERIFY(!error->hint.empty());
        QVERIFY(!runs.active());
    }

    void aRunThatNeverBeganIsInterruptedAndGoesOn() {
        Bench bench(12);
        Session& session = bench.session();
        RunService& runs = session.runs();
        QSignalSpy ended(&runs, &RunService::ended);
        QVERIFY(runs.start(shortRecipe(session, 2), QStringLiteral("early"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        // As it is on the disk between its making and its start.
        const auto folder = session.paths().runs() / "early";
        auto record = *io::readJson(folder / "run.json");
        record["state"] = "queued";
        QVERIFY(io::writeFileAtomic(folder / "run.json", io::dumpJson(record)));
        std::filesystem::remove_all(folder / "checkpoint-2");
        for (const char* log : {"metrics.jsonl", "samples.jsonl"}) std::filesystem::remove(folder / log);
        runs.refresh();
        QVERIFY(waitFor(
            [&] { return !runs.entries().empty() && runs.entries()[0].info.state == project::RunState::Interrupted; }));
        QVERIFY(runs.resume(folder));
        QVERIFY(waitFor([&] { return ended.count() == 2; }, 60000));
        QCOMPARE(project::readRun(folder)->state, project::RunState::Finished);
    }

    void aRunStartsAgainWithAnotherSetting() {
        Bench bench(12);
        Session& session = bench.session();
        RunService& runs = session.runs();
        QSignalSpy ended(&runs, &RunService::ended);
        const auto file = session.recipe().configFile();
        QVERIFY(runs.start(shortRecipe(session, 2), QStringLiteral("large"), file));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        const auto folder = session.paths().runs() / "large";
        QVERIFY(!runs.startAgain(folder, {"max_seq_length", "none at all"}, file));
        QVERIFY(runs.startAgain(folder, {"max_seq_length", "48"}, file));
        QCOMPARE(runs.live()->name, QStringLiteral("large-2"));
        QVERIFY(waitFor([&] { return ended.count() == 2; }, 60000));
        const auto setting = [&](const char* name) {
            const auto info = project::readRun(session.paths().runs() / name);
            return info ? jobs::runRecord(info->details)->recipe.training.max_seq_length : -1;
        };
        QCOMPARE(setting("large-2"), 48);
        QCOMPARE(setting("large"), 96);  // its own record stays
    }

    void aRemovedRunLiesInTheTrash() {
        Bench bench(12);
        Session& session = bench.session();
        RunService& runs = session.runs();
        QSignalSpy ended(&runs, &RunService::ended);
        QVERIFY(runs.start(shortRecipe(session, 2), QStringLiteral("old"), session.recipe().configFile()));
        QVERIFY(!runs.remove(session.paths().runs() / "old"));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 60000));
        QVERIFY(runs.remove(session.paths().runs() / "old"));
        QVERIFY(waitFor([&] { return runs.entries().empty(); }));
        std::size_t kept = 0;
        for (const auto& entry : std::filesystem::directory_iterator(session.paths().folder / "trash"))
            kept += project::isRunFolder(entry.path());
        QCOMPARE(kept, std::size_t{1});
    }
};

STUDIO_WIDGET_TEST(RunServiceTest)
#include "run_service_test.moc"
