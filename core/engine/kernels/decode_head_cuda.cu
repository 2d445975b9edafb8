#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kHeadThreads = 256, kHeadWarps = kHeadThreads / 32;

// A warp has rows in a row, up to 32 at a time, whose sums are written together: one copy goes to the host's memory.
__global__ void __launch_bounds__(kHeadThreads)
    headRows(const Bf16* head, int rows, int cols, const Bf16* bias, const float* h, float* logits, float* for_host) {
    extern __shared__ float hidden[];
    letNextStart();
    const int lane = threadIdx.x % 32, warp = blockIdx.x * kHeadWarps + threadIdx.x / 32;
    const std::int64_t warps = static_cast<std::int64_t>(gridDim.x) * kHeadWarps;
    const int begin = static_cast<int>(rows * warp / warps), end = static_cast<int>(rows * (warp + 1) / warps);
    for (int c = lane * 16; c < cols; c += 32 * 16)  // the first row
        prefetch(head + static_cast<std::int64_t>(begin) * cols + c, 32);
    waitForPrevious();
    for (int i = threadIdx.x; i < cols; i += kHeadThreads) hidden[i] = h[i];
    __syncthreads();
    float own = 0;
    for (int row = begin; row < end; ++row) {
        const Bf16* weights = head + static_cast<std::int64_t>(row) * cols;
        float sum = 0;
#pragma unroll 10
        for (int c = lane * 8; c < cols; c += 256) {
            const uint4 raw = __ldcs(reinterpret_cast<const uint4*>(weights + c));
            const auto* pairs = reinterpret_cast<const __nv_bfloat162*>(&raw);
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const float2 two = __bfloat1622float2(pairs[i]);
                sum += two.x * hidden[c + 2 * i] + two.y * hidden[c + 2 * i + 1];
            }
        }
        sum = warpSum(sum);
        const int at = (row - begin) % 32;
        if (lane == at) own = sum;
        if (at == 31 || row + 1 == end)
            if (const int mine = row - at + lane; lane <= at)
                logits[mine] = for_host[mine] = own + __bfloat162float(bias[mine]);
    }
}

}  // namespace

void decodeHead(Stream stream, const Matrix& head, const void* bias, const float* h, float* logits, float* for_host) {
    // Four blocks on each of 132 multiprocessors.
    launchEarly(headRows, dim3(528), kHeadThreads, static_cast<unsigned>(head.cols * sizeof(float)), stream,
                static_cast<const Bf16*>(bf16(head)), static_cast<int>(head.rows), static_cast<int>(head.cols),
                static_cast<const Bf16*>(bias), h, logits, for_host);
}

}  // namespace studio::engine::kernels::gpu
