// What training needs of a model. PhiModel is adapted to it in border/; the tests of the loop bring a small one.
#pragma once

#include "engine/evaluate/losses.h"
#include "engine/model/adapter_parameters.h"
#include "engine/model/device_parameters.h"

namespace studio::engine {

class TrainableModel : public LossModel {
  public:
    // The flat parameters and gradients; the same object for the whole run.
    virtual AdapterParameters& adapter() = 0;
    // Where values, gradients and moments live if not in adapter() and the optimizer; null on a processor.
    virtual DeviceParameters* device() { return nullptr; }
    // Room for the largest batch, so that memory that does not suffice shows at the start.
    virtual Result<void> reserve(const Limits& limits) {
        (void)limits;
        return {};
    }
    // Adds d(Σ w·nll)/dθ of the last training forward to the gradients.
    virtual Result<void> backward() = 0;
};

}  // namespace studio::engine
