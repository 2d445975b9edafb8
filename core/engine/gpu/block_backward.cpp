#include "engine/gpu/block.h"
#include "engine/gpu/block_columns.h"
#include "engine/kernels/dropout_cuda.h"
#include "engine/kernels/gelu_cuda.h"
#include "engine/kernels/layer_norm_cuda.h"
#include "engine/kernels/rope_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;
using kernels::Op;

// dB += scaling · doutᵀ·u and dA += duᵀ·dropout(x). du, with the scaling in it, has been computed.
Result<void> Block::loraGradients(const LoraPartStack& stack, const Matrix& dout, const Matrix& x, const Matrix& u,
                                  const Matrix& du) const {
    if (stack.empty()) return {};
    const auto floats = [](float* data, std::int64_t rows, std::int64_t cols) {
        return kernels::matrix(data, rows, cols);
    };
    for (const LoraPart& part : stack.parts) {
        const Matrix db = floats(part.db, part.out, part.r);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Transposed, Op::Plain, part.scaling,
                                     dout.columns(part.out_begin, part.out), u.columns(part.u_begin, part.r), 1, db,
                                     db));
    }
    if (!dropsInputs() && stack.contiguous) {
        const Matrix da = floats(stack.parts.front().da, stack.width, x.cols);
        return pass_.gemm->run(pass_.stream, Op::Transposed, Op::Plain, 1, du.columns(0, stack.width), x, 1, da, da);
    }
    for (const LoraPart& part : stack.parts) {
        Matrix in = x;
        if (dropsInputs()) {
            in = ws_.wide.top(x.rows).columns(0, x.cols);
            k::dropout(pass_.stream, x, pass_.lora_dropout, key(static_cast<std::uint32_t>(part.linear)), false, in);
        }
        const Matrix da = floats(part.da, part.r, x.cols);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Transposed, Op::Plain, 1, du.columns(part.u_begin, part.r), in,
                                     1, da, da));
    }
    return {};
}

// dx += dropout'(du·A) for every linear, where the inputs were dropped.
Result<void> Block::droppedInput(const LoraPartStack& stack, const Matrix& du, const Matrix& dx) const {
    if (stack.empty()) return {};
    k::LoraPatches patches;
    addDown(patches, stack, 0, 0);
    const Matrix a = small(stack.width, dx.cols);
    k::placeLora(pass_.stream, patches, a);
    for (const LoraPart& part : stack.parts) {
        const Matrix dropped = ws_.wide.top(dx.rows).columns(0, dx.cols);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, du.columns(part.u_begin, part.u_width),
                                     a.rowRange(part.u_begin, part.u_width), dropped));
        k::dropout(pass_.stream, dropped, pass_.lora_dropout, key(static_cast<std::uint32_t>(part.linear)), true, dx);
    }
    return {};
}

// Columns [column, column + columns) of dz: [du | g]·[A ; W] with the columns of du from `u_begin` on.
Result<void> Block::outputProductBackward(const Matrix& g, std::int64_t column, std::int64_t columns,
                                          std::int64_t u_begin, const Matrix& out) const {
    const std::int64_t hidden = geometry_.shape.hidden, width = dropsInputs() ? 0 : outputWidth() - u_begin;
    const Matrix du_g = g.columns(ws_.du_width - width, width + hidden);
    const auto product = [&](std::int64_t begin, const Matrix& w) {
        if (width > 0) {
            k::LoraPatches patches;
            if (column == 0)
                addDown(patches, lora_->dense, -u_begin, -begin);
            else
                addDown(patches, lora_->fc2, lora_->dense.width - u_begin, -begin);
            k::placeLora(pass_.stream, patches, w.top(width));
        }
        return pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, du_g, w, out.columns(begin, w.cols));
    };
    if (const Matrix* kept = keptOutput(); kept != nullptr)
        return product(0, kept->rowRange(ws_.du_width - width, width + hidden).columns(column, columns));
    return inPieces(columns, width + hidden, [&](std::int64_t begin, std::int64_t count) {
        const Matrix w = group(width + hidden, count);
        weights_.output.expandPart(pass_.stream, 0, column + begin, w.rowRange(width, hidden));
        return product(begin, w);
    });
}

// From the gradient of the block's output to that of attention's output in dz and that of fc1 in y, and the gradients
// of dense's and fc2's adapters.
Result<void> Block::outputBackward(const Activations& act, const Matrix& g, bool through) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    const Matrix dz = ws_.dz.top(g.rows), dattended = dz.columns(0, shape.q),
                 dactivated = dz.columns(shape.q, shape.intermediate);
    if (pass_.resid_dropout > 0) {
        STUDIO_CHECK(branchBackward(act, g, through));
        if (through) k::geluBackward(pass_.stream, dactivated, part.fc1, part.fc1);
        return {};
    }
    const std::int64_t hidden = shape.hidden, tail = shape.outputIn(), width = outputWidth();
    const std::int64_t dense_width = lora_->dense.width, fc2_width = lora_->fc2.width;
    const Matrix stream = gradient(g), du = this->du(g);
    if (width > 0) {
        k::LoraPatches patches;
        addUp(patches, lora_->dense, pass_.strength, 0);
        addUp(patches, lora_->fc2, pass_.strength, dense_width);
        const Matrix b = small(hidden, width);
        k::placeLora(pass_.stream, patches, b);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, stream, b, du));
        STUDIO_CHECK(
            loraGradients(lora_->dense, stream, act.o, act.z.columns(tail, dense_width), du.columns(0, dense_width)));
        STUDIO_CHECK(loraGradients(lora_->fc2, stream, part.activated, act.z.columns(tail + dense_width, fc2_width),
                                   du.columns(dense_width, fc2_width)));
    }
    if (!through) return {};
    STUDIO_CHECK(outputProductBackward(g, 0, shape.q, 0, dattended));
    STUDIO_CHECK(outputProductBackward(g, shape.q, shape.intermediate, dense_width, dactivated));
    if (dropsInputs()) {
        STUDIO_CHECK(droppedInput(lora_->dense, du.columns(0, dense_width), dattended));
        STUDIO_CHECK(droppedInput(lora_->fc2, du.columns(dense_width, fc2_width), dactivated));
    }
    k::geluBackward(pass_.stream, dactivated, part.fc1, part.fc1);
    return {};
}

// The same with each branch's own residual dropout. dz may be z, so both gradients of the adapters come first.
Result<void> Block::branchBackward(const Activations& act, const Matrix& g, bool through) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    const std::int64_t hidden = shape.hidden, tail = shape.outputIn();
    const Matrix stream = gradient(g), dz = ws_.dz.top(g.rows).columns(0, tail);
    const Matrix residual = ws_.residual.top(g.rows);
    struct Branch {
        const LoraPartStack& stack;
        Matrix in;
        std::int64_t u_begin, column, width;
        std::uint32_t number;
    };
    const Branch branches[] = {
        {lora_->dense, act.o, 0, 0, shape.q, kAttentionBranch},
        {lora_->fc2, part.activated, lora_->dense.width, shape.q, shape.intermediate, kMlpBranch}};
    const auto dropped = [&](const Branch& branch) {
        k::dropout(pass_.stream, stream, pass_.resid_dropout, key(branch.number), false, residual);
    };
    for (const Branch& branch : branches) {
        if (branch.stack.empty()) continue;
        dropped(branch);
        k::LoraPatches patches;
        addUp(patches, branch.stack, pass_.strength, 0);
        const Matrix b = small(hidden, branch.stack.width), own_du = du(g).columns(branch.u_begin, branch.stack.width);
        k::placeLora(pass_.stream, patches, b);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, residual, b, own_du));
        STUDIO_CHECK(loraGradients(branch.stack, residual, branch.in,
                                   act.z.columns(tail + branch.u_begin, branch.stack.width), own_du));
    }
    if (!through) return {};
    for (const Branch& branch : branches) {
        dropped(branch);
        const Matrix din = dz.columns(branch.column, branch.width);
        STUDIO_CHECK(inPieces(branch.width, hidden, [&](std::int64_t begin, std::int64_t count) {
            const Matrix w = group(hidden, count);
            weights_.output.expandPart(pass_.stream, 0, branch.column + begin, w);
            return pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, residual, w, din.columns(begin, count));
        }));
    }
    for (const Branch& branch : branches) {
        if (branch.stack.empty()) continue;
        const Matrix own_du = du(g).columns(branch.u_begin, branch.stack.width);
        const Matrix din = dz.columns(branch.column, branch.width);
        if (dropsInputs()) {
            STUDIO_CHECK(droppedInput(branch.stack, own_du, din));
            continue;
        }
        k::LoraPatches patches;
        addDown(patches, branch.stack, 0, 0);
        const Matrix a = small(branch.stack.width, branch.width);
        k::placeLora(pass_.stream, patches, a);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, 1, own_du, a, 1, din, din));
    }
    return {};
}

// dq, dk and dv, turned back, take the places of q, k and v.
Result<void> Block::attentionBackward(const DeviceBatch& batch, const Activations& act,
                                      k::AttentionStateHandle& state) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    const auto& attention = geometry_.attention;
    const bool context = batch.key_row != nullptr;
    const Matrix keys = context ? ws_.keys.top(batch.key_rows) : part.k;
    const Matrix values = context ? ws_.values.top(batch.key_rows) : part.v;
    if (context) {
        k::gatherRows(pass_.stream, part.k, batch.key_row, keys);
        k::gatherRows(pass_.stream, part.v, batch.key_row, values);
    }
    const Matrix dattended = ws_.dz.top(act.y.rows).columns(0, shape.q);
    STUDIO_TRY(
        const k::AttentionGradients gradients,
        k::attentionBackward(pass_.stream, attention, batch.sequences, dattended, part.q, keys, values, act.o, *state));
    const Matrix qkv = act.y.columns(0, shape.q + 2 * shape.kv);
    if (!context && geometry_.rope.half % 8 == 0) {
        k::packGradients(pass_.stream, gradients.dq, gradients.dk, gradients.dv, attention.head_dim, geometry_.rope,
                         batch.positions, qkv);
    } else {
        k::copyRows(pass_.stream, gradients.dq, part.q);
        if (context) {
            k::sumReaders(pass_.stream, gradients.dk, batch.reader_begin, batch.readers, part.k);
            k::sumReaders(pass_.stream, gradients.dv, batch.reader_begin, batch.readers, part.v);
        } else {
            k::copyRows(pass_.stream, gradients.dk, part.k);
            k::copyRows(pass_.stream, gradients.dv, part.v);
        }
        k::rotate(pass_.stream, qkv.columns(0, shape.q + shape.kv), attention.heads + attention.kv_heads,
                  attention.head_dim, geometry_.rope, batch.positions, true);
    }
    state.reset();
    return {};
}

Result<void> Block::inputBackward(const Activations& act, bool needs_input) const {
    const BlockShape& shape = geometry_.shape;
    const std::int64_t out = shape.inputOut(), hidden = shape.hidden, width = inputWidth();
    const Matrix dy = act.y.columns(0, out), du = act.y.columns(out, width);
    if (width > 0) {
        k::LoraPatches patches;
        addUp(patches, lora_->input, pass_.strength, 0);
        const Matrix b = small(out, width);
        k::placeLora(pass_.stream, patches, b);
        for (const LoraPart& part : lora_->input.parts)
            STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, dy.columns(part.out_begin, part.out),
                                         b.rowRange(part.out_begin, part.out).columns(part.u_begin, part.u_width),
                                         du.columns(part.u_begin, part.u_width)));
        STUDIO_CHECK(loraGradients(lora_->input, dy, h(act), u(act), du));
    }
    if (!needs_input) return {};
    const std::int64_t extra = dropsInputs() ? 0 : width;
    const Matrix dh = ws_.dh.top(act.y.rows), dy_du = act.y.columns(0, out + extra);
    const auto product = [&](std::int64_t begin, const Matrix& w) {
        if (extra > 0) {
            k::LoraPatches patches;
            addDown(patches, lora_->input, 0, -begin);
            k::placeLora(pass_.stream, patches, w.rowRange(out, extra));
        }
        return pass_.gemm->run(pass_.stream, Op::Plain, Op::Plain, dy_du, w, dh.columns(begin, w.cols));
    };
    if (const Matrix* kept = keptInput(); kept != nullptr) {
        STUDIO_CHECK(product(0, kept->rowRange(0, out + extra).columns(ws_.u_width, hidden)));
    } else {
        STUDIO_CHECK(inPieces(hidden, out + extra, [&](std::int64_t begin, std::int64_t count) {
            const Matrix w = group(out + extra, count);
            weights_.input.expandPart(pass_.stream, 0, begin, w.top(out));
            return product(begin, w);
        }));
    }
    return dropsInputs() ? droppedInput(lora_->input, du, dh) : Result<void>();
}

Result<void> Block::backward(const DeviceBatch& batch, const Matrix& x, const Activations& act, const Matrix& g,
                             bool needs_input, k::AttentionStateHandle& state) const {
    const bool through = needs_input || !lora_->input.empty();
    STUDIO_CHECK(outputBackward(act, g, through));
    if (!through) {
        state.reset();
        return {};
    }
    STUDIO_CHECK(attentionBackward(batch, act, state));
    STUDIO_CHECK(inputBackward(act, needs_input));
    if (needs_input)
        k::layerNormBackward(pass_.stream, ws_.dh.top(g.rows), x, weights_.norm_weight, act.mean, act.rstd, true,
                             gradient(g));
    return k::launched("going back through a layer");
}

}  // namespace studio::engine::gpu
