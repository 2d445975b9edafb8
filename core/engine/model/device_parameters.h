// An adapter that is trained in the memory of a GPU: values, gradients and AdamW's moments as flat float32 buffers in
// the layout of AdapterParameters.
#pragma once

#include <span>

#include "base/result.h"
#include "engine/kernels/adamw.h"

namespace studio::engine {

class DeviceParameters {
  public:
    virtual ~DeviceParameters() = default;
    virtual Result<void> zeroGradients() = 0;
    // Euclidean, summed in double in one fixed order.
    virtual Result<double> gradientNorm() = 0;
    virtual Result<void> update(const kernels::AdamWStep& step) = 0;
    // Moments are zero after this.
    virtual Result<void> resetMoments() = 0;

    // Between the device and spans of the host, as long as the adapter.
    virtual Result<void> fetchValues(std::span<float> into) = 0;
    virtual Result<void> storeValues(std::span<const float> from) = 0;
    virtual Result<void> fetchGradients(std::span<float> into) = 0;
    virtual Result<void> fetchMoments(std::span<float> exp_avg, std::span<float> exp_avg_sq) = 0;
    virtual Result<void> storeMoments(std::span<const float> exp_avg, std::span<const float> exp_avg_sq) = 0;
};

}  // namespace studio::engine
