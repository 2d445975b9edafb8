#include "dataset/split.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "dataset/random.h"

namespace studio::dataset {

Result<std::vector<Split>> splitByTree(const std::vector<std::string>& tree_ids, double fraction, std::uint64_t seed) {
    if (!(fraction >= 0 && fraction < 1))
        return fail(ErrorCode::InvalidArgument, "The validation fraction is not between 0 and 1.",
                    "Give a number such as 0.05; 0 holds nothing out.");

    std::vector<std::pair<std::uint64_t, std::string_view>> ranked;
    ranked.reserve(tree_ids.size());
    for (const std::string& id : tree_ids) ranked.emplace_back(hash(id, seed), id);
    std::sort(ranked.begin(), ranked.end());
    ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());

    const std::size_t n = ranked.size();
    auto held_out = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(n)));
    if (fraction > 0 && n >= 2) held_out = std::clamp<std::size_t>(held_out, 1, n - 1);
    if (n < 2) held_out = 0;  // a single tree is for training

    std::unordered_set<std::string_view> validation;
    for (std::size_t i = 0; i < held_out; ++i) validation.insert(ranked[i].second);
    std::vector<Split> split;
    split.reserve(tree_ids.size());
    for (const std::string& id : tree_ids) split.push_back(validation.contains(id) ? Split::Validation : Split::Train);
    return split;
}

}  // namespace studio::dataset
