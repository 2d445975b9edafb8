// Batches for tests on the GPU: separate conversations and a tree.
#pragma once

#include <vector>

#include "dataset/batch/batch.h"

namespace studio::test {

// Token i of a sequence that no model knows.
inline int someToken(int seed, int i, int vocab) {
    return (seed * 7919 + i * (31 + seed) + i * i * 17) % (vocab - 8) + 8;
}

inline void addSegment(dataset::Batch& batch, int length, int position, std::vector<dataset::Range> context, int seed,
                       int vocab) {
    const int begin = batch.rows();
    for (int i = 0; i < length; ++i) {
        batch.tokens.push_back(someToken(seed, i, vocab));
        batch.positions.push_back(position + i);
    }
    batch.segments.push_back({begin, begin + length, 0, std::move(context)});
}

// Every token but the first of each conversation is a target.
inline dataset::Batch separate(const std::vector<int>& lengths, int seed, int vocab) {
    dataset::Batch batch;
    batch.samples = {seed};
    for (const int length : lengths) {
        addSegment(batch, length, 0, {}, seed++, vocab);
        const int begin = batch.rows() - length;
        for (int i = begin; i + 1 < batch.rows(); ++i)
            batch.targets.push_back({i, batch.tokens[static_cast<std::size_t>(i) + 1], 1});
    }
    return batch;
}

// A prompt with two answers, one of them answered twice again; the root's last row has both answers' first tokens as
// targets.
inline dataset::Batch tree(int seed, int vocab) {
    dataset::Batch batch;
    batch.samples = {seed};
    addSegment(batch, 21, 0, {}, seed, vocab);                        // [0, 21)
    addSegment(batch, 33, 21, {{0, 21}}, seed + 1, vocab);            // [21, 54)
    addSegment(batch, 9, 21, {{0, 21}}, seed + 2, vocab);             // [54, 63)
    addSegment(batch, 40, 54, {{0, 21}, {21, 54}}, seed + 3, vocab);  // [63, 103)
    addSegment(batch, 5, 54, {{0, 21}, {21, 54}}, seed + 4, vocab);   // [103, 108)
    batch.targets.push_back({20, batch.tokens[21], 1});
    batch.targets.push_back({20, batch.tokens[54], 0.5f});
    for (int i = 21; i < 107; ++i)
        if (i != 53 && i != 62 && i != 102)
            batch.targets.push_back({i, batch.tokens[static_cast<std::size_t>(i) + 1], 1});
    return batch;
}

}  // namespace studio::test
