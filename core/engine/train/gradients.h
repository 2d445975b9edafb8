// One batch's loss and gradients, laid open for anyone who wants to recompute them.
#pragma once

#include "base/result.h"
#include "engine/api/types.h"
#include "engine/train/trainable_model.h"

namespace studio::engine {

// Without dropout; gradients of Σ w·nll / Σ w, unclipped, in the adapter's gradient buffer. `target_logits` is left to
// the caller, who sees the model's logits, which the forward pass keeps where `keep_logits` says so.
Result<api::GradientDump> computeGradients(TrainableModel& model, const dataset::Batch& batch,
                                           bool keep_logits = false);

}  // namespace studio::engine
