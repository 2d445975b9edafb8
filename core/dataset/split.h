// Training and validation, split by tree: messages of one tree never stand on both sides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace studio::dataset {

enum class Split : std::uint8_t { Train = 0, Validation = 1 };

// One answer for each id. The round(fraction · n) ids with the smallest hash of (seed, id) are held out, n counting
// distinct ids: the same ids on every machine, whatever their order, and nearly the same ones when trees come or go.
// 0 ≤ fraction < 1. With fraction > 0 and n ≥ 2 both sides have at least one tree.
Result<std::vector<Split>> splitByTree(const std::vector<std::string>& tree_ids, double fraction, std::uint64_t seed);

}  // namespace studio::dataset
