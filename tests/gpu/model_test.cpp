// The built-in model on the GPU against the same model on the processor.
#include <QTemporaryDir>
#include <algorithm>

#include "engine/gpu/gpu_phi.h"
#include "gpu/batches.h"
#include "gpu/on_device.h"
#include "support/tiny_phi.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;
using engine::ForwardOptions;
using engine::MemoryMode;
using engine::PhiModel;

namespace {

constexpr int kVocab = 4096;

api::ModelSource source(bool four_bit) {
    api::ModelSource source;
    source.folder = STUDIO_SOURCE_DIR "/resources/demo/model";
    source.load_in_4bit = four_bit;
    return source;
}

struct Run {
    std::vector<float> nll, gradients, logits;
    double mean = 0;
};

class GpuModelTest : public QObject {
    Q_OBJECT

    std::unique_ptr<PhiModel> cpu_, gpu_;

    static api::LoraSpec spec(const PhiModel& model, const std::vector<int>& ranks) {
        api::LoraSpec spec;
        std::size_t next = 0;
        for (const std::string& name : model.linearNames()) {
            const int r = ranks[next++ % ranks.size()];
            if (r > 0) spec.modules.push_back({name, r, 2.0});
        }
        spec.seed = 3;
        return spec;
    }

    // The same adapter in both, B not zero.
    void giveAdapter(const std::vector<int>& ranks) {
        for (PhiModel* model : {cpu_.get(), gpu_.get()}) {
            const auto created = model->createAdapter(spec(*model, ranks));
            QVERIFY2(created.has_value(), created ? "" : created.error().text().c_str());
            std::mt19937 random(5);
            std::normal_distribution<float> draw(0, 0.02f);
            for (const auto& tensor : model->adapter().tensors())
                for (std::size_t i = 0; i < tensor.size(); ++i)
                    model->adapter().values()[tensor.offset + i] = rounded(draw(random));
            if (auto* device = model->device()) OnDevice::require(device->storeValues(model->adapter().values()));
        }
    }

    static Run run(PhiModel& model, const dataset::Batch& batch, ForwardOptions options) {
        Run result;
        options.keep_logits = true;
        result.nll.resize(batch.targets.size());
        if (model.hasAdapter()) model.adapter().zeroGradients();
        if (auto* device = model.device()) OnDevice::require(device->zeroGradients());
        OnDevice::require(model.forward(batch, options, result.nll));
        for (const float v : result.nll) result.mean += v / static_cast<double>(result.nll.size());
        result.logits.assign(model.keptLogits().begin(), model.keptLogits().end());
        if (!options.training) return result;
        OnDevice::require(model.backward(1));
        if (auto* device = model.device()) OnDevice::require(device->fetchGradients(model.adapter().gradients()));
        const auto gradients = model.adapter().gradients();
        result.gradients.assign(gradients.begin(), gradients.end());
        return result;
    }

    // Says by how much the GPU is off, and fails where it is too much.
    static void compare(const char* what, const Run& got, const Run& wanted, double gradient_bound = 3e-2) {
        const double logits = relative(got.logits, wanted.logits);
        const double gradients = wanted.gradients.empty() ? 0 : relative(got.gradients, wanted.gradients);
        qInfo("%s: loss %.5f, on the processor %.5f; relative error of logits %.2e, of gradients %.2e", what, got.mean,
              wanted.mean, logits, gradients);
        QVERIFY(std::abs(got.mean - wanted.mean) < 0.01);
        QVERIFY(logits < 2e-2);
        QVERIFY(gradients < gradient_bound);
    }

    static ForwardOptions training(MemoryMode mode = MemoryMode::KeepAll) {
        ForwardOptions options;
        options.training = true;
        options.memory = mode;
        return options;
    }

    std::vector<dataset::Batch> batches(int vocab = kVocab) const {
        return {separate({70, 3, 129}, 1, vocab), separate({128, 128}, 7, vocab), tree(3, vocab)};
    }

    // With this model in place of the built-in one.
    template <class Body>
    void with(const TinyPhi& model, const Body& body, bool four_bit = true) {
        const QTemporaryDir folder;
        OnDevice::require(writeTinyPhi(folder.path().toStdString(), model));
        api::ModelSource tiny = source(four_bit);
        tiny.folder = folder.path().toStdString();
        auto on_cpu = PhiModel::load(tiny, nullptr, {});
        QVERIFY2(on_cpu.has_value(), on_cpu ? "" : on_cpu.error().text().c_str());
        auto on_gpu = engine::gpu::GpuPhi::load(tiny, 0, nullptr, {});
        QVERIFY2(on_gpu.has_value(), on_gpu ? "" : on_gpu.error().text().c_str());
        std::unique_ptr<PhiModel> gpu = std::move(*on_gpu);
        cpu_.swap(*on_cpu);
        gpu_.swap(gpu);
        body();
        cpu_.swap(*on_cpu);
        gpu_.swap(gpu);
    }
    static TinyPhi tiny(int hidden, int heads, int kv_heads, int intermediate, int layers) {
        TinyPhi model;
        model.vocab = 264;
        model.hidden = hidden;
        model.heads = heads;
        model.kv_heads = kv_heads;
        model.intermediate = intermediate;
        model.layers = layers;
        model.context = 1024;
        model.partial_rotary_factor = 0.5;
        return model;
    }

    void compareModes(const std::vector<dataset::Batch>& batches) {
        for (const bool dropout : {false, true})
            for (const auto& batch : batches) {
                ForwardOptions options = training();
                options.deterministic = true;
                if (dropout) options.lora_dropout = options.resid_dropout = 0.1;
                const Run all = run(*gpu_, batch, options), again = run(*gpu_, batch, options);
                QVERIFY(all.gradients == again.gradients);
                for (const MemoryMode mode : {MemoryMode::KeepAll, MemoryMode::Selective, MemoryMode::Recompute}) {
                    options.memory = mode;
                    const Run less = run(*gpu_, batch, options);
                    QVERIFY(less.nll == all.nll);
                    QVERIFY2(less.gradients == all.gradients,
                             qPrintable(QString::number(relative(less.gradients, all.gradients))));
                    // With the faster kernels, whose sums have no fixed order.
                    ForwardOptions fast = options;
                    fast.deterministic = false;
                    compare("the faster kernels", run(*gpu_, batch, fast), all);
                }
            }
    }

  private Q_SLOTS:
    void initTestCase() {
        NEEDS_GPU();
        auto on_cpu = PhiModel::load(source(true), nullptr, {});
        QVERIFY2(on_cpu.has_value(), on_cpu ? "" : on_cpu.error().text().c_str());
        cpu_ = std::move(*on_cpu);
        auto on_gpu = engine::gpu::GpuPhi::load(source(true), 0, nullptr, {});
        QVERIFY2(on_gpu.has_value(), on_gpu ? "" : on_gpu.error().text().c_str());
        gpu_ = std::move(*on_gpu);
    }

    void base() {
        for (const auto& batch : batches()) compare("base", run(*gpu_, batch, {}), run(*cpu_, batch, {}));
    }

    void trainingEveryLinear() {
        giveAdapter({16});
        for (const auto& batch : batches())
            compare("r 16", run(*gpu_, batch, training()), run(*cpu_, batch, training()));
    }

    void oddRanksAndSomeLinears() {
        giveAdapter({5, 0, 3, 8, 0, 17, 1});
        for (const auto& batch : batches())
            compare("odd ranks", run(*gpu_, batch, training()), run(*cpu_, batch, training()));
    }

    void dropouts() {
        giveAdapter({8, 12});
        ForwardOptions options = training();
        options.lora_dropout = 0.1;
        options.seed = 77;
        options.step = 3;
        compare("lora_dropout", run(*gpu_, batches()[0], options), run(*cpu_, batches()[0], options));
        options.resid_dropout = 0.1;
        for (const auto& batch : batches())
            compare("both dropouts", run(*gpu_, batch, options), run(*cpu_, batch, options));
        options.lora_dropout = 0;
        compare("resid_dropout", run(*gpu_, batches()[0], options), run(*cpu_, batches()[0], options));
    }

    void memoryModesGiveTheSameBits() {
        giveAdapter({16});
        compareModes(batches());
    }

    // With so many layers Selective keeps nothing of the lowest.
    void layersComputedAgainGiveTheSameBits() {
        with(tiny(128, 2, 1, 256, 24), [&] {
            giveAdapter({8});
            compareModes(batches(264));
        });
    }

    // Where memory counts, products with weights that are larger than the workspace go through it in pieces.
    void largeGroupsInPieces() {
        const TinyPhi models[] = {
            tiny(1024, 16, 16, 16456, 2),  // no whole number of pieces
            tiny(1024, 8, 2, 16384, 2),    // four query heads a key head, of 128
            tiny(2560, 32, 32, 256, 2),    // pieces of q | k | v, not where one begins
        };
        for (const TinyPhi& model : models)
            for (const bool four_bit : {true, false})
                with(
                    model,
                    [&] {
                        giveAdapter({8, 3});
                        for (const bool dropout : {false, true})
                            for (const auto& batch : batches(264)) {
                                ForwardOptions options = training();
                                if (dropout) options.lora_dropout = options.resid_dropout = 0.1;
                                const Run whole = run(*gpu_, batch, options);
                                options.memory = MemoryMode::Recompute;
                                compare("in pieces", run(*gpu_, batch, options), whole, 2e-2);
                            }
                    },
                    four_bit);
    }

    // The residual stream of one batch waits in the computer's memory while another length, an evaluation and a run
    // that was stopped come in between.
    void batchesTakeTurnsWhileResidualsAreAway() {
        giveAdapter({16});
        ForwardOptions options = training(MemoryMode::Recompute);
        options.deterministic = true;
        std::vector<Run> first;
        for (const auto& batch : batches()) first.push_back(run(*gpu_, batch, options));
        for (int round = 0; round < 3; ++round)
            for (std::size_t i = 0; i < first.size(); ++i) {
                const auto batch = batches()[i];
                std::stop_source stop;
                ForwardOptions stopped = options;
                stopped.stop = stop.get_token();
                std::vector<float> nll(batch.targets.size());
                OnDevice::require(gpu_->forward(batch, stopped, nll));
                stop.request_stop();
                QVERIFY(!gpu_->backward(1));
                run(*gpu_, batches()[(i + 1) % first.size()], {});
                const Run again = run(*gpu_, batch, options);
                QVERIFY(again.nll == first[i].nll);
                QVERIFY(again.gradients == first[i].gradients);
                if (round == 1) gpu_->freeMemory();
            }
    }

    // Heads of 24, rotated in pairs of 6; three blocks of NF4 in two rows; two query heads a key head.
    void otherWidths() {
        with(tiny(96, 4, 2, 200, 2), [&] {
            for (const auto& batch : batches(264)) compare("base", run(*gpu_, batch, {}), run(*cpu_, batch, {}));
            giveAdapter({8, 3});
            for (const auto& batch : batches(264))
                compare("r 8 and 3", run(*gpu_, batch, training()), run(*cpu_, batch, training()));
        });
    }

    void strength() {
        giveAdapter({16});
        const auto batch = batches()[0];
        ForwardOptions options;
        options.adapter_strength = 0;
        const Run without = run(*gpu_, batch, options);
        options.adapter_strength = 0.5;
        compare("half strength", run(*gpu_, batch, options), run(*cpu_, batch, options));
        gpu_->dropAdapter();
        QVERIFY(run(*gpu_, batch, {}).nll == without.nll);
    }

    void decodingFollowsTheWholePass() {
        giveAdapter({16});
        const auto batch = separate({60}, 9, kVocab);
        for (const double strength : {1.0, 0.0, 0.7}) {
            auto cpu_cache = cpu_->newCache(64), gpu_cache = gpu_->newCache(64);
            QVERIFY(cpu_cache.has_value() && gpu_cache.has_value());
            std::vector<float> expected(kVocab), got(kVocab);
            const std::span<const int> tokens(batch.tokens);
            std::size_t at = 0;
            double worst = 0;
            for (const std::size_t count : {40u, 1u, 1u, 3u, 1u, 1u, 1u, 1u, 1u, 1u, 9u}) {
                const auto piece = tokens.subspan(at, count);
                OnDevice::require(cpu_->step(**cpu_cache, piece, strength, expected, {}));
                OnDevice::require(gpu_->step(**gpu_cache, piece, strength, got, {}));
                worst = std::max(worst, relative(got, expected));
                at += count;
            }
            qInfo("decoding at strength %.1f: relative error of logits at most %.2e", strength, worst);
            QVERIFY(worst < 2e-2);
            (*gpu_cache)->truncate(40);
            OnDevice::require(gpu_->step(**gpu_cache, tokens.subspan(40, 20), strength, got, {}));
            QVERIFY(relative(got, expected) < 2e-2);
        }
    }

    void unquantisedBase() {
        auto on_cpu = PhiModel::load(source(false), nullptr, {});
        auto on_gpu = engine::gpu::GpuPhi::load(source(false), 0, nullptr, {});
        QVERIFY(on_cpu.has_value() && on_gpu.has_value());
        const auto batch = batches()[0];
        compare("bf16 base", run(**on_gpu, batch, {}), run(**on_cpu, batch, {}));
    }

    void whatDoesNotFitIsSaid() {
        giveAdapter({16});
        engine::Limits limits;
        limits.rows = limits.targets = 400'000'000;
        limits.training = true;
        const auto reserved = gpu_->reserve(limits);
        QVERIFY(!reserved.has_value());
        QVERIFY2(reserved.error().message.find("MB") != std::string::npos, reserved.error().text().c_str());
        compare("after that", run(*gpu_, batches()[0], training()), run(*cpu_, batches()[0], training()));
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuModelTest)
#include "model_test.moc"
