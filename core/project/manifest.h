// manifest.json: what a checkpoint consists of, with checksums, its own included.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::project {

struct ManifestFile {
    std::string name;
    std::uint64_t size = 0;
    std::string sha256;
    bool operator==(const ManifestFile&) const = default;
};

struct Manifest {
    std::int64_t step = 0;
    std::vector<ManifestFile> files;
    std::string about;  // a JSON object as text, or empty
};

inline constexpr const char* kManifestName = "manifest.json";

// Hashes the named files as they are on the disk.
Result<std::vector<ManifestFile>> describeFiles(const std::filesystem::path& folder,
                                                const std::vector<std::string>& names);

Result<std::string> formatManifest(const Manifest& manifest);

// NotFound without a manifest, Corrupt if it is damaged, Unsupported if a newer version of the program wrote it.
Result<Manifest> readManifest(const std::filesystem::path& folder);

}  // namespace studio::project
