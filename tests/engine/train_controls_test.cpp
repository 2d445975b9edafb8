#include <QtTest>
#include <thread>

#include "engine/loop_support.h"

using namespace studio;
using namespace studio::test;
using engine::api::TrainResult;

class TrainControlsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void tasksInBetweenLeaveNoTrace() {
        Run with, without;
        for (Run* run : {&with, &without}) {
            run->evaluates = true;
            run->plan.eval_steps = 3;
        }
        int slices = 0;
        engine::api::Model* seen = nullptr;
        for (int i = 0; i < 3; ++i) {
            with.mailbox.post(std::make_shared<Task>([&, left = 5](engine::api::Model& model) mutable {
                ++slices;
                seen = &model;
                return --left == 0;
            }));
        }
        QVERIFY(with.go());
        QVERIFY(without.go());
        QCOMPARE(slices, 15);
        QVERIFY(seen == with.live.get());
        QVERIFY(with.adapterBytes() == without.adapterBytes());
        QVERIFY(with.stepsAndEvaluations() == without.stepsAndEvaluations());
        QVERIFY(with.record.at(7)->bytes() == without.record.at(7)->bytes());
    }

    void betweenTwoMicroBatchesATaskGetsOneSlice() {
        Run run;
        int passes = 0;
        std::vector<int> passes_at_slice;
        run.model.on_forward = [&](int number) { passes = number; };
        run.mailbox.post(std::make_shared<Task>([&](engine::api::Model&) {
            passes_at_slice.push_back(passes);
            return false;  // never done
        }));
        QVERIFY(run.go());
        std::vector<int> expected(12);  // seven steps of 2 2 1 2 2 1 2 micro-batches: once before each
        for (int i = 0; i < 12; ++i) expected[i] = i;
        QCOMPARE(passes_at_slice, expected);
    }

    void aTaskSeesTheAdapterOfTheLastFinishedStep() {
        Run run;
        std::vector<std::string> seen;
        run.mailbox.post(std::make_shared<Task>([&](engine::api::Model&) {
            seen.push_back(run.adapterBytes());
            return false;
        }));
        const std::string start = run.adapterBytes();
        QVERIFY(run.go());
        QVERIFY(seen[0] == start && seen[1] == start);  // before the first and between its two micro-batches
        const auto* saved = run.record.at(2)->view().adapter[0].data;
        QVERIFY(std::memcmp(seen[4].data(), saved, 21 * sizeof(float)) == 0);
    }

    void pauseFinishesTheStepAndServesTasks() {
        Run run;
        run.plan.save_steps = 0;
        bool paused = false;
        run.record.on_pause = [&](bool now) { paused = now; };
        run.model.on_forward = [&](int number) {
            if (number != 3) return;  // first micro-batch of step 2
            run.mailbox.pause();
            run.mailbox.post(std::make_shared<Task>([&, left = 4](engine::api::Model&) mutable {
                if (!paused) return false;  // between micro-batches
                if (--left == 2) run.mailbox.saveAfterStep();
                if (left > 0) return false;
                run.mailbox.resume();
                return true;
            }));
        };
        Run without;
        QVERIFY(run.go());
        QVERIFY(without.go());
        QCOMPARE(run.record.lines, (std::vector<std::string>{"step 1", "step 2", "pause", "save 2", "resume", "step 3",
                                                             "step 4", "step 5", "step 6", "step 7", "save 7"}));
        QVERIFY(run.adapterBytes() == without.adapterBytes());
    }

    void anotherThreadResumesAPausedRun() {
        Run run;
        run.mailbox.pause();
        std::jthread other;
        run.record.on_pause = [&](bool paused) {
            if (paused) other = std::jthread([&] { run.mailbox.resume(); });
        };
        const auto result = run.go();
        QVERIFY(result && result->end == TrainResult::End::Finished);
        QCOMPARE(run.record.lines[1], std::string("resume"));
    }

    void aPausedRunCanBeStoppedAndCancelled_data() {
        QTest::addColumn<bool>("cancel");
        QTest::newRow("stop") << false;
        QTest::newRow("cancel") << true;
    }
    void aPausedRunCanBeStoppedAndCancelled() {
        QFETCH(bool, cancel);
        Run run;
        run.plan.save_steps = 0;
        run.model.on_forward = [&](int number) {
            if (number == 3) run.mailbox.pause();
        };
        std::jthread other;
        run.record.on_pause = [&](bool paused) {
            if (!paused) return;
            other = std::jthread([&] {
                if (cancel)
                    run.stop.request_stop();
                else
                    run.mailbox.stopAfterStep();
            });
        };
        const auto result = run.go();
        if (cancel)
            QVERIFY(!result && result.error().cancelled());
        else
            QVERIFY(result && result->end == TrainResult::End::Stopped);
        auto lines = run.record.lines;
        std::erase(lines, "resume");
        QCOMPARE(lines, (std::vector<std::string>{"step 1", "step 2", "pause", "save 2"}));
    }

    void aSaveOnRequestIsNotMadeTwice() {
        Run run;
        run.plan.save_steps = 2;
        run.record.on_step = [&](std::int64_t step) -> Result<void> {
            if (step == 1 || step == 2) run.mailbox.saveAfterStep();
            return {};
        };
        QVERIFY(run.go());
        std::vector<std::string> saves;
        for (const auto& line : run.record.lines)
            if (line.starts_with("save")) saves.push_back(line);
        QCOMPARE(saves, (std::vector<std::string>{"save 1", "save 2", "save 4", "save 6", "save 7"}));
    }

    void aStopBeforeTheFirstStepSavesNothing() {
        Run run;
        run.mailbox.stopAfterStep();
        const auto result = run.go();
        QVERIFY(result && result->end == TrainResult::End::Stopped);
        QVERIFY(run.record.lines.empty());
    }

    void aFailedSaveOfACancelledRunIsWhatOneHears() {
        Run run;
        run.plan.save_steps = 0;
        run.record.on_save = [](std::int64_t) -> Result<void> { return fail(ErrorCode::Io, "The disk is full."); };
        run.model.on_forward = [&](int number) {
            if (number == 4) run.stop.request_stop();
        };
        const auto result = run.go();
        QVERIFY(!result);
        QCOMPARE(result.error().message, std::string("The disk is full."));
    }
};

QTEST_APPLESS_MAIN(TrainControlsTest)
#include "train_controls_test.moc"
