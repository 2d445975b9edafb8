// Remembers the tokens of words seen before: most words of a text are.
#pragma once

#include <algorithm>
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
    WordCache() : entries_(std::make_unique<Entry[]>(kEntries)) {}

    // Appends the tokens of `word`: those of last time or, the first time, those that `tokenize(word, ids)` appends.
    // `readable_end`: end of the text that the word lies in. Words are not empty.
    template <class Tokenize>
    void append(std::string_view word, const char* readable_end, std::vector<int>& ids, Tokenize&& tokenize) {
        if (word.size() > kLongestWord) return tokenize(word, ids);
        const Key key = keyOf(word, readable_end);
        Entry& entry = entries_[placeOf(key)];
        if (entry.holds(key)) {
            ids.insert(ids.end(), entry.ids.begin(), entry.ids.begin() + entry.count);
            return;
        }
        const std::size_t before = ids.size();
        tokenize(word, ids);
        const std::size_t count = ids.size() - before;
        if (count > kMostTokens) return;
        entry.bytes = key.bytes;
        entry.length = key.length;
        entry.count = static_cast<std::uint16_t>(count);
        std::copy(ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end(), entry.ids.begin());
    }

  private:
    static constexpr std::size_t kLongestWord = 24;  // bytes
    static constexpr std::size_t kMostTokens = 9;    // an entry is then one cache line
    static constexpr int kBits = 16;                 // 4 MB
    static constexpr std::size_t kEntries = std::size_t{1} << kBits;

    // A word in a form that is cheap to compare.
    struct Key {
        std::array<std::uint64_t, 3> bytes{};  // padded with zeros
        std::uint16_t length = 0;              // 0: no word
    };
    struct Entry {
        std::array<std::uint64_t, 3> bytes{};
        std::uint16_t length = 0, count = 0;
        std::array<std::int32_t, kMostTokens> ids{};

        bool holds(const Key& key) const { return bytes == key.bytes && length == key.length; }
    };

    static_assert(sizeof(Entry) == 64);

    static Key keyOf(std::string_view word, const char* readable_end) {
        Key key{{}, static_cast<std::uint16_t>(word.size())};
        if (readable_end - word.data() < static_cast<std::ptrdiff_t>(kLongestWord)) {
            std::memcpy(key.bytes.data(), word.data(), word.size());
            return key;
        }
        // Three loads and masks are quicker than a copy of varying length.
        std::memcpy(key.bytes.data(), word.data(), kLongestWord);
        for (std::size_t i = 0; i < key.bytes.size(); ++i) {
            const std::size_t begin = 8 * i;
            if (word.size() >= begin + 8) continue;
            key.bytes[i] &= word.size() <= begin ? 0 : (std::uint64_t{1} << 8 * (word.size() - begin)) - 1;
        }
        return key;
    }

    static std::size_t placeOf(const Key& key) {
        std::uint64_t hash = (key.bytes[0] ^ key.length) * 0x9E3779B97F4A7C15u;
        hash = (hash ^ hash >> 32 ^ key.bytes[1]) * 0xC2B2AE3D27D4EB4Fu;
        hash = (hash ^ hash >> 32 ^ key.bytes[2]) * 0x9E3779B97F4A7C15u;
        return hash >> (64 - kBits);
    }

    std::unique_ptr<Entry[]> entries_;
};

// Lends a cache to each call that runs at the same time. Thread-safe.
class WordCachePool {
  public:
    WordCachePool() { idle_.reserve(kMostIdle); }

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
    static constexpr std::size_t kMostIdle = 4;

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
