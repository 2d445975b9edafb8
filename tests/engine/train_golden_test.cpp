// Eight steps of the whole engine beside transformers + peft (tests/reference/make_train_golden.py).
#include <QtTest>
#include <cmath>

#include "engine/border/engine_model.h"
#include "engine/model_golden.h"
#include "engine/run_support.h"

using namespace studio;
using namespace studio::test;

namespace {

constexpr double kLoss = 1e-5, kNorm = 1e-4;  // relative

struct Distance {
    double loss = 0, norm = 0;  // the largest of all steps, relative
    bool within() const { return loss <= kLoss && norm <= kNorm; }
};

Distance distance(const std::vector<engine::api::StepMetrics>& steps, const io::Json& golden) {
    Distance most;
    if (steps.size() != golden.size()) return {1e9, 1e9};
    for (std::size_t s = 0; s < steps.size(); ++s) {
        const double loss = golden[s][0], norm = golden[s][1];
        most.loss = std::max(most.loss, std::abs(steps[s].loss - loss) / loss);
        most.norm = std::max(most.norm, std::abs(steps[s].grad_norm - norm) / norm);
    }
    return most;
}

}  // namespace

class TrainGoldenTest : public QObject {
    Q_OBJECT

    PhiGolden phi_;
    io::Json golden_;

    engine::api::TrainPlan plan() const {
        const auto& p = golden_["plan"];
        engine::api::TrainPlan plan;
        plan.total_steps = p["total_steps"];
        plan.accumulation = p["accumulation"];
        plan.learning_rate = p["learning_rate"];
        plan.lr_scheduler = p["lr_scheduler"];
        plan.warmup_steps = p["warmup_steps"];
        plan.weight_decay = p["weight_decay"];
        plan.max_grad_norm = p["max_grad_norm"];
        plan.beta1 = p["beta1"];
        plan.beta2 = p["beta2"];
        plan.epsilon = p["epsilon"];
        plan.steps_per_epoch = 7;
        return plan;
    }

    // Steps of our engine; the adapter's final sums are checked by the caller through `model`.
    std::vector<engine::api::StepMetrics> train(engine::EngineModel& model, const engine::api::TrainPlan& plan) {
        std::vector<dataset::Batch> batches;
        for (const auto& batch : golden_["batches"]) batches.push_back(batchFrom(batch));
        ListSource data(std::move(batches), false);
        Record record;
        engine::api::Mailbox mailbox;
        if (auto done = model.train(plan, data, nullptr, nullptr, record, record, mailbox, {}); !done)
            qFatal("%s", done.error().text().c_str());
        return record.steps;
    }

    engine::EngineModel model() {
        auto phi = phi_.model(golden_["model"], "double");
        phi_.giveAdapter(*phi, golden_["adapter"]);
        return engine::EngineModel(std::move(phi), makeNullLogger(), std::make_shared<engine::DeviceHealth>());
    }

  private Q_SLOTS:
    void initTestCase() {
        auto json = io::readJson(std::string(STUDIO_SOURCE_DIR) + "/tests/reference/data/train.json");
        if (!json) qFatal("%s", json.error().text().c_str());
        golden_ = std::move(*json);
    }

    void eightStepsEqualTransformers() {
        auto trained = model();
        const auto steps = train(trained, plan());
        const Distance most = distance(steps, golden_["steps"]);
        qInfo("largest relative difference: loss %.1e, gradient norm %.1e", most.loss, most.norm);
        QVERIFY(most.within());
        for (std::size_t s = 0; s < steps.size(); ++s)
            QVERIFY(std::abs(steps[s].learning_rate - golden_["steps"][s][2].get<double>()) < 1e-15);
        for (const auto& tensor : trained.adapter()) {
            double sum = 0, size = 0;
            const auto* values = static_cast<const float*>(tensor.data);
            for (std::size_t i = 0; i < tensor.bytes / sizeof(float); ++i) {
                sum += values[i];
                size += std::abs(values[i]);
            }
            QVERIFY2(std::abs(sum - golden_["final_sums"][tensor.name].get<double>()) < 1e-5 * size,
                     tensor.name.c_str());
        }
    }

    void eachTermOfTheStepIsNeeded_data() {
        QTest::addColumn<QString>("variant");
        QTest::newRow("no weight decay") << "no_weight_decay";
        QTest::newRow("no clipping") << "no_clipping";
        QTest::newRow("mean of means") << "mean_of_means";
    }
    void eachTermOfTheStepIsNeeded() {
        QFETCH(QString, variant);
        auto trained = model();
        const Distance most = distance(train(trained, plan()), golden_["variants"][variant.toStdString()]);
        qInfo("largest relative difference: loss %.1e, gradient norm %.1e", most.loss, most.norm);
        QVERIFY(most.loss > 10 * kLoss && most.norm > 10 * kNorm);
    }

    void leavingATermOutEqualsTransformersWithoutIt() {
        auto no_decay = plan(), no_clipping = plan();
        no_decay.weight_decay = 0;
        no_clipping.max_grad_norm = 0;
        auto one = model(), other = model();
        QVERIFY(distance(train(one, no_decay), golden_["variants"]["no_weight_decay"]).within());
        QVERIFY(distance(train(other, no_clipping), golden_["variants"]["no_clipping"]).within());
    }
};

QTEST_APPLESS_MAIN(TrainGoldenTest)
#include "train_golden_test.moc"
