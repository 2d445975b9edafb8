#include <QtTest>
#include <cmath>
#include <limits>
#include <set>

#include "engine/generate/sampler.h"
#include "engine/golden.h"

using namespace studio;
using engine::Sampler;
using engine::api::GenerateRequest;
using studio::test::Golden;

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Sampler sampler(const GenerateRequest& request, int vocab) {
    auto made = Sampler::create(request, vocab);
    if (!made) qFatal("%s", made.error().text().c_str());
    return std::move(*made);
}

}  // namespace

class SamplerTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void probabilitiesEqualTransformers() {
        const Golden golden("sampler.safetensors");
        const auto logits = golden.floats("logits"), expected = golden.floats("probabilities");
        const auto history = golden.raw<int>("history");
        const auto settings = golden.raw<double>("settings");
        const std::size_t cases = settings.size() / 4;
        QVERIFY(cases >= 20 && logits.size() == expected.size());
        const std::size_t vocab = logits.size() / cases, past = history.size() / cases;
        for (std::size_t c = 0; c < cases; ++c) {
            GenerateRequest request;
            request.repetition_penalty = settings[4 * c];
            request.temperature = settings[4 * c + 1];
            request.top_k = static_cast<int>(settings[4 * c + 2]);
            request.top_p = settings[4 * c + 3];
            Sampler s = sampler(request, static_cast<int>(vocab));
            const auto got = s.distribution({logits.data() + c * vocab, vocab}, {history.data() + c * past, past});
            QVERIFY(got);
            std::vector<double> dense(vocab);
            double before = 1;
            for (const auto& candidate : *got) {
                dense[candidate.id] = candidate.probability;
                QVERIFY(candidate.probability <= before);
                before = candidate.probability;
            }
            for (std::size_t i = 0; i < vocab; ++i) {
                const double e = expected[c * vocab + i];
                QVERIFY2(std::abs(dense[i] - e) < 1e-6 && (dense[i] == 0) == (e == 0),
                         qPrintable(QString("case %1 token %2: %3, not %4").arg(c).arg(i).arg(dense[i]).arg(e)));
            }
        }
    }

    void drawsFollowTheProbabilities() {
        GenerateRequest request;
        request.temperature = 1;
        request.seed = 5;
        Sampler s = sampler(request, 3);
        const std::vector<float> logits{std::log(0.2f), std::log(0.5f), std::log(0.3f)};
        std::array<int, 3> counts{};
        constexpr int kDraws = 20000;
        for (int i = 0; i < kDraws; ++i) ++counts[*s.next(logits, {})];
        QVERIFY(std::abs(counts[0] / double(kDraws) - 0.2) < 0.015);
        QVERIFY(std::abs(counts[1] / double(kDraws) - 0.5) < 0.015);
    }

    void theSeedDecidesTheDraws() {
        const std::vector<float> logits(50, 0.0f);
        std::set<std::vector<int>> sequences;
        for (const std::uint64_t seed : {1u, 1u, 2u, 3u}) {
            GenerateRequest request;
            request.temperature = 1;
            request.seed = seed;
            Sampler s = sampler(request, 50);
            std::vector<int> ids;
            for (int i = 0; i < 30; ++i) ids.push_back(*s.next(logits, {}));
            sequences.insert(ids);
        }
        QCOMPARE(sequences.size(), std::size_t{3});
    }

    void greedyTakesTheHighestAndTheLowerIdOfEqualOnes() {
        Sampler s = sampler({}, 4);
        QCOMPARE(*s.next(std::vector<float>{1, 3, 3, kNever}, {}), 1);
    }

    void greedyAppliesThePenalty() {
        GenerateRequest request;
        request.repetition_penalty = 2;
        Sampler s = sampler(request, 3);
        QCOMPARE(*s.next(std::vector<float>{3, 2, 1}, std::vector<int>{0, 0}), 1);
    }

    void idsBeyondTheTokenizerAreNeverProduced() {
        for (const double temperature : {0.0, 5.0}) {
            GenerateRequest request;
            request.temperature = temperature;
            request.usable_vocab = 2;
            Sampler s = sampler(request, 4);
            for (int i = 0; i < 50; ++i) QVERIFY(*s.next(std::vector<float>{0, 0, 9, kNaN}, {}) < 2);
        }
    }

    void unusualSettingsAreClampedAndTold_data() {
        QTest::addColumn<double>("temperature");
        QTest::addColumn<double>("top_p");
        QTest::addColumn<int>("top_k");
        QTest::addColumn<double>("penalty");
        QTest::addColumn<int>("candidates");
        QTest::addColumn<int>("notices");
        QTest::newRow("temperature 1e-9") << 1e-9 << 1.0 << 0 << 1.0 << 3 << 0;
        QTest::newRow("temperature below 0") << -1.0 << 1.0 << 0 << 1.0 << 1 << 0;
        QTest::newRow("top_p 0") << 1.0 << 0.0 << 0 << 1.0 << 1 << 1;
        QTest::newRow("top_p 2") << 1.0 << 2.0 << 0 << 1.0 << 3 << 1;
        QTest::newRow("top_k below 0") << 1.0 << 1.0 << -3 << 1.0 << 3 << 1;
        QTest::newRow("penalty 0") << 1.0 << 1.0 << 0 << 0.0 << 3 << 1;
    }
    void unusualSettingsAreClampedAndTold() {
        QFETCH(double, temperature);
        QFETCH(double, top_p);
        QFETCH(int, top_k);
        QFETCH(double, penalty);
        QFETCH(int, candidates);
        QFETCH(int, notices);
        GenerateRequest request;
        request.temperature = temperature;
        request.top_p = top_p;
        request.top_k = top_k;
        request.repetition_penalty = penalty;
        Sampler s = sampler(request, 3);
        QCOMPARE(int(s.notices().size()), notices);
        const std::vector<float> logits{1, 2, 1.5};
        const auto got = s.distribution(logits, std::vector<int>{0});
        QVERIFY(got);
        QCOMPARE(int(got->size()), candidates);
        QCOMPARE((*got)[0].id, 1);
        if (temperature < 1e-3) QVERIFY((*got)[0].probability > 1 - 1e-12);
    }

    void whatIsNoNumberIsRefused_data() {
        QTest::addColumn<double>("temperature");
        QTest::addColumn<double>("top_p");
        QTest::addColumn<double>("penalty");
        QTest::newRow("temperature") << std::nan("") << 1.0 << 1.0;
        QTest::newRow("top_p") << 1.0 << std::nan("") << 1.0;
        QTest::newRow("repetition_penalty") << 1.0 << 1.0 << std::nan("");
    }
    void whatIsNoNumberIsRefused() {
        QFETCH(double, temperature);
        QFETCH(double, top_p);
        QFETCH(double, penalty);
        GenerateRequest request;
        request.temperature = temperature;
        request.top_p = top_p;
        request.repetition_penalty = penalty;
        const auto made = Sampler::create(request, 3);
        QVERIFY(!made);
        QVERIFY(made.error().message.starts_with(QTest::currentDataTag()));
    }

    void brokenLogitsEndInASentence() {
        GenerateRequest sampled;
        sampled.temperature = 1;
        for (const GenerateRequest& request : {GenerateRequest{}, sampled}) {
            Sampler s = sampler(request, 3);
            for (const auto& logits : {std::vector<float>{0, kNaN, 0}, std::vector<float>{kNever, kNever, kNever},
                                       std::vector<float>{0, -kNever, 0}}) {
                const auto token = s.next(logits, {});
                QVERIFY(!token);
                QVERIFY(!token.error().hint.empty());
            }
        }
    }
};

QTEST_APPLESS_MAIN(SamplerTest)
#include "generate_sampler_test.moc"
