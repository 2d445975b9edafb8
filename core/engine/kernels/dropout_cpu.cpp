#include "engine/kernels/dropout.h"

#include <cmath>
#include <cstring>

#include "engine/kernels/parallel.h"
#include "engine/kernels/philox.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

constexpr int kLanes = 16;   // Philox calls side by side
constexpr int kPerCall = 8;  // 16-bit numbers in one call
constexpr int kChunk = kLanes * kPerCall;

struct Counter {
    std::uint32_t key0, key1, step, micro_batch, place;  // place: layer and module
};

// Random 16-bit numbers of the columns [8·block, 8·(block + kLanes)) of a row: number c of call l at [c·kLanes + l].
STUDIO_SIMD void draw(const Counter& counter, std::uint64_t block, std::uint16_t* out) {
    std::uint32_t a[kLanes], b[kLanes], c[kLanes], d[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        a[l] = static_cast<std::uint32_t>(block + static_cast<std::uint64_t>(l));
        b[l] = counter.place ^ static_cast<std::uint32_t>((block + static_cast<std::uint64_t>(l)) >> 32);
        c[l] = counter.micro_batch;
        d[l] = counter.step;
    }
    std::uint32_t key0 = counter.key0, key1 = counter.key1;
    for (int round = 0; round < 10; ++round) {
#pragma omp simd
        for (int l = 0; l < kLanes; ++l) {
            const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * a[l];
            const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c[l];
            a[l] = static_cast<std::uint32_t>(p1 >> 32) ^ b[l] ^ key0;
            b[l] = static_cast<std::uint32_t>(p1);
            c[l] = static_cast<std::uint32_t>(p0 >> 32) ^ d[l] ^ key1;
            d[l] = static_cast<std::uint32_t>(p0);
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    for (int l = 0; l < kLanes; ++l) {
        std::uint16_t* eight = out + l * kPerCall;
        const std::uint32_t words[4] = {a[l], b[l], c[l], d[l]};
        for (int w = 0; w < 4; ++w) {
            eight[2 * w] = static_cast<std::uint16_t>(words[w]);
            eight[2 * w + 1] = static_cast<std::uint16_t>(words[w] >> 16);
        }
    }
}

STUDIO_SIMD void apply(const float* in, const std::uint16_t* random, std::uint32_t threshold, float scale,
                       bool accumulate, float* out, int n) {
    if (accumulate) {
#pragma omp simd
        for (int i = 0; i < n; ++i) out[i] += random[i] < threshold ? 0.0f : in[i] * scale;
    } else {
#pragma omp simd
        for (int i = 0; i < n; ++i) out[i] = random[i] < threshold ? 0.0f : in[i] * scale;
    }
}

}  // namespace

void dropout(Stream, const Matrix& in, double p, const DropoutKey& key, bool accumulate, const Matrix& out) {
    const auto threshold = static_cast<std::uint32_t>(std::lround(p * 65536.0));
    const float scale = threshold >= 65536 ? 0.0f : static_cast<float>(65536.0 / (65536.0 - threshold));
    // The step's upper half joins the seed's: 2³² steps never come, but the key uses every bit it is given.
    const Counter counter{static_cast<std::uint32_t>(key.seed),
                          static_cast<std::uint32_t>(key.seed >> 32) ^ static_cast<std::uint32_t>(key.step >> 32),
                          static_cast<std::uint32_t>(key.step), key.micro_batch, key.layer << 8 | key.module << 24};
    const std::uint64_t blocks_a_row = static_cast<std::uint64_t>(in.cols + kPerCall - 1) / kPerCall;
    parallelFor(in.rows, 8, [&](std::int64_t begin, std::int64_t end) {
        std::uint16_t random[kChunk];
        for (std::int64_t i = begin; i < end; ++i)
            for (std::int64_t j = 0; j < in.cols; j += kChunk) {
                draw(counter, static_cast<std::uint64_t>(i) * blocks_a_row + static_cast<std::uint64_t>(j) / kPerCall,
                     random);
                const auto n = static_cast<int>(in.cols - j < kChunk ? in.cols - j : kChunk);
                apply(in.row(i) + j, random, threshold, scale, accumulate, out.row(i) + j, n);
            }
    });
}

}  // namespace studio::engine::kernels
