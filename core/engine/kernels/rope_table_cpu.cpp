#include "engine/kernels/rope_table.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/sin.h>
#include <c10/core/InferenceMode.h>

namespace studio::engine::kernels {

Result<RotaryEmbedding> RotaryEmbedding::make(int positions, int rotary_dim, double theta) try {
    const c10::InferenceMode guard;
    const std::int64_t half = rotary_dim / 2;
    RotaryEmbedding embedding;
    const auto count = static_cast<std::size_t>(positions) * static_cast<std::size_t>(half);
    STUDIO_TRY(embedding.memory_, Buffer::allocate(2 * count * sizeof(float)));
    float* cosines = embedding.memory_.f32();
    float* sines = cosines + count;
    const at::Tensor exponents = at::arange(0, rotary_dim, 2, at::kLong).to(at::kFloat).div(rotary_dim);
    const at::Tensor inv_freq = at::pow(theta, exponents).reciprocal();
    const at::Tensor angles = at::arange(positions, at::kLong).to(at::kFloat).unsqueeze(1).mul(inv_freq.unsqueeze(0));
    at::from_blob(cosines, {positions, half}, at::kFloat).copy_(at::cos(angles));
    at::from_blob(sines, {positions, half}, at::kFloat).copy_(at::sin(angles));
    embedding.table_ = {cosines, sines, static_cast<int>(half)};
    return embedding;
} catch (const std::exception& error) {
    return fail(ErrorCode::Internal, std::string("The rotary embedding could not be computed: ") + error.what());
}

}  // namespace studio::engine::kernels
