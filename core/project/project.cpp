#include "project/project.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <system_error>

#include "io/file.h"
#include "io/json.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;

// Whether the folder holds anything but what a creation that was cut off may have left.
Result<bool> holdsOtherFiles(const fs::path& folder) {
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        const std::string name = it->path().filename().string();
        if (name != "project.lock" && !name.starts_with("project.json.tmp-")) return true;
    }
    if (ec) return fail(io::systemError(ec.value(), "read", folder));
    return false;
}

// A value of another kind is none.
std::string textOr(const io::Json& json, const char* key, std::string otherwise) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::move(otherwise);
}

Result<void> makeFolders(const ProjectPaths& paths) {
    for (const fs::path& folder :
         {paths.trainingConfig().parent_path(), paths.runs(), paths.chats(), paths.evaluations()}) {
        std::error_code ec;
        fs::create_directories(folder, ec);
        if (ec) return fail(io::systemError(ec.value(), "create", folder));
    }
    return {};
}

}  // namespace

ProjectPaths projectPaths(const fs::path& folder) {
    return {folder};
}

bool isProjectFolder(const fs::path& folder) {
    std::error_code ec;
    return fs::is_regular_file(ProjectPaths{folder}.record(), ec);
}

Result<Project> Project::create(const fs::path& folder, std::string title) {
    std::error_code ec;
    const fs::path absolute = fs::absolute(folder, ec).lexically_normal();
    if (isProjectFolder(absolute))
        return fail(ErrorCode::AlreadyExists, fmt::format("{} already holds a project.", absolute.string()),
                    "Open it instead, or choose another folder.");
    fs::create_directories(absolute, ec);
    if (ec) return fail(io::systemError(ec.value(), "create", absolute));
    STUDIO_TRY(const bool other, holdsOtherFiles(absolute));
    if (other)
        return fail(ErrorCode::AlreadyExists,
                    fmt::format("{} holds files that belong to no project.", absolute.string()),
                    "Choose an empty or a new folder.");
    STUDIO_TRY(io::FileLock lock, io::FileLock::tryLock(absolute / "project.lock"));
    const ProjectPaths paths{absolute};
    STUDIO_CHECK(makeFolders(paths));
    Project project(paths, std::move(lock));
    project.title_ = title.empty() ? absolute.filename().string() : std::move(title);
    project.created_ = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::time(nullptr)));
    const io::Json record = {{"schema_version", kSchema}, {"name", project.title_}, {"created", project.created_}};
    // Last: from here on it is a project.
    STUDIO_CHECK(io::writeFileAtomic(paths.record(), io::dumpJson(record) + "\n"));
    return project;
}

Result<Project> Project::open(const fs::path& folder) {
    std::error_code ec;
    const fs::path absolute = fs::absolute(folder, ec).lexically_normal();
    const ProjectPaths paths{absolute};
    if (!isProjectFolder(absolute))
        return fail(ErrorCode::NotFound,
                    fmt::format("{} is not the folder of a project: it has no project.json.", absolute.string()),
                    "Choose a project's folder, or make a new project.");
    STUDIO_TRY(const io::Json json, io::readJson(paths.record()));
    const auto version = json.find("schema_version");
    if (!json.is_object() || version == json.end() || !version->is_number_integer())
        return fail(ErrorCode::Corrupt, fmt::format("{} is not the record of a project.", paths.record().string()),
                    "Restore the file from a backup, or make a new project and import the conversations again.");
    if (version->get<std::int64_t>() > kSchema)
        return fail(ErrorCode::Unsupported,
                    fmt::format("{} was made by a newer version of the program.", absolute.string()),
                    "Update the program to open this project.");
    auto lock = io::FileLock::tryLock(absolute / "project.lock");
    if (!lock) {
        Error error = std::move(lock).error();
        if (error.code == ErrorCode::Busy) {
            error.message = fmt::format("The project {} is open in another window.", absolute.filename().string());
            error.hint = "Go to that window, or close it first.";
        }
        return fail(std::move(error));
    }
    STUDIO_CHECK(makeFolders(paths));
    Project project(paths, std::move(*lock));
    project.title_ = textOr(json, "name", absolute.filename().string());
    project.created_ = textOr(json, "created", {});
    return project;
}

}  // namespace studio::project
