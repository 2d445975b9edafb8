// What one model folder holds and whether it can be used, from its small files and the weights' headers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/adapter_config.h"
#include "config/model_config.h"
#include "config/target_modules.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "jobs/model_search.h"
#include "text/tokenizer.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadMe = 256 << 10;

// Bytes of the regular files in `folder`, links followed; `broken` gets the name of a link that leads nowhere.
std::uint64_t sizeOf(const fs::path& folder, std::string& broken) {
    std::uint64_t bytes = 0;
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code file;
        const fs::file_status status = fs::status(it->path(), file);
        if (fs::is_regular_file(status))
            bytes += fs::file_size(it->path(), file);
        else if (it->is_symlink(file) && !fs::exists(status))
            broken = it->path().filename().string();
    }
    return bytes;
}

bool isThere(const fs::path& path) {
    std::error_code ec;
    return fs::exists(path, ec);
}

std::string trimmed(std::string text) {
    const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"' || c == '\''; };
    while (!text.empty() && space(text.back())) text.pop_back();
    text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), space));
    return text;
}

std::string licenceName(std::string name) {
    static const std::map<std::string, std::string> known{{"mit", "MIT"},
                                                          {"apache-2.0", "Apache-2.0"},
                                                          {"bsd-3-clause", "BSD-3-Clause"},
                                                          {"cc-by-4.0", "CC-BY-4.0"},
                                                          {"microsoft-research-license", "Microsoft Research"}};
    const auto found = known.find(name);
    return found == known.end() ? name.substr(0, 40) : found->second;
}

// "license: mit" between the two "---" that a README of the Hub begins with, else the first line of LICENSE.
std::string licenceOf(const fs::path& folder) {
    if (const auto text = io::readFile(folder / "README.md", kReadMe); text && text->starts_with("---")) {
        const std::size_t end = text->find("\n---", 3);
        const std::string front = text->substr(0, end);
        for (const char* key : {"\nlicense_name:", "\nlicense:"}) {
            const std::size_t at = front.find(key);
            if (at == std::string::npos) continue;
            const std::size_t begin = at + std::string_view(key).size();
            const std::string value = trimmed(front.substr(begin, front.find('\n', begin) - begin));
            if (!value.empty()) return licenceName(value);
        }
    }
    for (const char* file : {"LICENSE", "LICENSE.txt", "LICENSE.md"}) {
        const auto text = io::readFile(folder / file, kReadMe);
        if (!text) continue;
        const std::string start = text->substr(0, 400);
        if (start.find("MIT License") != std::string::npos ||
            start.find("Permission is hereby granted") != std::string::npos)
            return "MIT";
        if (start.find("Apache License") != std::string::npos) return "Apache-2.0";
        return trimmed(start.substr(0, std::min<std::size_t>(start.find('\n'), 40)));
    }
    return {};
}

// How many weight files there should be and are; a name that is missing, if one is.
struct Shards {
    int expected = 0, there = 0;
    std::string missing;
};
Shards shardsOf(const fs::path& folder) {
    Shards shards;
    if (isThere(folder / "model.safetensors")) return {1, 1, {}};
    const auto index = io::readJson(folder / "model.safetensors.index.json", {.max_bytes = 64u << 20, .max_depth = 8});
    if (!index || !index->is_object()) return shards;
    const auto map = index->find("weight_map");
    if (map == index->end() || !map->is_object()) return shards;
    std::set<std::string> names;
    for (const auto& [tensor, file] : map->items())
        if (file.is_string()) names.insert(file.get<std::string>());
    for (const std::string& name : names) {
        ++shards.expected;
        // A name with a slash is refused when the weights are opened; here nothing outside is even looked at.
        if (name.find('/') == std::string::npos && isThere(folder / name))
            ++shards.there;
        else if (shards.missing.empty())
            shards.missing = name;
    }
    return shards;
}

// The type most bytes have.
std::string mainType(const io::SafetensorsFolder& weights) {
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& entry : weights.tensors()) bytes[entry.tensor->dtype_name] += entry.tensor->bytes();
    std::string type;
    std::uint64_t most = 0;
    for (const auto& [name, n] : bytes)
        if (n > most) {
            most = n;
            type = name;
        }
    return type;
}

// The folder stands beside the sentence already.
std::string withoutFolder(std::string sentence, const fs::path& folder) {
    const std::string name = folder.string();
    for (std::size_t at; !name.empty() && (at = sentence.find(name)) != std::string::npos;) {
        const bool file = sentence.compare(at + name.size(), 1, "/") == 0;
        constexpr std::string_view kWord = "folder ";
        if (!file && at >= kWord.size() && sentence.compare(at - kWord.size(), kWord.size(), kWord) == 0) {
            sentence.erase(at - 1, name.size() + 1);  // "The folder NAME has …"
            continue;
        }
        sentence.replace(at, name.size() + (file ? 1 : 0), file ? "" : at == 0 ? "The folder" : "the folder");
    }
    return sentence;
}

void refuse(BaseModel& model, const Error& error) {
    if (!model.problem.empty()) return;
    model.problem = withoutFolder(error.message, model.folder);
    model.to_do = withoutFolder(error.hint, model.folder);
}

void checkWeights(BaseModel& model, const config::PhiConfig& phi) {
    const Shards shards = shardsOf(model.folder);
    model.shards = shards.there;
    model.shards_expected = shards.expected;
    if (!shards.missing.empty()) {
        refuse(model, {ErrorCode::NotFound,
                       fmt::format("{} of {} weight files are there; {} is missing.", shards.there, shards.expected,
                                   shards.missing),
                       "Download the missing file, or the model again."});
        return;
    }
    const auto weights = io::SafetensorsFolder::open(model.folder);
    if (!weights) return refuse(model, weights.error());
    model.dtype = phi.quantisation ? "NF4" : mainType(*weights);
    for (const auto& linear : config::linears(phi)) {
        const auto* entry = weights->find(linear.name + ".weight");
        if (!entry)
            return refuse(model, {ErrorCode::Corrupt, fmt::format("{}.weight is not among the weights.", linear.name),
                                  "Get the model in the layout of transformers."});
        if (!phi.quantisation && entry->tensor->shape != std::vector<std::int64_t>{linear.out, linear.in})
            return refuse(model, {ErrorCode::Corrupt,
                                  fmt::format("{}.weight has shape [{}], config.json says [{}, {}].", linear.name,
                                              fmt::join(entry->tensor->shape, ", "), linear.out, linear.in),
                                  "Weights and config.json do not belong together; download the model again."});
    }
}

void checkTokenizer(BaseModel& model) {
    const auto tokenizer = text::loadTokenizer(model.folder);
    if (!tokenizer) return refuse(model, tokenizer.error());
    model.vocabulary = (*tokenizer)->size();
    const bool pieces = isThere(model.folder / "tokenizer.model") && !isThere(model.folder / "vocab.json");
    model.tokenizer = pieces ? "sentencepiece" : "byte-level BPE";
}

// "q_proj, v_proj" in the order of a block; "all six linears".
std::string modulesText(const io::SafetensorsFile& file) {
    const std::vector<std::string> known = config::phiLinearNames();
    std::set<std::string> names;
    for (const io::TensorInfo& t : file.tensors()) {
        constexpr std::string_view kEnd = ".lora_A.weight";
        if (!t.name.ends_with(kEnd)) continue;
        const std::string module = t.name.substr(0, t.name.size() - kEnd.size());
        names.insert(module.substr(module.rfind('.') + 1));
    }
    std::vector<std::string> ordered;
    for (const std::string& name : known)
        if (names.erase(name)) ordered.push_back(name);
    if (ordered.size() == known.size() && names.empty()) return fmt::format("all {} linears", known.size());
    ordered.insert(ordered.end(), names.begin(), names.end());
    return fmt::format("{}", fmt::join(ordered, ", "));
}

}  // namespace

BaseModel inspectBase(const fs::path& folder, std::string name) {
    BaseModel model;
    model.folder = folder;
    model.name = std::move(name);
    std::string broken;
    model.bytes = sizeOf(folder, broken);
    model.licence = licenceOf(folder);
    const auto phi = config::readPhiConfig(folder);
    if (phi) {
        if (model.name.empty() && !fs::path(phi->name_or_path).is_absolute()) model.name = phi->name_or_path;
        model.parameters = config::parameterCount(*phi);
        model.context = phi->max_position_embeddings;
    }
    if (model.name.empty()) model.name = folder.filename().string();
    if (!broken.empty())
        refuse(model, {ErrorCode::NotFound, fmt::format("{} is a link to a file that is not there.", broken),
                       fmt::format("Download the model again: hf download {}", model.name)});
    if (!phi) {
        refuse(model, phi.error());
        return model;
    }
    checkWeights(model, *phi);
    checkTokenizer(model);
    model.usable = model.problem.empty();
    return model;
}

AdapterModel inspectAdapterFolder(const fs::path& folder) {
    AdapterModel adapter;
    adapter.folder = folder;
    adapter.name = folder.filename().string();
    std::error_code ec;
    for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
        if (const auto size = fs::file_size(folder / file, ec); !ec) adapter.bytes += size;
    const auto bad = [&](std::string sentence) {
        adapter.problem = withoutFolder(std::move(sentence), folder);
        return adapter;
    };
    const auto config = config::readAdapterConfig(folder);
    if (!config) return bad(config.error().message);
    adapter.r = config->lora.r;
    adapter.base_name = config->base_model_name_or_path.value_or("");
    if (fs::path(adapter.base_name).is_absolute() && isThere(fs::path(adapter.base_name) / "config.json"))
        adapter.base = adapter.base_name;
    const auto file = io::SafetensorsFile::open(folder / "adapter_model.safetensors");
    if (!file) return bad(file.error().message);
    adapter.modules = modulesText(*file);
    for (const io::TensorInfo& t : file->tensors()) {
        constexpr std::string_view kB = ".lora_B.weight", kA = ".lora_A.weight";
        const bool is_b = t.name.ends_with(kB);
        if (!is_b && !t.name.ends_with(kA)) return bad(fmt::format("{} is no part of a LoRA adapter.", t.name));
        const std::string other = t.name.substr(0, t.name.size() - kA.size()) + std::string(is_b ? kA : kB);
        const io::TensorInfo* partner = file->find(other);
        if (!partner) return bad(fmt::format("{} is missing.", other));
        if (t.shape.size() != 2 || partner->shape.size() != 2 || t.shape[is_b ? 1 : 0] != partner->shape[is_b ? 0 : 1])
            return bad(fmt::format("{} and its partner do not fit together.", t.name));
    }
    if (!adapter.base.empty())
        if (const auto phi = config::readPhiConfig(adapter.base))
            if (const auto targets = config::matchTargets(config->lora, config::linearNames(*phi)); !targets)
                return bad(targets.error().message);
    adapter.sound = true;
    return adapter;
}

}  // namespace studio::jobs
