// Each CUDA kernel against the CPU's, on random shapes.
#include "engine/kernels/adamw_cuda.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/attention_cuda.h"
#include "engine/kernels/cross_entropy.h"
#include "engine/kernels/cross_entropy_cuda.h"
#include "engine/kernels/decode_cuda.h"
#include "engine/kernels/dropout_cuda.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/gelu_cuda.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/gemm_cuda.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/layer_norm_cuda.h"
#include "engine/kernels/nf4_cuda.h"
#include "engine/kernels/rope_cuda.h"
#include "engine/kernels/rope_table.h"
#include "engine/kernels/rows.h"
#include "engine/kernels/rows_cuda.h"
#include "engine/quant/nf4_tensor.h"
#include "gpu/on_device.h"

#include <numeric>

using namespace studio;
using namespace studio::test;
namespace kernels = engine::kernels;
using kernels::Op;

namespace {

constexpr double kBf16 = 4e-3;  // one rounding of the result, relative in the norm

Matrix host(std::vector<float>& values, int rows, int cols) {
    return kernels::matrix(values.data(), rows, cols);
}

// Towards zero; what is below the smallest normal half becomes zero.
std::uint16_t halfBits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t exponent = bits >> 23 & 255u;
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    if (exponent < 113) return sign;
    return static_cast<std::uint16_t>(sign | (exponent - 112) << 10 | (bits >> 13 & 0x3ffu));
}

// A quantised matrix on the card.
struct Nf4OnDevice {
    Nf4OnDevice(Stream stream, const engine::Nf4Tensor& tensor)
        : of(tensor.view()),
          blocks(static_cast<std::size_t>(tensor.blocks())),
          codes(stream, {of.codes, of.codes + (of.rows * of.cols + 1) / 2}),
          absmax(stream, of.absmax ? std::vector<float>(of.absmax, of.absmax + blocks) : std::vector<float>{}),
          absmax_codes(stream, of.absmax ? std::vector<std::uint8_t>{}
                                         : std::vector<std::uint8_t>(of.absmax_codes, of.absmax_codes + blocks)),
          nested_code(stream,
                      of.absmax ? std::vector<float>{} : std::vector<float>(of.nested_code, of.nested_code + 256)),
          nested_absmax(stream, of.absmax
                                    ? std::vector<float>{}
                                    : std::vector<float>(of.nested_absmax, of.nested_absmax + (blocks + 255) / 256)) {}

    kernels::Nf4View view() const {
        kernels::Nf4View v{of.rows, of.cols, codes.data(), nullptr, nullptr, nullptr, nullptr, of.offset};
        if (of.absmax != nullptr) {
            v.absmax = absmax.data();
        } else {
            v.absmax_codes = absmax_codes.data();
            v.nested_code = nested_code.data();
            v.nested_absmax = nested_absmax.data();
        }
        return v;
    }

    kernels::Nf4View of;
    std::size_t blocks;
    Array<std::uint8_t> codes;
    Array<float> absmax;
    Array<std::uint8_t> absmax_codes;
    Array<float> nested_code, nested_absmax;
};

class GpuKernelsTest : public QObject {
    Q_OBJECT

    std::mt19937 random_{11};
    Stream stream_ = nullptr;
    gpu::Memory workspace_;
    std::unique_ptr<gpu::Gemm> gemm_;

    int upTo(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most)) + 1; }
    OnDevice filled(const std::vector<float>& values, int rows, int cols) {
        OnDevice matrix(stream_, rows, cols);
        matrix.set(values);
        return matrix;
    }

  private Q_SLOTS:
    void initTestCase() {
        NEEDS_GPU();
        auto stream = gpu::openStream(0);
        QVERIFY2(stream.has_value(), stream ? "" : stream.error().text().c_str());
        stream_ = *stream;
        workspace_ = std::move(*gpu::Memory::allocate(gpu::Gemm::kWorkspaceBytes, stream_));
        gemm_ = std::move(*gpu::Gemm::make(workspace_.data()));
    }

    void layerNormForwardAndBackward() {
        for (const int cols : {8, 88, 320, 2552, 2560, 2568, 5120, 8192}) {
            const int rows = upTo(70);
            auto x = normals(random_, rows * cols), dy = normals(random_, rows * cols),
                 dx = normals(random_, rows * cols);
            std::vector<float> weight = normals(random_, cols), bias = normals(random_, cols);
            std::vector<float> y(x.size()), mean(static_cast<std::size_t>(rows)), rstd = mean;
            kernels::layerNorm(nullptr, host(x, rows, cols), weight.data(), bias.data(), 1e-5f, host(y, rows, cols),
                               mean.data(), rstd.data());
            auto gx = filled(x, rows, cols), gdy = filled(dy, rows, cols), gdx = filled(dx, rows, cols);
            OnDevice gy(stream_, rows, cols);
            const Array<float> gw(stream_, weight), gb(stream_, bias), gmean(stream_, mean), grstd(stream_, rstd);
            gpu::layerNorm(stream_, gx.view(), gw.data(), gb.data(), 1e-5f, gy.view(), gmean.data(), grstd.data());
            QVERIFY2(relative(gy.get(), y) < kBf16, qPrintable(QString::number(cols)));
            QVERIFY(gy.whole && relative(gmean.get(), mean) < 1e-4 && relative(grstd.get(), rstd) < 1e-5);
            auto expected = dx;
            kernels::layerNormBackward(nullptr, host(dy, rows, cols), host(x, rows, cols), weight.data(), mean.data(),
                                       rstd.data(), host(expected, rows, cols));
            gpu::layerNormBackward(stream_, gdy.view(), gx.view(), gw.data(), gmean.data(), grstd.data(), true,
                                   gdx.view());
            QVERIFY(relative(gdx.get(), expected) < kBf16 && gdx.whole);
            // Not accumulating, in place on dy.
            std::vector<float> alone(x.size());
            kernels::layerNormBackward(nullptr, host(dy, rows, cols), host(x, rows, cols), weight.data(), mean.data(),
                                       rstd.data(), host(alone, rows, cols));
            gpu::layerNormBackward(stream_, gdy.view(), gx.view(), gw.data(), gmean.data(), grstd.data(), false,
                                   gdy.view());
            QVERIFY(relative(gdy.get(), alone) < kBf16 && gdy.whole);
        }
    }

    void gelu() {
        for (const int cols : {8, 200, 10240}) {
            const int rows = upTo(50);
            auto x = normals(random_, rows * cols, 3), dy = normals(random_, rows * cols);
            std::vector<float> y(x.size()), dx(x.size());
            kernels::gelu(nullptr, host(x, rows, cols), host(y, rows, cols));
            kernels::geluBackward(nullptr, host(dy, rows, cols), host(x, rows, cols), host(dx, rows, cols));
            auto gx = filled(x, rows, cols), gdy = filled(dy, rows, cols);
            OnDevice gy(stream_, rows, cols);
            gpu::gelu(stream_, gx.view(), gy.view());
            QVERIFY(relative(gy.get(), y) < kBf16 && gy.whole);
            gpu::geluBackward(stream_, gdy.view(), gx.view(), gx.view());
            QVERIFY(relative(gx.get(), dx) < kBf16 && gx.whole);
        }
    }

    void ropeThereAndBack() {
        auto rotary = kernels::RotaryEmbedding::make(300, 32, 10000);
        QVERIFY(rotary.has_value());
        const auto& table = rotary->table();
        const std::vector<float> cos(table.cos, table.cos + 300 * table.half),
            sin(table.sin, table.sin + 300 * table.half);
        const Array<float> gcos(stream_, cos), gsin(stream_, sin);
        const kernels::RopeTable on_device{gcos.data(), gsin.data(), table.half};
        const int rows = 37, heads = 5, dim = 80, cols = heads * dim;
        std::vector<int> positions;
        for (int i = 0; i < rows; ++i) positions.push_back(upTo(300) - 1);
        const Array<int> gpositions(stream_, positions);
        auto x = normals(random_, rows * cols);
        for (const bool inverse : {false, true}) {
            auto expected = x;
            kernels::rotate(nullptr, host(expected, rows, cols), heads, dim, table, positions.data(), inverse);
            auto gx = filled(x, rows, cols);
            gpu::rotate(stream_, gx.view(), heads, dim, on_device, gpositions.data(), inverse);
            QVERIFY(relative(gx.get(), expected) < kBf16 && gx.whole);
        }
        // The gradients of q (two heads), k and v (one and a half would be odd: one each) in one row.
        const int q = 160, kv = 80;
        auto dq = normals(random_, rows * q), dk = normals(random_, rows * kv), dv = normals(random_, rows * kv);
        const auto bits = [&](const std::vector<float>& values) {
            std::vector<std::uint16_t> b;
            for (const float v : values) b.push_back(bf16Bits(v));
            return b;
        };
        const Array<std::uint16_t> gdq(stream_, bits(dq)), gdk(stream_, bits(dk)), gdv(stream_, bits(dv));
        OnDevice out(stream_, rows, q + 2 * kv);
        gpu::packGradients(stream_, {gdq.data(), rows, q, q, Element::BF16}, {gdk.data(), rows, kv, kv, Element::BF16},
                           {gdv.data(), rows, kv, kv, Element::BF16}, dim, on_device, gpositions.data(), out.view());
        kernels::rotate(nullptr, host(dq, rows, q), 2, dim, table, positions.data(), true);
        kernels::rotate(nullptr, host(dk, rows, kv), 1, dim, table, positions.data(), true);
        std::vector<float> expected;
        for (int i = 0; i < rows; ++i) {
            expected.insert(expected.end(), dq.begin() + i * q, dq.begin() + (i + 1) * q);
            expected.insert(expected.end(), dk.begin() + i * kv, dk.begin() + (i + 1) * kv);
            expected.insert(expected.end(), dv.begin() + i * kv, dv.begin() + (i + 1) * kv);
        }
        QVERIFY(relative(out.get(), expected) < kBf16 && out.whole);
    }

    void crossEntropy() {
        for (const int cols : {8, 256, 4096, 51200}) {
            const int rows = upTo(9) + 1;
            auto logits = normals(random_, rows * cols, 4);
            std::vector<int> begin{0}, token;
            std::vector<float> weight;
            for (int i = 0; i < rows; ++i) {  // several targets on some rows, some of them the same token
                const int count = i == 0 ? 3 : upTo(2);
                for (int t = 0; t < count; ++t) {
                    token.push_back(i == 0 && t > 0 ? token.back() : upTo(cols) - 1);
                    weight.push_back(t == 1 ? 0.5f : 1.0f);
                }
                begin.push_back(static_cast<int>(token.size()));
            }
            const Array<int> gbegin(stream_, begin), gtoken(stream_, token);
            const Array<float> gweight(stream_, weight), gnll(stream_, weight);
            std::vector<float> nll(token.size()), expected = logits;
            kernels::crossEntropy(nullptr, host(expected, rows, cols), {begin.data(), token.data(), weight.data()},
                                  nll.data(), true);
            auto glogits = filled(logits, rows, cols);
            gpu::crossEntropy(stream_, glogits.view(), {gbegin.data(), gtoken.data(), gweight.data()}, 0, gnll.data(),
                              false);
            QVERIFY(relative(glogits.get(), logits) == 0.0);
            gpu::crossEntropy(stream_, glogits.view(), {gbegin.data(), gtoken.data(), gweight.data()}, 0, gnll.data(),
                              true);
            QVERIFY2(relative(gnll.get(), nll) < 1e-5, qPrintable(QString::number(cols)));
            QVERIFY(relative(glogits.get(), expected) < kBf16 && glogits.whole);
        }
    }

    void nf4LikeTheProcessor() {
        for (const auto& [rows, cols] : {std::pair{3, 8}, {17, 320}, {64, 2560}, {5, 88}, {131, 1280}}) {
            auto values = normals(random_, rows * cols, 0.05f);
            values[5] = 0;
            for (const bool nested : {false, true}) {
                auto tensor = engine::Nf4Tensor::quantise(values, rows, cols, nested);
                QVERIFY(tensor.has_value());
                const auto& view = tensor->view();
                const Nf4OnDevice on_device(stream_, *tensor);
                const std::size_t blocks = on_device.blocks, bytes = (values.size() + 1) / 2;
                std::vector<float> expected(values.size());
                kernels::dequantiseNf4(nullptr, view, host(expected, rows, cols));
                for (float& v : expected) v = rounded(v);
                OnDevice out(stream_, rows, cols);
                gpu::expandNf4(stream_, on_device.view(), 0, 0, out.view());
                QCOMPARE(out.get(), expected);
                QVERIFY(out.whole);
                // A part of it.
                const int top = rows / 3, left = cols / 16 * 8, height = rows - top, width = cols - left;
                OnDevice part(stream_, height, width);
                gpu::expandNf4(stream_, on_device.view(), top, left, part.view());
                const auto got = part.get();
                QVERIFY(part.whole);
                for (int i = 0; i < height; ++i)
                    for (int j = 0; j < width; ++j)
                        QCOMPARE(got[static_cast<std::size_t>(i * width + j)],
                                 expected[static_cast<std::size_t>((top + i) * cols + left + j)]);
                if (nested) continue;
                const Array<float> raw(stream_, values), scales(stream_, std::vector<float>(blocks));
                const Array<std::uint8_t> own(stream_, std::vector<std::uint8_t>(bytes));
                const Array<int> bad(stream_, std::vector<int>{0});
                gpu::quantiseNf4(stream_, {raw.data(), rows, cols, cols, Element::F32}, own.data(), scales.data(),
                                 bad.data());
                QCOMPARE(own.get(), on_device.codes.get());
                QCOMPARE(scales.get(), on_device.absmax.get());
                QCOMPARE(bad.get()[0], 0);
            }
        }
        auto values = normals(random_, 128);
        values[77] = INFINITY;
        const Array<float> raw(stream_, values), scales(stream_, std::vector<float>(2));
        const Array<std::uint8_t> codes(stream_, std::vector<std::uint8_t>(64));
        const Array<int> bad(stream_, std::vector<int>{0});
        gpu::quantiseNf4(stream_, {raw.data(), 2, 64, 64, Element::F32}, codes.data(), scales.data(), bad.data());
        QCOMPARE(bad.get()[0], 1);
    }

    // A token's product with a group of linears, against double precision.
    void decodeProducts_data() {
        QTest::addColumn<bool>("stacked");
        QTest::addColumn<QList<int>>("rows");
        QTest::addColumn<QList<int>>("cols");
        QTest::addColumn<QList<int>>("ranks");
        QTest::newRow("one small linear") << true << QList{16} << QList{256} << QList{0};
        QTest::newRow("linears of several ranks")
            << true << QList{48, 16, 160} << QList{768, 768, 768} << QList{16, 0, 5};
        QTest::newRow("phi-2's input") << true << QList{2560, 2560, 2560, 10240} << QList{2560, 2560, 2560, 2560}
                                       << QList{16, 16, 16, 16};
        QTest::newRow("phi-2's input, r 64") << true << QList{2560, 10240} << QList{2560, 2560} << QList{64, 64};
        QTest::newRow("side by side") << false << QList{96, 96} << QList{256, 768} << QList{8, 3};
        QTest::newRow("side by side, an odd rank first") << false << QList{96, 96} << QList{256, 768} << QList{3, 8};
        QTest::newRow("side by side, rank 6 first") << false << QList{32, 32} << QList{512, 256} << QList{6, 16};
        QTest::newRow("phi-2's output") << false << QList{2560, 2560} << QList{2560, 10240} << QList{16, 16};
        QTest::newRow("phi-2's output, no adapter") << false << QList{2560, 2560} << QList{2560, 10240} << QList{0, 0};
    }

    void decodeProducts() {
        QFETCH(bool, stacked);
        QFETCH(QList<int>, rows);
        QFETCH(QList<int>, cols);
        QFETCH(QList<int>, ranks);
        for (const bool nested : {true, false}) {
            gpu::DecodeGroup group;
            std::vector<std::unique_ptr<Nf4OnDevice>> weights;
            std::vector<Array<float>> arrays;
            std::vector<Array<std::uint16_t>> biases;
            const int columns = stacked ? cols[0] : std::accumulate(cols.begin(), cols.end(), 0);
            const int outs = stacked ? std::accumulate(rows.begin(), rows.end(), 0) : rows[0];
            std::vector<std::uint16_t> half;
            std::vector<float> x;
            for (const float v : normals(random_, columns)) {
                half.push_back(halfBits(v));
                x.push_back(kernels::fromHalf(half.back()));
            }
            const Array<std::uint16_t> on_card(stream_, half);
            std::vector<double> expected(static_cast<std::size_t>(outs));
            int row = 0, column = 0;
            for (int l = 0; l < rows.size(); ++l) {
                const int r = ranks[l], sums = l % 2 == 0 ? 3 : 40;
                auto tensor = engine::Nf4Tensor::quantise(normals(random_, std::int64_t{rows[l]} * cols[l], 0.05f),
                                                          rows[l], cols[l], nested);
                QVERIFY(tensor.has_value());
                std::vector<float> plain(static_cast<std::size_t>(rows[l]) * static_cast<std::size_t>(cols[l]));
                kernels::dequantiseNf4(nullptr, tensor->view(), host(plain, rows[l], cols[l]));
                const auto b = normals(random_, rows[l] * r), u = normals(random_, sums * (r + 2));
                std::vector<std::uint16_t> bias;
                for (const float v : normals(random_, rows[l])) bias.push_back(bf16Bits(v));
                for (int i = 0; i < rows[l]; ++i) {
                    double y = kernels::fromBfloat16(bias[static_cast<std::size_t>(i)]);
                    const float* w = plain.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(cols[l]);
                    for (int j = 0; j < cols[l]; ++j)
                        y += static_cast<double>(w[j]) * x[static_cast<std::size_t>(column + j)];
                    for (int k = 0; k < r; ++k) {
                        double sum = 0;
                        for (int s = 0; s < sums; ++s) sum += u[static_cast<std::size_t>(s * (r + 2) + k)];
                        y += 0.5 * b[static_cast<std::size_t>(i * r + k)] * sum;
                    }
                    expected[static_cast<std::size_t>(row + i)] +=
                        stacked || l == 0 ? y : y - kernels::fromBfloat16(bias[static_cast<std::size_t>(i)]);
                }
                weights.push_back(std::make_unique<Nf4OnDevice>(stream_, *tensor));
                arrays.emplace_back(stream_, b);
                arrays.emplace_back(stream_, u);
                biases.emplace_back(stream_, bias);
                gpu::DecodeLinear& linear = group.linear[group.count++];
                linear.weights = weights.back()->view();
                linear.bias = stacked || l == 0 ? biases.back().data() : nullptr;
                linear.row = row;
                linear.column = column;
                linear.lora.r = r;
                linear.lora.scale = 0.5f;
                linear.lora.sums = sums;
                linear.lora.stride = r + 2;
                linear.lora.b = arrays[arrays.size() - 2].data();
                linear.lora.u = arrays.back().data();
                (stacked ? row : column) += stacked ? rows[l] : cols[l];
            }
            QVERIFY(gpu::decodeFits(group, stacked));
            const Array<float> out(stream_, std::vector<float>(static_cast<std::size_t>(2 * outs), 1e9f));
            for (int round = 0; round < 2; ++round) {
                if (stacked)
                    gpu::decodeStacked(stream_, group, on_card.data(), out.data());
                else
                    gpu::decodeSideBySide(stream_, group, on_card.data(), out.data());
            }
            const auto parts = out.get();
            std::vector<float> sums, wanted(expected.begin(), expected.end());
            for (int i = 0; i < outs; ++i)
                sums.push_back(parts[static_cast<std::size_t>(i)] + parts[static_cast<std::size_t>(outs + i)]);
            const double error = relative(sums, wanted);
            QVERIFY2(error < 5e-4, qPrintable(QString::number(error)));
        }
    }

    void dropoutHasTheProcessorsMasks() {
        for (const int cols : {8, 320, 2560}) {
            const int rows = upTo(40);
            std::vector<float> ones(static_cast<std::size_t>(rows * cols), 1.0f), expected(ones.size());
            const kernels::DropoutKey key{random_(), random_(), static_cast<std::uint32_t>(upTo(9)),
                                          static_cast<std::uint32_t>(upTo(31)), 4};
            kernels::dropout(nullptr, host(ones, rows, cols), 0.1, key, false, host(expected, rows, cols));
            for (float& v : expected) v = rounded(v);
            auto in = filled(ones, rows, cols);
            OnDevice out(stream_, rows, cols);
            gpu::dropout(stream_, in.view(), 0.1, key, false, out.view());
            QCOMPARE(out.get(), expected);
            gpu::dropout(stream_, in.view(), 0.1, key, true, in.view());
            for (float& v : expected)
                v = rounded(1.0f + (v == 0 ? 0.0f : static_cast<float>(65536.0 / (65536 - 6554))));
            QCOMPARE(in.get(), expected);
        }
    }

    void adamWAndNorm() {
        for (const int count : {1, 7, 1000, 300001}) {
            auto p = normals(random_, count), g = normals(random_, count), m = normals(random_, count, 0.01f);
            auto v = normals(random_, count, 0.01f);
            for (float& x : v) x = x * x;
            kernels::AdamWStep step;
            step.t = 7;
            step.learning_rate = 1e-3;
            step.weight_decay = 0.01;
            step.gradient_scale = 0.3;
            const Array<float> gp(stream_, p), gg(stream_, g), gm(stream_, m), gv(stream_, v);
            gpu::adamW(stream_, step, count, gp.data(), gg.data(), gm.data(), gv.data());
            double squares = 0;
            for (std::size_t i = 0; i < p.size(); ++i) {
                squares += static_cast<double>(g[i]) * g[i];
                const double gradient = g[i] * 0.3, mean = m[i] + 0.1 * (gradient - m[i]);
                const double square = 0.999 * v[i] + 0.001 * gradient * gradient;
                const double rate = 1e-3 / (1 - std::pow(0.9, 7));
                p[i] = static_cast<float>(p[i] * (1 - 1e-5) -
                                          rate * mean / (std::sqrt(square / (1 - std::pow(0.999, 7))) + 1e-8));
            }
            QVERIFY(relative(gp.get(), p) < 1e-6);
            const Array<double> sums(stream_, std::vector<double>(gpu::kNormParts + 1));
            gpu::sumOfSquares(stream_, gg.data(), count, sums.data() + 1, sums.data());
            QVERIFY(std::abs(sums.get()[0] / squares - 1) < 1e-12);
        }
    }

    void rowsAndLora() {
        const int rows = 41, cols = 72;
        auto table = normals(random_, rows * cols);
        const std::vector<int> index{3, 3, 40, 0, 17};
        const Array<int> gindex(stream_, index);
        auto gtable = filled(table, rows, cols);
        OnDevice out(stream_, 5, cols), spread(stream_, rows, cols);
        gpu::gatherRows(stream_, gtable.view(), gindex.data(), out.view());
        const auto gathered = out.get();
        for (std::size_t i = 0; i < 5; ++i)
            for (std::size_t j = 0; j < 72; ++j)
                QCOMPARE(gathered[i * 72 + j], table[static_cast<std::size_t>(index[i]) * 72 + j]);
        const std::vector<int> begin{0, 2, 2, 5};
        const std::vector<int> readers{0, 4, 1, 2, 3};
        const Array<int> gbegin(stream_, begin), greaders(stream_, readers);
        OnDevice sums(stream_, 3, cols);
        gpu::sumReaders(stream_, out.view(), gbegin.data(), greaders.data(), sums.view());
        const auto summed = sums.get();
        for (std::size_t j = 0; j < 72; ++j) {
            QCOMPARE(summed[j], rounded(gathered[j] + gathered[4 * 72 + j]));
            QCOMPARE(summed[72 + j], 0.0f);
        }
        const Array<int> ascending(stream_, std::vector<int>{1, 2, 9, 30, 33});
        gpu::scatterRows(stream_, out.view(), ascending.data(), 2.0f, spread.view());
        QCOMPARE(spread.get()[9 * 72 + 5], 2 * gathered[2 * 72 + 5]);
        // Patches that begin at odd columns and end within eight.
        auto a = normals(random_, 5 * 3), b = normals(random_, 4 * 11);
        const Array<float> ga(stream_, a), gb(stream_, b);
        gpu::LoraPatches patches;
        patches.count = 2;
        patches.patch[0] = {ga.data(), 5, 3, 2, 0, 2.0f};
        patches.patch[1] = {gb.data(), 4, 11, 10, 8, 1.0f};
        OnDevice region(stream_, 20, 24);
        gpu::placeLora(stream_, patches, region.view());
        std::vector<float> expected(20 * 24);
        for (std::size_t i = 0; i < 5; ++i)
            for (std::size_t j = 0; j < 3; ++j) expected[(2 + i) * 24 + j] = rounded(2 * a[i * 3 + j]);
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 11; ++j) expected[(10 + i) * 24 + 8 + j] = rounded(b[i * 11 + j]);
        QCOMPARE(region.get(), expected);
        QVERIFY(region.whole);
    }

    void gemmInEveryOrder() {
        for (int round = 0; round < 6; ++round) {
            const int m = upTo(200), n = 8 * upTo(40), inner = 8 * upTo(60);
            for (const Op op_a : {Op::Plain, Op::Transposed})
                for (const Op op_b : {Op::Plain, Op::Transposed}) {
                    const int m8 = op_a == Op::Transposed ? (m + 7) / 8 * 8 : m;  // a leading dimension is aligned
                    const int a_rows = op_a == Op::Plain ? m8 : inner, a_cols = op_a == Op::Plain ? inner : m8;
                    const int b_rows = op_b == Op::Plain ? inner : n, b_cols = op_b == Op::Plain ? n : inner;
                    auto a = normals(random_, a_rows * a_cols), b = normals(random_, b_rows * b_cols);
                    auto c = normals(random_, m8 * n), bias = normals(random_, n);
                    auto expected = c;
                    kernels::gemm(nullptr, op_a, op_b, 0.5f, host(a, a_rows, a_cols), host(b, b_rows, b_cols), 1,
                                  host(expected, m8, n));
                    auto ga = filled(a, a_rows, a_cols), gb = filled(b, b_rows, b_cols), gc = filled(c, m8, n);
                    OnDevice out(stream_, m8, n);
                    OnDevice::require(
                        gemm_->run(stream_, op_a, op_b, 0.5f, ga.view(), gb.view(), 1, gc.view(), out.view()));
                    QVERIFY(relative(out.get(), expected) < kBf16 && out.whole);
                    for (int i = 0; i < m8; ++i)
                        for (int j = 0; j < n; ++j)
                            expected[static_cast<std::size_t>(i * n + j)] += bias[static_cast<std::size_t>(j)];
                    std::vector<std::uint16_t> bias_bits;
                    for (const float v : bias) bias_bits.push_back(bf16Bits(v));
                    const Array<std::uint16_t> gbias(stream_, bias_bits);
                    OnDevice::require(gemm_->run(stream_, op_a, op_b, 0.5f, ga.view(), gb.view(), 1, gc.view(),
                                                 out.view(), gbias.data()));
                    QVERIFY(relative(out.get(), expected) < kBf16 && out.whole);
                    // float32 out, as gradients of A and B have it, with an odd width.
                    const int narrow = n - 3;
                    if (op_b == Op::Plain) {
                        std::vector<float> sum(static_cast<std::size_t>(m8 * narrow), 0.25f), wanted = sum;
                        kernels::gemm(nullptr, op_a, op_b, 1, host(a, a_rows, a_cols),
                                      host(b, b_rows, b_cols).columns(0, narrow), 1, host(wanted, m8, narrow));
                        const Array<float> gsum(stream_, sum);
                        const Matrix to{gsum.data(), m8, narrow, narrow, Element::F32};
                        OnDevice::require(
                            gemm_->run(stream_, op_a, op_b, 1, ga.view(), gb.view().columns(0, narrow), 1, to, to));
                        QVERIFY(relative(gsum.get(), wanted) < 1e-5);
                    }
                }
        }
    }

    void attention_data() {
        QTest::addColumn<QList<int>>("queries");
        QTest::addColumn<QList<int>>("keys");
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("kv_heads");
        QTest::addColumn<int>("dim");
        for (const int dim : {24, 32, 64, 80, 96, 128}) {
            const auto row = [&](const char* name) -> QTestData& {
                return QTest::newRow(qPrintable(QStringLiteral("%1, heads of %2").arg(QLatin1String(name)).arg(dim)));
            };
            row("different lengths") << QList<int>{5, 1, 130, 64} << QList<int>{5, 1, 130, 64} << 4 << 4 << dim;
            row("with ancestors") << QList<int>{5, 7, 40} << QList<int>{5, 12, 90} << 4 << 4 << dim;
            row("shared keys") << QList<int>{33, 20} << QList<int>{33, 20} << 6 << 2 << dim;
            row("one length") << QList<int>{128, 128, 128} << QList<int>{128, 128, 128} << 4 << 4 << dim;
            row("one length, long") << QList<int>{512, 512} << QList<int>{512, 512} << 2 << 2 << dim;
        }
    }
    void attention() {
        QFETCH(QList<int>, queries);
        QFETCH(QList<int>, keys);
        QFETCH(int, heads);
        QFETCH(int, kv_heads);
        QFETCH(int, dim);
        std::vector<int> cu_q{0}, cu_k{0};
        gpu::DeviceSequences sequences;
        for (qsizetype i = 0; i < queries.size(); ++i) {
            cu_q.push_back(cu_q.back() + queries[i]);
            cu_k.push_back(cu_k.back() + keys[i]);
            sequences.longest_q = std::max(sequences.longest_q, queries[i]);
            sequences.longest_k = std::max(sequences.longest_k, keys[i]);
        }
        const bool equal = queries == keys && queries.count(queries[0]) == queries.size();
        sequences.equal_length = equal ? queries[0] : 0;
        const Array<int> gcu_q(stream_, cu_q), gcu_k(stream_, cu_k);
        sequences.cu_q = gcu_q.data();
        sequences.cu_k = gcu_k.data();
        sequences.count = static_cast<int>(queries.size());
        const int rows = cu_q.back(), key_rows = cu_k.back(), width = heads * dim, kv = kv_heads * dim;
        auto q = normals(random_, rows * width), k = normals(random_, key_rows * kv),
             v = normals(random_, key_rows * kv);
        auto dout = normals(random_, rows * width);
        std::vector<float> out(q.size()), lse(static_cast<std::size_t>(rows * heads)), dq(q.size()), dk(k.size()),
            dv(v.size());
        const kernels::AttentionShape shape{heads, kv_heads, dim, 1 / std::sqrt(static_cast<float>(dim))};
        const kernels::Sequences plain{cu_q, cu_k};
        QVERIFY(kernels::attention(nullptr, shape, plain, host(q, rows, width), host(k, key_rows, kv),
                                   host(v, key_rows, kv), host(out, rows, width), host(lse, rows, heads)));
        QVERIFY(kernels::attentionBackward(nullptr, shape, plain, host(dout, rows, width), host(q, rows, width),
                                           host(k, key_rows, kv), host(v, key_rows, kv), host(out, rows, width),
                                           host(lse, rows, heads), host(dq, rows, width), host(dk, key_rows, kv),
                                           host(dv, key_rows, kv)));
        auto gq = filled(q, rows, width), gk = filled(k, key_rows, kv), gv = filled(v, key_rows, kv);
        auto gdout = filled(dout, rows, width);
        for (const bool deterministic : {false, true}) {
            OnDevice gout(stream_, rows, width);
            gpu::AttentionStateHandle state;
            gpu::setDeterministic(deterministic);
            OnDevice::require(gpu::attention(stream_, shape, sequences, gq.view(), gk.view(), gv.view(), gout.view(),
                                             deterministic, &state));
            QVERIFY(relative(gout.get(), out) < 1e-2 && gout.whole);
            auto gradients = gpu::attentionBackward(stream_, shape, sequences, gdout.view(), gq.view(), gk.view(),
                                                    gv.view(), gout.view(), *state);
            QVERIFY2(gradients.has_value(), gradients ? "" : gradients.error().text().c_str());
            const auto read = [&](const Matrix& m) {
                OnDevice copy(stream_, static_cast<int>(m.rows), static_cast<int>(m.cols));
                gpu::copyRows(stream_, m, copy.view());
                return copy.get();
            };
            const double errors[] = {relative(read(gradients->dq), dq), relative(read(gradients->dk), dk),
                                     relative(read(gradients->dv), dv)};
            for (const double error : errors)
                QVERIFY2(error < 2e-2, qPrintable(QString("dq %1, dk %2, dv %3, deterministic: %4")
                                                      .arg(errors[0])
                                                      .arg(errors[1])
                                                      .arg(errors[2])
                                                      .arg(deterministic)));
            gpu::setDeterministic(false);
            // Another memory mode: the output lies without gaps this time.
            auto memory = gpu::Memory::allocate(out.size() * 2, stream_);
            QVERIFY(memory.has_value());
            const Matrix dense{memory->data(), rows, width, width, kernels::Element::BF16};
            gpu::copyRows(stream_, gout.view(), dense);
            OnDevice::require(gpu::attention(stream_, shape, sequences, gq.view(), gk.view(), gv.view(), gout.view(),
                                             deterministic, &state));
            gradients = gpu::attentionBackward(stream_, shape, sequences, gdout.view(), gq.view(), gk.view(), gv.view(),
                                               dense, *state);
            QVERIFY(gradients.has_value());
            QVERIFY(relative(read(gradients->dq), dq) < 2e-2);
            QVERIFY(relative(read(gradients->dk), dk) < 2e-2);
            QVERIFY(relative(read(gradients->dv), dv) < 2e-2);
        }
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuKernelsTest)
#include "kernels_test.moc"
