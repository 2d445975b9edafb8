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

// How much of a checkpoint has been read, by everyone who reads it.
class LoadProgress {
  public:
    LoadProgress(const io::SafetensorsFolder& folder, const JobContext& job) : folder_(folder), job_(job) {}
    bool stopped() const { return job_.stopped(); }
    void add(std::uint64_t bytes) {
        done_ += bytes;
        job_.report({"Loading the model", done_ >> 20, folder_.totalBytes() >> 20, "MB"});
    }

  private:
    const io::SafetensorsFolder& folder_;
    const JobContext& job_;
    std::uint64_t done_ = 0;
};

// Counts what it reads, reports it, and stops where the job does. Names must have been checked (checkTensors).
class TensorSource {
  public:
    TensorSource(const io::SafetensorsFolder& folder, const JobContext& job)
        : folder_(folder), progress_(folder, job) {}
    LoadProgress& progress() { return progress_; }

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
    LoadProgress progress_;
    std::vector<std::byte> piece_;
    std::vector<float> widened_;
};

kernels::Element elementOf(io::DType type);  // F32, F16 or BF16

}  // namespace studio::engine
