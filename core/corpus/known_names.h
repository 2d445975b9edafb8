// The names that OASST1 uses for its labels, and how roles stand in the database.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "corpus/message.h"

namespace studio::corpus {

// Those with a column of their own in `messages` (label_spam, …), in its order. Others live in details.labels alone.
inline constexpr std::array<std::string_view, 15> kLabels = {
    "spam",           "fails_task",      "lang_mismatch",     "pii",     "not_appropriate", "hate_speech",
    "sexual_content", "moral_judgement", "political_content", "quality", "toxicity",        "humor",
    "helpfulness",    "creativity",      "violence"};

// Index into kLabels.
std::optional<std::size_t> knownLabel(std::string_view name);

std::int64_t roleNumber(Role role);
Role roleOfNumber(std::int64_t number);
std::string_view roleName(Role role);                   // "prompter"
std::optional<Role> roleOfName(std::string_view name);  // of our names only

}  // namespace studio::corpus
