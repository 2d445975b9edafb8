// Matrix products on the GPU through cuBLASLt: bf16 in, float32 accumulation, bf16 or float32 out.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "engine/kernels/gemm.h"

namespace studio::engine::kernels::gpu {

class Gemm {
  public:
    static constexpr std::size_t kWorkspaceBytes = 32u << 20;

    // `workspace`: kWorkspaceBytes on the device, used in the order of the stream.
    static Result<std::unique_ptr<Gemm>> make(void* workspace);
    ~Gemm();

    // out = alpha · op(a) · op(b) + beta · addend, plus bias in every row. addend may be out; bias is
    // bf16, [out.cols], with bf16 out only. The algorithm is the library's first choice for the shape, so the same
    // shapes give the same bits in every process.
    Result<void> run(Stream stream, Op op_a, Op op_b, float alpha, const Matrix& a, const Matrix& b, float beta,
                     const Matrix& addend, const Matrix& out, const void* bias = nullptr);
    Result<void> run(Stream stream, Op op_a, Op op_b, const Matrix& a, const Matrix& b, const Matrix& out) {
        return run(stream, op_a, op_b, 1, a, b, 0, out, out);
    }

  private:
    struct State;
    explicit Gemm(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace studio::engine::kernels::gpu
