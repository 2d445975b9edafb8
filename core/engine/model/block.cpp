#include "engine/model/block.h"

#include "engine/kernels/gelu.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rows.h"

namespace studio::engine {

using kernels::gemm;
using kernels::Matrix;
using kernels::Op;

namespace {

// Numbers of the two branches among the modules of a layer, after the six linears.
constexpr std::uint32_t kAttentionBranch = 6, kMlpBranch = 7;

}  // namespace

// The parts of y and z.
struct Block::Columns {
    Columns(const BlockShape& shape, const Matrix& y, const Matrix& z)
        : q(y.columns(0, shape.q)),
          k(y.columns(shape.q, shape.kv)),
          v(y.columns(shape.q + shape.kv, shape.kv)),
          fc1(y.columns(shape.q + 2 * shape.kv, shape.intermediate)),
          attended(z.columns(0, shape.q)),
          activated(z.columns(shape.q, shape.intermediate)) {}
    Matrix q, k, v, fc1, attended, activated;
};

BlockActivations BlockActivations::top(std::int64_t rows) const {
    return {h.top(rows),       y.top(rows),     z.top(rows), lse.top(rows), u_input.top(rows),
            u_dense.top(rows), u_fc2.top(rows), mean,        rstd};
}

Scratch Scratch::top(std::int64_t rows, std::int64_t key_rows) const {
    return {weights,
            wide.top(rows),
            residual.top(rows),
            keys.top(key_rows),
            values.top(key_rows),
            dkeys.top(key_rows),
            dvalues.top(key_rows),
            dz.top(rows),
            dh.top(rows),
            du.top(rows)};
}

LoraDropout Block::loraDropout(const PassOptions& pass) const {
    LoraDropout dropout{pass.lora_dropout, pass.key};
    dropout.key.layer = static_cast<std::uint32_t>(layer_);
    return dropout;
}

kernels::DropoutKey Block::residualKey(const PassOptions& pass, std::uint32_t branch) const {
    kernels::DropoutKey key = pass.key;
    key.layer = static_cast<std::uint32_t>(layer_);
    key.module = branch;
    return key;
}

Result<void> Block::forward(const PassOptions& pass, const Matrix& x, KeySource& source, const Scratch& scratch,
                            const BlockActivations& act, const Matrix* x_out) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    kernels::layerNorm(pass.stream, x, weights_.norm_weight, weights_.norm_bias, geometry_.norm_epsilon, act.h,
                       act.mean, act.rstd);
    kernels::fillRows(pass.stream, weights_.input_bias, act.y);
    weights_.input.addProduct(pass.stream, act.h, scratch.weights, act.y);
    const LoraDropout dropout = loraDropout(pass);
    const auto down = [&](const LoraStack& stack, const Matrix& in, const Matrix& u) {
        stack.down(pass.stream, in, dropout, u.columns(0, stack.rank()), scratch.wide.columns(0, in.cols));
        if (pass.row_strength != nullptr)
            kernels::scaleRows(pass.stream, pass.row_strength, u.columns(0, stack.rank()));
    };
    if (adapter_ != nullptr) {
        down(adapter_->input, act.h, act.u_input);
        adapter_->input.up(pass.stream, act.u_input, pass.strength, act.y);
    }

    const auto& attention = geometry_.attention;
    const int* positions = source.positions().data();
    kernels::rotate(pass.stream, part.q, attention.heads, attention.head_dim, geometry_.rope, positions, false);
    kernels::rotate(pass.stream, part.k, attention.kv_heads, attention.head_dim, geometry_.rope, positions, false);
    STUDIO_CHECK(source.attend(pass.stream, attention, layer_, {part.q, part.k, part.v, part.attended, act.lse}));
    kernels::gelu(pass.stream, part.fc1, part.activated);
    if (adapter_ != nullptr) {
        down(adapter_->dense, part.attended, act.u_dense);
        down(adapter_->fc2, part.activated, act.u_fc2);
    }
    if (x_out != nullptr) writeOutput(pass, x, scratch, act, *x_out);
    return {};
}

void Block::writeOutput(const PassOptions& pass, const Matrix& x, const Scratch& scratch, const BlockActivations& act,
                        const Matrix& x_out) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    if (pass.resid_dropout == 0) {
        kernels::addBias(pass.stream, x, weights_.output_bias, x_out);
        weights_.output.addProduct(pass.stream, act.z, scratch.weights, x_out);
        if (adapter_ == nullptr) return;
        adapter_->dense.up(pass.stream, act.u_dense, pass.strength, x_out);
        adapter_->fc2.up(pass.stream, act.u_fc2, pass.strength, x_out);
        return;
    }
    // Each branch has its own mask, so each is computed by itself.
    const Matrix w = weights_.output.expand(pass.stream, scratch.weights);
    if (x_out.data != x.data) kernels::copyRows(pass.stream, x, x_out);
    const auto branch = [&](const Matrix& in, std::int64_t column, const float* bias, const LoraStack* stack,
                            const Matrix& u, std::uint32_t number) {
        kernels::fillRows(pass.stream, bias, scratch.residual);
        gemm(pass.stream, Op::Plain, Op::Transposed, 1, in, w.columns(column, in.cols), 1, scratch.residual);
        if (stack != nullptr) stack->up(pass.stream, u, pass.strength, scratch.residual);
        kernels::dropout(pass.stream, scratch.residual, pass.resid_dropout, residualKey(pass, number), true, x_out);
    };
    branch(part.attended, 0, weights_.dense_bias, adapter_ ? &adapter_->dense : nullptr, act.u_dense, kAttentionBranch);
    branch(part.activated, shape.q, weights_.fc2_bias, adapter_ ? &adapter_->fc2 : nullptr, act.u_fc2, kMlpBranch);
}

void Block::outputBackward(const PassOptions& pass, const Scratch& scratch, const BlockActivations& act,
                           const Matrix& g, bool needs_input) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    const LoraDropout dropout = loraDropout(pass);
    const auto lora = [&](const LoraStack& stack, const Matrix& dout, const Matrix& in, const Matrix& u,
                          const Matrix& din) {
        stack.backward(pass.stream, dout, in, u, dropout, scratch.du.columns(0, stack.rank()),
                       needs_input ? din : Matrix{}, scratch.wide.columns(0, in.cols));
    };
    const Matrix dattended = scratch.dz.columns(0, shape.q),
                 dactivated = scratch.dz.columns(shape.q, shape.intermediate);
    const Matrix w = needs_input ? weights_.output.expand(pass.stream, scratch.weights) : Matrix{};
    if (pass.resid_dropout == 0) {
        if (needs_input) gemm(pass.stream, Op::Plain, Op::Plain, 1, g, w, 0, scratch.dz);
        lora(adapter_->dense, g, part.attended, act.u_dense, dattended);
        lora(adapter_->fc2, g, part.activated, act.u_fc2, dactivated);
        return;
    }
    const auto branch = [&](const LoraStack& stack, const Matrix& in, const Matrix& u, const Matrix& din,
                            std::int64_t column, std::uint32_t number) {
        kernels::dropout(pass.stream, g, pass.resid_dropout, residualKey(pass, number), false, scratch.residual);
        if (needs_input)
            gemm(pass.stream, Op::Plain, Op::Plain, 1, scratch.residual, w.columns(column, in.cols), 0, din);
        lora(stack, scratch.residual, in, u, din);
    };
    branch(adapter_->dense, part.attended, act.u_dense, dattended, 0, kAttentionBranch);
    branch(adapter_->fc2, part.activated, act.u_fc2, dactivated, shape.q, kMlpBranch);
}

Result<void> Block::attentionBackward(const PassOptions& pass, const RowPlan& plan, const Scratch& scratch,
                                      const BlockActivations& act) const {
    const Columns part(geometry_.shape, act.y, act.z);
    const Matrix dattended = scratch.dz.columns(0, geometry_.shape.q);
    const auto& attention = geometry_.attention;
    // The gradients take the places of q, k and v: a sequence's are written when it has been read.
    if (!plan.hasContext()) {
        STUDIO_CHECK(kernels::attentionBackward(pass.stream, attention, plan.sequences(), dattended, part.q, part.k,
                                                part.v, part.attended, act.lse, part.q, part.k, part.v));
    } else {
        kernels::gatherRows(pass.stream, part.k, plan.key_row.data(), scratch.keys);
        kernels::gatherRows(pass.stream, part.v, plan.key_row.data(), scratch.values);
        STUDIO_CHECK(kernels::attentionBackward(pass.stream, attention, plan.sequences(), dattended, part.q,
                                                scratch.keys, scratch.values, part.attended, act.lse, part.q,
                                                scratch.dkeys, scratch.dvalues));
        kernels::sumReaders(pass.stream, scratch.dkeys, plan.reader_begin.data(), plan.readers.data(), part.k);
        kernels::sumReaders(pass.stream, scratch.dvalues, plan.reader_begin.data(), plan.readers.data(), part.v);
    }
    const int* positions = plan.positions.data();
    kernels::rotate(pass.stream, part.q, attention.heads, attention.head_dim, geometry_.rope, positions, true);
    kernels::rotate(pass.stream, part.k, attention.kv_heads, attention.head_dim, geometry_.rope, positions, true);
    return {};
}

Result<void> Block::backward(const PassOptions& pass, const Matrix& x, const RowPlan& plan, const Scratch& scratch,
                             const BlockActivations& act, const Matrix& g, bool needs_input) const {
    const BlockShape& shape = geometry_.shape;
    const bool through = needs_input || !adapter_->input.empty();
    outputBackward(pass, scratch, act, g, through);
    if (!through) return {};

    const Columns part(shape, act.y, act.z);
    kernels::geluBackward(pass.stream, scratch.dz.columns(shape.q, shape.intermediate), part.fc1, part.fc1);
    STUDIO_CHECK(attentionBackward(pass, plan, scratch, act));

    if (needs_input) {
        const Matrix w = weights_.input.expand(pass.stream, scratch.weights);
        gemm(pass.stream, Op::Plain, Op::Plain, 1, act.y, w, 0, scratch.dh);
    }
    adapter_->input.backward(pass.stream, act.y, act.h, act.u_input, loraDropout(pass),
                             scratch.du.columns(0, adapter_->input.rank()), needs_input ? scratch.dh : Matrix{},
                             scratch.wide.columns(0, shape.hidden));
    if (needs_input)
        kernels::layerNormBackward(pass.stream, scratch.dh, x, weights_.norm_weight, act.mean, act.rstd, g);
    return {};
}

}  // namespace studio::engine
