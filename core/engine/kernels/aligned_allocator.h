// A vector whose elements begin at a cache line.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace studio::engine::kernels {

template <class T>
struct AlignedAllocator {
    using value_type = T;
    static constexpr std::align_val_t kAlign{64};

    AlignedAllocator() = default;
    template <class U>
    AlignedAllocator(const AlignedAllocator<U>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlign)); }
    void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, kAlign); }
    bool operator==(const AlignedAllocator&) const { return true; }
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;

}  // namespace studio::engine::kernels
