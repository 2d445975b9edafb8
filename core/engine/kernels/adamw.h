// The numbers of one AdamW update. C++17.
#pragma once

#include <cstdint>

namespace studio::engine::kernels {

struct AdamWStep {
    std::int64_t t = 1;  // this update's number, from 1: decides the bias corrections
    double learning_rate = 0;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0;
    double gradient_scale = 1;  // applied to the gradient first: 1/Σw and clipping in one multiplication
};

}  // namespace studio::engine::kernels
