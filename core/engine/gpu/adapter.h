// The adapter on the GPU: flat float32 buffers in the layout of the host's.
#pragma once

#include <array>
#include <optional>

#include "engine/gpu/weights.h"
#include "engine/kernels/rows_cuda.h"
#include "engine/model/adapter.h"
#include "engine/model/device_parameters.h"

namespace studio::engine::gpu {

inline std::int64_t roundUp8(std::int64_t value) {
    return (value + 7) / 8 * 8;
}

// One adapted linear as a block's products see it. Widths of u are rounded up to 8 so that every column block is
// aligned; the columns added are zero.
struct LoraPart {
    Linear linear = Linear::Q;
    std::int64_t r = 0, in = 0, out = 0;
    float scaling = 1;
    const float *a = nullptr, *b = nullptr;
    float *da = nullptr, *db = nullptr;  // null before gradients are wanted
    std::int64_t out_begin = 0;          // column in the stack's output
    std::int64_t u_begin = 0, u_width = 0;
};

// Linears that share an input, side by side in u.
struct LoraPartStack {
    std::vector<LoraPart> parts;
    std::int64_t width = 0;  // of u
    bool contiguous = true;  // the A lie one below the other, without gaps, as in u
    bool empty() const { return parts.empty(); }
};

struct BlockLora {
    LoraPartStack input, dense, fc2;
    bool empty() const { return input.empty() && dense.empty() && fc2.empty(); }
};

class GpuAdapter final : public DeviceParameters {
  public:
    // Takes the host's values to the device.
    static Result<std::unique_ptr<GpuAdapter>> make(Adapter host, const BlockShape& shape, Stream stream);

    AdapterParameters& host() { return host_.parameters; }
    const AdapterParameters& host() const { return host_.parameters; }
    const BlockLora& block(int layer) const { return blocks_[static_cast<std::size_t>(layer)]; }
    int lowest() const { return host_.lowest; }
    // Largest width of u of any block.
    std::int64_t inputWidth() const { return widths_[0]; }
    std::int64_t denseWidth() const { return widths_[1]; }
    std::int64_t fc2Width() const { return widths_[2]; }
    std::uint64_t valueBytes() const { return values_.bytes(); }
    std::uint64_t trainingBytes() const { return gradients_.bytes() + exp_avg_.bytes() + exp_avg_sq_.bytes(); }

    std::uint64_t changes() const { return changes_; }  // of the values so far

    Result<void> needGradients();

    Result<void> zeroGradients() override;
    Result<double> gradientNorm() override;
    Result<void> update(const kernels::AdamWStep& step) override;
    Result<void> resetMoments() override;
    Result<void> fetchValues(std::span<float> into) override;
    Result<void> storeValues(std::span<const float> from) override;
    Result<void> fetchGradients(std::span<float> into) override;
    Result<void> fetchMoments(std::span<float> exp_avg, std::span<float> exp_avg_sq) override;
    Result<void> storeMoments(std::span<const float> exp_avg, std::span<const float> exp_avg_sq) override;

  private:
    GpuAdapter(Adapter host, Stream stream) : host_(std::move(host)), stream_(stream) {}
    void bind(const BlockShape& shape);
    LoraPartStack bindStack(const LoraStack& stack, const BlockShape& shape);
    Result<void> fetch(std::span<float> into, const Memory& from);
    Result<void> store(const Memory& into, std::span<const float> from);
    std::int64_t count() const { return static_cast<std::int64_t>(host_.parameters.values().size()); }
    std::size_t bytes() const { return static_cast<std::size_t>(count()) * sizeof(float); }
    static float* floats(const Memory& memory) { return reinterpret_cast<float*>(memory.data()); }

    Adapter host_;
    Stream stream_;
    Memory values_, gradients_, exp_avg_, exp_avg_sq_, sums_;
    std::vector<BlockLora> blocks_;
    std::array<std::int64_t, 3> widths_{};
    BlockShape shape_;
    std::uint64_t changes_ = 0;
};

}  // namespace studio::engine::gpu
