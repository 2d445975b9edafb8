// Matrices on the GPU for tests, filled from and read back into float32.
#pragma once

#include <QtTest>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "engine/kernels/gpu.h"
#include "engine/kernels/half_cpu.h"

// Skips the test where there is no card.
#define NEEDS_GPU()                                                                        \
    do {                                                                                   \
        if (const auto cards = studio::engine::kernels::gpu::cards(); !cards)              \
            QSKIP(qPrintable("no GPU: " + QString::fromStdString(cards.error().message))); \
    } while (false)

namespace studio::test {

namespace gpu = engine::kernels::gpu;
using engine::kernels::Element;
using engine::kernels::Matrix;
using engine::kernels::Stream;

inline std::uint16_t bf16Bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float rounded(float value) {
    return engine::kernels::fromBfloat16(bf16Bits(value));
}

// rows × cols of bf16, or any array, with 16 more columns behind each row that must stay as they are.
class OnDevice {
  public:
    static constexpr std::uint16_t kGap = 0x4321;
    static constexpr int kGapCols = 16;

    OnDevice(Stream stream, int rows, int cols) : stream_(stream), rows_(rows), cols_(cols), ld_(cols + kGapCols) {
        const auto count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(ld_);
        auto memory = gpu::Memory::allocate(count * 2, stream);
        if (!memory) qFatal("%s", memory.error().text().c_str());
        memory_ = std::move(*memory);
        set(std::vector<float>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), 0.0f));
    }

    void set(const std::vector<float>& values) {
        std::vector<std::uint16_t> bits(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(ld_), kGap);
        for (int i = 0; i < rows_; ++i)
            for (int j = 0; j < cols_; ++j)
                bits[static_cast<std::size_t>(i * ld_ + j)] = bf16Bits(values[static_cast<std::size_t>(i * cols_ + j)]);
        require(gpu::copyToDevice(stream_, memory_.data(), bits.data(), bits.size() * 2));
        require(gpu::finish(stream_));
    }

    std::vector<float> get() {
        std::vector<std::uint16_t> bits(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(ld_));
        require(gpu::copyToHost(stream_, bits.data(), memory_.data(), bits.size() * 2));
        require(gpu::finish(stream_));
        std::vector<float> values;
        whole = true;
        for (int i = 0; i < rows_; ++i)
            for (int j = 0; j < ld_; ++j) {
                const std::uint16_t b = bits[static_cast<std::size_t>(i * ld_ + j)];
                if (j < cols_)
                    values.push_back(engine::kernels::fromBfloat16(b));
                else
                    whole = whole && b == kGap;
            }
        return values;
    }

    Matrix view() const { return {memory_.data(), rows_, cols_, ld_, Element::BF16}; }
    bool whole = true;  // the gaps, at the last get()

    static void require(const Result<void>& result) {
        if (!result) qFatal("%s", result.error().text().c_str());
    }

  private:
    Stream stream_;
    int rows_, cols_, ld_;
    gpu::Memory memory_;
};

// A plain array on the device.
template <class T>
class Array {
  public:
    Array(Stream stream, const std::vector<T>& values) : stream_(stream), count_(values.size()) {
        auto memory = gpu::Memory::allocate(std::max<std::size_t>(values.size(), 1) * sizeof(T), stream);
        if (!memory) qFatal("%s", memory.error().text().c_str());
        memory_ = std::move(*memory);
        OnDevice::require(gpu::copyToDevice(stream, memory_.data(), values.data(), values.size() * sizeof(T)));
        OnDevice::require(gpu::finish(stream));
    }
    T* data() const { return reinterpret_cast<T*>(memory_.data()); }
    std::vector<T> get() const {
        std::vector<T> values(count_);
        OnDevice::require(gpu::copyToHost(stream_, values.data(), memory_.data(), count_ * sizeof(T)));
        OnDevice::require(gpu::finish(stream_));
        return values;
    }

  private:
    Stream stream_;
    std::size_t count_;
    gpu::Memory memory_;
};

inline std::vector<float> normals(std::mt19937& random, std::int64_t count, float scale = 1) {
    std::normal_distribution<float> draw(0, scale);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = rounded(draw(random));
    return values;
}

// ‖a − b‖ / ‖b‖
template <class A, class B>
double relative(const A& a, const B& b) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
        size += static_cast<double>(b[i]) * b[i];
    }
    return std::sqrt(difference / std::max(size, 1e-300));
}

}  // namespace studio::test
