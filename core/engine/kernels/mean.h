// The mean of float32 values.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace studio::engine::kernels {

// As LibTorch's mean on this device: the order of its float32 sum decides the last bit, and double quantisation's codes
// hang on it.
Result<float> mean(const float* values, std::int64_t count);

}  // namespace studio::engine::kernels
