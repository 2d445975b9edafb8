// Numbers that are the same on every machine: the standard library's shuffle and distributions are not specified.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace studio::dataset {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit over all others.
constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

// SplitMix64, seeded by two numbers of which either may count upwards.
class SplitMix64 {
  public:
    SplitMix64(std::uint64_t seed, std::uint64_t stream) : state_(mix(mix(seed + kGamma) ^ (stream + kGamma))) {}

    std::uint64_t next() { return mix(state_ += kGamma); }

    // Uniform in [0, bound), bound > 0 (Lemire 2019: multiply, reject the few biased products).
    std::uint64_t below(std::uint64_t bound) {
        const std::uint64_t biased = (0 - bound) % bound;
        for (;;) {
            const auto product = static_cast<Wide>(next()) * bound;
            if (static_cast<std::uint64_t>(product) >= biased) return static_cast<std::uint64_t>(product >> 64);
        }
    }

  private:
    __extension__ using Wide = unsigned __int128;
    static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ull;
    std::uint64_t state_;
};

// FNV-1a, 64 bits, then mixed: a hash of text that is fixed for ever.
constexpr std::uint64_t hash(std::string_view text, std::uint64_t seed) {
    std::uint64_t h = 0xcbf29ce484222325ull ^ mix(seed + 1);
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return mix(h);
}

// Fisher–Yates, from the back.
template <class T>
void shuffle(std::vector<T>& values, SplitMix64& random) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

}  // namespace studio::dataset
