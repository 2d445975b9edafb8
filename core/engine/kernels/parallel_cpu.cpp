#include <omp.h>

#include <algorithm>
#include <thread>

#include <ATen/Parallel.h>

#include "engine/kernels/parallel.h"

namespace studio::engine::kernels {

void setThreads(int wanted) {
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    at::set_num_threads(wanted > 0 ? wanted : cores);  // OpenMP's and the BLAS's with it
}

int threads() {
    return at::get_num_threads();
}

void detail::parallelRange(std::int64_t count, std::int64_t grain, RangeFunction function, void* context) {
    const std::int64_t parts = std::min<std::int64_t>(threads(), count / std::max<std::int64_t>(grain, 1));
    if (parts <= 1) {
        if (count > 0) function(context, 0, count);
        return;
    }
    const std::int64_t size = (count + parts - 1) / parts;
    // The whole team is asked for every time: GNU's runtime starts threads anew when the number changes between
    // regions.
#pragma omp parallel
    for (std::int64_t part = omp_get_thread_num(); part < parts; part += omp_get_num_threads())
        if (part * size < count) function(context, part * size, std::min(count, (part + 1) * size));
}

void detail::parallelEach(std::int64_t count, TaskFunction function, void* context) {
    if (threads() == 1 || count == 1) {
        for (std::int64_t index = 0; index < count; ++index) function(context, index, 0);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t index = 0; index < count; ++index) function(context, index, omp_get_thread_num());
}

}  // namespace studio::engine::kernels
