#include "engine/kernels/attention_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>

#include <string>

#include "engine/kernels/gpu.h"
#include "engine/kernels/rows_cuda.h"

namespace studio::engine::kernels::gpu {

struct AttentionState {
    bool cudnn = false;
    at::Tensor lse, seed, offset;
    at::Tensor cu_q, cu_k;  // of cuDNN: undefined, but asked for
    at::Tensor dq, dk, dv;
};

void DropState::operator()(AttentionState* state) const noexcept {
    delete state;
}

namespace {

class OnStream {
  public:
    explicit OnStream(Stream stream) : guard_(external(stream)) {}

  private:
    static c10::cuda::CUDAStream external(Stream stream) {
        return c10::cuda::getStreamFromExternal(static_cast<cudaStream_t>(stream), c10::cuda::current_device());
    }
    c10::InferenceMode inference_;
    c10::cuda::CUDAStreamGuard guard_;
};

at::TensorOptions onDevice(at::ScalarType type) {
    return at::TensorOptions().dtype(type).device(at::kCUDA, c10::cuda::current_device());
}

// [rows, heads, head_dim]
at::Tensor packed(const Matrix& m, std::int64_t head_dim) {
    return at::from_blob(m.data, {m.rows, m.cols / head_dim, head_dim}, {m.ld, head_dim, 1}, onDevice(at::kBFloat16));
}

// [sequences, heads, length, head_dim]
at::Tensor batched(const Matrix& m, std::int64_t head_dim, std::int64_t length) {
    return at::from_blob(m.data, {m.rows / length, m.cols / head_dim, length, head_dim},
                         {length * m.ld, head_dim, m.ld, 1}, onDevice(at::kBFloat16));
}

// The same with heads side by side and no gaps behind a row; a copy where it is not so already. LibTorch keeps cuDNN's
// plan of a backward pass by the strides of q, k and v alone: it takes for granted that the output is laid out as its
// own forward pass does, and would read another memory mode's output with the strides of the first.
at::Tensor dense(const Matrix& m, std::int64_t head_dim, std::int64_t length) {
    return batched(m, head_dim, length).transpose(1, 2).contiguous().transpose(1, 2);
}

at::Tensor offsets(const int* data, int count) {
    return at::from_blob(const_cast<int*>(data), {count + 1}, onDevice(at::kInt));
}

Matrix viewOf(const at::Tensor& t, std::int64_t rows, std::int64_t cols) {
    return {t.data_ptr(), rows, cols, cols, Element::BF16};
}

// cuDNN's backward is faster from short sequences on; it wants lengths that fill its tiles.
bool useCudnn(const AttentionShape& shape, const DeviceSequences& sequences, bool deterministic) {
    return !deterministic && shape.heads == shape.kv_heads && sequences.equal_length >= 128 &&
           sequences.equal_length % 64 == 0 && shape.head_dim <= 128;
}

tl::unexpected<Error> failed(const char* doing, const std::exception& error) {
    return fail(thrown(doing, error));
}

}  // namespace

Result<void> attention(Stream stream, const AttentionShape& shape, const DeviceSequences& sequences, const Matrix& q,
                       const Matrix& k, const Matrix& v, const Matrix& out, bool deterministic,
                       AttentionStateHandle* state) try {
    const OnStream guard(stream);
    const std::int64_t dim = shape.head_dim;
    AttentionStateHandle kept(new AttentionState);
    at::Tensor result;
    if (useCudnn(shape, sequences, deterministic)) {
        const std::int64_t length = sequences.equal_length;
        c10::SymInt max_q, max_k;
        at::Tensor debug;
        kept->cudnn = true;
        std::tie(result, kept->lse, kept->cu_q, kept->cu_k, max_q, max_k, kept->seed, kept->offset, debug) =
            at::_scaled_dot_product_cudnn_attention(batched(q, dim, length), batched(k, dim, length),
                                                    batched(v, dim, length), std::nullopt, state != nullptr, 0.0, true,
                                                    false, shape.scale);
        result = result.transpose(1, 2);  // memory order: sequence, row, head
        if (!result.is_contiguous()) result = result.contiguous();
    } else {
        at::Tensor debug;
        std::tie(result, kept->lse, kept->seed, kept->offset, debug) = at::_flash_attention_forward(
            packed(q, dim), packed(k, dim), packed(v, dim), offsets(sequences.cu_q, sequences.count),
            offsets(sequences.cu_k, sequences.count), sequences.longest_q, sequences.longest_k, 0.0, true, false,
            shape.scale);
    }
    copyRows(stream, viewOf(result, out.rows, out.cols), out);
    if (state != nullptr) *state = std::move(kept);
    return {};
} catch (const std::exception& error) {
    return failed("computing attention", error);
}

Result<AttentionGradients> attentionBackward(Stream stream, const AttentionShape& shape,
                                             const DeviceSequences& sequences, const Matrix& dout, const Matrix& q,
                                             const Matrix& k, const Matrix& v, const Matrix& out,
                                             AttentionState& state) try {
    const OnStream guard(stream);
    const std::int64_t dim = shape.head_dim;
    if (state.cudnn) {
        const std::int64_t length = sequences.equal_length;
        std::tie(state.dq, state.dk, state.dv) = at::_scaled_dot_product_cudnn_attention_backward(
            dense(dout, dim, length), batched(q, dim, length), batched(k, dim, length), batched(v, dim, length),
            dense(out, dim, length), state.lse, state.seed, state.offset, at::Tensor(), state.cu_q, state.cu_k, length,
            length, 0.0, true, shape.scale);
        for (at::Tensor* t : {&state.dq, &state.dk, &state.dv}) *t = t->transpose(1, 2).contiguous();
    } else {
        std::tie(state.dq, state.dk, state.dv) = at::_flash_attention_backward(
            packed(dout, dim), packed(q, dim), packed(k, dim), packed(v, dim), packed(out, dim), state.lse,
            offsets(sequences.cu_q, sequences.count), offsets(sequences.cu_k, sequences.count), sequences.longest_q,
            sequences.longest_k, 0.0, true, state.seed, state.offset, shape.scale);
        for (at::Tensor* t : {&state.dq, &state.dk, &state.dv}) *t = t->contiguous();
    }
    return AttentionGradients{viewOf(state.dq, q.rows, q.cols), viewOf(state.dk, k.rows, k.cols),
                              viewOf(state.dv, v.rows, v.cols)};
} catch (const std::exception& error) {
    return failed("going back through attention", error);
}

}  // namespace studio::engine::kernels::gpu
