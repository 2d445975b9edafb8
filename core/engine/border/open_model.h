// Which device computes a model.
#pragma once

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

}  // namespace studio::engine
