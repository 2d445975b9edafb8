#include "engine/border/guard.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "engine/kernels/memory.h"
#ifdef STUDIO_CUDA
#include "engine/kernels/gpu.h"
#endif

namespace studio::engine {
namespace {

Error outOfMemory(std::string_view doing) {
    const std::size_t free_mb = kernels::availableMemory() >> 20;
    return {ErrorCode::OutOfMemory,
            "The memory ran out while " + std::string(doing) + "; " + std::to_string(free_mb) + " MB are free now.",
            "Lower per_device_train_batch_size or max_seq_length, close other programs, or unload other models."};
}

std::string sentence(const char* begin, std::string_view doing, const std::string& reason) {
    return begin + std::string(doing) + " (" + reason + ").";
}

Error describe(std::string_view doing) {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return outOfMemory(doing);
#ifdef STUDIO_CUDA
    } catch (const c10::OutOfMemoryError& error) {  // thrown by the card's allocator only
        return kernels::gpu::thrown(std::string(doing).c_str(), error);
    } catch (const c10::AcceleratorError& error) {
        return kernels::gpu::thrown(std::string(doing).c_str(), error);
#else
    } catch (const c10::OutOfMemoryError&) {
        return outOfMemory(doing);
#endif
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        // The CPU allocator has no exception type of its own.
        if (what.find("can't allocate memory") != std::string::npos) return outOfMemory(doing);
        return {ErrorCode::Internal, sentence("LibTorch failed while ", doing, what),
                "The log has the details. Run `make setup` if LibTorch may be damaged."};
    } catch (const std::exception& error) {
        return {ErrorCode::Internal, sentence("Something failed while ", doing, error.what()),
                "This is a fault of the program; the log has the details."};
    } catch (...) {
        return {ErrorCode::Internal, "Something failed while " + std::string(doing) + ".",
                "This is a fault of the program; the log has the details."};
    }
}

}  // namespace

Error currentError(std::string_view doing) noexcept {
    try {
        return describe(doing);
    } catch (...) {
        return {ErrorCode::OutOfMemory, {}, {}};  // not even the sentence found room
    }
}

}  // namespace studio::engine
