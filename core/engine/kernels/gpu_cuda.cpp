#include "engine/kernels/gpu.h"

#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace studio::engine::kernels::gpu {
namespace {

cudaStream_t queue(Stream stream) {
    return static_cast<cudaStream_t>(stream);
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
    switch (failureOf(status)) {
        case Failure::Lost:
            return fail(lostError(doing, status));
        case Failure::Busy:
            return fail(ErrorCode::Device, "Another program has the GPU to itself.",
                        "Close it, or choose the device cpu.");
        default:
            return fail(deviceError(doing, cudaGetErrorString(status), failureOf(status) == Failure::OutOfMemory));
    }
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

// Whether code compiled for `architecture`, as nvcc names it, runs on the card.
bool runsOn(std::string_view architecture, const Card& card) {
    int number = 0;
    const auto [end, error] = std::from_chars(architecture.data(), architecture.data() + architecture.size(), number);
    const bool exact = end != architecture.data() + architecture.size();
    return error == std::errc() && number / 10 == card.major &&
           (exact ? number % 10 == card.minor : number % 10 <= card.minor);
}

bool anyRunsOn(std::string_view built_for, const Card& card) {
    while (!built_for.empty()) {
        const auto comma = std::min(built_for.find(','), built_for.size());
        if (runsOn(built_for.substr(0, comma), card)) return true;
        built_for.remove_prefix(std::min(comma + 1, built_for.size()));
    }
    return false;
}

}  // namespace

Failure failureOf(int cuda_status) {
    switch (static_cast<cudaError_t>(cuda_status)) {
        case cudaSuccess:
            return Failure::None;
        case cudaErrorMemoryAllocation:
            return Failure::OutOfMemory;
        case cudaErrorDevicesUnavailable:
            return Failure::Busy;
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
        case cudaErrorUnknown:
            return Failure::Lost;
        default:
            return Failure::Other;
    }
}

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
    if (failureOf(status) != Failure::Lost) return std::nullopt;
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

Error noCards(int cuda_status, int driver_version, const char* visible) {
    if (cuda_status == cudaErrorInsufficientDriver) {
        const std::string have = driver_version == 0
                                     ? "no NVIDIA driver is installed"
                                     : "the NVIDIA driver supports CUDA " + std::to_string(driver_version / 1000) +
                                           "." + std::to_string(driver_version % 1000 / 10);
        return {ErrorCode::Device, "No GPU can be used: " + have + ", and CUDA 13.0 is needed.",
                "Install a driver of version 580 or later, or choose the device cpu."};
    }
    if (visible != nullptr)
        return {
            ErrorCode::Device,
            std::string("No GPU can be used: the environment variable CUDA_VISIBLE_DEVICES is \"") + visible + "\".",
            "Start the program without it, or choose the device cpu."};
    return {ErrorCode::Device, "There is no NVIDIA GPU in this machine that can be used.", "Choose the device cpu."};
}

Result<std::vector<Card>> cards() {
    int count = 0, driver = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0) {
        cudaGetLastError();
        cudaDriverGetVersion(&driver);
        return fail(noCards(status, driver, std::getenv("CUDA_VISIBLE_DEVICES")));
    }
    std::vector<Card> found;
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp properties{};
        if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) continue;
        found.push_back({i, properties.name, hex(properties.uuid), properties.totalGlobalMem, properties.major,
                         properties.minor, properties.multiProcessorCount});
    }
    return usableCards(found, STUDIO_CUDA_BUILT_FOR);
}

Result<std::vector<Card>> usableCards(const std::vector<Card>& found, std::string_view built_for) {
    std::vector<Card> usable;
    Error reason{ErrorCode::Device, "The GPU does not answer.", "Choose the device cpu."};
    for (const Card& card : found) {
        const std::string capability = std::to_string(card.major) + "." + std::to_string(card.minor);
        if (card.major < 8)
            reason = {ErrorCode::Device, "The " + card.name + " cannot compute with bfloat16, which the engine needs.",
                      "A card of compute capability 8.0 or later (RTX 30 and newer) is needed; the device cpu works "
                      "without one."};
        else if (!anyRunsOn(built_for, card))
            reason = {ErrorCode::Device,
                      "This program was built for other cards (" + std::string(built_for) + ") than the " + card.name +
                          " of compute capability " + capability + ".",
                      "Build it with -DSTUDIO_CUDA_ARCHITECTURES=" + std::to_string(card.major * 10 + card.minor) +
                          ", or choose the device cpu."};
        else
            usable.push_back(card);
    }
    if (usable.empty()) return fail(reason);
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
    const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
    if (failureOf(status) == Failure::OutOfMemory) {
        cudaGetLastError();
        return fail(ErrorCode::OutOfMemory,
                    "The computer's own memory has no " + std::to_string((bytes >> 20) + 1) +
                        " MB to spare for copies to the GPU.",
                    "Close other programs, or raise the limit of locked memory (ulimit -l).");
    }
    STUDIO_CHECK(checked(status, "allocating memory of the host"));
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

void Event::Destroy::operator()(void* event) const noexcept {
    cudaEventDestroy(static_cast<cudaEvent_t>(event));
}

Result<void> Event::record(Stream stream) {
    if (event_ == nullptr) {
        cudaEvent_t made = nullptr;
        STUDIO_CHECK(checked(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "computing"));
        event_.reset(made);
    }
    return checked(cudaEventRecord(static_cast<cudaEvent_t>(event_.get()), queue(stream)), "computing");
}

Result<void> Event::wait() const {
    if (event_ == nullptr) return {};
    return checked(cudaEventSynchronize(static_cast<cudaEvent_t>(event_.get())), "computing");
}

Result<void> Event::delay(Stream other) const {
    if (event_ == nullptr) return {};
    return checked(cudaStreamWaitEvent(queue(other), static_cast<cudaEvent_t>(event_.get())), "computing");
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
