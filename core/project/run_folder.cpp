#include "project/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "io/file.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;
constexpr const char* kOwnKeys[] = {"schema_version", "name", "state", "created", "started", "finished", "failure"};

std::string now() {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

bool isOwnKey(std::string_view key) {
    return std::find(std::begin(kOwnKeys), std::end(kOwnKeys), key) != std::end(kOwnKeys);
}

Result<void> checkDetails(const io::Json& details) {
    if (details.is_null()) return {};
    if (!details.is_object())
        return fail(ErrorCode::InvalidArgument, "A run's details are no JSON object.",
                    "This is a mistake in the program; please report it.");
    for (const auto& [key, value] : details.items()) {
        if (isOwnKey(key))
            return fail(ErrorCode::InvalidArgument, fmt::format("A run's details use the reserved key \"{}\".", key),
                        "This is a mistake in the program; please report it.");
    }
    return {};
}

Result<std::string> textOf(const io::Json& json, const char* key, const fs::path& path) {
    const auto found = json.find(key);
    if (found == json.end()) return std::string();
    if (!found->is_string()) {
        return fail(ErrorCode::Corrupt, fmt::format("{}: \"{}\" is not a text.", path.string(), key),
                    "The run's record was changed by hand; correct it, or start a new run.");
    }
    return found->get<std::string>();
}

// The record as written, whoever holds the lock.
Result<RunInfo> readRecord(const fs::path& folder) {
    const fs::path path = folder / "run.json";
    STUDIO_TRY(const io::Json json, io::readJson(path));
    const auto version = json.find("schema_version");
    if (!json.is_object() || version == json.end() || !version->is_number_integer()) {
        return fail(ErrorCode::Corrupt, fmt::format("{} is not the record of a run.", path.string()),
                    "Choose a folder that this program made.");
    }
    if (version->get<std::int64_t>() > kSchema) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("{} was written by a newer version of the program.", path.string()),
                    "Update the program to open this run.");
    }
    RunInfo info;
    STUDIO_TRY(info.name, textOf(json, "name", path));
    STUDIO_TRY(info.created, textOf(json, "created", path));
    STUDIO_TRY(info.started, textOf(json, "started", path));
    STUDIO_TRY(info.finished, textOf(json, "finished", path));
    STUDIO_TRY(info.failure, textOf(json, "failure", path));
    STUDIO_TRY(const std::string state, textOf(json, "state", path));
    STUDIO_TRY(info.state, runState(state));
    info.details = io::Json::object();
    for (const auto& [key, value] : json.items())
        if (!isOwnKey(key)) info.details[key] = value;
    return info;
}

// Only what an earlier attempt to create this very run may have left behind.
bool holdsOtherFiles(const fs::path& folder, std::error_code& error) {
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (name != "run.lock" && !name.starts_with("run.json.tmp-")) return true;
    }
    return false;
}

Result<void> makeFolder(io::FileOps& ops, const fs::path& folder) {
    std::error_code error;
    const fs::path parent = folder.parent_path();
    if (!parent.empty()) fs::create_directories(parent, error);
    if (error) return fail(io::systemError(error.value(), "create", parent));
    if (ops.mkdir(folder.c_str(), 0755) == 0) return io::syncFolder(ops, parent.empty() ? fs::path(".") : parent);
    if (errno != EEXIST) return fail(io::systemError(errno, "create", folder));
    if (isRunFolder(folder)) {
        return fail(ErrorCode::AlreadyExists, fmt::format("{} already holds a run.", folder.string()),
                    "Resume that run, or choose another folder.");
    }
    if (!fs::is_directory(folder, error))
        return fail(ErrorCode::AlreadyExists, fmt::format("{} is a file, not a folder.", folder.string()),
                    "Choose another folder for the run.");
    const bool other = holdsOtherFiles(folder, error);
    if (error) return fail(io::systemError(error.value(), "read", folder));
    if (other) {
        return fail(ErrorCode::AlreadyExists, fmt::format("{} holds files that belong to no run.", folder.string()),
                    "Choose an empty or a new folder for the run.");
    }
    return {};
}

}  // namespace

Run::Run(std::shared_ptr<io::FileOps> ops, std::filesystem::path folder, io::FileLock lock)
    : ops_(std::move(ops)), folder_(std::move(folder)), lock_(std::move(lock)) {}

Result<Run> Run::create(std::shared_ptr<io::FileOps> ops, const fs::path& folder, std::string name, io::Json details) {
    STUDIO_CHECK(checkDetails(details));
    STUDIO_CHECK(makeFolder(*ops, folder));
    STUDIO_TRY(io::FileLock lock, io::FileLock::tryLock(folder / "run.lock"));
    if (isRunFolder(folder)) {  // somebody else was faster
        return fail(ErrorCode::AlreadyExists, fmt::format("{} already holds a run.", folder.string()),
                    "Resume that run, or choose another folder.");
    }
    Run run(std::move(ops), folder, std::move(lock));
    run.info_.name = std::move(name);
    run.info_.created = now();
    run.info_.details = details.is_null() ? io::Json::object() : std::move(details);
    STUDIO_CHECK(run.write());
    return run;
}

Result<Run> Run::open(std::shared_ptr<io::FileOps> ops, const fs::path& folder) {
    if (!isRunFolder(folder)) {
        return fail(ErrorCode::NotFound,
                    fmt::format("{} is not the folder of a run: it has no run.json.", folder.string()),
                    "Choose the folder that was given as output_dir.");
    }
    STUDIO_TRY(io::FileLock lock, io::FileLock::tryLock(folder / "run.lock"));
    Run run(std::move(ops), folder, std::move(lock));
    STUDIO_TRY(run.info_, readRecord(folder));
    if (isAtWork(run.info_.state)) {
        STUDIO_TRY(run.info_.state, next(run.info_.state, RunEvent::Vanish));
    }
    return run;
}

Result<void> Run::apply(RunEvent event, std::string failure) {
    STUDIO_TRY(const RunState state, next(info_.state, event));
    if (state == info_.state && failure.empty()) return {};
    const RunInfo before = info_;
    info_.state = state;
    if (event == RunEvent::Start) {
        if (info_.started.empty()) info_.started = now();
        info_.finished.clear();
        info_.failure.clear();
    }
    if (!isAtWork(state)) info_.finished = now();
    if (!failure.empty()) info_.failure = std::move(failure);
    auto written = write();
    if (!written) info_ = before;  // what is on the disk counts
    return written;
}

Result<void> Run::setDetails(io::Json details) {
    STUDIO_CHECK(checkDetails(details));
    std::swap(info_.details, details);
    auto written = write();
    if (!written) std::swap(info_.details, details);
    return written;
}

Result<void> Run::write() {
    io::Json json = {{"schema_version", kSchema}, {"name", info_.name},       {"state", name(info_.state)},
                     {"created", info_.created},  {"started", info_.started}, {"finished", info_.finished},
                     {"failure", info_.failure}};
    for (const auto& [key, value] : info_.details.items()) json[key] = value;
    return io::writeFileAtomic(*ops_, folder_ / "run.json",
                               json.dump(2, ' ', false, io::Json::error_handler_t::replace) + "\n");
}

bool isRunFolder(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "run.json", ignored);
}

std::string folderName(std::string_view title) {
    constexpr std::size_t kMost = 80;
    std::string name;
    for (const char c : title) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (plain && !(c == '.' && name.empty()))
            name += c;
        else if (!name.empty() && name.back() != '-')
            name += '-';
        if (name.size() == kMost) break;
    }
    while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
    return name.empty() ? "run" : name;
}

Result<RunInfo> readRun(const fs::path& folder) {
    STUDIO_TRY(RunInfo info, readRecord(folder));
    if (!isAtWork(info.state) || io::FileLock::isHeld(folder / "run.lock")) return info;
    // It may have ended properly between the two looks: the record is the last thing written before the lock goes.
    STUDIO_TRY(info, readRecord(folder));
    if (isAtWork(info.state)) {
        STUDIO_TRY(info.state, next(info.state, RunEvent::Vanish));
    }
    return info;
}

std::vector<ListedRun> listRuns(const fs::path& folder, std::vector<std::string>* notes) {
    std::vector<ListedRun> runs;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (!isRunFolder(it->path())) continue;
        auto info = readRun(it->path());
        if (info)
            runs.push_back({it->path(), std::move(*info)});
        else if (notes)
            notes->push_back(info.error().text());
    }
    if (error && notes) notes->push_back(io::systemError(error.value(), "read", folder).text());
    std::sort(runs.begin(), runs.end(), [](const ListedRun& a, const ListedRun& b) {
        return a.info.created != b.info.created ? a.info.created > b.info.created : a.folder > b.folder;
    });
    if (notes) std::sort(notes->begin(), notes->end());
    return runs;
}

}  // namespace studio::project
