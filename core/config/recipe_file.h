// A recipe's two files: reading, writing, checking, changing single fields. YAML and JSON are both accepted for either
// file (by extension, else by the first character). Numbers never depend on the locale and survive exactly.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/issue.h"
#include "config/recipe.h"

namespace studio::config {

// Where a key stands.
struct KeyPlace {
    std::string key, file;
    int line = 0, column = 0;
};

// A recipe and all that is to be said about it. With errors among the issues the fields concerned keep their defaults.
struct ReadRecipe {
    Recipe recipe;
    Issues issues;
    std::vector<std::string> without_effect;  // keys in the files that are known and change nothing here
    std::vector<KeyPlace> places;             // of the fields that the files set
};

// Text of one file; `name` appears in messages. Fails where the text is no YAML or JSON at all (with line and column);
// wrong fields are issues. The other half of `into` is left alone.
Result<void> parseTrainingConfig(std::string_view text, std::string_view name, ReadRecipe& into);
Result<void> parseQloraConfig(std::string_view text, std::string_view name, ReadRecipe& into);

// Reads both files and checks nothing across fields yet. Either path may be empty: defaults, and NF4 with double
// quantisation. Fails where a file cannot be read.
Result<ReadRecipe> readRecipe(const std::filesystem::path& training_config, const std::filesystem::path& qlora_config);

// Reads qlora_config alone, for evaluate and chat: every error is one Error.
Result<QloraConfig> loadQloraConfig(const std::filesystem::path& qlora_config);

// Ranges of every field, and what fields say together (warm-up longer than the run, bf16 with fp16, …).
Issues checkRecipe(const Recipe& recipe);

// checkRecipe of what was read, each issue with the place of its key, appended to `read.issues`.
void checkRead(ReadRecipe& read);

// The recipe, or one Error that lists every error of `read`, one a line.
Result<Recipe> requireValid(const ReadRecipe& read);

// readRecipe, `--set` assignments ("key=value", applied in order; one takes the place of what the files say of its
// key), checkRecipe, requireValid. `read` gets everything that is to be said.
Result<Recipe> loadRecipe(const std::filesystem::path& training_config, const std::filesystem::path& qlora_config,
                          const std::vector<std::string>& assignments, ReadRecipe* read = nullptr);

// `--set key=value`: the value as it would stand in the YAML file; lists also as a,b,c. Range errors included.
Result<void> setFromText(Recipe& recipe, std::string_view key, std::string_view text);

// The field's value as setFromText takes it.
Result<std::string> valueText(const Recipe& recipe, std::string_view key);

// training_config.yaml with every field under the comment of its help; qlora_config.json with indent 2.
std::string formatTrainingConfig(const Recipe& recipe);
std::string formatQloraConfig(const QloraConfig& qlora);

// Atomic writes of both files.
Result<void> writeRecipe(const Recipe& recipe, const std::filesystem::path& training_config,
                         const std::filesystem::path& qlora_config);

}  // namespace studio::config
