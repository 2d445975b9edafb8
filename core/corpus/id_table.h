// Message and tree ids in 17 bytes each, for the length of an import.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace studio::corpus {

// A UUID in its canonical spelling as its 128 bits; of any other id the first 128 bits of its SHA-256, so that nobody
// can write two ids that are taken for one. `kind` keeps the two apart.
struct IdKey {
    std::uint64_t high = 0, low = 0;
    enum class Kind : std::uint8_t { None, Uuid, Hash } kind = Kind::None;

    static IdKey of(std::string_view id);
    bool empty() const { return kind == Kind::None; }
    bool operator==(const IdKey&) const = default;
};

// Numbers ids in the order in which they are first added. Open addressing; at most 2^32 − 2 ids.
class IdTable {
  public:
    IdTable();
    struct Entry {
        std::uint32_t index;
        bool added;
    };
    Entry add(const IdKey& key);
    std::optional<std::uint32_t> find(const IdKey& key) const;
    std::uint32_t size() const { return static_cast<std::uint32_t>(keys_.size()); }

  private:
    std::size_t slotOf(const IdKey& key) const;
    void grow();

    std::uint64_t seed_[2];  // orders nothing that can be seen: results do not depend on it
    std::vector<IdKey> keys_;
    std::vector<std::uint32_t> slots_;  // index + 1; 0 is free
};

}  // namespace studio::corpus
