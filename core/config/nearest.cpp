#include "config/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace studio::config {
namespace {

constexpr std::size_t kLongest = 64;  // longer words are compared by their beginning

char folded(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

}  // namespace

int editDistance(std::string_view a, std::string_view b) {
    a = a.substr(0, kLongest);
    b = b.substr(0, kLongest);
    std::array<std::array<int, kLongest + 1>, 3> rows{};  // two rows back, the last one, this one
    for (std::size_t j = 0; j <= b.size(); ++j) rows[1][j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        rows[2][0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const char x = folded(a[i - 1]), y = folded(b[j - 1]);
            int cost = std::min({rows[1][j] + 1, rows[2][j - 1] + 1, rows[1][j - 1] + (x == y ? 0 : 1)});
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
                cost = std::min(cost, rows[0][j - 2] + 1);
            rows[2][j] = cost;
        }
        rows[0] = rows[1];
        rows[1] = rows[2];
    }
    return rows[1][b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    std::string_view best;
    int least = std::numeric_limits<int>::max();
    for (const std::string_view candidate : candidates) {
        const int distance = editDistance(word, candidate);
        if (distance >= least) continue;
        least = distance;
        best = candidate;
    }
    return best;
}

std::string joined(std::span<const std::string_view> words, std::string_view last) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 < words.size() ? std::string(", ") : fmt::format(" {} ", last);
        out += words[i];
    }
    return out;
}

}  // namespace studio::config
