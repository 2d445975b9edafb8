// Declaring rows of the table of fields.
#pragma once

#include <vector>

#include "config/field.h"

namespace studio::config {

template <auto Pointer>
struct Bind;
template <class T, T QloraConfig::*Pointer>
struct Bind<Pointer> {
    static constexpr File kFile = File::Qlora;
    static T& get(Recipe& recipe) { return recipe.qlora.*Pointer; }
};
template <class T, T TrainingConfig::*Pointer>
struct Bind<Pointer> {
    static constexpr File kFile = File::Training;
    static T& get(Recipe& recipe) { return recipe.training.*Pointer; }
};

struct Details {
    Range range = {};
    std::span<const Choice> choices = {};
    std::span<const Refusal> refusals = {};
    std::string_view unit = {};
    bool null_is_default = false;
    Result<void> (*accepts)(std::string_view text) = nullptr;
};

template <auto Pointer>
Field row(std::string_view key, Group group, std::string_view help, const Details& details = {}) {
    return {key,
            Bind<Pointer>::kFile,
            group,
            &Bind<Pointer>::get,
            details.range,
            details.choices,
            details.refusals,
            details.unit,
            help,
            details.null_is_default,
            details.accepts};
}

inline constexpr Range kPositive = {.low = 0, .low_open = true};
inline constexpr Range kShare = {.low = 0, .high = 1, .high_open = true};

void appendQloraFields(std::vector<Field>& out);
void appendDataFields(std::vector<Field>& out);
void appendTrainingFields(std::vector<Field>& out);

}  // namespace studio::config
