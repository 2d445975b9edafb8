// What a device's matrix library reaches on one large product: the measure that a training step is held against.
#pragma once

#include "base/job.h"
#include "engine/api/types.h"

namespace studio::engine {

// See api::Engine::productRate.
Result<api::ProductRate> productRate(const std::string& device, const JobContext& job);

}  // namespace studio::engine
