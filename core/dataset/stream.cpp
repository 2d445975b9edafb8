#include "dataset/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "base/checked.h"
#include "dataset/random.h"

namespace studio::dataset {

Result<int> maxRows(int batch_size, int max_seq_length) {
    if (batch_size < 1 || max_seq_length < 1)
        return fail(ErrorCode::InvalidArgument, "Packing needs a batch size and a max_seq_length of at least 1.",
                    "Set per_device_train_batch_size and max_seq_length.");
    const auto rows = checkedMul(batch_size, max_seq_length);
    if (!rows)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("A micro-batch of {} × {} rows is too large.", batch_size, max_seq_length),
                    "Lower the batch size or max_seq_length.");
    return *rows;
}

Result<std::unique_ptr<ExampleStream>> ExampleStream::make(std::shared_ptr<const Examples> examples,
                                                           std::vector<int> which, const StreamOptions& options) {
    StreamOptions effective = options;
    if (examples->paths == PathPolicy::Tree) effective.packing = true;
    if (effective.batch_size < 1)
        return fail(ErrorCode::InvalidArgument, "The batch size is smaller than 1.",
                    "Set per_device_train_batch_size to 1 or more.");
    if (effective.packing && effective.max_rows < 1)
        return fail(ErrorCode::InvalidArgument, "Packing needs a bound on the rows of a micro-batch.",
                    "Set max_seq_length.");
    STUDIO_TRY(Pieces pieces, makePieces(*examples, which, effective.packing ? effective.max_rows : 0));
    return std::unique_ptr<ExampleStream>(new ExampleStream(std::move(examples), std::move(pieces), effective));
}

ExampleStream::ExampleStream(std::shared_ptr<const Examples> examples, Pieces pieces, const StreamOptions& options)
    : examples_(std::move(examples)), pieces_(std::move(pieces)), options_(options) {}

std::vector<MicroBatch> ExampleStream::plan(int epoch) const {
    std::vector<int> order(pieces_.pieces.size());
    std::iota(order.begin(), order.end(), 0);
    if (options_.shuffle) {
        SplitMix64 random(options_.seed, static_cast<std::uint64_t>(epoch));
        shuffle(order, random);
    }
    return options_.packing ? packBestFit(order, pieces_, options_.max_rows) : batchInOrder(order, options_.batch_size);
}

const std::vector<MicroBatch>& ExampleStream::planned(int epoch) {
    if (planned_epoch_ != epoch) {
        planned_ = plan(epoch);
        planned_epoch_ = epoch;
    }
    return planned_;
}

Result<bool> ExampleStream::next(Batch& batch) noexcept try {
    const std::vector<MicroBatch>& micro_batches = planned(position_.epoch);
    if (position_.micro_batch >= static_cast<int>(micro_batches.size())) {
        if (position_.epoch == std::numeric_limits<int>::max())
            return fail(ErrorCode::OutOfRange, "There are no more epochs to count.");
        position_ = {position_.epoch + 1, 0};
        return false;
    }
    batch = makeBatch(*examples_, pieces_, micro_batches[position_.micro_batch]);
    ++position_.micro_batch;
    return true;
} catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "There is not enough memory for the next micro-batch.",
                "Close other programs, or lower the batch size.");
}

Result<void> ExampleStream::seek(StreamPosition position) noexcept try {
    const int count = position.epoch < 0 ? -1 : static_cast<int>(planned(position.epoch).size());
    if (position.micro_batch < 0 || position.micro_batch > count)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("The data have no micro-batch {} in epoch {}.", position.micro_batch, position.epoch),
                    "The checkpoint belongs to other data or another batch size; start a new run from its weights.");
    position_ = position;
    return {};
} catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "There is not enough memory to plan an epoch.", "Close other programs.");
}

int ExampleStream::microBatches(int epoch) noexcept try {
    const bool same_every_epoch = !options_.packing || !options_.shuffle;
    if (planned_epoch_ >= 0 && (same_every_epoch || epoch == planned_epoch_)) return static_cast<int>(planned_.size());
    return static_cast<int>(plan(epoch).size());
} catch (const std::bad_alloc&) {
    return 0;
}

Result<Batch> ExampleStream::longestMicroBatch(int epoch) const {
    std::int64_t most = 0;
    MicroBatch longest;
    for (const MicroBatch& micro_batch : plan(epoch)) {
        std::int64_t rows = 0;
        for (const int piece : micro_batch) rows += pieces_.pieces[piece].rows;
        if (rows <= most) continue;
        most = rows;
        longest = micro_batch;
    }
    if (longest.empty())
        return fail(ErrorCode::InvalidArgument, "There is no conversation to train on.",
                    "Widen the filter or raise max_seq_length.");
    return makeBatch(*examples_, pieces_, longest);
}

std::int64_t ExampleStream::rowsPerEpoch() const {
    std::int64_t rows = 0;
    for (const Piece& piece : pieces_.pieces) rows += piece.rows;
    return rows;
}

std::int64_t ExampleStream::targetsPerEpoch() const {
    std::int64_t targets = 0;
    for (const Piece& piece : pieces_.pieces) targets += piece.targets;
    return targets;
}

Result<std::unique_ptr<ExampleStream>> makeEvaluationStream(std::shared_ptr<const Examples> examples,
                                                            std::vector<int> which, int batch_size,
                                                            int max_seq_length) {
    if (max_seq_length == 0) max_seq_length = std::max(1, examples->longestPath());
    StreamOptions options;
    options.packing = true;
    options.batch_size = batch_size;
    STUDIO_TRY(options.max_rows, maxRows(batch_size, max_seq_length));
    return ExampleStream::make(std::move(examples), std::move(which), options);
}

Result<StepPlan> planSteps(BatchSource& source, int accumulation, double num_train_epochs, std::int64_t max_steps) {
    if (accumulation < 1)
        return fail(ErrorCode::InvalidArgument, "gradient_accumulation_steps is smaller than 1.",
                    "Set it to 1 or more.");
    const auto steps_in = [&](int epoch) -> std::int64_t {
        const std::int64_t micro_batches = source.microBatches(epoch);
        return (micro_batches + accumulation - 1) / accumulation;
    };
    const std::int64_t first = steps_in(0);
    if (first == 0)
        return fail(ErrorCode::InvalidArgument, "There is no conversation to train on.",
                    "Widen the filter or raise max_seq_length.");
    if (max_steps > 0) return StepPlan{max_steps, static_cast<double>(first)};
    if (!(num_train_epochs > 0 && num_train_epochs <= 1e6))
        return fail(ErrorCode::InvalidArgument, "num_train_epochs is not between 0 and a million.",
                    "Give a number such as 1 or 0.5, or set max_steps.");

    const int whole = static_cast<int>(num_train_epochs);
    const double part = num_train_epochs - whole;
    std::int64_t steps = 0;
    bool equal = true;
    for (int epoch = 0; epoch < whole; ++epoch) {
        const std::int64_t more = steps_in(epoch);
        equal = equal && more == first;
        steps += more;
    }
    if (part > 0) {
        const std::int64_t last = steps_in(whole);
        equal = equal && last == first;
        steps += static_cast<std::int64_t>(std::ceil(part * static_cast<double>(last)));
    }
    // The very expression of transformers, rounding included, wherever its premise of equal epochs holds.
    if (equal) steps = static_cast<std::int64_t>(std::ceil(num_train_epochs * static_cast<double>(first)));
    return StepPlan{steps, equal ? static_cast<double>(first) : static_cast<double>(steps) / num_train_epochs};
}

}  // namespace studio::dataset
