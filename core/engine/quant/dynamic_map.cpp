#include "engine/quant/dynamic_map.h"

#include <algorithm>
#include <cmath>

namespace studio::engine {
namespace {

// Point i of torch.linspace(0.1, 1, steps + 1) in float32: counted from the nearer end.
float boundary(int i, int steps) {
    const float step = (1.0f - 0.1f) / static_cast<float>(steps);
    if (i < (steps + 1) / 2) return std::fma(step, static_cast<float>(i), 0.1f);
    return std::fma(-step, static_cast<float>(steps - i), 1.0f);
}

}  // namespace

std::array<float, 256> dynamicMap() {
    constexpr int kExponents = 7;
    std::array<float, 256> map{};
    std::size_t count = 0;
    for (int exponent = 0; exponent < kExponents; ++exponent) {
        const int steps = 1 << exponent;
        const auto decade = static_cast<float>(std::pow(10.0, exponent - (kExponents - 1)));
        for (int i = 0; i < steps; ++i) {
            const float mean = (boundary(i, steps) + boundary(i + 1, steps)) / 2.0f;
            map[count++] = decade * mean;
            map[count++] = -decade * mean;
        }
    }
    map[count++] = 0.0f;
    map[count] = 1.0f;
    std::sort(map.begin(), map.end());
    return map;
}

}  // namespace studio::engine
