// After memory ran out: which settings fit, by the engine's own planner.
#pragma once

#include <string>

#include "jobs/train_setup.h"

namespace studio::jobs {

engine::api::BatchSize sizeOf(const dataset::Batch& batch);

// The most rows, targets and keys of any micro-batch: of the first epoch and of the longest ones of some more, which
// put other conversations together. Leaves the stream at its start.
Result<engine::api::BatchSize> largestSize(dataset::ExampleStream& stream, int epochs);

// "By the memory plan it fits with gradient_checkpointing true, with per_device_train_batch_size 4, or with
// max_seq_length 512." Empty where the engine plans nothing (a processor) or cannot say.
std::string settingsThatFit(engine::api::Engine& engine, const ReadyToTrain& ready);

}  // namespace studio::jobs
