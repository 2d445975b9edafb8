#include <QtTest>
#include <limits>

#include "engine/loop_support.h"

using namespace studio;
using namespace studio::test;
using engine::api::Checkpoint;
using engine::api::TrainResult;

namespace {

// Dropout and accumulation are on by default; evaluation too here.
void evaluateOften(Run& run) {
    run.evaluates = true;
    run.plan.eval_steps = 2;
    run.plan.eval_on_start = true;
}

// What the run's log holds after resuming from `step`: lines up to it, and evaluations the checkpoint knows of.
std::vector<std::string> joined(const Run& before, const Checkpoint& from, const Run& after) {
    std::vector<std::string> all;
    for (const std::string& line : before.stepsAndEvaluations()) {
        const bool evaluation = line.starts_with("eval ");
        const auto step = std::stoll(line.substr(5));
        if (step <= (evaluation ? from.state.last_eval_step : from.state.step)) all.push_back(line);
    }
    for (const std::string& line : after.stepsAndEvaluations()) all.push_back(line);
    return all;
}

}  // namespace

class TrainResumeTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void resumingAtAnyStepEqualsNeverStopping() {
        Run straight;
        evaluateOften(straight);
        QVERIFY(straight.go());
        QCOMPARE(straight.record.checkpoints.size(), std::size_t{7});
        for (std::int64_t k = 1; k <= 7; ++k) {
            Run resumed;
            evaluateOften(resumed);
            const Checkpoint& from = straight.record.at(k)->view();
            const auto result = resumed.go(&from);
            QVERIFY(result);
            QVERIFY(resumed.adapterBytes() == straight.adapterBytes());
            QVERIFY(joined(straight, from, resumed) == straight.stepsAndEvaluations());
            for (std::int64_t s = k + 1; s <= 7; ++s)
                QVERIFY(resumed.record.at(s)->bytes() == straight.record.at(s)->bytes());
        }
    }

    void dropoutMakesThisTestBite() {
        // Without the same masks the adapters differ, so equal bytes above say that the masks are the same.
        Run one, other;
        other.plan.seed = 43;
        QVERIFY(one.go());
        QVERIFY(other.go());
        QVERIFY(one.adapterBytes() != other.adapterBytes());
    }

    void aSkippedStepCountsThroughAResume() {
        // Step 3 is skipped; the bias corrections after it count one update less, resumed or not.
        const auto breakThird = [](Run& run, int already) {
            run.plan.accumulation = 1;
            run.model.on_forward = [&run, already](int pass) { run.model.break_gradients = pass + already == 3; };
        };
        Run straight;
        breakThird(straight, 0);
        QVERIFY(straight.go());
        for (const std::int64_t k : {2, 4, 5}) {
            Run resumed;
            breakThird(resumed, static_cast<int>(k));
            QVERIFY(resumed.go(&straight.record.at(k)->view()));
            QVERIFY(resumed.record.at(7)->bytes() == straight.record.at(7)->bytes());
        }
    }

    void aFinishedRunIsAlreadyComplete() {
        Run straight, again;
        QVERIFY(straight.go());
        const auto result = again.go(&straight.record.at(7)->view());
        QVERIFY(result);
        QVERIFY(result->end == TrainResult::End::Finished);
        QVERIFY(again.record.lines.empty());
        QVERIFY(again.adapterBytes() == straight.adapterBytes());
    }

    void aCheckpointThatDoesNotFitIsRefused_data() {
        QTest::addColumn<QString>("damage");
        QTest::addColumn<QString>("named");
        QTest::newRow("later than the plan") << "step"
                                             << "step 9";
        QTest::newRow("negative step") << "negative"
                                       << "step -1";
        QTest::newRow("adapter tensor missing") << "missing"
                                                << "1 tensors";
        QTest::newRow("adapter tensor of another name") << "name"
                                                        << "m.lora_A.weight";
        QTest::newRow("adapter tensor of another shape") << "shape"
                                                         << "[7, 3]";
        QTest::newRow("moment missing") << "moment"
                                        << "3 tensors";
        QTest::newRow("moment of another type") << "dtype"
                                                << "BF16";
    }
    void aCheckpointThatDoesNotFitIsRefused() {
        QFETCH(QString, damage);
        QFETCH(QString, named);
        Run straight, resumed;
        QVERIFY(straight.go());
        Checkpoint from = straight.record.at(3)->view();
        if (damage == "step") from.state.step = 9;
        if (damage == "negative") from.state.step = -1;
        if (damage == "missing") from.adapter.pop_back();
        if (damage == "name") from.adapter[0].name = "other";
        if (damage == "shape") from.adapter[0].shape = {7, 3};
        if (damage == "moment") from.optimizer.pop_back();
        if (damage == "dtype") from.optimizer[1].dtype = io::DType::BF16;
        const std::string before = resumed.adapterBytes();
        const auto result = resumed.go(&from);
        QVERIFY(!result);
        QVERIFY2(QString::fromStdString(result.error().message).contains(named), result.error().message.c_str());
        QVERIFY(!result.error().hint.empty());
        QVERIFY(resumed.adapterBytes() == before);
        QVERIFY(resumed.record.lines.empty());
    }

    void stopFinishesTheStepSavesAndResumes() {
        Run straight;
        QVERIFY(straight.go());
        for (int pass = 1; pass <= 10; ++pass) {
            Run stopped, resumed;
            stopped.plan.save_steps = resumed.plan.save_steps = 0;
            stopped.model.on_forward = [&](int number) {
                if (number == pass) stopped.mailbox.stopAfterStep();
            };
            const auto result = stopped.go();
            QVERIFY(result);
            QVERIFY(result->end == TrainResult::End::Stopped);
            QCOMPARE(stopped.record.checkpoints.size(), std::size_t{1});
            QCOMPARE(stopped.record.checkpoints[0].view().state.step, result->state.step);
            const auto end = resumed.go(&stopped.record.checkpoints[0].view());
            QVERIFY(end && end->end == TrainResult::End::Finished);
            QVERIFY(resumed.adapterBytes() == straight.adapterBytes());
        }
    }

    void cancelDiscardsTheStepAndKeepsTheFinishedOnes() {
        Run straight;
        evaluateOften(straight);
        QVERIFY(straight.go());
        // Passes of training and of evaluation alike.
        for (int pass = 6; pass <= 30; ++pass) {
            Run stopped, resumed;
            for (Run* run : {&stopped, &resumed}) {
                evaluateOften(*run);
                run->plan.save_steps = 0;
            }
            stopped.model.on_forward = [&](int number) {
                if (number == pass) stopped.stop.request_stop();
            };
            const auto result = stopped.go();
            QVERIFY(!result && result.error().cancelled());
            const auto steps = static_cast<std::int64_t>(stopped.record.steps.size());
            if (steps == 0) {
                QVERIFY(stopped.record.checkpoints.empty());
                continue;
            }
            QCOMPARE(stopped.record.checkpoints.size(), std::size_t{1});
            const Checkpoint& from = stopped.record.checkpoints[0].view();
            QCOMPARE(from.state.step, steps);
            QVERIFY(resumed.go(&from));
            QVERIFY(resumed.adapterBytes() == straight.adapterBytes());
            QVERIFY(joined(stopped, from, resumed) == straight.stepsAndEvaluations());
        }
    }

    void stopDuringAnEvaluationIsMadeUpOnResume() {
        Run straight, stopped, resumed;
        for (Run* run : {&straight, &stopped, &resumed}) {
            evaluateOften(*run);
            run->plan.eval_on_start = false;
        }
        stopped.plan.save_steps = 0;
        stopped.model.on_forward = [&](int number) {
            if (number == 6) stopped.mailbox.stopAfterStep();  // 4 passes of training, then those of evaluation
        };
        QVERIFY(straight.go());
        const auto result = stopped.go();
        QVERIFY(result && result->end == TrainResult::End::Stopped);
        QCOMPARE(stopped.record.lines, (std::vector<std::string>{"step 1", "step 2", "save 2"}));
        QVERIFY(resumed.go(&stopped.record.checkpoints[0].view()));
        QCOMPARE(resumed.record.lines[0], std::string("eval 2"));
        QVERIFY(resumed.adapterBytes() == straight.adapterBytes());
        QVERIFY(joined(stopped, stopped.record.checkpoints[0].view(), resumed) == straight.stepsAndEvaluations());
    }
};

QTEST_APPLESS_MAIN(TrainResumeTest)
#include "train_resume_test.moc"
