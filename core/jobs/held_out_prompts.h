// Opening prompts of held-out conversations: fixed questions for comparing answers.
#pragma once

#include <string>
#include <vector>

#include "jobs/load_data.h"

namespace studio::jobs {

// Up to `count`, one a held-out tree, shortest first: prompts that fit on a screen.
std::vector<std::string> heldOutPrompts(const LoadedData& data, std::size_t count);

}  // namespace studio::jobs
