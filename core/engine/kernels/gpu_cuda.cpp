#include "engine/kernels/gpu.h"

#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace studio::engine::kernels::gpu {
namespace {

cudaStream_t queue(Stream stream) {
    return static_cast<cudaStream_t>(stream);
}

// Errors that stay: every later call of this process fails with them.
bool isLost(cudaError_t status) {
    switch (status) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorAssert:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorContained:
        case cudaErrorExternalDevice:
        case cudaErrorDevicesUnavailable:
        case cudaErrorUnknown:
            return true;
        default:
            return false;
    }
}

Error lostError(const char* doing, cudaError_t status) {
    return {ErrorCode::DeviceLost,
            std::string("The GPU failed while ") + doing + " (" + cudaGetErrorString(status) +
                ") and cannot be used by this process any more.",
            "Restart the program. What was saved before is sound: a run can be resumed from its last checkpoint."};
}

Result<void> checked(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return {};
    cudaGetLastError();
    if (isLost(status)) return fail(lostError(doing, status));
    return fail(deviceError(doing, cudaGetErrorString(status), status == cudaErrorMemoryAllocation));
}

std::string hex(const cudaUUID_t& uuid) {
    std::string text = "GPU-";
    char two[3];
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(uuid.bytes[i])));
        text += two;
    }
    return text;
}

}  // namespace

Error deviceError(const char* doing, const char* reason, bool out_of_memory) {
    if (out_of_memory)
        return {ErrorCode::OutOfMemory, std::string("The GPU's memory ran out while ") + doing + ".",
                "Set gradient_checkpointing to true, or lower per_device_train_batch_size or max_seq_length."};
    return {ErrorCode::Device, std::string("The GPU failed while ") + doing + " (" + reason + ").",
            "Try again; if it happens again, restart the program. What was saved before is sound."};
}

std::optional<Error> lost(const char* doing) {
    const cudaError_t status = cudaDeviceSynchronize();
    if (status == cudaSuccess) return std::nullopt;
    cudaGetLastError();
    if (!isLost(status)) return std::nullopt;
    return lostError(doing, status);
}

Error outOfMemory(const std::string& asked) {
    int card = 0;
    cudaGetDevice(&card);
    const MemoryState state = memoryState(card);
    return {ErrorCode::OutOfMemory,
            "The GPU has no room for " + (asked.empty() ? std::string("what is needed") : asked + " more") + ": " +
                std::to_string(state.allocated >> 20) + " MB are held by this program and " +
                std::to_string(state.free >> 20) + " of " + std::to_string(state.total >> 20) + " MB are free.",
            "Set gradient_checkpointing to true, lower per_device_train_batch_size or max_seq_length, or close other "
            "programs that use the GPU."};
}

Error thrown(const char* doing, const std::exception& error) {
    const std::string what = error.what();
    if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
        // "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has …"
        constexpr std::string_view kAsked = "Tried to allocate ";
        const auto begin = what.find(kAsked);
        if (begin == std::string::npos) return outOfMemory({});
        const auto from = begin + kAsked.size();
        return outOfMemory(what.substr(from, what.find(". ", from) - from));
    }
    if (auto failure = lost(doing)) return *failure;
    return deviceError(doing, what.substr(0, what.find('\n')).c_str(), false);
}

void emptyCache() {
    try {
        c10::cuda::CUDACachingAllocator::emptyCache();
    } catch (const std::exception&) {
        // A card that is lost says so at the next call that returns an error.
    }
}

Result<std::vector<Card>> cards() {
    int count = 0, driver = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) cudaGetLastError();
    if (status == cudaErrorInsufficientDriver) {
        cudaDriverGetVersion(&driver);
        const std::string have = driver == 0 ? "no NVIDIA driver is installed"
                                             : "the NVIDIA driver supports CUDA " + std::to_string(driver / 1000) +
                                                   "." + std::to_string(driver % 1000 / 10);
        return fail(ErrorCode::Device, "No GPU can be used: " + have + ", and CUDA 13.0 is needed.",
                    "Install a driver of version 580 or later, or choose the device cpu.");
    }
    if (const char* seen = std::getenv("CUDA_VISIBLE_DEVICES");
        (status != cudaSuccess || count == 0) && seen != nullptr)
        return fail(
            ErrorCode::Device,
            std::string("No GPU can be used: the environment variable CUDA_VISIBLE_DEVICES is \"") + seen + "\".",
            "Start the program without it, or choose the device cpu.");
    if (status != cudaSuccess || count == 0)
        return fail(ErrorCode::Device, "There is no NVIDIA GPU in this machine that can be used.",
                    "Choose the device cpu.");
    std::vector<Card> found;
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp properties{};
        if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) continue;
        found.push_back({i, properties.name, hex(properties.uuid), properties.totalGlobalMem, properties.major,
                         properties.minor, properties.multiProcessorCount});
    }
    return usableCards(found);
}

Result<std::vector<Card>> usableCards(const std::vector<Card>& found) {
    std::vector<Card> usable;
    std::string old;
    for (const Card& card : found) {
        if (card.major >= 8)
            usable.push_back(card);
        else
            old = card.name;
    }
    if (usable.empty())
        return fail(ErrorCode::Device,
                    old.empty() ? "The GPU does not answer."
                                : "The " + old + " cannot compute with bfloat16, which the engine needs.",
                    "A card of compute capability 8.0 or later (RTX 30 and newer) is needed; the device cpu works "
                    "without one.");
    return usable;
}

void FreeMemory::operator()(std::byte* memory) const noexcept {
    c10::cuda::CUDACachingAllocator::raw_delete(memory);
}

Result<Memory> Memory::allocate(std::size_t bytes, Stream stream, bool zero_it) {
    Memory memory;
    if (bytes == 0) return memory;
    try {
        memory.memory_.reset(
            static_cast<std::byte*>(c10::cuda::CUDACachingAllocator::raw_alloc_with_stream(bytes, queue(stream))));
    } catch (const c10::OutOfMemoryError&) {
        return fail(outOfMemory(std::to_string(bytes >> 20) + " MB"));
    } catch (const std::exception& error) {
        return fail(thrown("allocating memory", error));
    }
    memory.bytes_ = bytes;
    if (zero_it) STUDIO_CHECK(zero(stream, memory.data(), bytes));
    return memory;
}

void FreePinned::operator()(std::byte* memory) const noexcept {
    cudaFreeHost(memory);
}

Result<Pinned> Pinned::allocate(std::size_t bytes) {
    Pinned pinned;
    if (bytes == 0) return pinned;
    void* memory = nullptr;
    STUDIO_CHECK(checked(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "allocating memory of the host"));
    pinned.memory_.reset(static_cast<std::byte*>(memory));
    pinned.bytes_ = bytes;
    return pinned;
}

Result<Stream> openStream(int card) {
    try {
        STUDIO_CHECK(checked(cudaSetDevice(card), "choosing the card"));
        at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
        const auto stream = c10::cuda::getStreamFromPool(false, static_cast<c10::DeviceIndex>(card));
        return static_cast<Stream>(stream.stream());
    } catch (const std::exception& error) {
        return fail(thrown("starting", error));
    }
}

void use(int card) {
    cudaSetDevice(card);
}

Result<void> copyToDevice(Stream stream, void* device, const void* host, std::size_t bytes) {
    return checked(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, queue(stream)), "copying to it");
}

Result<void> copyToHost(Stream stream, void* host, const void* device, std::size_t bytes) {
    return checked(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, queue(stream)), "copying from it");
}

Result<void> zero(Stream stream, void* device, std::size_t bytes) {
    return checked(cudaMemsetAsync(device, 0, bytes, queue(stream)), "clearing memory");
}

Result<void> finish(Stream stream) {
    return checked(cudaStreamSynchronize(queue(stream)), "computing");
}

Result<void> launched(const char* doing) {
    return checked(cudaGetLastError(), doing);
}

void Graph::Destroy::operator()(void* graph) const noexcept {
    cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

Result<Graph> Graph::record(Stream stream, const std::function<Result<void>()>& work) {
    STUDIO_CHECK(checked(cudaStreamBeginCapture(queue(stream), cudaStreamCaptureModeThreadLocal), "recording"));
    const Result<void> done = work();
    cudaGraph_t recorded = nullptr;
    const cudaError_t status = cudaStreamEndCapture(queue(stream), &recorded);
    if (!done || status != cudaSuccess) {
        if (recorded != nullptr) cudaGraphDestroy(recorded);
        STUDIO_CHECK(done);
        STUDIO_CHECK(checked(status, "recording"));
    }
    cudaGraphExec_t graph = nullptr;
    const cudaError_t made = cudaGraphInstantiate(&graph, recorded, 0);
    cudaGraphDestroy(recorded);
    STUDIO_CHECK(checked(made, "recording"));
    Graph result;
    result.graph_.reset(graph);
    return result;
}

Result<void> Graph::launch(Stream stream) const {
    return checked(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph_.get()), queue(stream)), "computing a token");
}

MemoryState memoryState(int card) {
    MemoryState state;
    std::size_t free = 0, total = 0;
    int current = card;  // it answers for the card of this thread
    cudaGetDevice(&current);
    if (current != card) cudaSetDevice(card);
    const cudaError_t told = cudaMemGetInfo(&free, &total);
    if (current != card) cudaSetDevice(current);
    if (told != cudaSuccess) return state;
    state.free = free;
    state.total = total;
    try {
        const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(card));
        const auto& allocated = stats.allocated_bytes[0];
        state.allocated = static_cast<std::uint64_t>(allocated.current);
        state.peak = static_cast<std::uint64_t>(allocated.peak);
        state.free += static_cast<std::uint64_t>(stats.reserved_bytes[0].current - allocated.current);
    } catch (const std::exception&) {
    }
    return state;
}

void resetPeak(int card) {
    try {
        c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(card));
    } catch (const std::exception&) {
    }
}

void setDeterministic(bool on) {
    at::globalContext().setDeterministicAlgorithms(on, false);
}

}  // namespace studio::engine::kernels::gpu
