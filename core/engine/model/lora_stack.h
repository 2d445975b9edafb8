// LoRA on the linears that share an input: y += scaling · B(A(dropout(x))). (E. Hu et al., "LoRA", 2021; dropout and
// scaling as in PEFT.)
#pragma once

#include <cstdint>
#include <vector>

#include "engine/kernels/dropout.h"
#include "engine/kernels/matrix.h"
#include "engine/model/base_weights.h"

namespace studio::engine {

struct LoraLinear {
    Linear linear = Linear::Q;
    float scaling = 1;
    kernels::Matrix a, b;        // [r, in], [out, r]
    kernels::Matrix da, db;      // their gradients
    std::int64_t out_begin = 0;  // column of its output in the stack's output
    std::int64_t u_begin = 0;    // column of its A·x among those of the stack
};

// Which mask; without one, `p` is 0.
struct LoraDropout {
    double p = 0;
    kernels::DropoutKey key;  // module is filled in for each linear
};

struct LoraStack {
    std::vector<LoraLinear> linears;
    kernels::Matrix a, da;  // of all its linears, one above the other
    std::int64_t rank() const { return a.rows; }
    bool empty() const { return linears.empty(); }

    // u = A·dropout(x). x: [rows, in]; u: [rows, rank]; scratch: like x.
    void down(kernels::Stream stream, const kernels::Matrix& x, const LoraDropout& dropout, const kernels::Matrix& u,
              const kernels::Matrix& scratch) const;

    // out += strength · scaling · u·Bᵀ. out: [rows, stack's output].
    void up(kernels::Stream stream, const kernels::Matrix& u, float strength, const kernels::Matrix& out) const;

    // Adds to da and db, and to dx unless it is empty. du: like u.
    void backward(kernels::Stream stream, const kernels::Matrix& dout, const kernels::Matrix& x,
                  const kernels::Matrix& u, const LoraDropout& dropout, const kernels::Matrix& du,
                  const kernels::Matrix& dx, const kernels::Matrix& scratch) const;
};

}  // namespace studio::engine
