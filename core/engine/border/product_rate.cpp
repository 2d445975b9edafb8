#include "engine/border/product_rate.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <vector>

#include "engine/border/open_model.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/memory.h"
#ifdef STUDIO_CUDA
#include "engine/kernels/gemm_cuda.h"
#include "engine/kernels/gpu.h"
#endif

namespace studio::engine {
namespace {

using kernels::Matrix;
using kernels::Op;

constexpr int kRounds = 5;

// The median of rounds of `count` products; the first round is not counted.
Result<api::ProductRate> measure(int size, int count, const JobContext& job, const std::function<Result<void>()>& once,
                                 const std::function<Result<void>()>& wait) {
    std::vector<double> seconds;
    for (int round = 0; round <= kRounds; ++round) {
        if (job.stopped()) return cancelled();
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) STUDIO_CHECK(once());
        STUDIO_CHECK(wait());
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / count);
    }
    std::sort(seconds.begin() + 1, seconds.end());
    const double n = size;
    return api::ProductRate{2 * n * n * n / seconds[1 + kRounds / 2], size};
}

// Values between −1 and 1 with all their bits in use: products of zeros take less power, and a GPU is faster for it.
template <class T, class Convert>
void fill(T* values, std::size_t count, const Convert& convert) {
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
        values[i] = convert(static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f);
    }
}

Result<api::ProductRate> ofProcessor(const JobContext& job) {
    constexpr int kSize = 1024;
    constexpr std::size_t kCount = std::size_t{kSize} * kSize;
    STUDIO_TRY(const auto memory, kernels::Buffer::allocate(3 * kCount * sizeof(float)));
    fill(memory.f32(), 2 * kCount, [](float v) { return v; });
    const Matrix a = kernels::matrix(memory.f32(), kSize, kSize),
                 b = kernels::matrix(memory.f32() + kCount, kSize, kSize),
                 c = kernels::matrix(memory.f32() + 2 * kCount, kSize, kSize);
    const auto once = [&]() -> Result<void> {
        kernels::gemm(nullptr, Op::Plain, Op::Transposed, 1, a, b, 0, c);
        return {};
    };
    return measure(kSize, 1, job, once, [] { return Result<void>(); });
}

#ifdef STUDIO_CUDA
Result<api::ProductRate> ofGpu(const std::string& uuid, const JobContext& job) {
    namespace k = kernels::gpu;
    constexpr int kSize = 8192, kAtOnce = 20;
    constexpr std::size_t kCount = std::size_t{kSize} * kSize, kBytes = kCount * 2;
    STUDIO_TRY(const auto cards, k::cards());
    const auto card = std::find_if(cards.begin(), cards.end(), [&](const k::Card& one) { return one.uuid == uuid; });
    if (card == cards.end()) return fail(ErrorCode::Device, "The GPU " + uuid + " is not in this machine.");
    STUDIO_TRY(const auto stream, k::openStream(card->index));
    STUDIO_TRY(const auto workspace, k::Memory::allocate(k::Gemm::kWorkspaceBytes, stream));
    STUDIO_TRY(const auto gemm, k::Gemm::make(workspace.data()));
    STUDIO_TRY(const auto memory, k::Memory::allocate(3 * kBytes, stream));
    std::vector<std::uint16_t> values(kCount);
    const auto matrix = [&](std::size_t index) {
        return Matrix{memory.data() + index * kBytes, kSize, kSize, kSize, kernels::Element::BF16};
    };
    fill(values.data(), kCount,
         [](float v) { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(v) >> 16); });
    for (const std::size_t index : {0u, 1u}) {
        STUDIO_CHECK(k::copyToDevice(stream, matrix(index).data, values.data(), kBytes));
        STUDIO_CHECK(k::finish(stream));
    }
    return measure(
        kSize, kAtOnce, job,
        [&] { return gemm->run(stream, Op::Plain, Op::Transposed, matrix(0), matrix(1), matrix(2)); },
        [&] { return k::finish(stream); });
}
#endif

}  // namespace

Result<api::ProductRate> productRate(const std::string& device, const JobContext& job) {
    STUDIO_TRY(const api::DeviceInfo info, deviceFor(device));
#ifdef STUDIO_CUDA
    if (info.kind == "cuda") return ofGpu(info.uuid, job);
#endif
    return ofProcessor(job);
}

}  // namespace studio::engine
