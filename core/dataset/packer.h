// Examples into micro-batches: which rows go together, and how they are laid out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "dataset/batch/batch.h"
#include "dataset/divide.h"
#include "dataset/examples.h"

namespace studio::dataset {

// What is put into a micro-batch as one: a whole example, or one group of a divided tree.
struct Piece {
    int example = 0;
    int group = -1;  // index into Pieces::groups; -1: the whole example
    int rows = 0;
    int targets = 0;
};

struct Pieces {
    std::vector<Piece> pieces;  // in the order of the examples
    std::vector<Group> groups;
    std::int64_t repeated_rows = 0;  // rows that divided trees compute more than once
};

using MicroBatch = std::vector<int>;  // indices into Pieces::pieces

// The examples as pieces of at most `max_rows` rows (0: unbounded). Trees above it are divided. An error if a path
// alone is longer.
Result<Pieces> makePieces(const Examples& examples, std::span<const int> which, int max_rows);

// `batch_size` pieces a micro-batch, in order.
std::vector<MicroBatch> batchInOrder(std::span<const int> order, int batch_size);

// At most `max_rows` rows a micro-batch: each piece, in order, goes where it leaves the least room (best fit).
// Micro-batches stand in the order of their first piece.
std::vector<MicroBatch> packBestFit(std::span<const int> order, const Pieces& pieces, int max_rows);

// The rows of one micro-batch. A path is one segment without context; a tree is one segment a message, depth-first,
// with its ancestors as context. A supervised token is a target of the row before it in its message; a message's first
// token is one of its parent's last row. Every piece is a sample of its own (SampleId = index of the example), so a
// target belongs to the sample of the segment its row lies in.
Batch makeBatch(const Examples& examples, const Pieces& pieces, std::span<const int> micro_batch);

}  // namespace studio::dataset
