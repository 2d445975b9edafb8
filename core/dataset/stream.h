// Examples as the engine reads them: epoch after epoch of micro-batches whose position can be saved and restored.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataset/batch/batch.h"
#include "dataset/examples.h"
#include "dataset/packer.h"

namespace studio::dataset {

struct StreamOptions {
    int batch_size = 1;    // per_device_train_batch_size: conversations a micro-batch without packing
    bool packing = false;  // `tree` always packs
    int max_rows = 0;      // with packing: batch_size × max_seq_length, see maxRows(); 0 only without packing
    bool shuffle = false;
    std::uint64_t seed = 42;
};

// batch_size × max_seq_length, or an error where that is no row count (overflow, not positive).
Result<int> maxRows(int batch_size, int max_seq_length);

class ExampleStream : public BatchSource {
  public:
    // `which`: indices of the examples to stream, usually examples->of(Split::Train).
    static Result<std::unique_ptr<ExampleStream>> make(std::shared_ptr<const Examples> examples, std::vector<int> which,
                                                       const StreamOptions& options);

    Result<bool> next(Batch& batch) noexcept override;
    // `micro_batch` may be the number of micro-batches (the end of the epoch); beyond it is an error.
    Result<void> seek(StreamPosition position) noexcept override;
    int microBatches(int epoch) noexcept override;

    StreamPosition position() const { return position_; }  // of the micro-batch that next() will give
    // The one with the most rows (of equal ones the first), for a dry run and the memory measurement.
    Result<Batch> longestMicroBatch(int epoch) const;
    const Examples& examples() const { return *examples_; }
    std::int64_t rowsPerEpoch() const;  // repeated ancestors of divided trees included
    std::int64_t repeatedRows() const { return pieces_.repeated_rows; }
    std::int64_t targetsPerEpoch() const;

  private:
    ExampleStream(std::shared_ptr<const Examples> examples, Pieces pieces, const StreamOptions& options);
    std::vector<MicroBatch> plan(int epoch) const;
    const std::vector<MicroBatch>& planned(int epoch);

    std::shared_ptr<const Examples> examples_;
    Pieces pieces_;
    StreamOptions options_;
    StreamPosition position_;
    int planned_epoch_ = -1;
    std::vector<MicroBatch> planned_;  // of planned_epoch_
};

// Order of the data, packed to batch_size × max_seq_length rows: what losses are measured on.
// `batch_size` is per_device_eval_batch_size; `max_seq_length` 0: the longest path.
Result<std::unique_ptr<ExampleStream>> makeEvaluationStream(std::shared_ptr<const Examples> examples,
                                                            std::vector<int> which, int batch_size, int max_seq_length);

struct StepPlan {
    std::int64_t total_steps = 0;
    double steps_per_epoch = 0;  // mean over the epochs of the run
};

// Optimizer steps of a run, as transformers' Trainer counts them: an epoch has ceil(micro-batches / accumulation);
// max_steps > 0 decides alone, else ceil(num_train_epochs · steps per epoch). Where packing gives epochs different
// numbers of micro-batches, whole epochs are summed and the last is taken in proportion.
Result<StepPlan> planSteps(BatchSource& source, int accumulation, double num_train_epochs, std::int64_t max_steps);

}  // namespace studio::dataset
