// A checkpoint onto the GPU: tensor by tensor through pinned memory, quantised there.
#pragma once

#include "base/job.h"
#include "base/log.h"
#include "config/model_config.h"
#include "engine/api/types.h"
#include "engine/gpu/weights.h"
#include "io/safetensors.h"

namespace studio::engine::gpu {

// Every name, shape and type is checked before anything is allocated, and that the card has room. Values that are not
// finite are an error that names the tensor. The host holds the embedding, two pieces of 16 MB and one tensor's scales.
// NF4 codes and scales are those of the CPU engine, bit for bit.
Result<Weights> loadWeights(const config::PhiConfig& config, const io::SafetensorsFolder& folder,
                            const api::ModelSource& source, int card, Stream stream, Logger* log,
                            const JobContext& job);

}  // namespace studio::engine::gpu
