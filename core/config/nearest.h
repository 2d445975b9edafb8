// The word somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace studio::config {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment); case
// and the difference of - and _ cost nothing.
int editDistance(std::string_view a, std::string_view b);

// Of several equally near the first. Empty for no candidates.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "a, b and c"
std::string joined(std::span<const std::string_view> words, std::string_view last);

}  // namespace studio::config
