// One token at a time on the GPU: kernels of a block for a single row, weights in NF4 read once. Each starts its own
// reads of weights before the kernel in front of it has ended (programmatic dependent launch), so a token is one chain
// without gaps. No atomics: the same bits every time.
//
// A block: norm → gemv (q | k | v | fc1) → attend → activate → gemv (dense | fc2, in pieces) → the next norm adds up.
#pragma once

#include <cstdint>

#include "engine/kernels/nf4.h"
#include "engine/kernels/rope.h"

namespace studio::engine::kernels::gpu {

inline constexpr int kGemvRows = 16;    // of a tile
inline constexpr int kGemvBlocks = 40;  // quantisation blocks of a piece: 2,560 columns
inline constexpr int kDecodeMostPieces = 8, kDecodeMostSplits = 16;
inline constexpr int kDecodeMostRank = 512;  // Σ r of the linears of a group
inline constexpr int kActColumns = 256;      // that one block of threads of activate() handles

// LoRA of one linear: y += scale · B·u, u = Σ over `sums` partial vectors.
struct DecodeLora {
    const float *a = nullptr, *b = nullptr;  // [r, in], [out, r]
    int r = 0;                               // 0: none
    float scale = 0;
    const float* u = nullptr;  // [sums, stride]
    int sums = 1, stride = 0;
};

struct DecodeLinear {
    Nf4View weights;             // on the device; rows % 16 = 0, cols % 64 = 0
    const void* bias = nullptr;  // bf16, [rows]; may be null
    DecodeLora lora;
    int row = 0, column = 0;  // of its first element in the group
};

struct DecodeGroup {
    DecodeLinear linear[4];
    int count = 0;
};

// The residual stream: x_out = x + Σ pieces; then h = LN(x_out), as float and half; u_l = A_l·h for each adapted linear
// of `group` (may be null). One row of `hidden` ≤ 2,560 columns, at most
// kDecodeMostPieces pieces.
struct DecodeNorm {
    const float* x = nullptr;
    const float* pieces = nullptr;  // [count, hidden]
    int count = 0, hidden = 0;
    const float *weight = nullptr, *bias = nullptr;
    float eps = 1e-5f;
    float* x_out = nullptr;
    float* h = nullptr;  // may be null
    void* h_half = nullptr;
};
void decodeNorm(Stream stream, const DecodeNorm& norm, const DecodeGroup* group);

// Linears stacked: y[row …] = W·h + b + LoRA. h: half, columns ≤ 2,560.
void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y);

// Linears side by side, cut into pieces of at most 2,560 columns: piece p of the output is [hidden]; their sum is the
// product. The number of pieces is decodePieces().
void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* z, float* pieces);
int decodePieces(const DecodeGroup& group);

struct DecodeAttention {
    int heads = 0, kv_heads = 0, head_dim = 0, splits = 0;  // at most kDecodeMostSplits
    float scale = 1;
    RopeTable rope;
    const float* y = nullptr;                 // q | k | v | …
    void *keys = nullptr, *values = nullptr;  // bf16, [capacity, kv_heads·head_dim]
    const int* position = nullptr;            // of this token; the row of the cache it is written to
    float* partial = nullptr;                 // [heads, splits, head_dim + 2]
};
// head_dim a multiple of 16 up to 128.
void decodeAttention(Stream stream, const DecodeAttention& attention);

// z = attention's output | gelu(fc1), half; partial A·z of dense and fc2, one vector [stride] a block of threads.
struct DecodeActivate {
    int heads = 0, head_dim = 0, splits = 0, intermediate = 0;
    const float* partial = nullptr;
    const float* fc1 = nullptr;
    void* z = nullptr;
    DecodeLora dense, fc2;  // of these: a, r
    float* sums = nullptr;  // [blocks of dense | blocks of fc2, stride]
    int stride = 0;
};
void decodeActivate(Stream stream, const DecodeActivate& activate);
int decodeActBlocks(int columns);

// x = row `*token` of the embedding.
void decodeEmbed(Stream stream, const Matrix& table, const int* token, float* x);

// logits = W·h + b. h: float.
void decodeHead(Stream stream, const Matrix& head, const void* bias, const float* h, float* logits);

}  // namespace studio::engine::kernels::gpu
