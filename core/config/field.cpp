#include "config/field.h"

#include <fmt/format.h>

#include "config/codec.h"
#include "config/field_table.h"
#include "config/nearest.h"
#include "config/scalar.h"

namespace studio::config {

std::string_view fileName(File file) {
    return file == File::Qlora ? "qlora_config.json" : "training_config.yaml";
}

std::string_view name(Group group) {
    switch (group) {
        case Group::Quantisation:
            return "Quantisation of the base";
        case Group::Lora:
            return "Adapter";
        case Group::Data:
            return "Model and data";
        case Group::Run:
            return "Run";
        case Group::Length:
            return "Length and batches";
        case Group::Optimizer:
            return "Optimizer";
        case Group::Schedule:
            return "Learning rate schedule";
        case Group::Precision:
            return "Memory and precision";
        case Group::Evaluation:
            return "Console and evaluation";
        case Group::Checkpoints:
            return "Checkpoints";
        case Group::Samples:
            return "Samples";
    }
    return "";
}

bool Range::contains(double value) const {
    if (also && value == *also) return true;
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string Range::text() const {
    std::string out;
    if (low != -std::numeric_limits<double>::infinity())
        out += fmt::format("{} {}", low_open ? "above" : "at least", formatNumber(low));
    if (high != std::numeric_limits<double>::infinity())
        out += fmt::format("{}{} {}", out.empty() ? "" : " and ", high_open ? "below" : "at most", formatNumber(high));
    if (also) out += fmt::format(", or {}", formatNumber(*also));
    return out;
}

std::vector<Field> fields() {
    std::vector<Field> out;
    appendQloraFields(out);
    appendDataFields(out);
    appendTrainingFields(out);
    return out;
}

std::optional<Field> findField(std::string_view key) {
    for (const Field& field : fields())
        if (field.key == key) return field;
    return std::nullopt;
}

namespace {

struct TypeName {
    std::string operator()(Member<bool>) const { return "true or false"; }
    std::string operator()(Member<std::int64_t>) const { return "whole number"; }
    std::string operator()(Member<double>) const { return "number"; }
    std::string operator()(Member<std::string>) const { return "text"; }
    std::string operator()(Member<std::optional<std::int64_t>>) const { return "whole number or null"; }
    std::string operator()(Member<std::optional<double>>) const { return "number or null"; }
    std::string operator()(Member<std::optional<std::string>>) const { return "text or null"; }
    std::string operator()(Member<std::vector<std::string>>) const { return "text or list of texts"; }
    std::string operator()(Member<std::vector<std::int64_t>>) const { return "list of whole numbers or null"; }
    std::string operator()(Member<ModuleSelection>) const { return "text, list of texts or null"; }
    std::string operator()(Member<Pattern<std::int64_t>>) const { return "map of texts to whole numbers"; }
    std::string operator()(Member<Pattern<double>>) const { return "map of texts to numbers"; }
    std::string operator()(Member<SchedulerKwargs>) const { return "map"; }
};

}  // namespace

std::string typeText(const Field& field) {
    if (!field.choices.empty()) {
        std::vector<std::string_view> names;
        for (const Choice& choice : field.choices) names.push_back(choice.value);
        return "one of " + joined(names, "and");
    }
    std::string text = std::visit(TypeName{}, field.binding);
    if (const std::string range = field.range.text(); !range.empty()) text += " " + range;
    return text;
}

std::string defaultText(const Field& field) {
    return writeField(field, Recipe{}, field.file == File::Training);
}

std::string fieldHelp() {
    std::string out;
    std::optional<Group> group;
    for (const Field& field : fields()) {
        if (group != field.group) {
            out += fmt::format("{}{}  ({})\n", out.empty() ? "" : "\n", name(field.group), fileName(field.file));
            group = field.group;
        }
        out += fmt::format("  {} = {}\n      {}. {}\n", field.key, defaultText(field), typeText(field), field.help);
    }
    return out;
}

}  // namespace studio::config
