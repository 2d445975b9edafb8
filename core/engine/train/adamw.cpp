#include "engine/train/adamw.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace studio::engine {

double norm(std::span<const float> values) {
    // Independent lanes let the compiler use vector registers without being allowed to reorder sums.
    constexpr std::size_t kLanes = 16;
    std::array<double, kLanes> lanes{};
    const std::size_t whole = values.size() / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const double value = values[i + lane];
            lanes[lane] += value * value;
        }
    }
    double sum = 0;
    for (const double lane : lanes) sum += lane;
    for (std::size_t i = whole; i < values.size(); ++i) sum += static_cast<double>(values[i]) * values[i];
    return std::sqrt(sum);
}

double clipFactor(double gradient_norm, double max_norm) {
    if (max_norm <= 0) return 1;
    return std::min(1.0, max_norm / (gradient_norm + 1e-6));
}

void adamW(const AdamWStep& step, std::span<float> parameters, std::span<const float> gradients,
           std::span<float> exp_avg, std::span<float> exp_avg_sq) {
    const double t = static_cast<double>(step.t);
    const auto scale = static_cast<float>(step.gradient_scale);
    const auto decay = static_cast<float>(1 - step.learning_rate * step.weight_decay);
    const auto weight1 = static_cast<float>(1 - step.beta1);
    const auto beta2 = static_cast<float>(step.beta2);
    const auto weight2 = static_cast<float>(1 - step.beta2);
    const auto correction2 = static_cast<float>(std::sqrt(1 - std::pow(step.beta2, t)));
    const auto epsilon = static_cast<float>(step.epsilon);
    const auto step_size = static_cast<float>(step.learning_rate / (1 - std::pow(step.beta1, t)));

    float* __restrict p = parameters.data();
    const float* __restrict g = gradients.data();
    float* __restrict m = exp_avg.data();
    float* __restrict v = exp_avg_sq.data();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const float gradient = g[i] * scale;
        // torch's lerp takes the form that is exact at the nearer end.
        const float mean =
            weight1 < 0.5f ? m[i] + weight1 * (gradient - m[i]) : gradient - (gradient - m[i]) * (1 - weight1);
        const float square = v[i] * beta2 + weight2 * gradient * gradient;
        m[i] = mean;
        v[i] = square;
        p[i] = p[i] * decay - step_size * mean / (std::sqrt(square) / correction2 + epsilon);
    }
}

}  // namespace studio::engine
