#include "engine/quant/quantise_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "engine/kernels/nf4.h"
#include "engine/kernels/parallel.h"

namespace studio::engine {
namespace {

using kernels::kNestedBlock;
using kernels::kNf4Block;

float largest(std::span<const float> values) {
    float best = 0;
    for (const float value : values) best = std::max(best, std::fabs(value));
    return best;
}

// The number of midpoints below x. Ties go to the lower code.
std::uint8_t nf4Code(float x, const std::array<float, 15>& midpoints) {
    int code = 0;
    for (const float midpoint : midpoints) code += x > midpoint ? 1 : 0;
    return static_cast<std::uint8_t>(code);
}

std::array<float, 15> nf4Midpoints() {
    std::array<float, 15> midpoints{};
    for (std::size_t i = 0; i < midpoints.size(); ++i)
        midpoints[i] = (kernels::kNf4Code[i] + kernels::kNf4Code[i + 1]) / 2.0f;
    return midpoints;
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
        for (std::int64_t block = first; block < last; ++block) {
            const std::int64_t begin = block * kNf4Block, end = std::min(begin + kNf4Block, count);
            const auto part = values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
            const bool whole = end - begin == kNf4Block;
            float absmax = largest(part);
            const float divisor = std::max(absmax, kSmallest);
            if (!whole) absmax = divisor;  // the last, shorter block keeps the guard as its scale and divides
            out.absmax[static_cast<std::size_t>(block)] = absmax;
            const float inverse = 1.0f / divisor;
            for (std::int64_t i = begin; i < end; i += 2) {
                const auto code = [&](std::int64_t at) {
                    if (at >= count) return nf4Code(0.0f, midpoints);
                    const float value = values[static_cast<std::size_t>(at)];
                    return nf4Code(std::clamp(whole ? value * inverse : value / divisor, -1.0f, 1.0f), midpoints);
                };
                out.codes[static_cast<std::size_t>(i / 2)] = static_cast<std::uint8_t>(code(i) << 4 | code(i + 1));
            }
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
        const float absmax = largest(values.subspan(begin, end - begin));
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
