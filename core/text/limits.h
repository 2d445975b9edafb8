// What a tokenizer file may hold; far above every known tokenizer.
#pragma once

#include <cstdint>

namespace studio::text {

constexpr int kMaxTokens = 1 << 20;                     // ids are below this
constexpr std::size_t kMaxTokenBytes = 4096;            // of one token's spelling
constexpr std::uint64_t kMaxTokenizerFile = 64u << 20;  // bytes

}  // namespace studio::text
