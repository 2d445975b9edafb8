// A project: the folder that holds one person's conversations, recipe, runs, chats and evaluations.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "io/file_lock.h"

namespace studio::project {

struct ProjectPaths {
    std::filesystem::path folder;
    std::filesystem::path record() const { return folder / "project.json"; }
    std::filesystem::path corpus() const { return folder / "corpus.sqlite"; }
    std::filesystem::path trainingConfig() const { return folder / "recipe" / "training_config.yaml"; }
    std::filesystem::path qloraConfig() const { return folder / "recipe" / "qlora_config.json"; }
    std::filesystem::path runs() const { return folder / "runs"; }
    std::filesystem::path chats() const { return folder / "chats"; }
    std::filesystem::path evaluations() const { return folder / "evaluations"; }
};

// Held open by one process: project.lock until destroyed.
class Project {
  public:
    // A new folder, or an empty one. AlreadyExists if it holds a project, refused if it holds other files. `title`
    // empty: the folder's name.
    static Result<Project> create(const std::filesystem::path& folder, std::string title = {});
    // NotFound without project.json, Busy if another process has it open, Unsupported if a newer version wrote it.
    static Result<Project> open(const std::filesystem::path& folder);

    const ProjectPaths& paths() const { return paths_; }
    const std::string& title() const { return title_; }
    const std::string& created() const { return created_; }  // ISO 8601

  private:
    Project(ProjectPaths paths, io::FileLock lock) : paths_(std::move(paths)), lock_(std::move(lock)) {}

    ProjectPaths paths_;
    io::FileLock lock_;
    std::string title_, created_;
};

bool isProjectFolder(const std::filesystem::path& folder);

// Where things lie in the project at `folder`, without opening it.
ProjectPaths projectPaths(const std::filesystem::path& folder);

}  // namespace studio::project
