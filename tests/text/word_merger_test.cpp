#include "text/bpe/word_merger.h"

#include <QtTest>
#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace studio::text;

namespace {

// Random merges over the letters a to d. Unlike learnt ones, a merge may come before those that make its parts.
struct World {
    std::array<int, 256> byte_ids{};
    std::vector<std::string> tokens;
    std::vector<int> lengths;
    std::map<std::pair<int, int>, Merge> rules;
    MergeTable table;

    explicit World(std::mt19937& random, int merges) : table(static_cast<std::size_t>(merges)) {
        for (int i = 0; i < 256; ++i) {
            byte_ids[i] = i;
            tokens.emplace_back(1, static_cast<char>(i));
        }
        std::map<std::string, int> known;
        for (int c = 'a'; c <= 'd'; ++c) known[std::string(1, static_cast<char>(c))] = c;
        std::vector<int> ranks(static_cast<std::size_t>(merges));
        std::iota(ranks.begin(), ranks.end(), 0);
        std::shuffle(ranks.begin(), ranks.end(), random);
        for (int rank : ranks) {
            const auto pick = [&] {
                return std::next(known.begin(), static_cast<long>(random() % known.size()))->second;
            };
            const int left = pick(), right = pick();
            const std::string joined = tokens[left] + tokens[right];
            if (joined.size() > 12 || rules.contains({left, right})) continue;
            const auto [entry, added] = known.emplace(joined, static_cast<int>(tokens.size()));
            if (added) tokens.push_back(joined);
            rules[{left, right}] = {static_cast<std::uint32_t>(rank), entry->second};
            table.add(left, right, rules[{left, right}]);
        }
        for (const std::string& token : tokens) lengths.push_back(static_cast<int>(token.size()));
    }

    // One merge at a time, as the definition says.
    std::vector<int> slowly(const std::string& word) const {
        std::vector<int> ids;
        for (const char c : word) ids.push_back(byte_ids[static_cast<std::uint8_t>(c)]);
        while (true) {
            Merge best;
            std::size_t at = 0;
            for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
                const auto rule = rules.find({ids[i], ids[i + 1]});
                if (rule == rules.end() || rule->second.rank >= best.rank) continue;
                best = rule->second;
                at = i;
            }
            if (!best.exists()) return ids;
            ids[at] = best.token;
            ids.erase(ids.begin() + static_cast<long>(at) + 1);
        }
    }
};

}  // namespace

class WordMergerTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void shortAndLongWordsMergeAsDefined() {
        std::mt19937 random(3);
        int merged = 0;
        for (int round = 0; round < 300; ++round) {
            const World world(random, 2 + static_cast<int>(random() % 60));
            const WordMerger merger(world.table, world.byte_ids, world.lengths);
            for (const int length : {1, 2, 3, 7, 30, 47, 48, 49, 50, 64, 200}) {
                std::string word;
                for (int i = 0; i < length; ++i) word += static_cast<char>('a' + random() % 4);
                std::vector<int> ids = {-5};  // is appended to
                merger.append(word, ids);
                std::vector<int> expected = world.slowly(word);
                merged += length - static_cast<int>(expected.size());
                expected.insert(expected.begin(), -5);
                if (ids != expected) QFAIL(word.c_str());
            }
        }
        QVERIFY(merged > 10000);
    }

    void aWordOfOneLetterMergesFromTheLeft() {
        std::mt19937 random(3);
        World world(random, 0);
        world.tokens = {};
        MergeTable table(2);
        table.add('a', 'a', {0, 256});
        table.add(256, 256, {1, 257});
        std::vector<int> lengths(256, 1);
        lengths.insert(lengths.end(), {2, 4});
        const WordMerger merger(table, world.byte_ids, lengths);
        std::vector<int> ids;
        merger.append(std::string(4 * 50000 + 3, 'a'), ids);
        QCOMPARE(ids.size(), std::size_t{50002});
        QVERIFY(std::all_of(ids.begin(), ids.end() - 2, [](int id) { return id == 257; }));
        QCOMPARE(ids[50000], 256);
        QCOMPARE(ids[50001], int{'a'});
    }

    void aMergeTableKeepsWhatItWasGiven() {
        MergeTable table(1000);
        for (int i = 0; i < 1000; ++i)
            QCOMPARE(table.add(i, i * 7 % 1000, {static_cast<std::uint32_t>(i), i + 5}), MergeTable::Added::Yes);
        QCOMPARE(table.add(3, 21, {9, 9}), MergeTable::Added::AlreadyThere);
        for (int i = 0; i < 1000; ++i) {
            const Merge merge = table.find(i, i * 7 % 1000);
            QVERIFY(merge.exists());
            QCOMPARE(merge.rank, static_cast<std::uint32_t>(i));
            QCOMPARE(merge.token, i + 5);
            QVERIFY(!table.find(i, i * 7 % 1000 + 1).exists());
        }
        QVERIFY(!MergeTable().find(1, 2).exists());
    }
};

QTEST_APPLESS_MAIN(WordMergerTest)
#include "word_merger_test.moc"
