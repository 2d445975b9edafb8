#include "ui/session/recipe_writer.h"

#include <utility>

#include "config/recipe_file.h"
#include "io/file.h"
#include "ui/look/format.h"

namespace studio::ui {

std::filesystem::path presetNameFile(const project::ProjectPaths& paths) {
    return paths.trainingConfig().parent_path() / "preset";
}

bool RecipeDocument::Writer::put(const config::Recipe& recipe, const QString& preset) {
    const std::lock_guard lock(waiting_mutex_);
    const bool nothing_waited = !waiting_;
    waiting_ = Waiting{recipe, utf8(preset)};
    return nothing_waited;
}

Result<bool> RecipeDocument::Writer::writeWaiting() {
    // Taken before looking for what waits, so that an older save never ends after a newer one.
    const std::lock_guard writing(writing_mutex_);
    std::optional<Waiting> now;
    {
        const std::lock_guard lock(waiting_mutex_);
        now = std::exchange(waiting_, std::nullopt);
    }
    if (!now) return false;
    std::error_code ignored;  // the write tells
    std::filesystem::create_directories(paths_.trainingConfig().parent_path(), ignored);
    STUDIO_CHECK(config::writeRecipe(now->recipe, paths_.trainingConfig(), paths_.qloraConfig()));
    const auto known = io::readFile(presetNameFile(paths_), 4096);
    if (!known || *known != now->preset + "\n")
        STUDIO_CHECK(io::writeFileAtomic(presetNameFile(paths_), now->preset + "\n"));
    return true;
}

}  // namespace studio::ui
