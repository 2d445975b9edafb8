#include "engine/kernels/dropout_cuda.h"

#include <cmath>

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;

struct Counter {
    std::uint32_t key0, key1, step, micro_batch, place;
};

// One call of Philox4x32-10 decides eight neighbours.
__global__ void __launch_bounds__(kThreads)
    apply(const Bf16* in, std::int64_t ld_in, Counter counter, std::uint32_t threshold, float scale, bool accumulate,
          Bf16* out, std::int64_t ld_out, std::int64_t per_row, std::int64_t count) {
    const std::int64_t block = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (block >= count) return;
    std::uint32_t a = static_cast<std::uint32_t>(block);
    std::uint32_t b = counter.place ^ static_cast<std::uint32_t>(static_cast<std::uint64_t>(block) >> 32);
    std::uint32_t c = counter.micro_batch, d = counter.step;
    std::uint32_t key0 = counter.key0, key1 = counter.key1;
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const std::uint32_t high0 = __umulhi(0xD2511F53u, a), low0 = 0xD2511F53u * a;
        const std::uint32_t high1 = __umulhi(0xCD9E8D57u, c), low1 = 0xCD9E8D57u * c;
        a = high1 ^ b ^ key0;
        b = low1;
        c = high0 ^ d ^ key1;
        d = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    const std::uint32_t words[4] = {a, b, c, d};
    const std::int64_t row = block / per_row, col = (block - row * per_row) * 8;
    float x[8], y[8] = {};
    widen(loadEight(in + row * ld_in + col), x);
    if (accumulate) widen(loadEight(out + row * ld_out + col), y);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const std::uint32_t random = words[i / 2] >> (i % 2 * 16) & 0xffffu;
        y[i] += random < threshold ? 0.0f : x[i] * scale;
    }
    storeEight(out + row * ld_out + col, narrow(y));
}

}  // namespace

void dropout(Stream stream, const Matrix& in, double p, const DropoutKey& key, bool accumulate, const Matrix& out) {
    const auto threshold = static_cast<std::uint32_t>(std::lround(p * 65536.0));
    const float scale = threshold >= 65536 ? 0.0f : static_cast<float>(65536.0 / (65536.0 - threshold));
    const Counter counter{static_cast<std::uint32_t>(key.seed),
                          static_cast<std::uint32_t>(key.seed >> 32) ^ static_cast<std::uint32_t>(key.step >> 32),
                          static_cast<std::uint32_t>(key.step), key.micro_batch, key.layer << 8 | key.module << 24};
    const std::int64_t per_row = in.cols / 8, count = in.rows * per_row;
    if (count == 0) return;
    apply<<<blocksFor(count, kThreads), kThreads, 0, queue(stream)>>>(bf16(in), in.ld, counter, threshold, scale,
                                                                      accumulate, bf16(out), out.ld, per_row, count);
}

}  // namespace studio::engine::kernels::gpu
