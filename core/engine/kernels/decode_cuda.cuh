// Waiting for the kernel in front, and launching so that the next may start early.
#pragma once

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {

__device__ inline void waitForPrevious() {
    asm volatile("griddepcontrol.wait;" ::: "memory");
}

__device__ inline void letNextStart() {
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

__device__ inline void prefetch(const void* address) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
}

template <class... Parameters, class... Arguments>
void launchEarly(void (*kernel)(Parameters...), dim3 grid, unsigned threads, Stream stream, Arguments... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = threads;
    config.stream = queue(stream);
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &attribute;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

}  // namespace studio::engine::kernels::gpu
