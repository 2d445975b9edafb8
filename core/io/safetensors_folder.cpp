#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_header.h"

namespace studio::io {
namespace {

constexpr std::size_t kMaxShards = 4096;

// A name that cannot lead out of the folder.
bool isPlainName(std::string_view name) {
    return !name.empty() && name.size() <= 255 && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '_' || c == '-';
           });
}

bool isThere(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

// What is there instead, when a folder holds no safetensors.
Error nothingToRead(const std::filesystem::path& folder) {
    std::error_code error;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const auto extension = it->path().extension();
        if (extension != ".bin" && extension != ".pt" && extension != ".pth" && extension != ".pkl") continue;
        return {ErrorCode::Unsupported,
                fmt::format("{} holds its weights only as {}, a pickle, which can run any program when it is opened "
                            "and is never read here.",
                            folder.string(), it->path().filename().string()),
                "Get the model's safetensors files, or convert it once in Python: "
                "AutoModelForCausalLM.from_pretrained(folder).save_pretrained(new_folder, safe_serialization=True)."};
    }
    return {ErrorCode::NotFound,
            fmt::format("{} holds neither model.safetensors nor model.safetensors.index.json.", folder.string()),
            "Choose the model's folder as downloaded from the Hugging Face Hub, with all its files."};
}

// Tensor name -> shard file name.
Result<std::map<std::string, std::string>> readIndex(const std::filesystem::path& path) {
    const auto corrupt = [&](std::string reason) {
        return fail(ErrorCode::Corrupt, fmt::format("{}: {}.", path.string(), reason), "Download the file again.");
    };
    STUDIO_TRY(const Json index, readJson(path, {.max_bytes = kMaxSafetensorsHeader, .max_depth = 8}));
    if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
        return corrupt("it has no \"weight_map\"");
    const Json& map = index["weight_map"];
    if (map.size() > kMaxTensors) return corrupt(fmt::format("it lists more than {} tensors", kMaxTensors));
    if (map.empty()) return corrupt("its \"weight_map\" is empty");
    std::map<std::string, std::string> shards;
    for (const auto& [tensor, file] : map.items()) {
        if (!file.is_string()) return corrupt(fmt::format("the file of the tensor \"{}\" is not a text", tensor));
        const auto& name = file.get_ref<const std::string&>();
        if (!isPlainName(name) || !name.ends_with(".safetensors")) {
            return corrupt(
                fmt::format("the tensor \"{}\" is said to be in \"{}\", which is no plain name of a "
                            "safetensors file in the same folder",
                            tensor, name));
        }
        shards.emplace(tensor, name);
    }
    return shards;
}

}  // namespace

Result<SafetensorsFolder> SafetensorsFolder::open(const std::filesystem::path& folder) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
        if (error && error != std::errc::no_such_file_or_directory) {
            return fail(ErrorCode::Io, fmt::format("{} cannot be opened: {}.", folder.string(), error.message()),
                        "Check the path and its permissions.");
        }
        if (isThere(folder)) {
            return fail(ErrorCode::InvalidArgument, fmt::format("{} is a file; a model is a folder.", folder.string()),
                        "Give the folder that holds config.json and the safetensors files.");
        }
        return fail(ErrorCode::NotFound, fmt::format("The folder {} does not exist.", folder.string()),
                    "Check the name.");
    }
    SafetensorsFolder result;
    const auto add = [&result](const std::filesystem::path& path) -> Result<const SafetensorsFile*> {
        STUDIO_TRY(SafetensorsFile file, SafetensorsFile::open(path));
        result.files_.push_back(std::make_unique<SafetensorsFile>(std::move(file)));
        const SafetensorsFile* kept = result.files_.back().get();
        for (const TensorInfo& tensor : kept->tensors()) {
            const auto [at, added] = result.by_name_.emplace(tensor.name, Entry{kept, &tensor});
            if (!added) {
                return fail(ErrorCode::Corrupt,
                            fmt::format("The tensor \"{}\" is both in {} and in {}.", tensor.name,
                                        at->second.file->path().string(), path.string()),
                            "The folder mixes files of two downloads; download the model again.");
            }
        }
        return kept;
    };

    // The same order as transformers: one file goes before an index.
    const auto single = folder / "model.safetensors", index_path = folder / "model.safetensors.index.json";
    if (isThere(single)) {
        STUDIO_CHECK(add(single));
        return result;
    }
    if (!isThere(index_path)) return fail(nothingToRead(folder));

    STUDIO_TRY(const auto index, readIndex(index_path));
    std::set<std::string> names;
    for (const auto& [tensor, name] : index) names.insert(name);
    if (names.size() > kMaxShards) {
        return fail(ErrorCode::Corrupt, fmt::format("{} names more than {} files.", index_path.string(), kMaxShards),
                    "Download the file again.");
    }
    for (const std::string& name : names) {
        if (!isThere(folder / name)) {
            return fail(ErrorCode::NotFound,
                        fmt::format("{} is missing; {} says that it belongs to the model.", (folder / name).string(),
                                    index_path.filename().string()),
                        "The download is not complete; download the model again.");
        }
        STUDIO_CHECK(add(folder / name));
    }
    for (const auto& [tensor, name] : index) {
        const Entry* entry = result.find(tensor);
        if (!entry || entry->file->path().filename() != name) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("{} says that the tensor \"{}\" is in {}, but it is not there.",
                                    index_path.string(), tensor, name),
                        "Index and files do not belong together; download the model again.");
        }
    }
    for (const auto& [tensor, entry] : result.by_name_) {
        if (!index.contains(tensor)) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("{} holds the tensor \"{}\", which {} does not list.", entry.file->path().string(),
                                    tensor, index_path.filename().string()),
                        "Index and files do not belong together; download the model again.");
        }
    }
    return result;
}

std::vector<SafetensorsFolder::Entry> SafetensorsFolder::tensors() const {
    std::vector<Entry> all;
    all.reserve(by_name_.size());
    for (const auto& [name, entry] : by_name_) all.push_back(entry);
    return all;
}

const SafetensorsFolder::Entry* SafetensorsFolder::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
}

std::uint64_t SafetensorsFolder::totalBytes() const {
    std::uint64_t sum = 0;
    for (const auto& [name, entry] : by_name_) sum += entry.tensor->bytes();
    return sum;
}

}  // namespace studio::io
