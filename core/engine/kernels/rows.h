// Moving and adding whole rows.
#pragma once

#include <cstdint>

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

// out[i] = table[index[i]] as float32, out.rows of them.
void gatherRows(Stream stream, const Matrix& table, const int* index, const Matrix& out);

// out[index[i]] = scale · in[i]; the other rows are zero. `index` ascends strictly.
void scatterRows(Stream stream, const Matrix& in, const int* index, float scale, const Matrix& out);

// out[row] = Σ in[reader] over readers[begin[row]] … readers[begin[row + 1] − 1], in this order: no atomics, so the sum
// is the same every time.
void sumReaders(Stream stream, const Matrix& in, const int* begin, const int* readers, const Matrix& out);

void copyRows(Stream stream, const Matrix& in, const Matrix& out);

void clearRows(Stream stream, const Matrix& out);

// To memory of the host, rows without gaps; has arrived when it returns.
void download(Stream stream, const Matrix& in, float* host);

// Every row of out = bias; [out.cols].
void fillRows(Stream stream, const float* bias, const Matrix& out);

// out = x + bias, row by row; out may be x.
void addBias(Stream stream, const Matrix& x, const float* bias, const Matrix& out);

// Row i of out times scale[i].
void scaleRows(Stream stream, const float* scale, const Matrix& out);

// out += in.
void addRows(Stream stream, const Matrix& in, const Matrix& out);

// 16-bit floats to float32, exactly.
void widen(Stream stream, const Matrix& in, const Matrix& out);

}  // namespace studio::engine::kernels
