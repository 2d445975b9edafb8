#include "engine/kernels/nf4.h"

#include <algorithm>

#include "engine/kernels/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define STUDIO_AVX2 __attribute__((target("avx2,fma")))
#endif

namespace studio::engine::kernels {
namespace {

float scaleOf(const Nf4View& weights, std::int64_t block) {
    if (weights.absmax != nullptr) return weights.absmax[block];
    const float nested = weights.nested_code[weights.absmax_codes[block]] * weights.nested_absmax[block / kNestedBlock];
    return nested + weights.offset;
}

float codeAt(const std::uint8_t* codes, std::int64_t at) {
    return kNf4Code[at % 2 == 0 ? codes[at / 2] >> 4 : codes[at / 2] & 15];
}

// Calls use(begin, end, scale) for the pieces of a row that lie in one block each.
template <class Use>
void eachPiece(const Nf4View& weights, std::int64_t row, Use&& use) {
    const std::int64_t row_end = (row + 1) * weights.cols;
    for (std::int64_t at = row * weights.cols; at < row_end;) {
        const std::int64_t block = at / kNf4Block, end = std::min((block + 1) * kNf4Block, row_end);
        use(at, end, scaleOf(weights, block));
        at = end;
    }
}

// Any processor.
struct Portable {
    static void expandRow(const Nf4View& weights, std::int64_t row, float* out) {
        eachPiece(weights, row, [&](std::int64_t begin, std::int64_t end, float scale) {
            for (std::int64_t at = begin; at < end; ++at) *out++ = codeAt(weights.codes, at) * scale;
        });
    }

    static void productRow(const Nf4View& weights, std::int64_t row, const Matrix& x, float* sums) {
        std::fill_n(sums, x.rows, 0.0f);
        const std::int64_t row_begin = row * weights.cols;
        eachPiece(weights, row, [&](std::int64_t begin, std::int64_t end, float scale) {
            for (std::int64_t i = 0; i < x.rows; ++i) {
                const float* values = x.row(i) - row_begin;
                float sum = 0;
                for (std::int64_t at = begin; at < end; ++at) sum += codeAt(weights.codes, at) * values[at];
                sums[i] += sum * scale;
            }
        });
    }
};

#if defined(STUDIO_AVX2)
// Sixteen weights at a time: their codes select from two registers of eight code values each.
struct Avx2 {
    STUDIO_AVX2 static void decode(const std::uint8_t* codes, __m256& first, __m256& second) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
        const __m128i nibble = _mm_set1_epi8(15);
        const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble), low = _mm_and_si128(bytes, nibble);
        const __m128i ordered = _mm_unpacklo_epi8(high, low);
        first = select(_mm256_cvtepu8_epi32(ordered));
        second = select(_mm256_cvtepu8_epi32(_mm_srli_si128(ordered, 8)));
    }

    STUDIO_AVX2 static __m256 select(__m256i code) {
        const __m256 negative = _mm256_loadu_ps(kNf4Code), positive = _mm256_loadu_ps(kNf4Code + 8);
        const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(code, 28));  // the sign is the code's top bit
        return _mm256_blendv_ps(_mm256_permutevar8x32_ps(negative, code), _mm256_permutevar8x32_ps(positive, code),
                                upper);
    }

    STUDIO_AVX2 static void expandRow(const Nf4View& weights, std::int64_t row, float* out) {
        const std::int64_t row_end = (row + 1) * weights.cols;
        for (std::int64_t at = row * weights.cols; at < row_end;) {
            const std::int64_t block = at / kNf4Block, end = std::min((block + 1) * kNf4Block, row_end);
            const float scale = scaleOf(weights, block);
            const __m256 scales = _mm256_set1_ps(scale);
            if (at % 2 != 0) *out++ = codeAt(weights.codes, at++) * scale;
            for (; at + 16 <= end; at += 16, out += 16) {
                __m256 first, second;
                decode(weights.codes + at / 2, first, second);
                _mm256_storeu_ps(out, _mm256_mul_ps(first, scales));
                _mm256_storeu_ps(out + 8, _mm256_mul_ps(second, scales));
            }
            while (at < end) *out++ = codeAt(weights.codes, at++) * scale;
        }
    }

    template <int kRows>
    STUDIO_AVX2 static void productRow(const Nf4View& weights, std::int64_t row, const Matrix& x, float* sums) {
        const std::int64_t row_begin = row * weights.cols, row_end = row_begin + weights.cols;
        const float* values[kRows];
        __m256 total[kRows];
        float rest[kRows] = {};
        for (int i = 0; i < kRows; ++i) {
            values[i] = x.row(i) - row_begin;
            total[i] = _mm256_setzero_ps();
        }
        const auto one = [&](std::int64_t at, float scale) {
            const float weight = codeAt(weights.codes, at) * scale;
            for (int i = 0; i < kRows; ++i) rest[i] += weight * values[i][at];
        };
        for (std::int64_t at = row_begin; at < row_end;) {
            const std::int64_t block = at / kNf4Block, end = std::min((block + 1) * kNf4Block, row_end);
            const float scale = scaleOf(weights, block);
            if (at % 2 != 0) one(at++, scale);
            __m256 sum[kRows];
            for (int i = 0; i < kRows; ++i) sum[i] = _mm256_setzero_ps();
            for (; at + 16 <= end; at += 16) {
                __m256 first, second;
                decode(weights.codes + at / 2, first, second);
                for (int i = 0; i < kRows; ++i) {
                    sum[i] = _mm256_fmadd_ps(first, _mm256_loadu_ps(values[i] + at), sum[i]);
                    sum[i] = _mm256_fmadd_ps(second, _mm256_loadu_ps(values[i] + at + 8), sum[i]);
                }
            }
            while (at < end) one(at++, scale);
            const __m256 scales = _mm256_set1_ps(scale);
            for (int i = 0; i < kRows; ++i) total[i] = _mm256_fmadd_ps(sum[i], scales, total[i]);
        }
        for (int i = 0; i < kRows; ++i) {
            alignas(32) float lanes[8];
            _mm256_store_ps(lanes, total[i]);
            sums[i] = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
                      ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) + rest[i];
        }
    }

    static void productRow(const Nf4View& weights, std::int64_t row, const Matrix& x, float* sums) {
        switch (x.rows) {
            case 1:
                return productRow<1>(weights, row, x, sums);
            case 2:
                return productRow<2>(weights, row, x, sums);
            case 3:
                return productRow<3>(weights, row, x, sums);
            default:
                return productRow<4>(weights, row, x, sums);
        }
    }
};

bool hasAvx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

template <class Code>
void expandAll(const Nf4View& weights, const Matrix& out) {
    parallelFor(weights.rows, 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) Code::expandRow(weights, i, out.row(i));
    });
}

template <class Code>
void addProducts(const Nf4View& weights, const Matrix& x, const Matrix& out) {
    parallelFor(weights.rows, 128, [&](std::int64_t first, std::int64_t last) {
        float sums[kFewRows];
        for (std::int64_t j = first; j < last; ++j) {
            Code::productRow(weights, j, x, sums);
            for (std::int64_t i = 0; i < x.rows; ++i) out.row(i)[j] += sums[i];
        }
    });
}

}  // namespace

void dequantiseNf4(Stream, const Nf4View& weights, const Matrix& out) {
#if defined(STUDIO_AVX2)
    if (hasAvx2()) return expandAll<Avx2>(weights, out);
#endif
    expandAll<Portable>(weights, out);
}

void addNf4Product(Stream, const Nf4View& weights, const Matrix& x, const Matrix& out) {
    if (x.rows == 0) return;
#if defined(STUDIO_AVX2)
    if (hasAvx2()) return addProducts<Avx2>(weights, x, out);
#endif
    addProducts<Portable>(weights, x, out);
}

}  // namespace studio::engine::kernels
