// What the tests of the engine's border compute on.
#pragma once

#include <vector>

#include "dataset/batch/batch.h"

namespace studio::test {

// One conversation of `length` tokens, every token but the first supervised.
inline dataset::Batch conversation(int length, int seed) {
    dataset::Batch batch;
    batch.samples = {seed};
    batch.segments = {{0, length, 0, {}}};
    for (int i = 0; i < length; ++i) {
        batch.tokens.push_back((seed * 37 + i * (seed + 3) + i * i) % 256);
        batch.positions.push_back(i);
    }
    for (int i = 0; i + 1 < length; ++i) batch.targets.push_back({i, batch.tokens[i + 1], 1});
    return batch;
}

inline std::vector<dataset::Batch> conversations() {
    return {conversation(12, 1), conversation(30, 2), conversation(5, 3), conversation(21, 4), conversation(9, 5)};
}

}  // namespace studio::test
