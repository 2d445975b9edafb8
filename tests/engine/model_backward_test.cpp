// Gradients of every A and B against autograd through transformers + peft in float32.
#include <algorithm>

#include "engine/kernels/parallel.h"
#include "engine/model_golden.h"

using namespace studio;
using test::relative;

namespace {

// Of a tensor's gradient: largest difference over the reference's largest element.
constexpr double kGradientTolerance = 1e-4;
constexpr double kLossTolerance = 1e-4;

class ModelBackwardTest : public QObject {
    Q_OBJECT

    test::PhiGolden golden_;

    static double weightedLoss(const dataset::Batch& batch, std::span<const float> nll) {
        double loss = 0;
        for (std::size_t i = 0; i < nll.size(); ++i) loss += static_cast<double>(batch.targets[i].weight) * nll[i];
        return loss;
    }

    // Forward and backward of one batch; gradients are added to what is there.
    static double run(engine::PhiModel& model, const dataset::Batch& batch, float scale = 1,
                      const engine::ForwardOptions& settings = {}) {
        engine::ForwardOptions options = settings;
        options.training = true;
        std::vector<float> nll(batch.targets.size());
        if (auto done = model.forward(batch, options, nll); !done) qFatal("%s", done.error().text().c_str());
        if (auto done = model.backward(scale); !done) qFatal("%s", done.error().text().c_str());
        return weightedLoss(batch, nll);
    }

    // Worst tensor of the adapter against the golden gradients under `key`.
    double worst(const engine::PhiModel& model, const std::string& key, float scale = 1) const {
        double result = 0;
        for (const auto& tensor : model.adapter().tensors()) {
            auto expected = golden_.tensors.floats(key + ".gradient." + tensor.name);
            for (float& value : expected) value *= scale;
            result =
                std::max(result, relative(model.adapter().gradients().subspan(tensor.offset, tensor.size()), expected));
        }
        return result;
    }

    double expectedLoss(const dataset::Batch& batch, const std::string& key) const {
        return weightedLoss(batch, golden_.tensors.floats(key + ".nll"));
    }

  private Q_SLOTS:
    void agreesWithAutograd_data() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, unused] : golden_.spec["cases"].items())
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
    void agreesWithAutograd() {
        QFETCH(QString, name);
        const std::string key = name.toStdString();
        const auto model = golden_.forCase(key);
        const auto batch = golden_.batch(key);
        const double loss = run(*model, batch), expected = expectedLoss(batch, key);
        const double gradient = worst(*model, key);
        qInfo("loss %.2g, worst gradient %.2g", std::abs(loss - expected) / expected, gradient);
        QVERIFY(std::abs(loss - expected) < kLossTolerance * expected);
        QVERIFY(gradient < kGradientTolerance);
    }

    void tolerancesBite_data() {
        QTest::addColumn<QString>("variant");
        for (const char* variant : {"erf", "interleaved", "plain"}) QTest::newRow(variant) << QString(variant);
    }
    void tolerancesBite() {
        QFETCH(QString, variant);
        const auto model = golden_.forCase("paths");
        run(*model, golden_.batch("paths"));
        const double gradient = worst(*model, "paths." + variant.toStdString());
        qInfo("worst gradient %.2g", gradient);
        QVERIFY(gradient > 2 * kGradientTolerance);
    }

    // Groups of subtrees that repeat their ancestors as rows without targets add up to the whole tree.
    void aDividedTreeEqualsItself() {
        const auto model = golden_.forCase("tree");
        const auto tree = golden_.batch("tree");
        double loss = 0;
        for (const auto& json : golden_.spec["divided"]) loss += run(*model, test::batchFrom(json));
        const double expected = expectedLoss(tree, "tree");
        QVERIFY(std::abs(loss - expected) < kLossTolerance * expected);
        QVERIFY(worst(*model, "tree") < kGradientTolerance);

        // Without one of the groups it does not.
        model->adapter().zeroGradients();
        run(*model, test::batchFrom(golden_.spec["divided"][1]));
        QVERIFY(worst(*model, "tree") > 100 * kGradientTolerance);
    }

    void scaleAndAccumulation() {
        const auto model = golden_.forCase("paths");
        const auto batch = golden_.batch("paths");
        run(*model, batch, 0.25f);
        QVERIFY(worst(*model, "paths", 0.25f) < kGradientTolerance);
        run(*model, batch, 0.5f);
        QVERIFY(worst(*model, "paths", 0.75f) < kGradientTolerance);
        QVERIFY(!model->backward(1).has_value());  // once a forward
    }

    void aSmallBatchAfterALargeOneUsesNoStaleRows() {
        const auto model = golden_.forCase("gqa_tree");
        run(*model, golden_.batch("gqa_paths"));
        model->adapter().zeroGradients();
        run(*model, golden_.batch("gqa_tree"));
        QVERIFY(worst(*model, "gqa_tree") < kGradientTolerance);
    }

    // Masks are a function of (seed, step, micro-batch, layer, module, element), the same in both directions; the
    // reference has its own Philox and puts its masks into peft's and transformers' dropout modules.
    void dropoutAgreesWithAutograd() {
        const auto& spec = golden_.spec["dropout"];
        const auto model = golden_.model(spec["model"], spec["quantisation"]);
        golden_.giveAdapter(*model, spec["adapter"]);
        const auto batch = test::batchFrom(spec["batch"]);
        engine::ForwardOptions options;
        options.lora_dropout = spec["lora"];
        options.resid_dropout = spec["resid"];
        options.seed = spec["seed"];
        options.step = spec["step"];
        options.micro_batch = spec["micro_batch"];
        const double loss = run(*model, batch, 1, options), expected = expectedLoss(batch, "dropout");
        const double gradient = worst(*model, "dropout");
        qInfo("loss %.2g, worst gradient %.2g", std::abs(loss - expected) / expected, gradient);
        QVERIFY(std::abs(loss - expected) < kLossTolerance * expected);
        QVERIFY(gradient < kGradientTolerance);

        const auto first = std::vector<float>(model->adapter().gradients().begin(), model->adapter().gradients().end());
        model->adapter().zeroGradients();
        run(*model, batch, 1, options);
        QVERIFY(std::ranges::equal(model->adapter().gradients(), first));
        for (auto change :
             {&engine::ForwardOptions::seed, &engine::ForwardOptions::step, &engine::ForwardOptions::micro_batch}) {
            auto other = options;
            ++(other.*change);
            model->adapter().zeroGradients();
            run(*model, batch, 1, other);
            QVERIFY(worst(*model, "dropout") > 100 * kGradientTolerance);
        }
    }

    // Less memory, the same bits.
    void recomputingGivesTheSameGradients() {
        for (const bool tree : {false, true}) {
            const std::string key = tree ? "tree" : "paths";
            const auto batch = golden_.batch(key);
            const auto keep = golden_.forCase(key), again = golden_.forCase(key);
            auto limits = engine::Limits::of(batch, true);
            const auto all = again->reservedBytes(limits);
            limits.recompute = true;
            QVERIFY(again->reservedBytes(limits) < all);
            QVERIFY(again->reserve(limits).has_value());
            engine::ForwardOptions options;
            options.lora_dropout = 0.1;
            options.resid_dropout = 0.1;
            QCOMPARE(run(*again, batch, 1, options), run(*keep, batch, 1, options));
            QVERIFY(std::ranges::equal(again->adapter().gradients(), keep->adapter().gradients()));
        }
    }

    // Linears that are expanded before each product instead of once.
    void expandingBeforeUseGivesTheSameGradients() {
        for (const std::string quantisation : {"double", "none"}) {
            const auto batch = golden_.batch("gqa_tree");
            const auto once = golden_.model("gqa", quantisation, "F16", engine::HoldLinears::Expanded);
            const auto always = golden_.model("gqa", quantisation, "F16", engine::HoldLinears::AsStored);
            QVERIFY(always->info().weight_bytes < once->info().weight_bytes);
            for (auto* model : {once.get(), always.get()}) golden_.giveAdapter(*model, "upper");
            QCOMPARE(run(*always, batch), run(*once, batch));
            QVERIFY(std::ranges::equal(always->adapter().gradients(), once->adapter().gradients()));
        }
    }

    void theSameThreadsGiveTheSameBits() {
        const auto batch = golden_.batch("tree");
        engine::ForwardOptions options;
        options.lora_dropout = 0.2;
        std::vector<std::vector<float>> gradients;
        for (const int threads : {2, 1, 2}) {
            const auto model = golden_.forCase("tree");  // elsewhere in memory each time
            engine::kernels::setThreads(threads);
            run(*model, batch, 1, options);
            gradients.emplace_back(model->adapter().gradients().begin(), model->adapter().gradients().end());
        }
        engine::kernels::setThreads(1);
        QVERIFY(gradients[0] == gradients[2]);
        QVERIFY(relative(gradients[1], gradients[0]) < 1e-5);
    }

    void aBatchWithoutTargetsHasNoGradient() {
        const auto model = golden_.forCase("paths");
        auto batch = golden_.batch("paths");
        batch.targets.clear();
        QCOMPARE(run(*model, batch), 0.0);
        QVERIFY(std::ranges::all_of(model->adapter().gradients(), [](float value) { return value == 0; }));
        // Targets that weigh nothing neither.
        batch = golden_.batch("paths");
        for (auto& target : batch.targets) target.weight = 0;
        QCOMPARE(run(*model, batch), 0.0);
        QVERIFY(std::ranges::all_of(model->adapter().gradients(), [](float value) { return value == 0; }));
    }

    void stoppingLeavesNoBackward() {
        const auto model = golden_.forCase("paths");
        const auto batch = golden_.batch("paths");
        std::vector<float> nll(batch.targets.size());
        std::stop_source stop;
        engine::ForwardOptions options;
        options.training = true;
        options.stop = stop.get_token();
        QVERIFY(model->forward(batch, options, nll).has_value());
        stop.request_stop();
        auto stopped = model->backward(1);
        QVERIFY(!stopped.has_value() && stopped.error().cancelled());
        stopped = model->forward(batch, options, nll);
        QVERIFY(!stopped.has_value() && stopped.error().cancelled());
        QVERIFY(!model->backward(1).has_value());
    }

    // Between forward and backward somebody chats.
    void decodingDoesNotDisturbTraining() {
        const auto alone = golden_.forCase("paths"), disturbed = golden_.forCase("paths");
        const auto batch = golden_.batch("paths");
        run(*alone, batch);
        std::vector<float> nll(batch.targets.size()), logits(256);
        engine::ForwardOptions options;
        options.training = true;
        QVERIFY(disturbed->forward(batch, options, nll).has_value());
        auto cache = disturbed->newCache(100);
        QVERIFY(cache.has_value());
        QVERIFY(disturbed->step(**cache, std::span(batch.tokens).first(40), 1, logits).has_value());
        QVERIFY(disturbed->backward(1).has_value());
        QVERIFY(std::ranges::equal(alone->adapter().gradients(), disturbed->adapter().gradients()));
    }
};

}  // namespace

QTEST_GUILESS_MAIN(ModelBackwardTest)
#include "model_backward_test.moc"
