// A checkpoint's tensors into BaseWeights.
#pragma once

#include "base/job.h"
#include "base/log.h"
#include "config/model_config.h"
#include "engine/api/types.h"
#include "engine/model/base_weights.h"
#include "engine/model/phi_model.h"
#include "io/safetensors.h"

namespace studio::engine {

BlockShape blockShape(const config::PhiConfig& config);

// Every name, shape and type is checked before anything is allocated, and that the memory is there. Tensors are read
// one after the other; values that are not finite are an error. Linears become NF4 where `source` asks for it.
Result<BaseWeights> loadWeights(const config::PhiConfig& config, const io::SafetensorsFolder& folder,
                                const api::ModelSource& source, HoldLinears hold, Logger* log, const JobContext& job);

}  // namespace studio::engine
