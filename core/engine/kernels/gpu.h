// The GPU: which cards there are, memory on them, copies and errors. Free of torch and CUDA headers; built only with
// STUDIO_CUDA. Memory comes from LibTorch's caching allocator, so that one budget holds for its kernels and ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

struct Card {
    int index = 0;
    std::string name, uuid;
    std::uint64_t memory_bytes = 0;
    int major = 0, minor = 0, multiprocessors = 0;
};

// The cards this program can compute on. Without one, a Device error that says what is missing: driver, card, or a
// card that is too old (bf16 needs compute capability 8.0).
Result<std::vector<Card>> cards();
// Of all cards found those that the engine can compute on, or the sentence why there is none. `built_for`: what the
// kernels were compiled for, in nvcc's names, "80,86,90a": code of 8.6 runs on 8.6 and 8.9, that of 90a on 9.0 alone.
Result<std::vector<Card>> usableCards(const std::vector<Card>& found, std::string_view built_for);

// Why there is no card at all, from CUDA's status, the version of CUDA that the driver supports (12040; 0: there is no
// driver) and CUDA_VISIBLE_DEVICES (null: not set).
Error noCards(int cuda_status, int driver_version, const char* visible);

struct FreeMemory {
    void operator()(std::byte* memory) const noexcept;
};
// Device memory, not initialised unless `zero`; aligned to 512 bytes.
class Memory {
  public:
    static Result<Memory> allocate(std::size_t bytes, Stream stream, bool zero = false);
    std::byte* data() const { return memory_.get(); }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unique_ptr<std::byte, FreeMemory> memory_;
    std::size_t bytes_ = 0;
};

struct FreePinned {
    void operator()(std::byte* memory) const noexcept;
};
// Memory of the host that the device reads and writes directly, at the same address.
class Pinned {
  public:
    static Result<Pinned> allocate(std::size_t bytes);
    std::byte* data() const { return memory_.get(); }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unique_ptr<std::byte, FreePinned> memory_;
    std::size_t bytes_ = 0;
};

// Makes the card current for this thread and gives a queue on it, which lives as long as the process.
Result<Stream> openStream(int card);
// For a thread that did not open the stream: makes its card current.
void use(int card);

// Copies in the order of the stream; the host's side must be pinned to be asynchronous.
Result<void> copyToDevice(Stream stream, void* device, const void* host, std::size_t bytes);
Result<void> copyToHost(Stream stream, void* host, const void* device, std::size_t bytes);
Result<void> zero(Stream stream, void* device, std::size_t bytes);
// Waits for the stream. Also tells of any error of the work before.
Result<void> finish(Stream stream);
// An error of a kernel launch, if there was one. `doing` completes "The GPU failed while …".
Result<void> launched(const char* doing);

// Work recorded once and started again with one call.
class Graph {
  public:
    // Records what `work` puts into the stream; it must neither allocate nor wait.
    static Result<Graph> record(Stream stream, const std::function<Result<void>()>& work);
    Result<void> launch(Stream stream) const;
    explicit operator bool() const { return graph_ != nullptr; }

  private:
    struct Destroy {
        void operator()(void* graph) const noexcept;
    };
    std::unique_ptr<void, Destroy> graph_;
};

// A place in a stream that the host can wait for.
class Event {
  public:
    Result<void> record(Stream stream);
    Result<void> wait() const;  // for what was put into the stream before the last record(); at once without one
    Result<void> delay(Stream other) const;  // lets what is put into `other` from now on wait for the same

  private:
    struct Destroy {
        void operator()(void* event) const noexcept;
    };
    std::unique_ptr<void, Destroy> event_;
};

struct MemoryState {
    std::uint64_t allocated = 0, peak = 0;  // by this process through the allocator
    std::uint64_t free = 0, total = 0;      // of the card; free counts what the allocator keeps cached
};
MemoryState memoryState(int card);
void resetPeak(int card);

// Kernels of LibTorch take only ways that give the same bits every time.
void setDeterministic(bool on);

// What a CUDA status means for those who go on: Busy, another program has the card to itself; Lost, every later call
// of this process fails as well.
enum class Failure { None, OutOfMemory, Busy, Lost, Other };
Failure failureOf(int cuda_status);

// What a failed CUDA call means for a person.
Error deviceError(const char* doing, const char* reason, bool out_of_memory);
// The current card's failure after which CUDA refuses every call of this process (an illegal address, a card that fell
// off the bus, …); nothing while the card works. Waits for it.
std::optional<Error> lost(const char* doing);
// The memory of the current card ran out: what was asked for ("512 MB"; may be empty), what is held, what is free.
Error outOfMemory(const std::string& asked);
// What LibTorch threw while using the current card; also tells memory that ran out and a card that was lost.
Error thrown(const char* doing, const std::exception& error);
// Gives back what the allocator keeps for later.
void emptyCache();

}  // namespace studio::engine::kernels::gpu
