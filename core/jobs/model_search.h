// Which models lie on this machine: bases that came with the program, in folders a person named and in the Hugging Face
// cache, and the adapters of a project's runs. Headers only; no weights are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/job.h"

namespace studio::jobs {

struct BaseModel {
    enum class Origin { BuiltIn, Folder, HubCache };
    std::filesystem::path folder;
    std::string name;  // "microsoft/phi-2", or the folder's
    Origin origin = Origin::Folder;
    std::string revision;         // of the Hub, where it is known
    std::int64_t parameters = 0;  // 0: not known
    std::string dtype;            // "F16", "NF4"
    std::uint64_t bytes = 0;      // of every file that is there
    int shards = 0, shards_expected = 0;
    std::string tokenizer;  // "byte-level BPE", "sentencepiece"; empty: none that can be read
    int vocabulary = 0, context = 0;
    std::string licence;  // "MIT"; empty: not known
    bool usable = false;
    std::string problem, to_do;  // sentences, where it is not usable
};

struct AdapterModel {
    std::filesystem::path folder;  // PEFT folder
    std::string name;              // "demo-1 @ 40", or the folder's
    std::filesystem::path run;     // empty: of no run of the project
    std::string run_name;
    std::int64_t step = -1;
    bool newest = false, best = false;
    std::filesystem::path base;  // empty: not known
    std::string base_name;
    std::string template_name = "openassistant";  // its run's
    std::int64_t r = 0;
    std::string modules;  // "all six linears", "q_proj, v_proj", …
    std::optional<double> validation;
    std::uint64_t bytes = 0;
    bool sound = false;
    std::string problem;  // a sentence
};

struct SearchPlaces {
    std::filesystem::path built_in;              // folder of model folders
    std::vector<std::filesystem::path> folders;  // each a model, or a folder of models or adapters
    std::vector<std::filesystem::path> hub_caches;
    std::filesystem::path runs;  // of the project; empty: none
};
// HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub: the
// first that is set, as transformers decides it.
std::vector<std::filesystem::path> hubCaches();
std::filesystem::path builtInModels();

struct ModelCatalogue {
    std::vector<BaseModel> bases;        // usable ones first, the built-in one last among them
    std::vector<AdapterModel> adapters;  // by run, newest first
    std::uint64_t bytes = 0;             // of all of them
    std::uint64_t free_bytes = 0;        // where downloads would go
    std::filesystem::path download_place;
};
Result<ModelCatalogue> searchModels(const SearchPlaces& places, const JobContext& job);

// The folder of a base as a recipe or a command names it: a path (see config::resolveDataPath), or the name of a
// downloaded repository such as microsoft/phi-2.
Result<std::filesystem::path> baseFolder(std::string_view written, const std::filesystem::path& config_file = {});

// One folder, whatever it is. `name` empty: from its records or the folder.
BaseModel inspectBase(const std::filesystem::path& folder, std::string name = {});
AdapterModel inspectAdapterFolder(const std::filesystem::path& folder);

// What a folder a person chose is, for "Open Folder…": a base, an adapter, a folder of models, or nothing of these.
struct FolderVerdict {
    bool useful = false;
    std::string sentence, to_do;
};
FolderVerdict judgeFolder(const std::filesystem::path& folder);

}  // namespace studio::jobs
