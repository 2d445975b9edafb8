#include "engine/kernels/rows.h"

#include <cstring>

#include "engine/kernels/half_cpu.h"
#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

constexpr std::int64_t kGrain = 16;

template <class Body>
void eachRow(std::int64_t rows, Body&& body) {
    parallelFor(rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body(i);
    });
}

STUDIO_SIMD void widenHalf(const std::uint16_t* in, float* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) out[i] = fromHalf(in[i]);
}

STUDIO_SIMD void widenBfloat16(const std::uint16_t* in, float* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) out[i] = fromBfloat16(in[i]);
}

STUDIO_SIMD void sumRow(const float* a, const float* b, float* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

STUDIO_SIMD void scaleRow(const float* a, float scale, float* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) out[i] = scale * a[i];
}

void widenRow(const Matrix& in, std::int64_t row, float* out) {
    const auto* halves = static_cast<const std::uint16_t*>(in.data) + row * in.ld;
    switch (in.element) {
        case Element::F32:
            std::memcpy(out, in.row(row), sizeof(float) * static_cast<std::size_t>(in.cols));
            break;
        case Element::F16:
            widenHalf(halves, out, in.cols);
            break;
        case Element::BF16:
            widenBfloat16(halves, out, in.cols);
            break;
    }
}

}  // namespace

void gatherRows(Stream, const Matrix& table, const int* index, const Matrix& out) {
    eachRow(out.rows, [&](std::int64_t i) { widenRow(table, index[i], out.row(i)); });
}

void widen(Stream, const Matrix& in, const Matrix& out) {
    eachRow(out.rows, [&](std::int64_t i) { widenRow(in, i, out.row(i)); });
}

void copyRows(Stream, const Matrix& in, const Matrix& out) {
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(in.cols);
    eachRow(in.rows, [&](std::int64_t i) { std::memcpy(out.row(i), in.row(i), bytes); });
}

void clearRows(Stream, const Matrix& out) {
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(out.cols);
    eachRow(out.rows, [&](std::int64_t i) { std::memset(out.row(i), 0, bytes); });
}

void download(Stream stream, const Matrix& in, float* host) {
    copyRows(stream, in, matrix(host, in.rows, in.cols));
}

void scatterRows(Stream, const Matrix& in, const int* index, float scale, const Matrix& out) {
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(out.cols);
    eachRow(out.rows, [&](std::int64_t i) { std::memset(out.row(i), 0, bytes); });
    eachRow(in.rows, [&](std::int64_t i) { scaleRow(in.row(i), scale, out.row(index[i]), in.cols); });
}

void sumReaders(Stream, const Matrix& in, const int* begin, const int* readers, const Matrix& out) {
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(out.cols);
    eachRow(out.rows, [&](std::int64_t i) {
        std::memset(out.row(i), 0, bytes);
        for (int at = begin[i]; at < begin[i + 1]; ++at) sumRow(out.row(i), in.row(readers[at]), out.row(i), out.cols);
    });
}

void fillRows(Stream, const float* bias, const Matrix& out) {
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(out.cols);
    eachRow(out.rows, [&](std::int64_t i) { std::memcpy(out.row(i), bias, bytes); });
}

void addBias(Stream, const Matrix& x, const float* bias, const Matrix& out) {
    eachRow(out.rows, [&](std::int64_t i) { sumRow(x.row(i), bias, out.row(i), out.cols); });
}

void scaleRows(Stream, const float* scale, const Matrix& out) {
    eachRow(out.rows, [&](std::int64_t i) {
        float* row = out.row(i);
        for (std::int64_t j = 0; j < out.cols; ++j) row[j] *= scale[i];
    });
}

void addRows(Stream, const Matrix& in, const Matrix& out) {
    eachRow(out.rows, [&](std::int64_t i) { sumRow(out.row(i), in.row(i), out.row(i), out.cols); });
}

}  // namespace studio::engine::kernels
