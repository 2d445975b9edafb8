#include "engine/kernels/gemm.h"

// The BLAS inside LibTorch (MKL, 32-bit integers), Fortran's calling convention: column-major, everything by pointer.
extern "C" void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
                       const float* beta, float* c, const int* ldc);

namespace studio::engine::kernels {

void gemm(Stream, Op op_a, Op op_b, float alpha, const Matrix& a, const Matrix& b, float beta, const Matrix& c) {
    if (c.rows == 0 || c.cols == 0) return;
    // A row-major matrix is its transpose column-major: Cᵀ = op(B)ᵀ · op(A)ᵀ.
    const int m = static_cast<int>(c.cols), n = static_cast<int>(c.rows);
    const int k = static_cast<int>(op_a == Op::Plain ? a.cols : a.rows);
    const int lda = static_cast<int>(a.ld), ldb = static_cast<int>(b.ld), ldc = static_cast<int>(c.ld);
    const char trans_a = op_a == Op::Plain ? 'N' : 'T', trans_b = op_b == Op::Plain ? 'N' : 'T';
    sgemm_(&trans_b, &trans_a, &m, &n, &k, &alpha, b.f32(), &ldb, a.f32(), &lda, &beta, c.f32(), &ldc);
}

}  // namespace studio::engine::kernels
