// Prompts to begin a chat with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/load_data.h"

namespace studio::jobs {

struct StarterPrompts {
    std::vector<std::string> prompts;
    bool held_out = false;  // of conversations that training never saw
};

// Up to `count` prompts of the recipe's held-out conversations that fit on a card; where there are none, opening
// prompts of the project's corpus. Nothing of both is no error.
StarterPrompts starterPrompts(const DataRequest& request, const std::filesystem::path& corpus, std::size_t count,
                              const JobContext& job);

}  // namespace studio::jobs
