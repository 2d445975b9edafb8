// Views of matrices in the memory of the device that computes. C++17 and free of torch, so that every kernel's header
// is.
#pragma once

#include <cstdint>

namespace studio::engine::kernels {

// The device's queue of work; null on a CPU, where every kernel has finished when it returns.
using Stream = void*;

enum class Element : std::uint8_t { F32, F16, BF16 };

constexpr int bytesOf(Element element) {
    return element == Element::F32 ? 4 : 2;
}

// Row-major, `ld` elements from one row to the next. Does not own.
struct Matrix {
    void* data = nullptr;
    std::int64_t rows = 0, cols = 0, ld = 0;
    Element element = Element::F32;

    float* f32() const { return static_cast<float*>(data); }
    float* row(std::int64_t index) const { return f32() + index * ld; }
    Matrix columns(std::int64_t begin, std::int64_t count) const {
        return {static_cast<char*>(data) + begin * bytesOf(element), rows, count, ld, element};
    }
    Matrix rowRange(std::int64_t begin, std::int64_t count) const {
        return {static_cast<char*>(data) + begin * ld * bytesOf(element), count, cols, ld, element};
    }
    Matrix top(std::int64_t count) const { return rowRange(0, count); }
};

inline Matrix matrix(float* data, std::int64_t rows, std::int64_t cols, std::int64_t ld) {
    return {data, rows, cols, ld, Element::F32};
}
inline Matrix matrix(float* data, std::int64_t rows, std::int64_t cols) {
    return matrix(data, rows, cols, cols);
}

}  // namespace studio::engine::kernels
