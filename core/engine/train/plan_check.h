// A plan's numbers, checked before anything is allocated for it.
#pragma once

#include "base/result.h"
#include "engine/api/types.h"

namespace studio::engine {

// An error names the configuration key and the range.
Result<void> checkPlan(const api::TrainPlan& plan);

}  // namespace studio::engine
