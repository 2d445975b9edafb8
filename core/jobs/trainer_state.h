// TrainerState <-> trainer_state.json. Numbers survive exactly (shortest text that reads back the same).
#pragma once

#include <string>
#include <string_view>

#include "engine/api/types.h"

namespace studio::jobs {

std::string formatTrainerState(const engine::api::TrainerState& state);
Result<engine::api::TrainerState> parseTrainerState(std::string_view text, std::string_view name);

}  // namespace studio::jobs
