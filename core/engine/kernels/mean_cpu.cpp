#include "engine/kernels/mean.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mean.h>
#include <c10/core/InferenceMode.h>

namespace studio::engine::kernels {

Result<float> mean(const float* values, std::int64_t count) try {
    const c10::InferenceMode guard;
    return at::from_blob(const_cast<float*>(values), {count}, at::kFloat).mean().item<float>();
} catch (const std::exception& error) {
    return fail(ErrorCode::Internal, std::string("A mean could not be computed: ") + error.what());
}

}  // namespace studio::engine::kernels
