#include "project/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "io/file.h"
#include "io/json.h"
#include "io/sha256.h"

namespace studio::project {
namespace {

constexpr int kSchema = 1;
constexpr const char* kOwnHash = "manifest_sha256";

// The manifest's hash covers everything but itself: a flipped bit in it is noticed like one in the files.
std::string hashOf(const io::Json& without_hash) {
    return io::sha256(without_hash.dump());
}

bool isSha256(const std::string& text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(),
                                            [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool isPlainName(const std::string& name) {
    return !name.empty() && name.front() != '.' && name != kManifestName &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == name.npos;
}

}  // namespace

Result<std::vector<ManifestFile>> describeFiles(const std::filesystem::path& folder,
                                                const std::vector<std::string>& names) {
    std::vector<ManifestFile> files;
    for (const std::string& name : names) {
        STUDIO_TRY(const std::uint64_t size, io::regularFileSize(folder / name));
        STUDIO_TRY(std::string hash, io::sha256File(folder / name));
        files.push_back({name, size, std::move(hash)});
    }
    return files;
}

Result<std::string> formatManifest(const Manifest& manifest) {
    io::Json json = {{"schema_version", kSchema}, {"step", manifest.step}};
    io::Json files = io::Json::object();
    for (const ManifestFile& file : manifest.files) files[file.name] = {{"size", file.size}, {"sha256", file.sha256}};
    json["files"] = std::move(files);
    if (!manifest.about.empty()) {
        STUDIO_TRY(json["about"], io::parseJson(manifest.about, "about the checkpoint"));
    }
    json[kOwnHash] = hashOf(json);
    return json.dump(2) + "\n";
}

Result<Manifest> readManifest(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / kManifestName;
    const auto corrupt = [&](const char* reason) {
        return fail(ErrorCode::Corrupt, fmt::format("{} {}.", path.string(), reason), "Use an older checkpoint.");
    };
    STUDIO_TRY(io::Json json, io::readJson(path, {.max_bytes = 16u << 20, .max_depth = 32}));
    if (!json.is_object()) return corrupt("is no manifest");
    const auto version = json.find("schema_version");
    if (version == json.end() || !version->is_number_integer()) return corrupt("is no manifest");
    if (version->get<std::int64_t>() > kSchema) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("{} was written by a newer version of the program.", folder.string()),
                    "Update the program to continue from this checkpoint.");
    }
    const auto own = json.find(kOwnHash);
    if (own == json.end() || !own->is_string()) return corrupt("is damaged: it has no checksum of itself");
    const std::string expected = own->get<std::string>();
    json.erase(kOwnHash);
    if (hashOf(json) != expected) return corrupt("is damaged: it does not match its own checksum");

    // From here on the contents are what some version of this program wrote; the shapes are checked all the same.
    const auto step = json.find("step"), files = json.find("files");
    if (step == json.end() || !step->is_number_integer() || files == json.end() || !files->is_object())
        return corrupt("is no manifest");
    Manifest manifest;
    manifest.step = step->get<std::int64_t>();
    for (const auto& [name, file] : files->items()) {
        if (!isPlainName(name) || !file.is_object() || !file.contains("size") || !file["size"].is_number_unsigned() ||
            !file.contains("sha256") || !file["sha256"].is_string() || !isSha256(file["sha256"].get<std::string>()))
            return corrupt("describes a file in a way that cannot be used");
        manifest.files.push_back({name, file["size"].get<std::uint64_t>(), file["sha256"].get<std::string>()});
    }
    if (json.contains("about")) manifest.about = json["about"].dump();
    return manifest;
}

}  // namespace studio::project
