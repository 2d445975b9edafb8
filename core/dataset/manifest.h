// manifest.json of a prepared folder. Inside the room only.
#pragma once

#include <filesystem>
#include <string>

#include "dataset/prepared.h"

namespace studio::dataset {

inline constexpr const char* kManifestName = "manifest.json";
inline constexpr const char* kTokensName = "tokens.safetensors";

struct Manifest {
    Provenance provenance;
    PathPolicy paths = PathPolicy::Best;
    TrainOn train_on = TrainOn::Assistant;
    int max_seq_length = 0;
    Statistics statistics;
    std::string tokens_sha256;
    bool operator==(const Manifest&) const = default;
};

// Error if a name in it is not UTF-8.
Result<std::string> manifestText(const Manifest& manifest);

// Whether the folder's manifest.json says that it is one of these.
bool hasManifest(const std::filesystem::path& folder);

// Every field present, of its type and in its range; unknown fields are passed over.
Result<Manifest> readManifest(const std::filesystem::path& folder);

}  // namespace studio::dataset
