#include <QtTest>
#include <cmath>
#include <limits>

#include "engine/golden.h"
#include "engine/train/adamw.h"

using namespace studio::engine;
using studio::test::Golden;

namespace {

struct Case {
    const char* name;
    double beta1, beta2, weight_decay, max_norm;
};
constexpr Case kCases[] = {{"a", 0.9, 0.999, 0.0, 0.3}, {"b", 0.9, 0.999, 1.0, 1.0}, {"c", 0.4, 0.95, 0.1, 0.0}};

double worst(std::span<const float> got, std::span<const float> expected) {
    if (got.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double most = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
        most = std::max(most, std::abs(static_cast<double>(got[i]) - expected[i]) / (std::abs(expected[i]) + 1e-3));
    return most;
}

}  // namespace

class AdamWTest : public QObject {
    Q_OBJECT

    // Largest difference to torch over all steps of a case.
    static double differenceToTorch(const Golden& golden, const Case& c, double weight_decay, double max_norm) {
        std::vector<float> p = golden.floats("start");
        const std::vector<float> gradients = golden.floats("gradients");
        const std::string prefix = std::string(c.name) + ".";
        const std::vector<float> expected = golden.floats(prefix + "parameters");
        const std::vector<float> norms = golden.floats(prefix + "norms");
        if (p.empty() || norms.empty() || expected.size() != gradients.size()) return 1e9;
        std::vector<float> m(p.size()), v(p.size());
        double most = 0;
        for (std::size_t s = 0; s < norms.size(); ++s) {
            const std::span<const float> gradient(gradients.data() + s * p.size(), p.size());
            const double length = norm(gradient);
            most = std::max(most, std::abs(length - norms[s]) / norms[s]);
            AdamWStep step;
            step.t = static_cast<std::int64_t>(s + 1);
            step.learning_rate = 1e-2 / static_cast<double>(s + 1);
            step.beta1 = c.beta1;
            step.beta2 = c.beta2;
            step.weight_decay = weight_decay;
            step.gradient_scale = clipFactor(length, max_norm);
            adamW(step, p, gradient, m, v);
            most = std::max(most, worst(p, {expected.data() + s * p.size(), p.size()}));
        }
        most = std::max(most, worst(m, golden.floats(prefix + "exp_avg")));
        return std::max(most, worst(v, golden.floats(prefix + "exp_avg_sq")));
    }

  private Q_SLOTS:
    void updatesEqualTorch() {
        const Golden golden("adamw.safetensors");
        for (const Case& c : kCases) {
            const double difference = differenceToTorch(golden, c, c.weight_decay, c.max_norm);
            QVERIFY2(difference < 1e-6, qPrintable(QString("%1: %2").arg(c.name).arg(difference)));
        }
    }

    void theToleranceBites() {
        const Golden golden("adamw.safetensors");
        const Case& b = kCases[1];
        QVERIFY(differenceToTorch(golden, b, 0, b.max_norm) > 1e-3);      // no weight decay
        QVERIFY(differenceToTorch(golden, b, b.weight_decay, 0) > 1e-4);  // no clipping
    }

    void theNormIsThatOfAllElements() {
        for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 33u, 1000u}) {
            std::vector<float> values(n);
            long double sum = 0;
            for (std::size_t i = 0; i < n; ++i) {
                values[i] = static_cast<float>(i % 7) - 3.25f;
                sum += static_cast<long double>(values[i]) * values[i];
            }
            QVERIFY(std::abs(norm(values) - static_cast<double>(std::sqrt(sum))) <= 1e-12 * (1 + norm(values)));
        }
    }

    void oneBadElementMakesTheNormBad() {
        for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
            for (const std::size_t at : {0u, 20u, 34u}) {
                std::vector<float> values(35, 1.0f);
                values[at] = bad;
                QVERIFY(!std::isfinite(norm(values)));
            }
        }
        // Large but finite values do not overflow the sum of squares.
        const std::vector<float> large(20, std::numeric_limits<float>::max());
        QVERIFY(std::isfinite(norm(large)));
    }

    void clippingNeverEnlarges() {
        QCOMPARE(clipFactor(0.5, 1.0), 1.0);
        QCOMPARE(clipFactor(0, 1.0), 1.0);
        QCOMPARE(clipFactor(10, 0), 1.0);
        QCOMPARE(clipFactor(4, 1.0), 1.0 / (4 + 1e-6));
    }
};

QTEST_APPLESS_MAIN(AdamWTest)
#include "train_adamw_test.moc"
