// One token at a time on the GPU: kernels of a block for a single row, weights in NF4 read once. Each starts its own
// reads of weights before the kernel in front of it has ended (programmatic dependent launch), so a token is one chain
// without gaps. Sums are added in a fixed order: the same bits every time.
//
// A block: norm → product (q | k | v | fc1) → attention and gelu → product (dense | fc2) → the next norm adds up.
#pragma once

#include <cstdint>

#include "engine/api/draw.h"
#include "engine/kernels/nf4.h"
#include "engine/kernels/rope.h"

namespace studio::engine::kernels::gpu {

inline constexpr int kGemvRows = 16;  // of a tile
inline constexpr int kGemvParts = 2;  // vectors whose sum is a product
inline constexpr int kDecodeMostHidden = 2560, kDecodeMostSplits = 16;
inline constexpr int kActColumns = 128;  // of gelu that one block of threads handles

// LoRA of one linear: y += scale · B·u, u = Σ over `sums` partial vectors.
struct DecodeLora {
    const float *a = nullptr, *b = nullptr;  // [r, in], [out, r]
    int r = 0;                               // 0: none
    float scale = 0;
    const float* u = nullptr;  // [sums, stride]
    int sums = 1, stride = 0;
};

struct DecodeLinear {
    Nf4View weights;             // on the device; rows % 16 = 0, cols % 256 = 0
    const void* bias = nullptr;  // bf16, [rows]; may be null
    DecodeLora lora;
    int row = 0, column = 0;  // of its first element in the group
};

struct DecodeGroup {
    DecodeLinear linear[4];
    int count = 0;
};

// The residual stream: x_out = x + Σ pieces; then h = LN(x_out), as float and half; u_l = A_l·h for each adapted linear
// of `group` (may be null). One row of `hidden` ≤ kDecodeMostHidden columns.
struct DecodeNorm {
    const float* x = nullptr;
    const float* pieces = nullptr;  // [kGemvParts, hidden]; null: none
    int hidden = 0;
    const float *weight = nullptr, *bias = nullptr;
    float eps = 1e-5f;
    float* x_out = nullptr;
    float* h = nullptr;  // may be null
    void* h_half = nullptr;
};
void decodeNorm(Stream stream, const DecodeNorm& norm, const DecodeGroup* group);

// The product of one row with the group, as kGemvParts vectors to be added: two blocks of threads may share sixteen
// rows. Bias and LoRA are in it. Stacked: linears with the same input, out [kGemvParts, Σ rows]. Side by side: linears
// with the same output, out [kGemvParts, rows]. x: half.
void decodeStacked(Stream stream, const DecodeGroup& group, const void* x, float* out);
void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* x, float* out);
// Whether the card's shared memory holds what these need.
bool decodeFits(const DecodeGroup& group, bool stacked);

// Between the two products: z = attention's output | gelu(fc1), half, and partial products A·z of dense (one vector a
// head) and fc2 (one for kActColumns columns). head_dim as decodeTakesHeads() says.
struct DecodeMiddle {
    int heads = 0, kv_heads = 0, head_dim = 0, splits = 0;  // at most kDecodeMostSplits
    int intermediate = 0;
    float scale = 1;
    RopeTable rope;
    const float* y = nullptr;  // q | k | v | fc1, [kGemvParts, y_columns]
    int y_columns = 0;
    void *keys = nullptr, *values = nullptr;  // bf16, [capacity, kv_heads·head_dim]
    const int* position = nullptr;            // of this token; the row of the cache it is written to
    float* partial = nullptr;                 // [heads, splits, head_dim + 2]
    int* arrived = nullptr;                   // [heads], zero before the first call and after each
    void* z = nullptr;
    DecodeLora dense, fc2;  // of these: a, r
    float* sums = nullptr;  // [heads | decodeActBlocks(intermediate), stride]
    int stride = 0;
};
void decodeMiddle(Stream stream, const DecodeMiddle& middle);
bool decodeTakesHeads(int head_dim);
int decodeActBlocks(int columns);

// x = row asked[0] of the embedding; *position = asked[1]. `asked` is pinned memory of the host.
void decodeEmbed(Stream stream, const Matrix& table, const int* asked, int* position, float* x);

// logits = W·h + b, written twice: `for_host` may be pinned memory of the host. h: float.
void decodeHead(Stream stream, const Matrix& head, const void* bias, const float* h, float* logits, float* for_host);

// The token that engine/generate/sampler.h draws from these logits, as far as a block of threads can tell: where more
// than 1,024 tokens would have to be put in order, or a probability is a rounding away from the number drawn, it may be
// another one. Always an id below draw.vocab. `token` may be pinned memory of the host.
void decodeDraw(Stream stream, const float* logits, const api::Draw& draw, int* token);

}  // namespace studio::engine::kernels::gpu
