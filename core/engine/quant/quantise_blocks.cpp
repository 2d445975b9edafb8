#include "engine/quant/quantise_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "engine/kernels/nf4.h"
#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine {
namespace {

using kernels::kNestedBlock;
using kernels::kNf4Block;

std::array<float, 15> nf4Midpoints() {
    std::array<float, 15> midpoints{};
    for (std::size_t i = 0; i < midpoints.size(); ++i)
        midpoints[i] = (kernels::kNf4Code[i] + kernels::kNf4Code[i + 1]) / 2.0f;
    return midpoints;
}

// Codes of at most one block: the number of midpoints below value·inverse, or below value / divisor in the last,
// shorter block, as bitsandbytes has it. Ties go to the lower code.
STUDIO_SIMD void nf4Codes(const float* values, int count, float divisor, const float* midpoints, std::uint8_t* codes) {
    float scaled[kNf4Block] = {};
    const float inverse = 1.0f / divisor;
    if (count == kNf4Block) {
        for (int i = 0; i < kNf4Block; ++i) scaled[i] = values[i] * inverse;
    } else {
        for (int i = 0; i < count; ++i) scaled[i] = values[i] / divisor;
    }
    std::int32_t code[kNf4Block];
#pragma omp simd
    for (int i = 0; i < kNf4Block; ++i) {
        float x = scaled[i];
        x = x < -1.0f ? -1.0f : x;
        x = x > 1.0f ? 1.0f : x;
        std::int32_t below = 0;
#pragma GCC unroll 15
        for (int m = 0; m < 15; ++m) below += x > midpoints[m] ? 1 : 0;
        code[i] = below;
    }
    for (int i = 0; i < kNf4Block; ++i) codes[i] = static_cast<std::uint8_t>(code[i]);
}

STUDIO_SIMD float largest(const float* values, std::int64_t count) {
    float best = 0;
#pragma omp simd reduction(max : best)
    for (std::int64_t i = 0; i < count; ++i) {
        const float size = values[i] < 0 ? -values[i] : values[i];
        best = size > best ? size : best;
    }
    return best;
}

// The code of every point 2i/65535 − 1.
std::vector<std::uint8_t> lookupTable(std::span<const float, 256> map) {
    std::vector<std::uint8_t> table(65536);
    std::size_t code = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const float twice = static_cast<float>(i) + static_cast<float>(i);
        const float value = twice / 65535.0f - 1.0f;
        while (code < 255 && value > (map[code] + map[code + 1]) * 0.5f) ++code;
        table[i] = static_cast<std::uint8_t>(code);
    }
    return table;
}

}  // namespace

Nf4Blocks quantiseNf4(std::span<const float> values) {
    constexpr float kSmallest = 1e-38f;  // bitsandbytes' guard against division by zero
    const auto count = static_cast<std::int64_t>(values.size());
    const std::int64_t blocks = (count + kNf4Block - 1) / kNf4Block;
    const auto midpoints = nf4Midpoints();
    Nf4Blocks out{std::vector<std::uint8_t>(static_cast<std::size_t>((count + 1) / 2)),
                  std::vector<float>(static_cast<std::size_t>(blocks))};
    kernels::parallelFor(blocks, 64, [&](std::int64_t first, std::int64_t last) {
        std::uint8_t codes[kNf4Block];
        for (std::int64_t block = first; block < last; ++block) {
            const std::int64_t begin = block * kNf4Block;
            const auto length = static_cast<int>(std::min<std::int64_t>(kNf4Block, count - begin));
            const float absmax = largest(values.data() + begin, length), divisor = std::max(absmax, kSmallest);
            // The last block keeps the guard as its scale if it is a shorter one.
            out.absmax[static_cast<std::size_t>(block)] = length == kNf4Block ? absmax : divisor;
            nf4Codes(values.data() + begin, length, divisor, midpoints.data(), codes);
            std::uint8_t* packed = out.codes.data() + begin / 2;
            for (int i = 0; i < length; i += 2) packed[i / 2] = static_cast<std::uint8_t>(codes[i] << 4 | codes[i + 1]);
        }
    });
    return out;
}

CodedBlocks quantiseDynamic(std::span<const float> values, std::span<const float, 256> map) {
    const auto table = lookupTable(map);
    const std::size_t blocks = (values.size() + kNestedBlock - 1) / kNestedBlock;
    CodedBlocks out{std::vector<std::uint8_t>(values.size()), std::vector<float>(blocks)};
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t begin = block * kNestedBlock, end = std::min(begin + kNestedBlock, values.size());
        const float absmax = largest(values.data() + begin, static_cast<std::int64_t>(end - begin));
        out.absmax[block] = absmax;
        if (absmax == 0) continue;
        const float inverse = 1.0f / absmax;
        for (std::size_t i = begin; i < end; ++i) {
            const float x = std::clamp(values[i] * inverse, -1.0f, 1.0f);
            out.codes[i] = table[static_cast<std::uint16_t>(std::fma((x + 1.0f) * 0.5f, 65535.0f, 0.5f))];
        }
    }
    return out;
}

}  // namespace studio::engine
