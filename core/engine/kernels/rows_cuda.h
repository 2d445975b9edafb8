// Moving rows on the GPU, and putting LoRA's matrices where the products read them. bf16 unless said; cols and leading
// dimensions are multiples of 8. Formulas in rows.h.
#pragma once

#include <cstdint>

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

// out[i] = bf16(table[index[i]]); the table may be of any element type and in pinned memory of the host.
void gatherRows(Stream stream, const Matrix& table, const int* index, const Matrix& out);

void copyRows(Stream stream, const Matrix& in, const Matrix& out);
void clearRows(Stream stream, const Matrix& out);

// out[index[i]] = scale·in[i]; the other rows of out are not touched.
void scatterRows(Stream stream, const Matrix& in, const int* index, float scale, const Matrix& out);

// out[row] = Σ in[reader], added in float32 in the order of the readers.
void sumReaders(Stream stream, const Matrix& in, const int* begin, const int* readers, const Matrix& out);

// Every row of out = bias (bf16), [out.cols].
void fillRows(Stream stream, const void* bias, const Matrix& out);

// A float32 matrix [rows, cols] without gaps whose first element goes to (row, column) of a region, times scale.
struct LoraPatch {
    const float* values = nullptr;
    int rows = 0, cols = 0, row = 0, column = 0;
    float scale = 1;
};
struct LoraPatches {
    LoraPatch patch[4];
    int count = 0;
};
// Fills the region: the patches where they are, zero elsewhere.
void placeLora(Stream stream, const LoraPatches& patches, const Matrix& region);

}  // namespace studio::engine::kernels::gpu
