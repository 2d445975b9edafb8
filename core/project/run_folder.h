// A run's folder and its record: run.json and the lock that its process holds.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_lock.h"
#include "io/file_ops.h"
#include "io/json.h"
#include "project/run_state.h"

namespace studio::project {

// run.json. `details` is what the job that runs it records (recipe, data, base, build, machine); this room only keeps
// it: its keys stand in the file beside those of this room.
struct RunInfo {
    std::string name;
    RunState state = RunState::Queued;
    std::string created, started, finished;  // ISO 8601 with offset, empty where not yet
    std::string failure;                     // the sentence of the last failure
    io::Json details;
};

// A run at work: holds run.lock until destroyed. Every change rewrites run.json atomically.
class Run {
  public:
    // Creates the folder and its record. AlreadyExists if it holds a run; refused if it holds other files.
    static Result<Run> create(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& folder, std::string name,
                              io::Json details);
    // Opens an existing one to continue it. Busy if a process holds it.
    static Result<Run> open(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& folder);

    const std::filesystem::path& folder() const { return folder_; }
    const RunInfo& info() const { return info_; }
    Result<void> apply(RunEvent event, std::string failure = {});
    Result<void> setDetails(io::Json details);

  private:
    Run(std::shared_ptr<io::FileOps> ops, std::filesystem::path folder, io::FileLock lock);
    Result<void> write();

    std::shared_ptr<io::FileOps> ops_;
    std::filesystem::path folder_;
    io::FileLock lock_;
    RunInfo info_;
};

bool isRunFolder(const std::filesystem::path& folder);

// A name for a folder out of any text a person typed: "Ünï run/1" -> "n-run-1"; never empty, hidden or a path.
std::string folderName(std::string_view title);

// The record as it stands, without locking: a run that was at work and whose lock nobody holds is Interrupted.
// Unsupported if a newer version of the program wrote it.
Result<RunInfo> readRun(const std::filesystem::path& folder);

struct ListedRun {
    std::filesystem::path folder;
    RunInfo info;
};
// Runs directly below `folder`, newest first; folders whose run.json cannot be read are left out and named in `notes`.
std::vector<ListedRun> listRuns(const std::filesystem::path& folder, std::vector<std::string>* notes = nullptr);

}  // namespace studio::project
