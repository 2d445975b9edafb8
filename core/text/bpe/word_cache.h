// Remembers the tokens of words seen before: most words of a text are.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace studio::text {

// A bounded table of short words; a newer word overwrites an older one of the same place. Not thread-safe.
class WordCache {
  public:
    static constexpr std::size_t kLongestWord = 24;   // bytes
    static constexpr std::size_t kMostTokens = 8;

    // A word in a form that is cheap to compare. `readable_end`: end of the text that `word` lies in.
    struct Key {
        std::array<std::uint64_t, 3> bytes;   // padded with zeros
        std::uint32_t length;
        bool operator==(const Key&) const = default;
    };
    static Key key(std::string_view word, const char* readable_end) {
        Key key{{}, static_cast<std::uint32_t>(word.size())};
        if (readable_end - word.data() >= static_cast<std::ptrdiff_t>(kLongestWord)) {
            std::memcpy(key.bytes.data(), word.data(), kLongestWord);
            const auto keep = [&](std::size_t from) -> std::uint64_t {   // mask of the bytes of one number
                if (word.size() >= from + 8) return ~std::uint64_t{0};
                return word.size() <= from ? 0 : (std::uint64_t{1} << 8 * (word.size() - from)) - 1;
            };
            for (std::size_t i = 0; i < 3; ++i) key.bytes[i] &= keep(8 * i);
        } else {
            std::memcpy(key.bytes.data(), word.data(), word.size());
        }
        return key;
    }

    struct Entry {
        Key key{{}, 0};   // length 0: empty
        std::uint32_t count = 0;
        std::array<std::int32_t, kMostTokens> ids{};
    };

    WordCache() : entries_(std::make_unique<Entry[]>(kEntries)) {}

    // Where `key` stands or would stand.
    Entry& entry(const Key& key) {
        std::uint64_t hash = (key.bytes[0] ^ key.length) * 0x9E3779B97F4A7C15u;
        hash = (hash ^ hash >> 32 ^ key.bytes[1]) * 0xC2B2AE3D27D4EB4Fu;
        hash = (hash ^ hash >> 32 ^ key.bytes[2]) * 0x9E3779B97F4A7C15u;
        return entries_[hash >> (64 - kBits)];
    }

  private:
    static constexpr int kBits = 16;   // 4 MB
    static constexpr std::size_t kEntries = std::size_t{1} << kBits;
    std::unique_ptr<Entry[]> entries_;
};

// Lends a cache to each call that runs at the same time. Thread-safe.
class WordCachePool {
  public:
    class Loan {
      public:
        explicit Loan(WordCachePool& pool) : pool_(pool), cache_(pool.take()) {}
        ~Loan() { pool_.giveBack(std::move(cache_)); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        WordCache& operator*() { return *cache_; }

      private:
        WordCachePool& pool_;
        std::unique_ptr<WordCache> cache_;
    };

  private:
    static constexpr std::size_t kMostIdle = 16;

    std::unique_ptr<WordCache> take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                auto cache = std::move(idle_.back());
                idle_.pop_back();
                return cache;
            }
        }
        return std::make_unique<WordCache>();
    }
    void giveBack(std::unique_ptr<WordCache> cache) {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < kMostIdle) idle_.push_back(std::move(cache));
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<WordCache>> idle_;
};

}  // namespace studio::text
