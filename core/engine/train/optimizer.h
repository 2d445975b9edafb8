// AdamW's moments for one adapter, and their way into a checkpoint and back.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/adapter_parameters.h"
#include "engine/model/device_parameters.h"
#include "engine/train/adamw.h"
#include "io/safetensors.h"

namespace studio::engine {

class Optimizer {
  public:
    // Moments are zero. OutOfMemory names their size.
    static Result<Optimizer> create(const AdapterParameters& adapter);

    void update(AdapterParameters& adapter, const AdamWStep& step);

    // Adapter and moments to a device and back, where training happens there.
    Result<void> store(const AdapterParameters& adapter, DeviceParameters& device) const;
    Result<void> fetch(AdapterParameters& adapter, DeviceParameters& device);

    // "exp_avg.<name>" and "exp_avg_sq.<name>", fp32, sorted by name; valid as long as the optimizer is.
    std::vector<io::TensorView> views(const AdapterParameters& adapter) const;
    Result<void> load(const AdapterParameters& adapter, std::span<const io::TensorView> tensors);

  private:
    Optimizer() = default;
    std::vector<float> exp_avg_, exp_avg_sq_;
};

// Fills `flat` from fp32 tensors named `prefix` + the adapter's names, bit for bit. A tensor that is missing, misshapen
// or of another type is an error that names it; `flat` is then unchanged.
Result<void> fillFlat(const AdapterParameters& adapter, std::string_view prefix,
                      std::span<const io::TensorView> tensors, std::span<float> flat);

}  // namespace studio::engine
