#include <QtTest>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/loop_support.h"
#include "engine/train/gradients.h"

using namespace studio;
using namespace studio::test;
using engine::api::TrainResult;

namespace {

double largestDifference(std::span<const float> a, std::span<const float> b) {
    double most = a.size() == b.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
    return most;
}

}  // namespace

class TrainLoopTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void accumulationEqualsOneLargeBatch() {
        // Three targets and one: a mean of the two means would weigh them alike.
        Run small, large;
        for (Run* run : {&small, &large}) {
            run->plan.total_steps = 1;
            run->plan.lora_dropout = 0;
            run->plan.warmup_steps = 0;
        }
        small.data = ListSource({sequence({1, 2, 3}), sequence({4})});
        large.data = ListSource({sequence({1, 2, 3, 4})});
        QVERIFY(small.go());
        QVERIFY(large.go());
        QVERIFY(std::abs(small.record.steps[0].loss - large.record.steps[0].loss) < 1e-9);
        QVERIFY(std::abs(small.record.steps[0].grad_norm - large.record.steps[0].grad_norm) < 1e-6);
        QVERIFY(largestDifference(small.model.adapter().values(), large.model.adapter().values()) < 1e-6);

        // What a mean of means would have been is far away.
        Run first, second;
        first.plan = second.plan = small.plan;
        first.data = ListSource({sequence({1, 2, 3})});
        second.data = ListSource({sequence({4})});
        QVERIFY(first.go());
        QVERIFY(second.go());
        const double mean_of_means = (first.record.steps[0].loss + second.record.steps[0].loss) / 2;
        QVERIFY(std::abs(mean_of_means - small.record.steps[0].loss) > 1e-2);
    }

    void theLastStepOfAnEpochIsSmallerAndKept() {
        Run run;
        const auto result = run.go();
        QVERIFY(result);
        QVERIFY(result->end == TrainResult::End::Finished);
        std::vector<std::int64_t> supervised;
        std::vector<dataset::StreamPosition> positions;
        for (const auto& step : run.record.steps) supervised.push_back(step.supervised_tokens);
        for (const auto& kept : run.record.checkpoints) positions.push_back(kept.view().state.position);
        // Sizes 3 1 5 2 4, each epoch beginning one further.
        QCOMPARE(supervised, (std::vector<std::int64_t>{4, 7, 4, 6, 6, 3, 7}));
        QVERIFY((positions ==
                 std::vector<dataset::StreamPosition>{{0, 2}, {0, 4}, {1, 0}, {1, 2}, {1, 4}, {2, 0}, {2, 2}}));
        QCOMPARE(result->state.supervised_tokens, std::int64_t{37});
    }

    void metricsAreThoseOfTheStep() {
        Run run;
        run.plan.lora_dropout = 0;
        const auto result = run.go();
        QVERIFY(result);
        double sum = 0;
        for (const auto& step : run.record.steps) {
            QVERIFY(step.grad_norm > 0 && step.loss > 0 && !step.skipped);
            QCOMPARE(step.tokens, step.supervised_tokens);
            QCOMPARE(step.epoch, static_cast<double>(step.step) / 3);
            sum += step.loss * static_cast<double>(step.supervised_tokens);
        }
        QCOMPARE(run.record.steps[0].learning_rate, 0.0);  // warm-up begins at 0, as in transformers
        QCOMPARE(run.record.steps[1].learning_rate, 0.025);
        QCOMPARE(run.record.steps[2].learning_rate, 0.05);
        QVERIFY(std::abs(result->state.loss_sum - sum) < 1e-9);
        QCOMPARE(result->state.weight_sum, 37.0);
    }

    void aStepIsToldThenEvaluatedThenSaved() {
        Run run;
        run.evaluates = true;
        run.plan.total_steps = 5;
        run.plan.eval_on_start = true;
        run.plan.eval_steps = 2;
        run.plan.save_steps = 4;
        QVERIFY(run.go());
        QCOMPARE(run.record.lines, (std::vector<std::string>{"eval 0", "step 1", "step 2", "eval 2", "step 3", "step 4",
                                                             "eval 4", "save 4", "step 5", "eval 5", "save 5"}));
    }

    void evaluationLeavesNoTraceInTheAdapter() {
        Run with, without;
        with.evaluates = true;
        with.plan.eval_steps = 1;
        with.plan.eval_on_start = true;
        QVERIFY(with.go());
        QVERIFY(without.go());
        QVERIFY(with.adapterBytes() == without.adapterBytes());
    }

    void theBestEvaluationIsRemembered() {
        Run run;
        run.evaluates = true;
        run.plan.eval_steps = 1;
        run.plan.eval_on_start = true;
        const auto result = run.go();
        QVERIFY(result);
        QVERIFY(result->state.has_eval_loss);
        QVERIFY(result->state.best_step >= 1);
        QVERIFY(result->state.best_eval_loss <= result->state.last_eval_loss);
        QCOMPARE(result->state.last_eval_step, std::int64_t{7});
    }

    void anEvaluationThatIsNotFiniteIsToldButNotKept() {
        Run run;
        run.evaluates = true;
        run.plan.eval_steps = 1;
        auto batches = unequalBatches();
        batches[2].targets[0].weight = std::numeric_limits<float>::infinity();
        run.evaluation = ListSource(std::move(batches));
        const auto result = run.go();
        QVERIFY(result);
        QCOMPARE(run.record.evaluations.size(), std::size_t{7});
        QVERIFY(!std::isfinite(run.record.evaluations.back()));
        QVERIFY(!result->state.has_eval_loss);
        QCOMPARE(result->state.last_eval_loss, 0.0);
        QCOMPARE(result->state.best_step, std::int64_t{-1});
    }

    void aStepWithoutSupervisedTokensHasLossZeroAndAWarning() {
        Run run;
        dataset::Batch none = sequence({1, 2, 3});
        none.targets.clear();
        run.data = ListSource({sequence({1, 2, 3}, 0), none});
        run.plan.total_steps = 2;
        QVERIFY(run.go());
        QCOMPARE(run.record.steps[0].loss, 0.0);
        QCOMPARE(run.record.steps[0].grad_norm, 0.0);
        QCOMPARE(run.record.steps[0].supervised_tokens, std::int64_t{0});
        QVERIFY(!run.record.steps[0].skipped);
        QVERIFY(!run.log.warnings.empty());
        QVERIFY(std::isfinite(engine::norm(run.model.adapter().values())));
    }

    void anUpdateThatIsNotFiniteIsSkippedAndCounted_data() {
        QTest::addColumn<bool>("gradient");
        QTest::newRow("loss") << false;
        QTest::newRow("gradient") << true;
    }
    void anUpdateThatIsNotFiniteIsSkippedAndCounted() {
        QFETCH(bool, gradient);
        Run run;
        run.plan.accumulation = 1;
        run.plan.total_steps = 4;
        std::vector<std::string> adapters;
        // The second step goes wrong.
        run.model.on_forward = [&](int pass) {
            adapters.push_back(run.adapterBytes());
            run.model.break_gradients = gradient && pass == 2;
        };
        if (!gradient) {
            auto batches = unequalBatches();
            for (auto& target : batches[1].targets) target.weight = std::numeric_limits<float>::infinity();
            run.data = ListSource(std::move(batches));
        }
        const auto result = run.go();
        QVERIFY(result);
        QVERIFY(run.record.steps[1].skipped && !run.record.steps[2].skipped);
        QVERIFY(adapters[2] == adapters[1]);  // the third step starts where the second did
        QVERIFY(adapters[3] != adapters[2]);
        QCOMPARE(result->state.skipped_updates, std::int64_t{1});
        QCOMPARE(result->state.skipped_in_a_row, std::int64_t{0});
        QVERIFY(std::isfinite(result->state.loss_sum));
        QVERIFY(!run.record.at(2) && run.record.at(3));  // nothing is saved while it goes wrong
        QVERIFY(!run.log.warnings.empty());
    }

    void fiveBadStepsInARowEndTheRunAndSaveNothing() {
        Run run;
        run.plan.total_steps = 20;
        run.plan.accumulation = 1;
        run.model.on_forward = [&](int pass) { run.model.break_gradients = pass > 3; };
        std::string told;
        run.record.on_skipped = [&](Error& error) {
            told = error.message;
            error.message += " Look at these.";
            return false;
        };
        const auto result = run.go();
        QVERIFY(!result);
        QVERIFY(!result.error().cancelled());
        QCOMPARE(result.error().message, told + " Look at these.");
        QVERIFY(result.error().message.find("step 8") != std::string::npos);
        QVERIFY(result.error().hint.find("step 3") != std::string::npos);
        QCOMPARE(run.record.checkpoints.back().view().state.step, std::int64_t{3});
        QCOMPARE(run.record.steps.size(), std::size_t{8});
    }

    void fiveBadStepsInARowPauseARunThatSomebodyWatches() {
        // It goes on past them: the adapter and the moments are those of the last good update, the data go on.
        Run run, without;
        run.plan.total_steps = without.plan.total_steps = 12;
        run.plan.accumulation = without.plan.accumulation = 1;
        run.model.on_forward = [&](int pass) { run.model.break_gradients = pass > 3 && pass <= 8; };
        int asked = 0;
        run.record.on_skipped = [&](Error&) { return ++asked > 0; };
        run.record.on_pause = [&](bool paused) {
            if (!paused) return;
            run.mailbox.saveAfterStep();
            run.mailbox.resume();
        };
        const auto result = run.go();
        QVERIFY(result && result->end == TrainResult::End::Finished);
        QCOMPARE(asked, 1);
        QCOMPARE(result->state.skipped_updates, std::int64_t{5});
        QCOMPARE(run.record.steps.size(), std::size_t{12});
        const auto& good = run.record.at(3)->view();
        const auto& bad = run.record.at(8)->view();
        for (std::size_t t = 0; t < good.optimizer.size(); ++t)
            QVERIFY(std::memcmp(good.optimizer[t].data, bad.optimizer[t].data, good.optimizer[t].bytes) == 0);
        for (std::size_t t = 0; t < good.adapter.size(); ++t)
            QVERIFY(std::memcmp(good.adapter[t].data, bad.adapter[t].data, good.adapter[t].bytes) == 0);
        QVERIFY((bad.state.position == dataset::StreamPosition{1, 3}));  // five an epoch
        // From there it goes on as from any checkpoint.
        Run resumed;
        resumed.plan = run.plan;
        QVERIFY(resumed.go(&bad));
        QVERIFY(resumed.adapterBytes() == run.adapterBytes());
        // And every five more ask again.
        Run hopeless;
        hopeless.plan.total_steps = 16;
        hopeless.plan.accumulation = 1;
        hopeless.model.break_gradients = true;
        int times = 0;
        hopeless.record.on_skipped = [&](Error&) { return ++times < 3; };
        hopeless.record.on_pause = [&](bool paused) {
            if (paused) hopeless.mailbox.resume();
        };
        QVERIFY(!hopeless.go());
        QCOMPARE(times, 3);
        QCOMPARE(hopeless.record.steps.size(), std::size_t{15});
    }

    void aSkippedUpdateNamesItsExamples() {
        Run run;
        run.plan.total_steps = 2;
        auto batches = unequalBatches();
        for (std::size_t i = 0; i < batches.size(); ++i) batches[i].samples = {static_cast<int>(10 * i)};
        // Two conversations in one batch, the second of which has no finite loss.
        dataset::Batch two = sequence({1, 2, 3, 4});
        two.samples = {7, 5};
        two.segments = {{0, 2, 0, {}}, {2, 4, 1, {}}};
        two.positions = {0, 1, 0, 1};
        two.targets[3].weight = std::numeric_limits<float>::infinity();
        batches[1] = two;
        run.data = ListSource(std::move(batches));
        run.model.on_forward = [&](int pass) { run.model.break_gradients = pass == 3; };
        QVERIFY(run.go());
        QCOMPARE(run.record.steps[0].suspects, (std::vector<dataset::SampleId>{5}));
        // Where only the gradient is not finite, any of the step may be the cause.
        QVERIFY(std::isfinite(run.record.steps[1].loss));
        QCOMPARE(run.record.steps[1].suspects, (std::vector<dataset::SampleId>{20, 30}));
    }

    void aStepThatMemoryRunsOutForIsTriedOnceMore() {
        Run run, without;
        run.model.fail_forward = [](int pass) -> Result<void> {
            if (pass == 4) return fail(ErrorCode::OutOfMemory, "Not enough memory.");  // second of step 2
            return {};
        };
        QVERIFY(run.go());
        QVERIFY(without.go());
        QCOMPARE(run.model.freed, 1);
        QVERIFY(run.stepsAndEvaluations() == without.stepsAndEvaluations());
        QVERIFY(run.record.at(7)->bytes() == without.record.at(7)->bytes());
    }

    void anEvaluationThatMemoryRunsOutForIsTriedOnceMore() {
        for (const bool always : {false, true}) {
            Run run;
            run.evaluates = true;
            run.plan.save_steps = 0;
            run.plan.eval_steps = 2;
            run.plan.eval_at_end = false;
            run.model.fail_forward = [always](int pass) -> Result<void> {
                if (pass == 7 || (always && pass == 8)) return fail(ErrorCode::OutOfMemory, "Not enough memory.");
                return {};
            };
            const auto result = run.go();
            QCOMPARE(run.model.freed, 1);
            QCOMPARE(result.has_value(), !always);
            if (!always) continue;
            // What is finished is saved, and the sentence names the setting of evaluation.
            QCOMPARE(run.record.lines.back(), std::string("save 2"));
            QVERIFY(result.error().hint.find("per_device_eval_batch_size") != std::string::npos);
        }
    }

    void aLostDeviceEndsTheRunAndSavesNothing() {
        Run run;
        run.plan.save_steps = 3;
        run.model.fail_forward = [](int pass) -> Result<void> {
            if (pass >= 8) return fail(ErrorCode::DeviceLost, "The GPU failed.", "Restart the program.");
            return {};
        };
        const auto result = run.go();
        QVERIFY(!result && result.error().code == ErrorCode::DeviceLost);
        QCOMPARE(run.record.lines.back(), std::string("step 4"));  // steps of 2, 2, 1 and 2 micro-batches
        QCOMPARE(run.record.checkpoints.size(), std::size_t{1});
        QVERIFY(run.record.at(3));
        QCOMPARE(run.model.freed, 0);
    }

    void aFailedSaveIsTriedAgain() {
        Run run;
        int failures = 2;
        run.record.on_save = [&](std::int64_t step) -> Result<void> {
            if (step != 3 || failures == 0) return {};
            --failures;
            return fail(ErrorCode::Io, "No space left on the disk.");
        };
        run.record.on_retry = [](const Error&) { return true; };
        QVERIFY(run.go());
        QCOMPARE(failures, 0);
        QVERIFY(run.record.at(3));
        QCOMPARE(run.log.warnings.size(), std::size_t{2});
    }

    void aSaveThatIsGivenUpEndsTheRunWithItsError() {
        Run run;
        run.record.on_save = [&](std::int64_t step) -> Result<void> {
            if (step == 3) return fail(ErrorCode::Io, "No space left on the disk.");
            return {};
        };
        const auto result = run.go();
        QVERIFY(!result);
        QCOMPARE(result.error().message, std::string("No space left on the disk."));
        QCOMPARE(run.record.steps.size(), std::size_t{3});
    }

    void anErrorOfTheObserverEndsTheRunBeforeTheSave() {
        Run run;
        run.record.on_step = [](std::int64_t step) -> Result<void> {
            if (step == 3) return fail(ErrorCode::Io, "The log cannot be written.");
            return {};
        };
        const auto result = run.go();
        QVERIFY(!result);
        QCOMPARE(result.error().message, std::string("The log cannot be written."));
        QVERIFY(run.record.at(2) && !run.record.at(3));
    }

    void anErrorOfTheModelKeepsTheFinishedSteps() {
        Run run;
        run.plan.save_steps = 0;
        run.model.fail_forward = [](int pass) -> Result<void> {
            if (pass >= 6) return fail(ErrorCode::OutOfMemory, "Not enough memory.");
            return {};
        };
        const auto result = run.go();
        QVERIFY(!result);
        QVERIFY(result.error().code == ErrorCode::OutOfMemory);
        QCOMPARE(run.record.lines.back(), std::string("save 3"));  // steps of 2, 2 and 1 micro-batches
    }

    void impossiblePlansAreRefused_data() {
        QTest::addColumn<QString>("key");
        for (const char* key :
             {"max_steps", "gradient_accumulation_steps", "adam_beta1", "adam_beta2", "adam_epsilon", "weight_decay",
              "max_grad_norm", "lora_dropout", "learning_rate", "lr_scheduler_type", "save_steps", "resid_pdrop"})
            QTest::newRow(key) << key;
    }
    void impossiblePlansAreRefused() {
        QFETCH(QString, key);
        Run run;
        auto& p = run.plan;
        if (key == "max_steps") p.total_steps = 0;
        if (key == "gradient_accumulation_steps") p.accumulation = 0;
        if (key == "adam_beta1") p.beta1 = 1;
        if (key == "adam_beta2") p.beta2 = std::nan("");
        if (key == "adam_epsilon") p.epsilon = 0;
        if (key == "weight_decay") p.weight_decay = -1;
        if (key == "max_grad_norm") p.max_grad_norm = std::numeric_limits<double>::infinity();
        if (key == "lora_dropout") p.lora_dropout = 1;
        if (key == "learning_rate") p.learning_rate = std::nan("");
        if (key == "lr_scheduler_type") p.lr_scheduler = "polynomial";
        if (key == "save_steps") p.save_steps = -1;
        if (key == "resid_pdrop") p.resid_dropout = -0.1;
        const auto result = run.go();
        QVERIFY(!result);
        QVERIFY2(QString::fromStdString(result.error().message).startsWith(key), result.error().message.c_str());
        QVERIFY(run.record.lines.empty());
    }

    void noDataIsASentence() {
        Run run;
        run.data = ListSource({});
        const auto result = run.go();
        QVERIFY(!result);
        QVERIFY(result.error().message.find("nothing to train on") != std::string::npos);
    }

    void dumpedGradientsAreThoseOfTheMeanLoss() {
        TinyModel model;
        const auto batch = sequence({1, 2, 3, 4});
        const auto dump = engine::computeGradients(model, batch);
        QVERIFY(dump);
        // Central differences of the loss.
        std::vector<float> nll(4);
        const auto lossWith = [&](std::size_t i, float shift) {
            const float kept = std::exchange(model.adapter().values()[i], model.adapter().values()[i] + shift);
            engine::WeightedLoss loss;
            [[maybe_unused]] const auto done = model.forward(batch, {}, nll);
            loss.add(batch, nll);
            model.adapter().values()[i] = kept;
            return loss.mean();
        };
        QVERIFY(std::abs(lossWith(0, 0) - dump->loss) < 1e-9);
        const auto* gradient = static_cast<const float*>(dump->gradients[0].data);
        for (std::size_t i = 0; i < 21; ++i)
            QVERIFY(std::abs((lossWith(i, 1e-2f) - lossWith(i, -1e-2f)) / 2e-2 - gradient[i]) < 1e-3);
        auto none = batch;
        none.targets.clear();
        QVERIFY(!engine::computeGradients(model, none));
    }
};

QTEST_APPLESS_MAIN(TrainLoopTest)
#include "train_loop_test.moc"
