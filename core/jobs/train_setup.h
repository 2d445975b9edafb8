// The part of training before the first step, shared by the real run and the dry run.
#pragma once

#include <functional>

#include "config/model_config.h"
#include "dataset/stream.h"
#include "jobs/train.h"

namespace studio::jobs {

struct ReadyToTrain {
    TrainSetup setup;
    std::unique_ptr<engine::api::Model> model;
    std::unique_ptr<dataset::ExampleStream> stream;
    config::QloraConfig adapter;  // what adapter_config.json will say
};

// What follows from the base's config.json and the adapter's settings.
struct PlannedModel {
    std::filesystem::path base;  // absolute
    config::PhiConfig phi;
    config::QloraConfig adapter;  // what adapter_config.json will say
    std::vector<config::TargetModule> targets;
    std::int64_t trainable_parameters = 0;
    std::vector<std::string> notices;
};

// `adapter_of`: a PEFT folder whose r, alpha and targets count instead of the recipe's (the adapter to start from, or
// the checkpoint to resume from); empty: the recipe's.
Result<PlannedModel> planModel(const TrainRequest& request, const std::filesystem::path& adapter_of);

using DataLoader = std::function<Result<LoadedData>(const DataRequest&, const JobContext&)>;

// Examples, batches and steps. Everything a run records before its first step but hash, build and device; needs no
// engine. `load` gives the data, usually loadData itself.
Result<ReadyToTrain> planTraining(const TrainRequest& request, PlannedModel model, const DataLoader& load,
                                  const JobContext& job);

// Everything that can be refused without the weights: planModel, planTraining, and who computes on what.
Result<ReadyToTrain> setUp(engine::api::Engine& engine, const TrainRequest& request,
                           const std::filesystem::path& adapter_of, const JobContext& job);

// Base and adapter: `start` if it is not empty, else a fresh one.
Result<void> loadForTraining(engine::api::Engine& engine, ReadyToTrain& ready, const std::filesystem::path& start,
                             const JobContext& job);

engine::api::ModelSource modelSource(const std::filesystem::path& folder, const config::Recipe& recipe);

}  // namespace studio::jobs
