// Each kernel against a plain double-precision version of its formula.
#include <QtTest>
#include <bit>
#include <cmath>
#include <random>

#include "engine/kernels/attention.h"
#include "engine/kernels/cross_entropy.h"
#include "engine/kernels/dropout.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/half_cpu.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/memory.h"
#include "engine/kernels/parallel.h"
#include "engine/kernels/philox.h"
#include "engine/kernels/rope_table.h"
#include "engine/kernels/rows.h"

using namespace studio;
namespace kernels = engine::kernels;
using kernels::Matrix;

namespace {

// A matrix with room behind each row, so that writing past a row shows.
class Owned {
  public:
    Owned(int rows, int cols, int gap = 3)
        : rows_(rows), cols_(cols), ld_(cols + gap), values_(static_cast<std::size_t>(rows * ld_), kGap) {}
    Matrix view() { return kernels::matrix(values_.data(), rows_, cols_, ld_); }
    float& at(int row, int col) { return values_[static_cast<std::size_t>(row * ld_ + col)]; }
    bool gapsAreWhole() {
        for (int i = 0; i < rows_; ++i)
            for (int j = cols_; j < ld_; ++j)
                if (at(i, j) != kGap) return false;
        return true;
    }
    int rows() const { return rows_; }
    int cols() const { return cols_; }

  private:
    static constexpr float kGap = 1234.5f;
    int rows_, cols_, ld_;
    std::vector<float> values_;
};

class KernelsTest : public QObject {
    Q_OBJECT

    std::mt19937 random_{5};

    Owned normal(int rows, int cols, float scale = 1, int gap = 3) {
        Owned matrix(rows, cols, gap);
        std::normal_distribution<float> draw(0, scale);
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < cols; ++j) matrix.at(i, j) = draw(random_);
        return matrix;
    }

    static bool close(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); }

  private Q_SLOTS:
    void init() { kernels::setThreads(2); }

    void products_data() {
        QTest::addColumn<bool>("transpose_a");
        QTest::addColumn<bool>("transpose_b");
        for (const bool a : {false, true})
            for (const bool b : {false, true}) QTest::newRow(qPrintable(QString("%1%2").arg(a).arg(b))) << a << b;
    }
    void products() {
        QFETCH(bool, transpose_a);
        QFETCH(bool, transpose_b);
        const int m = 13, n = 17, k = 9;
        Owned a = transpose_a ? normal(k, m) : normal(m, k), b = transpose_b ? normal(n, k) : normal(k, n),
              c = normal(m, n);
        Owned before = c;
        const auto op = [](bool transposed) { return transposed ? kernels::Op::Transposed : kernels::Op::Plain; };
        kernels::gemm(nullptr, op(transpose_a), op(transpose_b), 0.5f, a.view(), b.view(), 2, c.view());
        QVERIFY(c.gapsAreWhole());
        for (int i = 0; i < m; ++i)
            for (int j = 0; j < n; ++j) {
                double sum = 0;
                for (int t = 0; t < k; ++t)
                    sum += static_cast<double>(transpose_a ? a.at(t, i) : a.at(i, t)) *
                           (transpose_b ? b.at(j, t) : b.at(t, j));
                QVERIFY(close(c.at(i, j), 0.5 * sum + 2.0 * before.at(i, j), 1e-5));
            }
        kernels::gemm(nullptr, op(transpose_a), op(transpose_b), 1, a.view(), b.view(), 0, c.view().top(0));
        // With beta 0 what was there does not matter, not even if it is not a number.
        c.at(3, 4) = std::nanf("");
        kernels::gemm(nullptr, op(transpose_a), op(transpose_b), 1, a.view(), b.view(), 0, c.view());
        QVERIFY(std::isfinite(c.at(3, 4)));
    }

    void layerNormAndItsGradient() {
        const int rows = 40, cols = 37;
        Owned x = normal(rows, cols, 3), dy = normal(rows, cols), y(rows, cols), dx = normal(rows, cols);
        Owned weight = normal(1, cols), bias = normal(1, cols), dx_before = dx;
        std::vector<float> mean(rows), rstd(rows);
        kernels::layerNorm(nullptr, x.view(), weight.view().f32(), bias.view().f32(), 1e-5f, y.view(), mean.data(),
                           rstd.data());
        kernels::layerNormBackward(nullptr, dy.view(), x.view(), weight.view().f32(), mean.data(), rstd.data(),
                                   dx.view());
        QVERIFY(y.gapsAreWhole() && dx.gapsAreWhole());
        for (int i = 0; i < rows; ++i) {
            double mu = 0, var = 0, d_mean = 0, dx_mean = 0;
            for (int j = 0; j < cols; ++j) mu += x.at(i, j) / static_cast<double>(cols);
            for (int j = 0; j < cols; ++j) var += (x.at(i, j) - mu) * (x.at(i, j) - mu) / cols;
            const double r = 1 / std::sqrt(var + 1e-5);
            for (int j = 0; j < cols; ++j) {
                const double d = static_cast<double>(dy.at(i, j)) * weight.at(0, j);
                d_mean += d / cols;
                dx_mean += d * (x.at(i, j) - mu) * r / cols;
            }
            for (int j = 0; j < cols; ++j) {
                const double hat = (x.at(i, j) - mu) * r, d = static_cast<double>(dy.at(i, j)) * weight.at(0, j);
                QVERIFY(close(y.at(i, j), hat * weight.at(0, j) + bias.at(0, j), 2e-6));
                QVERIFY(close(dx.at(i, j), dx_before.at(i, j) + r * (d - d_mean - hat * dx_mean), 1e-5));
            }
        }
    }

    void geluAndItsGradient() {
        Owned x(1, 4001), y(1, 4001), dy(1, 4001);
        for (int j = 0; j < 4001; ++j) {
            x.at(0, j) = static_cast<float>(j - 2000) * 0.01f;
            dy.at(0, j) = 2;
        }
        Owned dx = x;
        kernels::gelu(nullptr, x.view(), y.view());
        kernels::geluBackward(nullptr, dy.view(), dx.view(), dx.view());
        double erf_away = 0;
        for (int j = 0; j < 4001; ++j) {
            const double v = x.at(0, j), c = std::sqrt(2 / M_PI), t = std::tanh(c * (v + 0.044715 * v * v * v));
            const double slope = 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * c * (1 + 3 * 0.044715 * v * v);
            QVERIFY(std::abs(y.at(0, j) - 0.5 * v * (1 + t)) < 2e-7 * std::max(1.0, std::abs(v)));
            // 1 − tanh² cancels where tanh is near 1: a few ulp of v·v·v more than the value has.
            QVERIFY2(std::abs(dx.at(0, j) - 2 * slope) < 1e-5,
                     qPrintable(QString("%1: off by %2").arg(v).arg(dx.at(0, j) - 2 * slope)));
            erf_away = std::max(erf_away, std::abs(y.at(0, j) - 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)))));
        }
        QVERIFY(erf_away > 1e-4);
        x.at(0, 0) = -1e30f;
        x.at(0, 1) = 1e30f;
        kernels::gelu(nullptr, x.view(), y.view());
        QVERIFY(std::abs(y.at(0, 0)) < 1e-6);
        QCOMPARE(y.at(0, 1), 1e30f);
    }

    void rotation() {
        const int heads = 3, dim = 10, rotary = 8, rows = 6;
        const auto rotary_embedding = kernels::RotaryEmbedding::make(50, rotary, 10000);
        QVERIFY(rotary_embedding.has_value());
        Owned x = normal(rows, heads * dim), turned = x;
        const std::vector<int> positions = {0, 1, 2, 49, 7, 7};
        kernels::rotate(nullptr, turned.view(), heads, dim, rotary_embedding->table(), positions.data(), false);
        QVERIFY(turned.gapsAreWhole());
        for (int i = 0; i < rows; ++i)
            for (int head = 0; head < heads; ++head)
                for (int j = 0; j < dim; ++j) {
                    const int at = head * dim + j;
                    double expected = x.at(i, at);
                    if (j < rotary) {
                        const int half = rotary / 2, pair = j % half;
                        const double angle =
                            positions[static_cast<std::size_t>(i)] * std::pow(10000.0, -2.0 * pair / rotary);
                        const double other = j < half ? -x.at(i, at + half) : x.at(i, at - half);
                        expected = expected * std::cos(angle) + other * std::sin(angle);
                    }
                    QVERIFY(std::abs(turned.at(i, at) - expected) < 1e-5);
                }
        kernels::rotate(nullptr, turned.view(), heads, dim, rotary_embedding->table(), positions.data(), true);
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < heads * dim; ++j) QVERIFY(std::abs(turned.at(i, j) - x.at(i, j)) < 1e-6);
    }

    void crossEntropyWithSeveralTargetsOnARow() {
        const int rows = 5, vocab = 300;
        Owned logits = normal(rows, vocab, 4), gradient = logits;
        logits.at(4, 17) = gradient.at(4, 17) = 500;  // certain
        const std::vector<int> begin = {0, 1, 4, 4, 5, 6}, token = {7, 1, 299, 1, 0, 17};
        const std::vector<float> weight = {1, 0.5f, 2, 0.25f, 1, 1};
        std::vector<float> nll(6, -1), again(6, -1);
        const kernels::RowTargets targets{begin.data(), token.data(), weight.data()};
        Owned untouched = logits;
        kernels::crossEntropy(nullptr, logits.view(), targets, nll.data(), false);
        for (int j = 0; j < vocab; ++j) QCOMPARE(logits.at(1, j), untouched.at(1, j));
        kernels::crossEntropy(nullptr, gradient.view(), targets, again.data(), true);
        QVERIFY(gradient.gapsAreWhole());
        for (int i = 0; i < rows; ++i) {
            double largest = -1e30, sum = 0, weights = 0;
            for (int j = 0; j < vocab; ++j) largest = std::max<double>(largest, logits.at(i, j));
            for (int j = 0; j < vocab; ++j) sum += std::exp(logits.at(i, j) - largest);
            std::map<int, double> hot;
            for (int t = begin[static_cast<std::size_t>(i)]; t < begin[static_cast<std::size_t>(i) + 1]; ++t) {
                const auto at = static_cast<std::size_t>(t);
                const double expected = largest + std::log(sum) - logits.at(i, token[at]);
                QVERIFY(close(nll[at], expected, 1e-6));
                QVERIFY(close(again[at], expected, 1e-6));
                weights += weight[at];
                hot[token[at]] += weight[at];
            }
            for (int j = 0; j < vocab; ++j)
                QVERIFY(std::abs(gradient.at(i, j) - (weights * std::exp(logits.at(i, j) - largest) / sum - hot[j])) <
                        1e-6);
        }
    }

    void attentionAndItsGradient_data() {
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("kv_heads");
        QTest::newRow("as many key heads") << 2 << 2;
        QTest::newRow("grouped") << 6 << 2;
        QTest::newRow("one key head") << 3 << 1;
    }
    void attentionAndItsGradient() {
        QFETCH(int, heads);
        QFETCH(int, kv_heads);
        const int dim = 12;
        // Longer and shorter than a block of queries, with and without keys before them, one empty, one of one row.
        const std::vector<int> cu_q = {0, 70, 70, 71, 75, 140}, cu_k = {0, 70, 70, 71, 100, 300};
        const kernels::AttentionShape shape{heads, kv_heads, dim, 0.7f};
        const kernels::Sequences sequences{cu_q, cu_k};
        Owned q = normal(140, heads * dim), k = normal(300, kv_heads * dim), v = normal(300, kv_heads * dim);
        Owned out(140, heads * dim), lse(140, heads), dout = normal(140, heads * dim);
        QVERIFY(kernels::attention(nullptr, shape, sequences, q.view(), k.view(), v.view(), out.view(), lse.view())
                    .has_value());
        // The gradients take the places of q, k and v.
        Owned dq = q, dk = k, dv = v;
        QVERIFY(kernels::attentionBackward(nullptr, shape, sequences, dout.view(), dq.view(), dk.view(), dv.view(),
                                           out.view(), lse.view(), dq.view(), dk.view(), dv.view())
                    .has_value());
        QVERIFY(out.gapsAreWhole() && dq.gapsAreWhole() && dk.gapsAreWhole() && dv.gapsAreWhole());

        std::vector<double> want_dk(static_cast<std::size_t>(300 * kv_heads * dim)), want_dv = want_dk;
        for (std::size_t s = 0; s + 1 < cu_q.size(); ++s)
            for (int head = 0; head < heads; ++head)
                for (int i = cu_q[s]; i < cu_q[s + 1]; ++i) {
                    const int kv = head / (heads / kv_heads), first = cu_k[s];
                    const int seen = cu_k[s + 1] - cu_k[s] - (cu_q[s + 1] - 1 - i);
                    const auto dot = [&](Owned& a, int row_a, int col_a, Owned& b, int row_b, int col_b) {
                        double sum = 0;
                        for (int d = 0; d < dim; ++d)
                            sum += static_cast<double>(a.at(row_a, col_a + d)) * b.at(row_b, col_b + d);
                        return sum;
                    };
                    std::vector<double> p(static_cast<std::size_t>(seen)), dp(p);
                    double largest = -1e30, sum = 0, delta = 0;
                    for (int j = 0; j < seen; ++j) {
                        p[static_cast<std::size_t>(j)] = 0.7 * dot(q, i, head * dim, k, first + j, kv * dim);
                        largest = std::max(largest, p[static_cast<std::size_t>(j)]);
                    }
                    for (double& score : p) sum += score = std::exp(score - largest);
                    QVERIFY(close(lse.at(i, head), largest + std::log(sum), 1e-5));
                    for (int j = 0; j < seen; ++j) {
                        const auto at = static_cast<std::size_t>(j);
                        p[at] /= sum;
                        dp[at] = dot(dout, i, head * dim, v, first + j, kv * dim);
                        delta += p[at] * dp[at];
                    }
                    for (int d = 0; d < dim; ++d) {
                        double o = 0, g = 0;
                        for (int j = 0; j < seen; ++j) {
                            const auto at = static_cast<std::size_t>(j),
                                       flat = static_cast<std::size_t>((first + j) * kv_heads * dim + kv * dim + d);
                            const double ds = p[at] * (dp[at] - delta) * 0.7;
                            o += p[at] * v.at(first + j, kv * dim + d);
                            g += ds * k.at(first + j, kv * dim + d);
                            want_dk[flat] += ds * q.at(i, head * dim + d);
                            want_dv[flat] += p[at] * dout.at(i, head * dim + d);
                        }
                        QVERIFY(close(out.at(i, head * dim + d), o, 1e-5));
                        QVERIFY(close(dq.at(i, head * dim + d), g, 1e-4));
                    }
                }
        for (int row = 0; row < 300; ++row)
            for (int col = 0; col < kv_heads * dim; ++col) {
                const auto flat = static_cast<std::size_t>(row * kv_heads * dim + col);
                QVERIFY(close(dk.at(row, col), want_dk[flat], 1e-4));
                QVERIFY(close(dv.at(row, col), want_dv[flat], 1e-4));
            }
    }

    void philoxIsTheOneOfItsPaper() {
        // Known answers of the authors' Random123 library for Philox4x32-10.
        using Four = std::array<std::uint32_t, 4>;
        QCOMPARE(kernels::philox({0, 0, 0, 0}, 0, 0), (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        QCOMPARE(kernels::philox({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u),
                 (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QCOMPARE(kernels::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
                 (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
    }

    void dropoutFollowsItsCounter() {
        const int rows = 300, cols = 203;
        const double p = 0.3;
        const kernels::DropoutKey key{0x1122334455667788, 9, 4, 7, 3};
        Owned ones(rows, cols), out(rows, cols);
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < cols; ++j) ones.at(i, j) = 1;
        kernels::dropout(nullptr, ones.view(), p, key, false, out.view());
        QVERIFY(out.gapsAreWhole());
        const auto threshold = static_cast<unsigned>(std::lround(p * 65536));
        const auto kept = static_cast<float>(65536.0 / (65536.0 - threshold));
        int dropped = 0;
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < cols; ++j) {
                const unsigned block = static_cast<unsigned>(i * ((cols + 7) / 8) + j / 8);
                const auto words = kernels::philox({block, 7u << 8 | 3u << 24, 4, 9}, 0x55667788, 0x11223344);
                const unsigned number = words[static_cast<std::size_t>(j % 8 / 2)] >> (j % 2 * 16) & 0xffff;
                QCOMPARE(out.at(i, j), number < threshold ? 0.0f : kept);
                dropped += number < threshold ? 1 : 0;
            }
        const double n = rows * cols, share = dropped / n;
        QVERIFY(std::abs(share - p) < 4 * std::sqrt(p * (1 - p) / n));
        // Added instead of written, and in place.
        Owned twice = out;
        kernels::dropout(nullptr, ones.view(), p, key, true, twice.view());
        kernels::dropout(nullptr, ones.view(), p, key, false, ones.view());
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < cols; ++j) {
                QCOMPARE(twice.at(i, j), 2 * out.at(i, j));
                QCOMPARE(ones.at(i, j), out.at(i, j));
            }
        // Another place in any of the five counters is another mask.
        std::vector<kernels::DropoutKey> others(5, key);
        ++others[0].seed;
        ++others[1].step;
        ++others[2].micro_batch;
        ++others[3].layer;
        ++others[4].module;
        for (const auto& other : others) {
            Owned mask(rows, cols);
            for (int i = 0; i < rows; ++i)
                for (int j = 0; j < cols; ++j) mask.at(i, j) = 1;
            kernels::dropout(nullptr, mask.view(), p, other, false, mask.view());
            int same = 0;
            for (int i = 0; i < rows; ++i)
                for (int j = 0; j < cols; ++j) same += (mask.at(i, j) == 0) == (out.at(i, j) == 0) ? 1 : 0;
            const double agree = p * p + (1 - p) * (1 - p);  // of independent masks
            QVERIFY(std::abs(same / n - agree) < 5 * std::sqrt(agree * (1 - agree) / n));
        }
    }

    void gatheringAndSummingReaders() {
        Owned table = normal(6, 20), gathered(5, 20), sums = normal(6, 20);
        const std::vector<int> index = {3, 0, 3, 5, 0};
        kernels::gatherRows(nullptr, table.view(), index.data(), gathered.view());
        const std::vector<int> begin = {0, 2, 2, 2, 4, 4, 5}, readers = {1, 4, 0, 2, 3};
        kernels::sumReaders(nullptr, gathered.view(), begin.data(), readers.data(), sums.view());
        QVERIFY(gathered.gapsAreWhole() && sums.gapsAreWhole());
        for (int j = 0; j < 20; ++j) {
            for (int i = 0; i < 5; ++i) QCOMPARE(gathered.at(i, j), table.at(index[static_cast<std::size_t>(i)], j));
            QCOMPARE(sums.at(0, j), 2 * table.at(0, j));
            QCOMPARE(sums.at(1, j), 0.0f);
            QCOMPARE(sums.at(3, j), 2 * table.at(3, j));
            QCOMPARE(sums.at(5, j), table.at(5, j));
        }
        Owned scattered = normal(7, 20);
        const std::vector<int> where = {1, 6};
        kernels::scatterRows(nullptr, table.view().top(2), where.data(), 0.5f, scattered.view());
        for (int j = 0; j < 20; ++j) {
            QCOMPARE(scattered.at(1, j), table.at(0, j) / 2);
            QCOMPARE(scattered.at(6, j), table.at(1, j) / 2);
            for (const int i : {0, 2, 3, 4, 5}) QCOMPARE(scattered.at(i, j), 0.0f);
        }
    }

    void everySixteenBitFloatWidensExactly() {
        std::vector<std::uint16_t> bits(65536);
        for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
        Owned halves(256, 256), brains(256, 256);
        kernels::widen(nullptr, {bits.data(), 256, 256, 256, kernels::Element::F16}, halves.view());
        kernels::widen(nullptr, {bits.data(), 256, 256, 256, kernels::Element::BF16}, brains.view());
        for (int i = 0; i < 65536; ++i) {
            const auto half = static_cast<float>(std::bit_cast<_Float16>(static_cast<std::uint16_t>(i)));
            const float brain = std::bit_cast<float>(static_cast<std::uint32_t>(i) << 16);
            const float ours = halves.at(i / 256, i % 256), other = brains.at(i / 256, i % 256);
            QVERIFY(std::isnan(half) ? std::isnan(ours)
                                     : std::bit_cast<unsigned>(half) == std::bit_cast<unsigned>(ours));
            QCOMPARE(std::bit_cast<unsigned>(brain), std::bit_cast<unsigned>(other));
        }
    }

    void workIsSplitTheSameWayEveryTime() {
        for (const int count : {0, 1, 15, 16, 33, 1000}) {
            std::vector<int> seen(static_cast<std::size_t>(count));
            std::atomic<int> calls = 0;
            kernels::parallelFor(count, 16, [&](std::int64_t begin, std::int64_t end) {
                ++calls;
                for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
            });
            QVERIFY(std::ranges::all_of(seen, [](int times) { return times == 1; }));
            QVERIFY(calls <= std::max(1, count / 16));
        }
        QCOMPARE(kernels::threads(), 2);
        std::vector<std::atomic<int>> done(100);
        kernels::parallelTasks(100, [&](std::int64_t i, int thread) {
            if (thread >= 0 && thread < 2) ++done[static_cast<std::size_t>(i)];
        });
        for (const auto& times : done) QCOMPARE(times.load(), 1);
    }

    void anArenaMeasuresWhatItHandsOut() {
        kernels::Arena measure;
        measure.floats(3);
        measure.matrix(5, 17);
        auto buffer = kernels::Buffer::allocate(measure.used());
        QVERIFY(buffer.has_value());
        kernels::Arena arena(buffer->data());
        arena.floats(3);
        const Matrix m = arena.matrix(5, 17);
        QCOMPARE(arena.used(), measure.used());
        QCOMPARE(m.ld, 32);
        QCOMPARE(reinterpret_cast<std::uintptr_t>(m.data) % kernels::kAlignment, 0u);
        QVERIFY(reinterpret_cast<std::byte*>(m.row(4) + 32) <= buffer->data() + buffer->bytes());
        QVERIFY(!kernels::Buffer::allocate(std::size_t{1} << 60).has_value());
    }
};

}  // namespace

QTEST_APPLESS_MAIN(KernelsTest)
#include "kernels_test.moc"
