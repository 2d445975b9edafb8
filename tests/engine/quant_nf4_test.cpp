// NF4 against bitsandbytes 0.50.2 on a CPU, bit for bit.
#include <QtTest>
#include <algorithm>
#include <cmath>

#include "engine/golden.h"
#include "engine/quant/dynamic_map.h"
#include "engine/quant/nf4_tensor.h"

using namespace studio;
using engine::Nf4Tensor;
namespace kernels = engine::kernels;

namespace {

const char* const kCases[] = {"random",           "half", "odd",  "narrow", "one",     "constant", "zero",
                              "some_zero_blocks", "tiny", "huge", "mixed",  "outlier", "ties",     "integers"};

template <class T>
std::vector<T> bytes(const T* data, std::size_t count) {
    return std::vector<T>(data, data + count);
}

template <class T>
bool sameBytes(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class QuantNf4Test : public QObject {
    Q_OBJECT

    test::Golden golden_{"nf4.safetensors"};

    Nf4Tensor quantised(const std::string& name, bool double_quant) const {
        const auto& shape = golden_.info(name + ".values").shape;
        auto tensor = Nf4Tensor::quantise(golden_.floats(name + ".values"), shape[0], shape[1], double_quant);
        if (!tensor) qFatal("%s", tensor.error().text().c_str());
        return std::move(*tensor);
    }

    static std::vector<float> everySeventh(const Nf4Tensor& tensor) {
        const auto& view = tensor.view();
        // A leading dimension of its own, so that writing past a row would show.
        const std::int64_t ld = view.cols + 5;
        std::vector<float> out(static_cast<std::size_t>(view.rows * ld), -77.0f);
        kernels::dequantiseNf4(nullptr, view, kernels::matrix(out.data(), view.rows, view.cols, ld));
        std::vector<float> picked;
        for (std::int64_t i = 0; i < view.rows * view.cols; i += 7)
            picked.push_back(out[static_cast<std::size_t>(i / view.cols * ld + i % view.cols)]);
        for (std::int64_t i = 0; i < view.rows; ++i)
            for (std::int64_t j = view.cols; j < ld; ++j)
                if (out[static_cast<std::size_t>(i * ld + j)] != -77.0f) qFatal("wrote past a row");
        return picked;
    }

  private Q_SLOTS:
    void dynamicMapIsTheirs() {
        const auto map = engine::dynamicMap();
        QVERIFY(sameBytes(std::vector<float>(map.begin(), map.end()), golden_.floats("map")));
    }

    void everyBlockIsByteEqual_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : kCases) QTest::newRow(name) << QString(name);
    }
    void everyBlockIsByteEqual() {
        QFETCH(QString, name);
        const std::string key = name.toStdString();
        const Nf4Tensor plain = quantised(key, false), nested = quantised(key, true);
        const auto blocks = static_cast<std::size_t>(plain.blocks());
        const auto codes = golden_.raw<std::uint8_t>(key + ".codes");

        QVERIFY(!plain.doubleQuantised());
        QVERIFY(sameBytes(bytes(plain.view().codes, codes.size()), codes));
        QVERIFY(sameBytes(bytes(plain.view().absmax, blocks), golden_.floats(key + ".absmax")));
        QVERIFY(sameBytes(everySeventh(plain), golden_.floats(key + ".dequantised")));

        const auto nested_absmax = golden_.floats(key + ".nested_absmax");
        QVERIFY(nested.doubleQuantised());
        QVERIFY(sameBytes(bytes(nested.view().codes, codes.size()), codes));
        QVERIFY(sameBytes(std::vector<float>{nested.view().offset}, golden_.floats(key + ".offset")));
        QVERIFY(sameBytes(bytes(nested.view().absmax_codes, blocks), golden_.raw<std::uint8_t>(key + ".absmax_codes")));
        QVERIFY(sameBytes(bytes(nested.view().nested_absmax, nested_absmax.size()), nested_absmax));
        QVERIFY(sameBytes(everySeventh(nested), golden_.floats(key + ".double_dequantised")));
    }

    void productsOfFewRowsNeedNoExpansion_data() { everyBlockIsByteEqual_data(); }
    void productsOfFewRowsNeedNoExpansion() {
        QFETCH(QString, name);
        for (const bool nested : {false, true}) {
            const Nf4Tensor tensor = quantised(name.toStdString(), nested);
            const std::int64_t n = tensor.view().rows, k = tensor.view().cols;
            std::vector<float> weights(static_cast<std::size_t>(n * k));
            kernels::dequantiseNf4(nullptr, tensor.view(), kernels::matrix(weights.data(), n, k));
            for (std::int64_t rows = 1; rows <= kernels::kFewRows; ++rows) {
                std::vector<float> x(static_cast<std::size_t>(rows * (k + 3)));
                for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 37 % 19) / 8 - 1;
                std::vector<float> out(static_cast<std::size_t>(rows * (n + 2)), 0.5f);
                kernels::addNf4Product(nullptr, tensor.view(), kernels::matrix(x.data(), rows, k, k + 3),
                                       kernels::matrix(out.data(), rows, n, n + 2));
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t j = 0; j < n; ++j) {
                        double sum = 0.5, size = 0.5;
                        for (std::int64_t t = 0; t < k; ++t) {
                            const double product = static_cast<double>(x[static_cast<std::size_t>(i * (k + 3) + t)]) *
                                                   weights[static_cast<std::size_t>(j * k + t)];
                            sum += product;
                            size += std::abs(product);
                        }
                        QVERIFY(std::abs(out[static_cast<std::size_t>(i * (n + 2) + j)] - sum) <= 1e-6 * size);
                    }
                    QCOMPARE(out[static_cast<std::size_t>(i * (n + 2) + n)], 0.5f);
                }
            }
        }
    }

    // The comparison bites: the exact nearest code, what a search through the map would give, is another one somewhere.
    void searchingTheMapWouldDiffer() {
        const auto map = engine::dynamicMap();
        int different = 0;
        for (const char* name : kCases) {
            const Nf4Tensor plain = quantised(name, false), nested = quantised(name, true);
            const auto blocks = static_cast<std::size_t>(plain.blocks());
            for (std::size_t i = 0; i < blocks; ++i) {
                const float scale = nested.view().nested_absmax[i / kernels::kNestedBlock];
                if (scale == 0) continue;
                const float x = (plain.view().absmax[i] - nested.view().offset) * (1.0f / scale);
                const auto nearest = std::min_element(
                    map.begin(), map.end(), [&](float a, float b) { return std::fabs(x - a) < std::fabs(x - b); });
                different += nearest - map.begin() != nested.view().absmax_codes[i] ? 1 : 0;
            }
        }
        QVERIFY(different > 0);
    }

    void partsOfTheWrongLengthAreRefused() {
        Nf4Tensor::Parts parts{2, 40, std::vector<std::uint8_t>(40), {1, 1}, {}, {}, {}, 0};
        QVERIFY(Nf4Tensor::fromParts(parts).has_value());
        parts.absmax.push_back(1);
        QVERIFY(!Nf4Tensor::fromParts(parts).has_value());
        parts.absmax.pop_back();
        parts.codes.pop_back();
        QVERIFY(!Nf4Tensor::fromParts(parts).has_value());
        QVERIFY(!Nf4Tensor::quantise(std::vector<float>(10), 3, 4, true).has_value());
    }
};

}  // namespace

QTEST_APPLESS_MAIN(QuantNf4Test)
#include "quant_nf4_test.moc"
