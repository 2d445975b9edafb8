// 16-bit floats to float32 without branches, so that loops over them vectorise.
#pragma once

#include <bit>
#include <cstdint>

namespace studio::engine::kernels {

inline float fromBfloat16(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// IEEE binary16: the exponent is rebased by a multiplication, which is exact for normal and subnormal numbers alike;
// infinities and NaN get the largest exponent.
inline float fromHalf(std::uint16_t bits) {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7fffu) << 13;
    const float rebased = std::bit_cast<float>(magnitude) * 0x1p112f;
    const std::uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(rebased) | special | sign);
}

}  // namespace studio::engine::kernels
