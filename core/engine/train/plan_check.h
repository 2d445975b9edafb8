// A plan's numbers, checked before anything is allocated for it.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "engine/api/types.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

// auto, keep_all, selective or recompute; nothing for another word.
std::optional<MemoryMode> memoryMode(std::string_view name);

// An error names the configuration key and the range.
Result<void> checkPlan(const api::TrainPlan& plan);

}  // namespace studio::engine
