// Every A and B of an adapter in one flat float32 buffer, their gradients in another of the same layout.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kernels/aligned_allocator.h"
#include "io/safetensors.h"

namespace studio::engine {

struct AdapterTensor {
    std::string name;  // PEFT's: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    int rows = 0, cols = 0;
    std::size_t offset = 0;  // of its first element in the flat buffers
    std::size_t size() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }
};

class AdapterParameters {
  public:
    AdapterParameters() = default;
    // `tensors` tile the buffers; they are kept sorted by name.
    explicit AdapterParameters(std::vector<AdapterTensor> tensors);

    const std::vector<AdapterTensor>& tensors() const { return tensors_; }
    const AdapterTensor* find(std::string_view name) const;

    std::span<float> values() { return values_; }
    std::span<const float> values() const { return values_; }
    std::span<float> gradients() { return gradients_; }
    std::span<const float> gradients() const { return gradients_; }
    void zeroGradients();

    // Views of the buffers, sorted by name; valid as long as the adapter is.
    std::vector<io::TensorView> valueViews() const { return viewsOf(values_); }
    std::vector<io::TensorView> gradientViews() const { return viewsOf(gradients_); }
    // The same cut through another flat buffer of the same layout (an optimizer's moments), names prefixed.
    std::vector<io::TensorView> viewsOf(std::span<const float> flat, std::string_view prefix = {}) const;

  private:
    std::vector<AdapterTensor> tensors_;
    kernels::AlignedFloats values_, gradients_;
};

}  // namespace studio::engine
