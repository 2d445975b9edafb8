// Logits and losses against transformers + peft in float32.
#include "engine/model_golden.h"

using namespace studio;
using test::difference;

namespace {

constexpr double kLogitTolerance = 1e-4;  // absolute
constexpr double kLossTolerance = 1e-5;   // relative, of each conversation or message

// Mean nll of each segment's targets.
std::vector<double> losses(const dataset::Batch& batch, std::span<const float> nll) {
    std::vector<double> sums;
    std::size_t at = 0;
    for (const auto& segment : batch.segments) {
        double sum = 0, count = 0;
        for (; at < batch.targets.size() && batch.targets[at].row < segment.end; ++at, ++count) sum += nll[at];
        if (count > 0) sums.push_back(sum / count);
    }
    return sums;
}

double worstLoss(const dataset::Batch& batch, std::span<const float> nll, std::span<const float> expected) {
    const auto a = losses(batch, nll), b = losses(batch, expected);
    double worst = 0;
    for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / std::abs(b[i]));
    return b.empty() || a.size() != b.size() ? 1e30 : worst;
}

class ModelForwardTest : public QObject {
    Q_OBJECT

    test::PhiGolden golden_;

    struct Computed {
        std::vector<float> nll, logits;
    };
    static Computed compute(engine::PhiModel& model, const dataset::Batch& batch, double strength = 1,
                            bool training = false) {
        Computed out;
        out.nll.resize(batch.targets.size());
        engine::ForwardOptions options;
        options.adapter_strength = strength;
        options.keep_logits = true;
        options.training = training;
        if (auto done = model.forward(batch, options, out.nll); !done) qFatal("%s", done.error().text().c_str());
        out.logits.assign(model.keptLogits().begin(), model.keptLogits().end());
        return out;
    }

  private Q_SLOTS:
    void agreesWithTransformers_data() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, unused] : golden_.spec["cases"].items())
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
    void agreesWithTransformers() {
        QFETCH(QString, name);
        const std::string key = name.toStdString();
        const auto model = golden_.forCase(key);
        const auto batch = golden_.batch(key);
        const auto nll = golden_.tensors.floats(key + ".nll");
        for (const bool training : {false, true}) {
            const Computed ours = compute(*model, batch, 1, training);
            const double logits = difference(ours.logits, golden_.tensors.floats(key + ".logits"));
            const double loss = worstLoss(batch, ours.nll, nll);
            qInfo("logits %.2g, loss %.2g", logits, loss);
            QVERIFY(logits < kLogitTolerance);
            QVERIFY(loss < kLossTolerance);
        }
    }

    // Each variant computes something else on purpose; the comparison above has to notice.
    void tolerancesBite_data() {
        QTest::addColumn<QString>("variant");
        for (const char* variant : {"erf", "interleaved", "plain"}) QTest::newRow(variant) << QString(variant);
    }
    void tolerancesBite() {
        QFETCH(QString, variant);
        const auto model = golden_.forCase("paths");
        const auto batch = golden_.batch("paths");
        const Computed ours = compute(*model, batch);
        const std::string key = "paths." + variant.toStdString();
        const double logits = difference(ours.logits, golden_.tensors.floats(key + ".logits"));
        const double loss = worstLoss(batch, ours.nll, golden_.tensors.floats(key + ".nll"));
        qInfo("logits %.2g, loss %.2g", logits, loss);
        QVERIFY(logits > 2 * kLogitTolerance);
        QVERIFY(loss > 2 * kLossTolerance);
    }

    void adapterStrengthScalesTheAdapter() {
        const auto model = golden_.forCase("paths");
        const auto batch = golden_.batch("paths");
        const auto base = golden_.tensors.floats("paths.base_nll"), half = golden_.tensors.floats("paths.half_nll");
        QVERIFY(worstLoss(batch, compute(*model, batch, 0).nll, base) < kLossTolerance);
        QVERIFY(worstLoss(batch, compute(*model, batch, 0.5).nll, half) < kLossTolerance);
        QVERIFY(worstLoss(batch, compute(*model, batch, 1).nll, half) > 100 * kLossTolerance);
        model->dropAdapter();
        QVERIFY(worstLoss(batch, compute(*model, batch).nll, base) < kLossTolerance);
    }

    void aNewAdapterChangesNothing() {
        const auto model = golden_.model("mha", "double");
        const auto batch = golden_.batch("paths");
        const Computed base = compute(*model, batch);
        QVERIFY(model->createAdapter(golden_.adapter("all")).has_value());
        QCOMPARE(compute(*model, batch).nll, base.nll);
    }

    void contextMatters() {
        const auto model = golden_.forCase("tree");
        auto batch = golden_.batch("tree");
        const Computed ours = compute(*model, batch);
        // The last message moves to another parent of the same length in rows: only its own losses may change.
        auto& last = batch.segments.back();
        QVERIFY(last.context.size() >= 2);
        const auto parent = last.context.back();
        const auto other = std::find_if(batch.segments.begin(), batch.segments.end(), [&](const auto& segment) {
            return segment.begin != parent.begin && segment.begin > 0 && segment.end - segment.begin >= parent.size() &&
                   segment.end < last.begin && segment.begin >= last.context[last.context.size() - 2].end;
        });
        QVERIFY(other != batch.segments.end());
        last.context.back() = {other->begin, other->begin + parent.size()};
        QVERIFY(batch.check().has_value());
        const Computed moved = compute(*model, batch);
        std::size_t same = 0, changed = 0;
        for (std::size_t i = 0; i < batch.targets.size(); ++i)
            (batch.targets[i].row < last.begin ? same : changed) += moved.nll[i] == ours.nll[i] ? 0 : 1;
        QCOMPARE(same, std::size_t{0});
        QVERIFY(changed > 0);
    }

    void checkpointTypesAndTies() {
        const auto batch = golden_.batch("gqa_paths");
        const auto half = golden_.model("gqa", "none", "F16"), single = golden_.model("gqa", "none", "F32");
        QCOMPARE(compute(*half, batch).logits, compute(*single, batch).logits);
        const auto bf16 = golden_.model("gqa", "none", "BF16");
        const double away = difference(compute(*bf16, batch).logits, compute(*half, batch).logits);
        QVERIFY(away > 1e-4 && away < 10);

        QTemporaryDir folder;
        test::TinyPhi shape = test::TinyPhi::gqa();
        shape.tied = true;
        QVERIFY(test::writeTinyPhi(folder.path().toStdString(), shape).has_value());
        engine::api::ModelSource source;
        source.folder = folder.path().toStdString();
        QVERIFY(engine::PhiModel::load(source, nullptr, {}).has_value());
    }

    void batchesOutOfRangeAreRefused() {
        const auto model = golden_.model("gqa", "none");
        auto batch = golden_.batch("gqa_paths");
        std::vector<float> nll(batch.targets.size());
        auto wrong = batch;
        wrong.tokens[3] = 131;
        QVERIFY(!model->forward(wrong, {}, nll).has_value());
        wrong = batch;
        wrong.targets[2].token = -1;
        QVERIFY(!model->forward(wrong, {}, nll).has_value());
        wrong = batch;
        wrong.positions[1] = 5;
        QVERIFY(!model->forward(wrong, {}, nll).has_value());
        engine::ForwardOptions training;
        training.training = true;
        QVERIFY(!model->forward(batch, training, nll).has_value());  // no adapter
        QVERIFY(!model->backward(1).has_value());
        nll.pop_back();
        QVERIFY(!model->forward(batch, {}, nll).has_value());

        dataset::Batch empty;
        QVERIFY(model->forward(empty, {}, {}).has_value());
    }
};

}  // namespace

QTEST_GUILESS_MAIN(ModelForwardTest)
#include "model_forward_test.moc"
