#include "jobs/model_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "config/presets.h"
#include "io/file.h"
#include "jobs/places.h"
#include "jobs/run_record.h"
#include "jobs/trainer_state.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"
#include "project/run_log.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 10000;  // of one folder that is looked through

std::vector<fs::path> foldersIn(const fs::path& folder) {
    std::vector<fs::path> result;
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end && result.size() < kMaxEntries;
         it.increment(ec)) {
        std::error_code ignored;
        if (fs::is_directory(it->path(), ignored)) result.push_back(it->path());
    }
    std::sort(result.begin(), result.end());
    return result;
}

bool has(const fs::path& folder, const char* file) {
    std::error_code ec;
    const fs::file_status status = fs::symlink_status(folder / file, ec);
    return !ec && fs::exists(status);
}

std::string absoluteVariable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value == '/' ? value : std::string();
}

// "models--microsoft--phi-2" -> "microsoft/phi-2"
std::string hubName(const std::string& folder) {
    std::string name = folder.substr(std::string_view("models--").size());
    if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    return name;
}

// Parts of files that are still being fetched.
bool hasPartialDownloads(const fs::path& repository) {
    std::error_code ec;
    for (fs::directory_iterator it(repository / "blobs", ec), end; !ec && it != end; it.increment(ec))
        if (it->path().extension() == ".incomplete") return true;
    return false;
}

// The snapshot that refs/main names; else the one that was written last.
fs::path snapshotOf(const fs::path& repository) {
    if (const auto ref = io::readFile(repository / "refs" / "main", 256)) {
        std::string revision = *ref;
        while (!revision.empty() && (revision.back() == '\n' || revision.back() == ' ')) revision.pop_back();
        const bool plain = !revision.empty() && std::all_of(revision.begin(), revision.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        });
        std::error_code ec;
        if (plain && fs::is_directory(repository / "snapshots" / revision, ec))
            return repository / "snapshots" / revision;
    }
    fs::path newest;
    fs::file_time_type time{};
    for (const fs::path& folder : foldersIn(repository / "snapshots")) {
        std::error_code ec;
        const auto written = fs::last_write_time(folder, ec);
        if (!ec && (newest.empty() || written > time)) {
            newest = folder;
            time = written;
        }
    }
    return newest;
}

void addHub(const fs::path& cache, ModelCatalogue& out, const JobContext& job) {
    for (const fs::path& repository : foldersIn(cache)) {
        if (job.stopped()) return;
        const std::string folder = repository.filename().string();
        if (!folder.starts_with("models--")) continue;
        const fs::path snapshot = snapshotOf(repository);
        if (snapshot.empty()) {
            BaseModel model;
            model.folder = repository;
            model.name = hubName(folder);
            model.origin = BaseModel::Origin::HubCache;
            model.problem = "The download was begun, but no file of it is complete.";
            model.to_do = fmt::format("Download it again: hf download {}", model.name);
            out.bases.push_back(std::move(model));
            continue;
        }
        if (has(snapshot, "adapter_config.json")) {
            AdapterModel adapter = inspectAdapterFolder(snapshot);
            adapter.name = hubName(folder);
            out.adapters.push_back(std::move(adapter));
            continue;
        }
        BaseModel model = inspectBase(snapshot, hubName(folder));
        model.origin = BaseModel::Origin::HubCache;
        model.revision = snapshot.filename().string();
        if (!model.usable && hasPartialDownloads(repository)) {
            model.problem = "The download is not complete. " + model.problem;
            model.to_do = fmt::format("Go on with it: hf download {}", model.name);
        }
        out.bases.push_back(std::move(model));
    }
}

void addFolder(const fs::path& folder, ModelCatalogue& out, const JobContext& job) {
    const auto one = [&](const fs::path& f) {
        if (has(f, "adapter_config.json"))
            out.adapters.push_back(inspectAdapterFolder(f));
        else if (has(f, "config.json"))
            out.bases.push_back(inspectBase(f));
        else
            return false;
        return true;
    };
    std::error_code ec;
    if (!fs::is_directory(folder, ec)) {
        BaseModel gone;
        gone.folder = folder;
        gone.name = folder.filename().string();
        gone.problem = "The folder is no longer there.";
        gone.to_do = "Put it back, or take it off the list in Settings.";
        out.bases.push_back(std::move(gone));
        return;
    }
    if (one(folder)) return;
    for (const fs::path& below : foldersIn(folder)) {
        if (job.stopped()) return;
        one(below);
    }
}

void addRun(const project::ListedRun& run, ModelCatalogue& out) {
    const auto checkpoints = project::listCheckpoints(run.folder);
    if (checkpoints.empty()) return;
    std::int64_t best = -1;
    if (const auto text = io::readFile(checkpoints.back().folder / "trainer_state.json", 1 << 20))
        if (const auto state = parseTrainerState(*text, "trainer_state.json")) best = state->best_step;
    const auto metrics = project::readMetrics(run.folder);
    const auto record = runRecord(run.info.details);
    for (auto it = checkpoints.rbegin(); it != checkpoints.rend(); ++it) {
        AdapterModel adapter = inspectAdapterFolder(it->folder);
        adapter.run = run.folder;
        adapter.run_name = run.info.name;
        adapter.step = it->step;
        adapter.name = fmt::format("{} @ {}", run.info.name, it->step);
        adapter.newest = it == checkpoints.rbegin();
        adapter.best = it->step == best;
        if (record) {
            adapter.base = record->base_folder;
            adapter.template_name = record->recipe.training.template_name;
            std::error_code ec;
            if (!fs::exists(adapter.base / "config.json", ec)) {
                adapter.sound = false;
                adapter.problem = fmt::format("Its base model is no longer at {}.", adapter.base.string());
            }
        }
        if (metrics)
            for (const project::EvalRecord& e : metrics->evaluations)
                if (e.step == it->step) adapter.validation = e.eval_loss;
        out.adapters.push_back(std::move(adapter));
    }
}

// The name a person knows a base by, from the folder an adapter or a run names.
std::string nameOfBase(const fs::path& folder, const std::string& written, const std::vector<BaseModel>& bases) {
    for (const BaseModel& base : bases) {
        std::error_code ec;
        if (!folder.empty() && fs::equivalent(base.folder, folder, ec) && !ec) return base.name;
    }
    return written.empty()                   ? folder.filename().string()
           : fs::path(written).is_absolute() ? fs::path(written).filename().string()
                                             : written;
}

// The base an adapter of no run was made for, where it is on this machine.
void findBase(AdapterModel& adapter, const std::vector<BaseModel>& bases) {
    if (!adapter.base.empty() || adapter.base_name.empty()) return;
    for (const BaseModel& base : bases) {
        if (base.usable && (base.name == adapter.base_name || base.folder == adapter.base_name)) {
            adapter.base = base.folder;
            return;
        }
    }
}

int rank(const BaseModel& base) {
    return (base.usable ? 0 : 2) + (base.origin == BaseModel::Origin::BuiltIn ? 1 : 0);
}

}  // namespace

std::vector<fs::path> hubCaches() {
    for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
        if (const std::string folder = absoluteVariable(variable); !folder.empty()) return {folder};
    if (const std::string home = absoluteVariable("HF_HOME"); !home.empty()) return {fs::path(home) / "hub"};
    if (const std::string cache = absoluteVariable("XDG_CACHE_HOME"); !cache.empty())
        return {fs::path(cache) / "huggingface" / "hub"};
    const std::string home = absoluteVariable("HOME");
    return home.empty() ? std::vector<fs::path>{}
                        : std::vector<fs::path>{fs::path(home) / ".cache" / "huggingface" / "hub"};
}

fs::path builtInModels() {
    return resourceFolder() / "demo";
}

Result<ModelCatalogue> searchModels(const SearchPlaces& places, const JobContext& job) {
    ModelCatalogue out;
    for (const fs::path& folder : places.folders) addFolder(folder, out, job);
    for (const fs::path& cache : places.hub_caches) addHub(cache, out, job);
    for (const fs::path& folder : foldersIn(places.built_in)) {
        if (!has(folder, "config.json")) continue;
        BaseModel model = inspectBase(folder, "Studio demo");
        model.origin = BaseModel::Origin::BuiltIn;
        if (model.licence.empty()) model.licence = "Apache-2.0";  // LICENSE-DATA beside it
        out.bases.push_back(std::move(model));
    }
    if (!places.runs.empty())
        for (const project::ListedRun& run : project::listRuns(places.runs)) {
            if (job.stopped()) return cancelled();
            addRun(run, out);
        }
    if (job.stopped()) return cancelled();

    std::set<fs::path> seen;
    std::erase_if(out.bases, [&](const BaseModel& base) {
        std::error_code ec;
        const fs::path real = fs::weakly_canonical(base.folder, ec);
        return !seen.insert(ec ? base.folder : real).second;
    });
    std::stable_sort(out.bases.begin(), out.bases.end(),
                     [](const BaseModel& a, const BaseModel& b) { return rank(a) < rank(b); });
    std::stable_partition(out.adapters.begin(), out.adapters.end(),
                          [](const AdapterModel& adapter) { return !adapter.run.empty(); });
    for (AdapterModel& adapter : out.adapters) {
        findBase(adapter, out.bases);
        adapter.base_name = nameOfBase(adapter.base, adapter.base_name, out.bases);
        out.bytes += adapter.bytes;
    }
    for (const BaseModel& base : out.bases) out.bytes += base.bytes;

    out.download_place = places.hub_caches.empty() ? dataFolder() : places.hub_caches.front();
    // The place may not exist yet: ask the nearest folder above that does.
    for (fs::path at = out.download_place; !at.empty(); at = at.parent_path()) {
        std::error_code ec;
        const fs::space_info space = fs::space(at, ec);
        if (!ec) {
            out.free_bytes = space.available;
            break;
        }
        if (at == at.parent_path()) break;
    }
    return out;
}

FolderVerdict judgeFolder(const fs::path& folder) {
    std::error_code ec;
    if (!fs::is_directory(folder, ec))
        return {false, fmt::format("{} is no folder that can be read.", folder.string()),
                "Check that it is still there, or choose another one."};
    if (has(folder, "adapter_config.json")) {
        const AdapterModel adapter = inspectAdapterFolder(folder);
        if (adapter.sound) return {true, fmt::format("{} is a PEFT adapter.", adapter.name), {}};
        return {true, fmt::format("{} is an adapter that cannot be used: {}", adapter.name, adapter.problem), {}};
    }
    if (has(folder, "config.json")) {
        const BaseModel base = inspectBase(folder);
        if (base.usable) return {true, fmt::format("{} can be used.", base.name), {}};
        return {true, fmt::format("{} cannot be used yet: {}", base.name, base.problem), base.to_do};
    }
    ModelCatalogue below;
    addFolder(folder, below, {});
    if (const std::size_t found = below.bases.size() + below.adapters.size(); found > 0)
        return {true,
                found == 1 ? fmt::format("{} holds one model or adapter.", folder.filename().string())
                           : fmt::format("{} holds {} models and adapters.", folder.filename().string(), found),
                {}};
    return {false, fmt::format("{} holds no model: it has no config.json and no adapter_config.json.", folder.string()),
            "Choose the folder that holds config.json, the safetensors files and the tokenizer's files."};
}

Result<fs::path> baseFolder(std::string_view written, const fs::path& config_file) {
    auto found = config::resolveDataPath(written, config_file, resourceFolder());
    if (found || found.error().code != ErrorCode::NotFound) return found;
    const std::size_t slash = written.find('/');
    const auto plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.';
    };
    const std::string_view owner = written.substr(0, slash),
                           name = slash == std::string_view::npos ? std::string_view() : written.substr(slash + 1);
    const bool repository = !owner.empty() && !name.empty() && plain(owner.front()) && owner.front() != '.' &&
                            std::all_of(owner.begin(), owner.end(), plain) &&
                            std::all_of(name.begin(), name.end(), plain) && owner != "resources" && owner != "runs";
    if (!repository) return found;
    for (const fs::path& cache : hubCaches()) {
        const fs::path snapshot = snapshotOf(cache / fmt::format("models--{}--{}", owner, name));
        if (!snapshot.empty()) return snapshot;
    }
    return fail(ErrorCode::NotFound, fmt::format("The base model {} is not on this machine.", written),
                fmt::format("Download it (hf download {}), or name the folder it lies in.", written));
}

}  // namespace studio::jobs
