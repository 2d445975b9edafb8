// Setting fields from keys and values, wherever they come from.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/field.h"
#include "config/known_keys.h"
#include "config/node.h"
#include "config/recipe_file.h"

namespace studio::config {

// A value written alone, in YAML or JSON, on one line.
Result<Node> parseValue(std::string_view text);

class Assigner {
  public:
    // `name` appears in issues. `file`: only its keys are taken, each once; none: keys of both files, as often as
    // wanted.
    Assigner(ReadRecipe& into, std::string_view name, std::optional<File> file)
        : into_(into), name_(name), file_(file) {}

    void assign(const Node& key, const Node& value);

  private:
    void setField(const Field& field, const Node& key, const Node& value);
    void setKnown(const KnownKey& known, const Node& key, const Node& value);
    void translate(const Node& key, const Node& value);
    void unknown(const Node& key);
    void issue(Severity severity, const Node& at, std::string_view key, std::string message, std::string hint);

    ReadRecipe& into_;
    std::string_view name_;
    std::optional<File> file_;
};

}  // namespace studio::config
