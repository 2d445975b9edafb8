// Tensors out of a checkpoint, piece by piece, as float32 or as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/job.h"
#include "engine/model/base_weights.h"
#include "io/safetensors.h"

namespace studio::engine {

// Counts what it reads, reports it, and stops where the job does. Names must have been checked (checkTensors).
class TensorSource {
  public:
    TensorSource(const io::SafetensorsFolder& folder, const JobContext& job) : folder_(folder), job_(job) {}

    // float32, to rows of `into`. A value that is not finite is an error that names the tensor.
    Result<void> floats(const std::string& name, const kernels::Matrix& into);
    // In the type of the file; the same error.
    Result<DenseTensor> asStored(const std::string& name, std::int64_t rows, std::int64_t cols);
    // Any type.
    Result<std::vector<std::byte>> bytes(const std::string& name);

  private:
    // Calls use(first row, rows, data) for pieces of the tensor, seen as [rows, cols].
    using Use = std::function<void(std::int64_t, const kernels::Matrix&)>;
    Result<void> read(const std::string& name, std::int64_t rows, std::int64_t cols, const Use& use);

    const io::SafetensorsFolder& folder_;
    const JobContext& job_;
    std::vector<std::byte> piece_;
    std::vector<float> widened_;
    std::uint64_t done_ = 0;
};

kernels::Element elementOf(io::DType type);  // F32, F16 or BF16

}  // namespace studio::engine
