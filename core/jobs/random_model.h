// A phi checkpoint of random weights, for measurements where no real one is at hand.
#pragma once

#include <filesystem>
#include <string>

#include "base/job.h"
#include "base/result.h"

namespace studio::jobs {

struct RandomModel {
    int vocab = 51200, hidden = 2560, intermediate = 10240, layers = 32, heads = 32, context = 2048;
};

// Writes config.json and two fp16 shards (phi-2: 5.56 GB) into `folder`, unless they are there from an earlier call
// with the same shape. Weights: a normal distribution of standard deviation 0.02 in 4,096 steps, a function of tensor
// and element; LayerNorm weights 1, biases 0.
Result<void> makeRandomModel(const std::filesystem::path& folder, const RandomModel& shape, const JobContext& job);

}  // namespace studio::jobs
