// NF4: four bits a weight, one scale for every block of consecutive weights, as bitsandbytes stores it.
#pragma once

#include <cstdint>

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

inline constexpr int kNf4Block = 64;      // weights under one absmax
inline constexpr int kNestedBlock = 256;  // absmax values under one nested absmax

// Quantiles of a normal distribution, scaled to [-1, 1]: bitsandbytes' create_normal_map(offset 0.9677083).
inline constexpr float kNf4Code[16] = {-1.0f,
                                       -0.6961928009986877f,
                                       -0.5250730514526367f,
                                       -0.39491748809814453f,
                                       -0.28444138169288635f,
                                       -0.18477343022823334f,
                                       -0.09105003625154495f,
                                       0.0f,
                                       0.07958029955625534f,
                                       0.16093020141124725f,
                                       0.24611230194568634f,
                                       0.33791524171829224f,
                                       0.44070982933044434f,
                                       0.5626170039176941f,
                                       0.7229568362236023f,
                                       1.0f};

// A [rows, cols] matrix, flattened row-major and cut into blocks, which may straddle rows.
struct Nf4View {
    std::int64_t rows = 0, cols = 0;
    const std::uint8_t* codes = nullptr;  // two a byte, the first in the high half
    // The scale of block i is absmax[i], or nested_code[absmax_codes[i]]·nested_absmax[i / 256] + offset.
    const float* absmax = nullptr;
    const std::uint8_t* absmax_codes = nullptr;
    const float* nested_code = nullptr;  // [256]
    const float* nested_absmax = nullptr;
    float offset = 0;
};

// out = code · scale, float32.
void dequantiseNf4(Stream stream, const Nf4View& weights, const Matrix& out);

// Few rows times the matrix: out += x · Wᵀ without expanding W. x: [rows ≤ kFewRows, cols]; out: [rows, W's rows].
inline constexpr std::int64_t kFewRows = 4;
void addNf4Product(Stream stream, const Nf4View& weights, const Matrix& x, const Matrix& out);

}  // namespace studio::engine::kernels
