#include "engine/gpu/block.h"

#include "engine/gpu/block_columns.h"
#include "engine/kernels/dropout_cuda.h"
#include "engine/kernels/gelu_cuda.h"
#include "engine/kernels/layer_norm_cuda.h"
#include "engine/kernels/rope_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;
using kernels::Op;

void addDown(k::LoraPatches& patches, const LoraPartStack& stack, std::int64_t row, std::int64_t column) {
    for (const LoraPart& part : stack.parts)
        patches.patch[patches.count++] = {part.a,
                                          static_cast<int>(part.r),
                                          static_cast<int>(part.in),
                                          static_cast<int>(row + part.u_begin),
                                          static_cast<int>(column),
                                          1.0f};
}

void addUp(k::LoraPatches& patches, const LoraPartStack& stack, float strength, std::int64_t column, std::int64_t row) {
    for (const LoraPart& part : stack.parts) {
        patches.patch[patches.count++] = {part.b,
                                          static_cast<int>(part.out),
                                          static_cast<int>(part.r),
                                          static_cast<int>(part.out_begin - row),
                                          static_cast<int>(column + part.u_begin),
                                          part.scaling * strength};
    }
}

kernels::DropoutKey Block::key(std::uint32_t module) const {
    kernels::DropoutKey key = pass_.key;
    key.layer = static_cast<std::uint32_t>(layer_);
    key.module = module;
    return key;
}

// u = A·dropout(x) for every linear of the stack.
Result<void> Block::down(const LoraPartStack& stack, const Matrix& x, const Matrix& u) const {
    if (stack.empty()) return {};
    k::LoraPatches patches;
    addDown(patches, stack, 0, 0);
    const Matrix a = small(stack.width, x.cols);
    k::placeLora(pass_.stream, patches, a);
    if (!dropsInputs()) return pass_.gemm->run(pass_.stream, Op::Plain, Op::Transposed, x, a, u);
    for (const LoraPart& part : stack.parts) {
        const Matrix dropped = ws_.wide.top(x.rows).columns(0, x.cols);
        k::dropout(pass_.stream, x, pass_.lora_dropout, key(static_cast<std::uint32_t>(part.linear)), false, dropped);
        STUDIO_CHECK(pass_.gemm->run(pass_.stream, Op::Plain, Op::Transposed, dropped,
                                     a.rowRange(part.u_begin, part.u_width), u.columns(part.u_begin, part.u_width)));
    }
    return {};
}

Result<void> Block::normalise(const Matrix& x, const Activations& act) const {
    k::layerNorm(pass_.stream, x, weights_.norm_weight, weights_.norm_bias, geometry_.norm_epsilon, h(act), act.mean,
                 act.rstd);
    return lora_ == nullptr ? Result<void>() : down(lora_->input, h(act), u(act));
}

// Rows [row, row + rows) of the input group: [u | h]·[B | W]ᵀ with the columns of u from `u_begin` on.
Result<void> Block::inputProduct(const Activations& act, std::int64_t row, std::int64_t rows, std::int64_t u_begin,
                                 const void* bias, const Matrix& out) const {
    const std::int64_t hidden = geometry_.shape.hidden, width = inputWidth() - u_begin;
    const Matrix uh = act.hu.columns(ws_.u_width - width, width + hidden);
    const auto product = [&](std::int64_t begin, const Matrix& w) {
        if (width > 0) {
            k::LoraPatches patches;
            addUp(patches, lora_->input, pass_.strength, -u_begin, row + begin);
            k::placeLora(pass_.stream, patches, w.columns(0, width));
        }
        const Matrix part = out.columns(begin, w.rows);
        return pass_.gemm->run(pass_.stream, Op::Plain, Op::Transposed, 1, uh, w, 0, part, part,
                               static_cast<const std::uint16_t*>(bias) + begin);
    };
    if (const Matrix* kept = keptInput(); kept != nullptr)
        return product(0, kept->rowRange(row, rows).columns(ws_.u_width - width, width + hidden));
    return inPieces(rows, width + hidden, [&](std::int64_t begin, std::int64_t count) {
        const Matrix w = group(count, width + hidden);
        weights_.input.expandPart(pass_.stream, row + begin, 0, w.columns(width, hidden));
        return product(begin, w);
    });
}

Result<void> Block::project(const int* positions, const Matrix& x, const Activations& act) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    STUDIO_CHECK(normalise(x, act));
    const std::int64_t qkv = shape.q + 2 * shape.kv;
    STUDIO_CHECK(inputProduct(act, 0, qkv, 0, weights_.input_bias, act.y.columns(0, qkv)));
    const void* fc1_bias = static_cast<const std::uint16_t*>(weights_.input_bias) + qkv;
    std::int64_t fc1_begin = inputWidth();  // of fc1's columns in u
    for (std::size_t i = 0; lora_ != nullptr && i < lora_->input.parts.size(); ++i)
        if (lora_->input.parts[i].linear == Linear::Fc1) fc1_begin = lora_->input.parts[i].u_begin;
    STUDIO_CHECK(inputProduct(act, qkv, shape.intermediate, fc1_begin, fc1_bias, part.fc1));
    const auto& attention = geometry_.attention;
    k::rotate(pass_.stream, act.y.columns(0, shape.q + shape.kv), attention.heads + attention.kv_heads,
              attention.head_dim, geometry_.rope, positions, false);
    return {};
}

Result<void> Block::attend(const DeviceBatch& batch, const Activations& act, k::AttentionStateHandle* state) const {
    const Columns part(geometry_.shape, act.y, act.z);
    if (batch.key_row == nullptr)
        return k::attention(pass_.stream, geometry_.attention, batch.sequences, part.q, part.k, part.v, act.o,
                            pass_.deterministic, state);
    const Matrix keys = ws_.keys.top(batch.key_rows), values = ws_.values.top(batch.key_rows);
    k::gatherRows(pass_.stream, part.k, batch.key_row, keys);
    k::gatherRows(pass_.stream, part.v, batch.key_row, values);
    return k::attention(pass_.stream, geometry_.attention, batch.sequences, part.q, keys, values, act.o,
                        pass_.deterministic, state);
}

Result<void> Block::activate(const Activations& act, bool copy_attended) const {
    const BlockShape& shape = geometry_.shape;
    const Columns part(shape, act.y, act.z);
    if (copy_attended && act.o.data != part.attended.data) k::copyRows(pass_.stream, act.o, part.attended);
    k::gelu(pass_.stream, part.fc1, part.activated);
    if (lora_ == nullptr) return {};
    const std::int64_t tail = shape.outputIn();
    STUDIO_CHECK(down(lora_->dense, act.o, act.z.columns(tail, lora_->dense.width)));
    return down(lora_->fc2, part.activated, act.z.columns(tail + lora_->dense.width, lora_->fc2.width));
}

// out = columns [column, column + columns) of z = [o | gelu | u₂] times those of [W₂ | B₂]ᵀ, plus bias and beta ·
// addend.
Result<void> Block::outputProduct(const Activations& act, std::int64_t column, std::int64_t columns, const void* bias,
                                  float beta, const Matrix& addend, const Matrix& out) const {
    const BlockShape& shape = geometry_.shape;
    const std::int64_t u_begin = std::max(shape.outputIn() - column, std::int64_t{0}), u_width = columns - u_begin;
    const Matrix z = act.z.columns(column, columns);
    const auto product = [&](std::int64_t begin, const Matrix& w) {
        if (u_width > 0) {
            const std::int64_t first = shape.outputIn() - column -
                                       u_begin;  // where the columns of u begin: below 0 where `column` is behind that
            k::LoraPatches patches;
            addUp(patches, lora_->dense, pass_.strength, first, begin);
            addUp(patches, lora_->fc2, pass_.strength, first + lora_->dense.width, begin);
            k::placeLora(pass_.stream, patches, w.columns(u_begin, u_width));
        }
        const auto* from = static_cast<const std::uint16_t*>(bias);
        return pass_.gemm->run(pass_.stream, Op::Plain, Op::Transposed, 1, z, w, beta, addend.columns(begin, w.rows),
                               out.columns(begin, w.rows), from == nullptr ? nullptr : from + begin);
    };
    if (const Matrix* kept = keptOutput(); kept != nullptr)
        return product(0, kept->rowRange(ws_.du_width, shape.hidden).columns(column, columns));
    return inPieces(shape.hidden, columns, [&](std::int64_t begin, std::int64_t count) {
        const Matrix w = group(count, columns);
        weights_.output.expandPart(pass_.stream, begin, column, w);
        return product(begin, w);
    });
}

Result<void> Block::output(const Matrix& x, const Activations& act, const Matrix& x_out) const {
    const BlockShape& shape = geometry_.shape;
    STUDIO_CHECK(activate(act, true));
    const std::int64_t tail = shape.outputIn();
    if (pass_.resid_dropout == 0) return outputProduct(act, 0, tail + outputWidth(), weights_.output_bias, 1, x, x_out);
    // Each branch has its own mask, so each is computed by itself.
    if (x_out.data != x.data) k::copyRows(pass_.stream, x, x_out);
    const Matrix residual = ws_.residual.top(x.rows);
    const auto branch = [&](std::int64_t column, std::int64_t width, std::int64_t u, std::int64_t u_width,
                            const void* bias, std::uint32_t number) -> Result<void> {
        STUDIO_CHECK(outputProduct(act, column, width, bias, 0, residual, residual));
        if (u_width > 0) STUDIO_CHECK(outputProduct(act, u, u_width, nullptr, 1, residual, residual));
        k::dropout(pass_.stream, residual, pass_.resid_dropout, key(number), true, x_out);
        return {};
    };
    const std::int64_t dense_width = lora_ == nullptr ? 0 : lora_->dense.width;
    STUDIO_CHECK(branch(0, shape.q, tail, dense_width, weights_.dense_bias, kAttentionBranch));
    return branch(shape.q, shape.intermediate, tail + dense_width, outputWidth() - dense_width, weights_.fc2_bias,
                  kMlpBranch);
}

Result<void> Block::forward(const DeviceBatch& batch, const Matrix& x, const Activations& act, const Matrix& x_out,
                            k::AttentionStateHandle* state) const {
    STUDIO_CHECK(project(batch.positions, x, act));
    STUDIO_CHECK(attend(batch, act, state));
    STUDIO_CHECK(output(x, act, x_out));
    return k::launched("computing a layer");
}

Result<void> Block::recompute(const DeviceBatch& batch, const Matrix& x, const Activations& act, MemoryMode mode,
                              k::AttentionStateHandle* state) const {
    if (mode == MemoryMode::KeepAll) return {};
    if (mode == MemoryMode::Selective) {
        STUDIO_CHECK(normalise(x, act));
    } else {
        STUDIO_CHECK(project(batch.positions, x, act));
        STUDIO_CHECK(attend(batch, act, state));
    }
    return activate(act, false);
}

}  // namespace studio::engine::gpu
