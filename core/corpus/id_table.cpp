#include "corpus/id_table.h"

#include <random>
#include <string>

#include "io/sha256.h"

namespace studio::corpus {
namespace {

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// 32 lower-case digits, of a UUID (with its four hyphens) or a digest. False where something else stands.
bool parseHex(std::string_view text, bool hyphens, IdKey& key) {
    std::uint64_t words[2] = {};
    int digits = 0;
    for (std::size_t i = 0; i < text.size() && digits < 32; ++i) {
        if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-') return false;
            continue;
        }
        const int digit = hexDigit(text[i]);
        if (digit < 0) return false;
        words[digits / 16] = words[digits / 16] << 4 | static_cast<std::uint64_t>(digit);
        ++digits;
    }
    key.high = words[0];
    key.low = words[1];
    return digits == 32;
}

}  // namespace

IdKey IdKey::of(std::string_view id) {
    IdKey key;
    if (id.size() == 36 && parseHex(id, true, key)) {
        key.kind = Kind::Uuid;
    } else {
        parseHex(io::sha256(id), false, key);
        key.kind = Kind::Hash;
    }
    return key;
}

IdTable::IdTable() {
    std::random_device random;
    for (std::uint64_t& word : seed_) word = std::uint64_t{random()} << 32 | random();
}

std::size_t IdTable::slotOf(const IdKey& key) const {
    const std::size_t mask = slots_.size() - 1;
    // The product of both halves, folded; the seed keeps a file from being written so that all its ids collide.
    const auto product = static_cast<unsigned __int128>(key.high ^ seed_[0]) * (key.low ^ seed_[1]);
    const auto hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    auto slot = static_cast<std::size_t>(hash) & mask;
    while (slots_[slot] != 0 && !(keys_[slots_[slot] - 1] == key)) slot = (slot + 1) & mask;
    return slot;
}

void IdTable::grow() {
    slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, 0);
    for (std::uint32_t i = 0; i < keys_.size(); ++i) slots_[slotOf(keys_[i])] = i + 1;
}

IdTable::Entry IdTable::add(const IdKey& key) {
    if (keys_.size() * 10 >= slots_.size() * 7) grow();
    const std::size_t slot = slotOf(key);
    if (slots_[slot] != 0) return {slots_[slot] - 1, false};
    keys_.push_back(key);
    slots_[slot] = size();
    return {size() - 1, true};
}

std::optional<std::uint32_t> IdTable::find(const IdKey& key) const {
    if (slots_.empty()) return std::nullopt;
    const std::size_t slot = slotOf(key);
    if (slots_[slot] == 0) return std::nullopt;
    return slots_[slot] - 1;
}

}  // namespace studio::corpus
