// Arithmetic on numbers that come from files: overflow is an answer, never undefined.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <utility>

namespace studio {

template <std::integral T>
constexpr std::optional<T> checkedAdd(T a, T b) {
    T sum{};
    if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
    return sum;
}

template <std::integral T>
constexpr std::optional<T> checkedMul(T a, T b) {
    T product{};
    if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
    return product;
}

// The same number in another integer type, where it fits.
template <std::integral To, std::integral From>
constexpr std::optional<To> checkedCast(From value) {
    if (!std::in_range<To>(value)) return std::nullopt;
    return static_cast<To>(value);
}

}  // namespace studio
