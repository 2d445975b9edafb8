// The table of fields: each key is declared once, and files, checks, help, documentation and form come from it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/recipe.h"

namespace studio::config {

enum class File { Qlora, Training };
std::string_view fileName(File file);  // "qlora_config.json"

enum class Group {
    Quantisation,
    Lora,
    Data,
    Run,
    Length,
    Optimizer,
    Schedule,
    Precision,
    Evaluation,
    Checkpoints,
    Samples,
};
std::string_view name(Group group);  // "Model and data"

// A member of the recipe. The alternative is the field's type.
template <class T>
using Member = T& (*)(Recipe&);
using Binding =
    std::variant<Member<bool>, Member<std::int64_t>, Member<double>, Member<std::string>,
                 Member<std::optional<std::int64_t>>, Member<std::optional<double>>, Member<std::optional<std::string>>,
                 Member<std::vector<std::string>>, Member<std::vector<std::int64_t>>, Member<ModuleSelection>,
                 Member<Pattern<std::int64_t>>, Member<Pattern<double>>, Member<SchedulerKwargs>>;

// The member of a recipe that is only read.
template <class T>
const T& valueOf(Member<T> member, const Recipe& recipe) {
    return member(const_cast<Recipe&>(recipe));
}

// Of each number in the field. `also` is one value outside that means something of its own (-1, 0).
struct Range {
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
    bool low_open = false, high_open = false;  // the end itself is outside
    std::optional<double> also = std::nullopt;

    bool contains(double value) const;
    std::string text() const;  // "above 0 and at most 1", empty where everything goes
};

// One of the texts a field can have.
struct Choice {
    std::string_view value, meaning;
};
// One that its library knows and this program does not do.
struct Refusal {
    std::string_view value, reason;
};

struct Field {
    std::string_view key;
    File file;
    Group group;
    Binding binding;
    Range range;
    std::span<const Choice> choices;
    std::span<const Refusal> refusals;
    std::string_view unit;         // "tokens"; empty where there is none
    std::string_view help;         // one paragraph of plain text
    bool null_is_default = false;  // transformers writes null where nobody set it
    // Texts that are good besides the choices; null: none. The error is a sentence of its own.
    Result<void> (*accepts)(std::string_view text) = nullptr;
};

// In the order of the files.
std::vector<Field> fields();
std::optional<Field> findField(std::string_view key);

std::string typeText(const Field& field);     // "whole number", "list of texts", "one of: nf4"
std::string defaultText(const Field& field);  // as it stands in the file

// Every key with type, default and help, for `--help`.
std::string fieldHelp();

}  // namespace studio::config
