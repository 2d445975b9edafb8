// Rotary position embedding on the first dimensions of each head, in the two-halves order of GPT-NeoX.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

struct RopeTable {
    const float* cos = nullptr;  // [positions, half]
    const float* sin = nullptr;
    int half = 0;  // rotated dimensions / 2
};

// In place on x = [rows, heads·head_dim]: (a, b) = (x[j], x[j + half]) becomes (a·cos − b·sin, b·cos + a·sin) with the
// angle of (positions[row], j). `inverse` turns back, which is the gradient.
void rotate(Stream stream, const Matrix& x, int heads, int head_dim, const RopeTable& table, const int* positions,
            bool inverse);

}  // namespace studio::engine::kernels
