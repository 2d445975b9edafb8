#include "engine/model/lora_stack.h"

#include "engine/kernels/gemm.h"

namespace studio::engine {

using kernels::gemm;
using kernels::Matrix;
using kernels::Op;

namespace {

kernels::DropoutKey keyOf(const LoraDropout& dropout, const LoraLinear& lora) {
    kernels::DropoutKey key = dropout.key;
    key.module = static_cast<std::uint32_t>(lora.linear);
    return key;
}

}  // namespace

void LoraStack::down(kernels::Stream stream, const Matrix& x, const LoraDropout& dropout, const Matrix& u,
                     const Matrix& scratch) const {
    if (empty()) return;
    if (dropout.p == 0) return gemm(stream, Op::Plain, Op::Transposed, 1, x, a, 0, u);
    for (const LoraLinear& lora : linears) {
        kernels::dropout(stream, x, dropout.p, keyOf(dropout, lora), false, scratch);
        gemm(stream, Op::Plain, Op::Transposed, 1, scratch, lora.a, 0, u.columns(lora.u_begin, lora.a.rows));
    }
}

void LoraStack::up(kernels::Stream stream, const Matrix& u, float strength, const Matrix& out) const {
    for (const LoraLinear& lora : linears)
        gemm(stream, Op::Plain, Op::Transposed, strength * lora.scaling, u.columns(lora.u_begin, lora.a.rows), lora.b,
             1, out.columns(lora.out_begin, lora.b.rows));
}

void LoraStack::backward(kernels::Stream stream, const Matrix& dout, const Matrix& x, const Matrix& u,
                         const LoraDropout& dropout, const Matrix& du, const Matrix& dx, const Matrix& scratch) const {
    if (empty()) return;
    for (const LoraLinear& lora : linears) {
        const Matrix dy = dout.columns(lora.out_begin, lora.b.rows);
        const Matrix own_u = u.columns(lora.u_begin, lora.a.rows), own_du = du.columns(lora.u_begin, lora.a.rows);
        gemm(stream, Op::Transposed, Op::Plain, lora.scaling, dy, own_u, 1, lora.db);
        gemm(stream, Op::Plain, Op::Plain, lora.scaling, dy, lora.b, 0, own_du);
        if (dropout.p == 0) continue;
        kernels::dropout(stream, x, dropout.p, keyOf(dropout, lora), false, scratch);
        gemm(stream, Op::Transposed, Op::Plain, 1, own_du, scratch, 1, lora.da);
        if (dx.data == nullptr) continue;
        gemm(stream, Op::Plain, Op::Plain, 1, own_du, lora.a, 0, scratch);
        kernels::dropout(stream, scratch, dropout.p, keyOf(dropout, lora), true, dx);
    }
    if (dropout.p > 0) return;
    gemm(stream, Op::Transposed, Op::Plain, 1, du, x, 1, da);
    if (dx.data != nullptr) gemm(stream, Op::Plain, Op::Plain, 1, du, a, 1, dx);
}

}  // namespace studio::engine
