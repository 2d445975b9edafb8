// A recipe out of files or text that people already have.
#pragma once

#include <string>
#include <vector>

#include "config/recipe_file.h"

namespace studio::ui {

struct RecipeText {
    std::string name;  // of the file, for messages and to tell JSON from YAML
    std::string text;
};

// Tells by its keys which of the two files each text is; what no text says stays as in `base`. An error where a text is
// neither. Wrong fields are in `issues`, known keys that change nothing here in `without_effect`.
Result<config::ReadRecipe> readTexts(const std::vector<RecipeText>& texts, const config::Recipe& base);

}  // namespace studio::ui
