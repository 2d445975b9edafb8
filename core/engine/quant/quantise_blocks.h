// The arithmetic of bitsandbytes' blockwise quantisation on a CPU.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace studio::engine {

struct Nf4Blocks {
    std::vector<std::uint8_t> codes;  // two a byte, the first in the high half; a missing last one is 7 (zero)
    std::vector<float> absmax;
};
Nf4Blocks quantiseNf4(std::span<const float> values);

// Codes of a 256-entry ascending map in blocks of 256. bitsandbytes' CPU library does not search the map: it rounds
// value / absmax to one of 65,536 points and looks that up, so values near the middle of two codes may get the farther
// one. A block of zeros has code 0, whatever that stands for.
struct CodedBlocks {
    std::vector<std::uint8_t> codes;
    std::vector<float> absmax;
};
CodedBlocks quantiseDynamic(std::span<const float> values, std::span<const float, 256> map);

}  // namespace studio::engine
