// What the engine trains on. Plain structs without torch; general enough for whole conversation trees.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace studio::dataset {

struct Range {
    int begin = 0, end = 0;  // rows [begin, end)
    int size() const { return end - begin; }
    bool operator==(const Range&) const = default;
};

// Rows [begin, end) see the `context` rows and, causally, themselves.
struct Segment {
    int begin = 0, end = 0;
    int sample = 0;              // index into Batch::samples
    std::vector<Range> context;  // disjoint ranges of earlier rows, root first
    bool operator==(const Segment&) const = default;
};

// The head is computed on these rows only. Several targets on one row are allowed: that row's logit gradient is
// Σ w·softmax − Σ w·onehot.
struct Target {
    int row = 0, token = 0;
    float weight = 1;
    bool operator==(const Target&) const = default;
};

// Which example a segment or target belongs to, in the order of the prepared data.
using SampleId = std::int64_t;

struct Batch {
    std::vector<int> tokens, positions;  // one each a row
    std::vector<Segment> segments;
    std::vector<Target> targets;
    std::vector<SampleId> samples;

    int rows() const { return static_cast<int>(tokens.size()); }
    // Error naming the broken invariant: segments tile [0, rows) in order; contexts are disjoint ranges of earlier
    // rows, root first, whose lengths sum to positions[begin]; positions rise by one inside a segment; targets sorted
    // by row.
    Result<void> check() const;
    bool operator==(const Batch&) const = default;
};

// The micro-batch that comes next: `micro_batch` of `epoch`, both from 0. Order, shuffle and packing are functions of
// (seed, epoch), so this pair is the whole state of the stream.
struct StreamPosition {
    int epoch = 0, micro_batch = 0;
    bool operator==(const StreamPosition&) const = default;
};

class BatchSource {
  public:
    virtual ~BatchSource() = default;
    // The next micro-batch of the current epoch into `batch`; false when the epoch is through (the call after that
    // begins the next epoch).
    virtual Result<bool> next(Batch& batch) noexcept = 0;
    virtual Result<void> seek(StreamPosition position) noexcept = 0;
    virtual int microBatches(int epoch) noexcept = 0;  // planned; ≥ 0
};

}  // namespace studio::dataset
