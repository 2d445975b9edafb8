#include "engine/kernels/gemm_cuda.h"

#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "engine/kernels/gpu.h"

namespace studio::engine::kernels::gpu {
namespace {

cudaDataType_t typeOf(Element element) {
    return element == Element::F32 ? CUDA_R_32F : element == Element::F16 ? CUDA_R_16F : CUDA_R_16BF;
}

// Of a pointer, up to what the library distinguishes.
std::uint32_t alignmentOf(const void* pointer) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    std::uint32_t alignment = 256;
    while (alignment > 1 && address % alignment != 0) alignment /= 2;
    return alignment;
}

Result<void> checked(cublasStatus_t status) {
    if (status == CUBLAS_STATUS_SUCCESS) return {};
    if (auto failure = lost("multiplying matrices")) return fail(*failure);
    return fail(
        deviceError("multiplying matrices", cublasLtGetStatusString(status), status == CUBLAS_STATUS_ALLOC_FAILED));
}

using Key = std::array<std::int64_t, 17>;

}  // namespace

struct Gemm::State {
    cublasLtHandle_t handle = nullptr;
    cublasLtMatmulPreference_t preference = nullptr;
    void* workspace = nullptr;
    std::map<Key, cublasLtMatmulAlgo_t> algorithms;

    ~State() {
        if (preference != nullptr) cublasLtMatmulPreferenceDestroy(preference);
        if (handle != nullptr) cublasLtDestroy(handle);
    }
};

Gemm::Gemm(std::unique_ptr<State> state) : state_(std::move(state)) {}
Gemm::~Gemm() = default;

Result<std::unique_ptr<Gemm>> Gemm::make(void* workspace) {
    auto state = std::make_unique<State>();
    state->workspace = workspace;
    STUDIO_CHECK(checked(cublasLtCreate(&state->handle)));
    STUDIO_CHECK(checked(cublasLtMatmulPreferenceCreate(&state->preference)));
    const std::size_t bytes = kWorkspaceBytes;
    STUDIO_CHECK(checked(cublasLtMatmulPreferenceSetAttribute(
        state->preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes)));
    return std::unique_ptr<Gemm>(new Gemm(std::move(state)));
}

// The library counts columns first: seen that way our row-major matrices are their transposes, and
// outᵀ = op(b)ᵀ · op(a)ᵀ.
Result<void> Gemm::run(Stream stream, Op op_a, Op op_b, float alpha, const Matrix& a, const Matrix& b, float beta,
                       const Matrix& addend, const Matrix& out, const void* bias) {
    if (out.rows == 0 || out.cols == 0) return {};
    const std::int64_t k = op_a == Op::Plain ? a.cols : a.rows;
    cublasLtMatmulDescOpaque_t product{};
    STUDIO_CHECK(checked(cublasLtMatmulDescInit(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F)));
    const cublasOperation_t first = op_b == Op::Plain ? CUBLAS_OP_N : CUBLAS_OP_T;
    const cublasOperation_t second = op_a == Op::Plain ? CUBLAS_OP_N : CUBLAS_OP_T;
    cublasLtMatmulDescSetAttribute(&product, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first);
    cublasLtMatmulDescSetAttribute(&product, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second);
    if (bias != nullptr) {
        const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
        cublasLtMatmulDescSetAttribute(&product, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
        cublasLtMatmulDescSetAttribute(&product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    }
    cublasLtMatrixLayoutOpaque_t left{}, right{}, added{}, result{};
    const auto layout = [](cublasLtMatrixLayoutOpaque_t& to, const Matrix& m) {
        return checked(cublasLtMatrixLayoutInit(&to, typeOf(m.element), static_cast<std::uint64_t>(m.cols),
                                                static_cast<std::uint64_t>(m.rows), m.ld));
    };
    STUDIO_CHECK(layout(left, b));
    STUDIO_CHECK(layout(right, a));
    STUDIO_CHECK(layout(added, addend));
    STUDIO_CHECK(layout(result, out));

    const std::array<std::uint32_t, 4> alignments = {alignmentOf(b.data), alignmentOf(a.data), alignmentOf(addend.data),
                                                     alignmentOf(out.data)};
    const Key key = {out.rows,
                     out.cols,
                     k,
                     a.ld,
                     b.ld,
                     addend.ld,
                     out.ld,
                     static_cast<std::int64_t>(op_a),
                     static_cast<std::int64_t>(op_b),
                     static_cast<std::int64_t>(out.element),
                     bias != nullptr,
                     beta != 0,
                     addend.data == out.data,
                     alignments[0],
                     alignments[1],
                     alignments[2],
                     alignments[3]};
    auto found = state_->algorithms.find(key);
    if (found == state_->algorithms.end()) {
        constexpr cublasLtMatmulPreferenceAttributes_t kAttributes[4] = {
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
        for (std::size_t i = 0; i < 4; ++i)
            cublasLtMatmulPreferenceSetAttribute(state_->preference, kAttributes[i], &alignments[i],
                                                 sizeof alignments[i]);
        cublasLtMatmulHeuristicResult_t choice{};
        int count = 0;
        STUDIO_CHECK(checked(cublasLtMatmulAlgoGetHeuristic(state_->handle, &product, &left, &right, &added, &result,
                                                            state_->preference, 1, &choice, &count)));
        if (count == 0)
            return fail(ErrorCode::Unsupported,
                        "The GPU's matrix library has no way to multiply [" + std::to_string(out.rows) + ", " +
                            std::to_string(k) + "] by [" + std::to_string(k) + ", " + std::to_string(out.cols) + "].",
                        "Choose the device cpu for this model.");
        found = state_->algorithms.emplace(key, choice.algo).first;
    }
    return checked(cublasLtMatmul(state_->handle, &product, &alpha, b.data, &left, a.data, &right, &beta, addend.data,
                                  &added, out.data, &result, &found->second, state_->workspace, kWorkspaceBytes,
                                  static_cast<cudaStream_t>(stream)));
}

}  // namespace studio::engine::kernels::gpu
