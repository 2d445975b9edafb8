// What a file or folder holds and whether it is sound.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/job.h"
#include "io/json.h"

namespace studio::jobs {

struct Inspection {
    std::string kind;                // "safetensors file", "adapter", "run", …
    std::vector<std::string> lines;  // for a person
    io::Json json;                   // for a program: kind, sound, and what the kind has
    bool sound = true;
    std::vector<std::string> problems;
};

// safetensors and GGUF files, model folders, PEFT adapters, checkpoints, runs, prepared folders, conversation files.
// An error only where `path` is nothing of these; damage found inside is in `problems`.
Result<Inspection> inspect(const std::filesystem::path& path, const JobContext& job);

}  // namespace studio::jobs
