// Tensors of a checkpoint to the GPU, through two pinned pieces in turn: one is filled while the other is on its way.
#pragma once

#include <string>

#include "engine/gpu/weights.h"
#include "engine/model/tensor_source.h"
#include "io/safetensors.h"

namespace studio::engine::gpu {

// bf16, rounded to nearest, ties to even.
std::uint16_t toBfloat16(float value);

class TensorUpload {
  public:
    TensorUpload(const io::SafetensorsFolder& folder, Stream stream, LoadProgress& progress)
        : folder_(folder), stream_(stream), progress_(progress) {}

    Result<void> open();
    // The tensor in its own type on the device, valid until the next call. Names must have been checked.
    Result<Matrix> raw(const std::string& name, std::int64_t rows, std::int64_t cols);
    // The tensor in its own type in memory of the host; values that are not finite are an error.
    Result<void> toHost(const std::string& name, const Matrix& into);

    // Kernels set it when they meet a value that is not finite; checkFinite() waits for them and tells.
    int* badFlag() { return reinterpret_cast<int*>(flag_.data()); }
    Result<void> checkFinite(const std::string& name);

  private:
    const io::SafetensorsFolder& folder_;
    Stream stream_;
    LoadProgress& progress_;
    Pinned pieces_, flag_;
    Memory raw_;
};

}  // namespace studio::engine::gpu
