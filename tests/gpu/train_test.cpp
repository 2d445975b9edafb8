// Training on the GPU: follows the processor's run, and a deterministic run resumes byte for byte.
#include "engine/border/engine.h"
#include "engine/run_support.h"
#include "gpu/batches.h"
#include "gpu/on_device.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;

namespace {

constexpr int kVocab = 4096;

class GpuTrainTest : public QObject {
    Q_OBJECT

    std::unique_ptr<engine::LocalEngine> engine_;

    std::unique_ptr<api::Model> model(const char* device) {
        api::ModelSource source;
        source.folder = STUDIO_SOURCE_DIR "/resources/demo/model";
        source.device = device;
        auto loaded = engine_->load(source, {});
        if (!loaded) qFatal("%s", loaded.error().text().c_str());
        api::LoraSpec spec;
        for (int layer = 0; layer < 5; ++layer)
            for (const char* name :
                 {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.dense", "mlp.fc1", "mlp.fc2"})
                spec.modules.push_back({"model.layers." + std::to_string(layer) + "." + name, 8, 2.0});
        if (auto created = (*loaded)->createAdapter(spec); !created) qFatal("%s", created.error().text().c_str());
        return std::move(*loaded);
    }

    static std::vector<dataset::Batch> data() {
        std::vector<dataset::Batch> batches;
        for (int i = 0; i < 5; ++i) {
            batches.push_back(separate({40 + i, 17}, 10 * i + 1, kVocab));
            batches.push_back(tree(10 * i + 5, kVocab));
        }
        return batches;
    }

    static api::TrainPlan plan(std::int64_t steps) {
        api::TrainPlan plan;
        plan.total_steps = steps;
        plan.learning_rate = 1e-3;
        plan.lr_scheduler = "constant";
        plan.steps_per_epoch = 5;
        return plan;
    }

    static Record train(api::Model& model, const api::TrainPlan& plan, const api::Checkpoint* resume = nullptr) {
        ListSource source(data());
        Record record;
        api::Mailbox mailbox;
        const auto trained = model.train(plan, source, nullptr, resume, record, record, mailbox, {});
        if (!trained) qFatal("%s", trained.error().text().c_str());
        return record;
    }

  private Q_SLOTS:
    void initTestCase() {
        NEEDS_GPU();
        engine_ = std::make_unique<engine::LocalEngine>(api::Services{});
        QCOMPARE(engine_->device().kind, std::string("cuda"));
    }

    void followsTheProcessor() {
        const auto cpu = model("cpu"), gpu = model("cuda");
        const Record on_cpu = train(*cpu, plan(100)), on_gpu = train(*gpu, plan(100));
        QCOMPARE(on_gpu.steps.size(), std::size_t{100});
        double worst = 0, worst_norm = 0;
        for (std::size_t i = 0; i < 100; ++i) {
            worst = std::max(worst, std::abs(on_gpu.steps[i].loss - on_cpu.steps[i].loss));
            worst_norm = std::max(worst_norm, std::abs(on_gpu.steps[i].grad_norm / on_cpu.steps[i].grad_norm - 1));
        }
        qInfo("100 steps, loss %.4f -> %.4f: the losses differ by at most %.2e nats, gradient norms by %.2e",
              on_gpu.steps[0].loss, on_gpu.steps[99].loss, worst, worst_norm);
        QVERIFY(on_gpu.steps[99].loss < on_gpu.steps[0].loss - 0.5);
        QVERIFY(worst < 0.05);
        QVERIFY(worst_norm < 0.25);
    }

    void resumesByteForByte() {
        api::TrainPlan whole = plan(8);
        whole.deterministic = true;
        whole.accumulation = 2;
        whole.lora_dropout = 0.1;
        whole.save_steps = 3;
        const auto first = model("cuda"), second = model("cuda");
        const Record straight = train(*first, whole);
        QVERIFY(straight.at(3) != nullptr && straight.at(8) != nullptr);
        const Record resumed = train(*second, whole, &straight.at(3)->view());
        QCOMPARE(resumed.steps.size(), std::size_t{5});
        QVERIFY(resumed.at(8)->bytes() == straight.at(8)->bytes());
    }

    void skipsAnUpdateThatIsNotFinite() {
        const auto gpu = model("cuda");
        api::TrainPlan once = plan(1);
        auto batches = data();
        batches.resize(1);
        for (auto& target : batches[0].targets) target.weight = 3e38f;
        ListSource source(batches);
        Record record;
        api::Mailbox mailbox;
        const auto trained = gpu->train(once, source, nullptr, nullptr, record, record, mailbox, {});
        QVERIFY(trained.has_value());
        QVERIFY(record.steps[0].skipped);
    }

    void memoryIsTold() {
        const auto gpu = model("cuda");
        train(*gpu, plan(1));
        const auto use = gpu->memory();
        QVERIFY(use.peak_bytes >= use.bytes && use.bytes > 0);
        QCOMPARE(use.mode, std::string("keep_all"));
        QVERIFY(use.parts.size() >= 4);
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuTrainTest)
#include "train_test.moc"
