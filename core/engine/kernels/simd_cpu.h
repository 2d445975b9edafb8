// For the CPU kernels: code for AVX2 and for any x86-64, chosen when the program starts, and an exponential that the
// compiler vectorises. Both versions follow the same order of operations, apart from fused multiply-adds there are
// none.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STUDIO_SIMD __attribute__((target_clones("avx2", "default")))
#else
#define STUDIO_SIMD
#endif

namespace studio::engine::kernels {

// eˣ within 2 ulp for x in [-87, 88], clamped outside. Reduction and polynomial as in Cephes' expf (S. Moshier).
inline float vectorExp(float x) {
    constexpr float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
    constexpr float kRound = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer, kept in the low bits
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float shifted = x * kLog2e + kRound;
    const float n = shifted - kRound;
    const float r = (x - n * kLn2High) - n * kLn2Low;
    float y = 1.9875691500e-4f;
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = (y * r) * r + r + 1.0f;
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) << 23;  // n·2²³ modulo 2³²
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(y) + exponent);
}

}  // namespace studio::engine::kernels
