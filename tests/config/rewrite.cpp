// Writes what is made from the table of fields: docs/configuration.md, and the presets in the form the program writes.
// Usage: config_rewrite
#include <cstdio>

#include "config/docs.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "io/file.h"

using namespace studio;
namespace fs = std::filesystem;

namespace {

Result<void> rewrite(const fs::path& training, const fs::path& qlora) {
    STUDIO_TRY(const config::Recipe recipe, config::loadRecipe(training, qlora, {}));
    return config::writeRecipe(recipe, training, qlora);
}

Result<void> run() {
    const fs::path source = STUDIO_SOURCE_DIR, folder = source / "resources/config";
    STUDIO_CHECK(io::writeFileAtomic(source / "docs/configuration.md", config::configurationDocs()));
    STUDIO_TRY(const auto presets, config::listPresets(source / "resources"));
    for (const config::Preset& preset : presets) STUDIO_CHECK(rewrite(preset.training_config, preset.qlora_config));
    // The default files are the notebook's.
    STUDIO_TRY(const config::Recipe notebook, config::loadPreset(source / "resources", "notebook"));
    return config::writeRecipe(notebook, folder / "training_config.yaml", folder / "qlora_config.json");
}

}  // namespace

int main() {
    const auto done = run();
    if (!done) std::fprintf(stderr, "%s\n", done.error().text().c_str());
    return done ? 0 : 1;
}
