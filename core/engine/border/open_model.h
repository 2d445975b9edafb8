// Which device computes a model.
#pragma once

#include <functional>
#include <memory>

#include "engine/model/phi_model.h"

namespace studio::engine {

// "cuda": the GPU, or an error that says what is missing. "cpu": the processor. "auto": the GPU where there is one that
// can compute this model and has room for it, else the processor, with a line in the log that says why.
Result<std::unique_ptr<PhiModel>> openModel(const api::ModelSource& source, Logger& log, const JobContext& job);

// See api::Engine::planMemory.
Result<api::MemoryUse> planTraining(const api::ModelSource& source, const api::LoraSpec& spec,
                                    const api::BatchSize& batch, const api::TrainPlan& plan);

// What "auto" would compute on.
api::DeviceInfo bestDevice();

// See api::Engine::deviceFor.
Result<api::DeviceInfo> deviceFor(const std::string& words);

// Gives back what the allocator of the GPU keeps for later.
void emptyCache();

// What an engine is made of; tests put models in that fail when they are told to.
struct Makers {
    std::function<Result<std::unique_ptr<PhiModel>>(const api::ModelSource&, Logger&, const JobContext&)> open =
        openModel;
    std::function<Result<api::MemoryUse>(const api::ModelSource&, const api::LoraSpec&, const api::BatchSize&,
                                         const api::TrainPlan&)>
        plan = planTraining;
};

}  // namespace studio::engine
