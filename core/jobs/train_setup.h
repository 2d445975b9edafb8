// The part of training before the first step, shared by the real run and the dry run.
#pragma once

#include "dataset/stream.h"
#include "jobs/train.h"

namespace studio::jobs {

struct ReadyToTrain {
    TrainSetup setup;
    std::unique_ptr<engine::api::Model> model;
    std::unique_ptr<dataset::ExampleStream> stream;
    config::QloraConfig adapter;  // what adapter_config.json will say
};

// Everything that can be refused without the weights. `adapter_of`: a PEFT folder whose r, alpha and targets count
// instead of the recipe's (the adapter to start from, or the checkpoint to resume from); empty: the recipe's.
Result<ReadyToTrain> setUp(engine::api::Engine& engine, const TrainRequest& request,
                           const std::filesystem::path& adapter_of, const JobContext& job);

// Base and adapter: `start` if it is not empty, else a fresh one.
Result<void> loadForTraining(engine::api::Engine& engine, ReadyToTrain& ready, const std::filesystem::path& start,
                             const JobContext& job);

engine::api::ModelSource modelSource(const std::filesystem::path& folder, const config::Recipe& recipe);

}  // namespace studio::jobs
