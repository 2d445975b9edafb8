// Saves a recipe as often as it changes: waiting saves become one, and the last one is never lost.
#pragma once

#include <mutex>
#include <optional>

#include "config/recipe.h"
#include "project/project.h"
#include "ui/session/recipe_document.h"

namespace studio::ui {

// Which preset the differences are marked against: a file beside the recipe's two.
std::filesystem::path presetNameFile(const project::ProjectPaths& paths);

class RecipeDocument::Writer {
  public:
    explicit Writer(project::ProjectPaths paths) : paths_(std::move(paths)) {}

    // What is to be saved. True: nothing was waiting, so someone must call writeWaiting().
    bool put(const config::Recipe& recipe, const QString& preset);
    // Writes what waits, if anything does. On any thread; returns once it is on the disk.
    Result<bool> writeWaiting();

  private:
    struct Waiting {
        config::Recipe recipe;
        std::string preset;
    };
    const project::ProjectPaths paths_;
    std::mutex waiting_mutex_, writing_mutex_;
    std::optional<Waiting> waiting_;
};

}  // namespace studio::ui
