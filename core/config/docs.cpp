#include "config/docs.h"

#include <fmt/format.h>

#include "config/known_keys.h"

namespace studio::config {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

This page is made from the program's table of fields (`core/config/fields_*.cpp`); a test fails where the two differ.

A run is described by two files: `qlora_config.json` (how the base is quantised and what the adapter looks like) and
`training_config.yaml` (everything else). Their keys are those of PEFT's `LoraConfig`, transformers'
`BitsAndBytesConfig` and `TrainingArguments`, so that files people already have load: either file may be JSON or YAML,
and the `training_args` of a transformers project can be given as it is. A key that is left out has its default.

- A key of those three libraries that would change nothing here is read and named in a notice.
- One that would change numbers if it were ignored is refused with the reason, unless it has its default.
- A key that is in none of them is an error that names the nearest known one.
- Numbers are read and written exactly, with a decimal point whatever the locale; `010` is refused because YAML readers
  disagree whether it is ten or eight; anchors, aliases, tags and a key given twice are refused.

On the command line `--set key=value` takes the place of what the files say: `--set learning_rate=1.0e-4`,
`--set target_modules=q_proj,v_proj`, `--set "lr_scheduler_kwargs={min_lr: 1.0e-5}"`. Underscores and hyphens in the key
are the same.

Ready recipes stand in `resources/config/<name>/`: `notebook`, `guanaco`, `litgpt-phi-2`, `studio`, `demo`. The comment at
the top of each says where its values come from.

A relative path starts at the current directory; where nothing is there, at the folder of the configuration file and
those above it; then at the program's resources folder.
)";

std::string cell(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '|' ? "\\|" : c == '<' ? "&lt;" : std::string(1, c);
    return out;
}

void describe(const Field& field, std::string& out) {
    out += fmt::format("\n### `{}`\n\n{}\n\n- Type: {}{}\n- Default: `{}`\n", field.key, cell(field.help),
                       field.choices.empty() ? typeText(field) : "one of the values below",
                       field.unit.empty() ? "" : fmt::format(", in {}", field.unit), defaultText(field));
    for (const Choice& choice : field.choices)
        out += fmt::format("- `{}`{}{}\n", choice.value, choice.meaning.empty() ? "" : ": ", cell(choice.meaning));
    for (std::size_t i = 0; i < field.refusals.size(); ++i) {
        const bool same = i > 0 && field.refusals[i].reason == field.refusals[i - 1].reason;
        out += same ? fmt::format(", `{}`", field.refusals[i].value)
                    : fmt::format("{}- Refused, because {}: `{}`", i > 0 ? "\n" : "", cell(field.refusals[i].reason),
                                  field.refusals[i].value);
    }
    if (!field.refusals.empty()) out += '\n';
}

void list(std::string_view title, std::span<const KnownKey> keys, std::string& out) {
    out += fmt::format("\n### {}\n\n| key | what becomes of it |\n|---|---|\n", title);
    for (const KnownKey& key : keys) {
        std::string fate =
            key.disposition == Disposition::NoEffect ? fmt::format("no effect. {}", key.reason)
            : key.disposition == Disposition::Alias
                ? fmt::format("read as `{}`", key.reason)
                : fmt::format("refused unless `{}`{}. {}.", key.fallback,
                              key.accepted.empty() ? "" : fmt::format(" or `{}`", key.accepted), key.reason);
        out += fmt::format("| `{}` | {} |\n", key.key, cell(fate));
    }
}

}  // namespace

std::string configurationDocs() {
    std::string out = kIntroduction;
    std::optional<Group> group;
    std::optional<File> file;
    for (const Field& field : fields()) {
        if (file != field.file) out += fmt::format("\n# `{}`\n", fileName(field.file));
        if (group != field.group) out += fmt::format("\n## {}\n", name(field.group));
        file = field.file;
        group = field.group;
        describe(field, out);
    }
    out += "\n# Other keys of the libraries\n";
    list("`LoraConfig` 0.21 and `BitsAndBytesConfig`", loraKeys(), out);
    list("`TrainingArguments` 5.17", trainingKeys(), out);
    list("`TrainingArguments` of transformers 4", olderTrainingKeys(), out);
    out += "\n### Keys whose values are values of a field\n\n| key | value | read as |\n|---|---|---|\n";
    for (const Translation& t : translations())
        out += fmt::format("| `{}` | `{}` | {} |\n", t.key, t.value,
                           t.field.empty() ? "the default" : fmt::format("`{}: {}`", t.field, t.field_value));
    return out;
}

}  // namespace studio::config
