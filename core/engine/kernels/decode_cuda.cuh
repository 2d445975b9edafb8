// Waiting for the kernel in front, and launching so that the next may start early.
#pragma once

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {

__device__ inline void waitForPrevious() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__device__ inline void letNextStart() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Into the card's cache, sector by sector. (The bulk form takes its lanes one after the other.)
__device__ inline void prefetch(const void* from, int bytes) {
#pragma unroll 1
    for (int i = 0; i < bytes; i += 32)
        asm volatile("prefetch.global.L2 [%0];" ::"l"(static_cast<const char*>(from) + i));
}

template <class... Parameters, class... Arguments>
void launchEarly(void (*kernel)(Parameters...), dim3 grid, unsigned threads, unsigned shared_bytes, Stream stream,
                 Arguments... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = threads;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = queue(stream);
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    int card = 0, major = 0;
    cudaGetDevice(&card);
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, card);
    config.attrs = &attribute;
    config.numAttrs = major >= 9 ? 1 : 0;
    cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

}  // namespace studio::engine::kernels::gpu
