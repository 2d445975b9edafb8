// The 8-bit code that double quantisation gives to the absmax values.
#pragma once

#include <array>

namespace studio::engine {

// bitsandbytes' create_dynamic_map(signed, 7 exponent bits, 8 bits): for each decade 10⁻⁶ … 10⁰ the midpoints of 2ⁱ
// equal steps of [0.1, 1], with both signs, then 0 and 1; ascending. (T. Dettmers, "8-bit approximations for
// parallelism in deep learning", 2015.)
std::array<float, 256> dynamicMap();

}  // namespace studio::engine
