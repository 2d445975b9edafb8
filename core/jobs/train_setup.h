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

Result<ReadyToTrain> setUp(engine::api::Engine& engine, const TrainRequest& request, const JobContext& job);

engine::api::ModelSource modelSource(const std::filesystem::path& folder, const config::Recipe& recipe);

}  // namespace studio::jobs
