// Splits a range over the compute threads, always in the same way for the same thread count.
#pragma once

#include <cstdint>
#include <type_traits>

namespace studio::engine::kernels {

void setThreads(int threads);  // of every kernel and of the BLAS, in the whole process; ≤ 0: all cores
int threads();

namespace detail {
using RangeFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);
void parallelRange(std::int64_t count, std::int64_t grain, RangeFunction function, void* context);
using TaskFunction = void (*)(void* context, std::int64_t index, int thread);
void parallelEach(std::int64_t count, TaskFunction function, void* context);
}  // namespace detail

// Calls body(begin, end) for parts of [0, count), each of at least `grain` where there is more than one. `body` must
// not throw.
template <class Body>
void parallelFor(std::int64_t count, std::int64_t grain, Body&& body) {
    detail::parallelRange(
        count, grain,
        [](void* context, std::int64_t begin, std::int64_t end) {
            (*static_cast<std::remove_reference_t<Body>*>(context))(begin, end);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
}

// Calls body(index, thread) for every index below `count`, to whichever thread is free; `thread` is below threads().
// For tasks of different sizes that share no output. `body` must not throw.
template <class Body>
void parallelTasks(std::int64_t count, Body&& body) {
    detail::parallelEach(
        count,
        [](void* context, std::int64_t index, int thread) {
            (*static_cast<std::remove_reference_t<Body>*>(context))(index, thread);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace studio::engine::kernels
