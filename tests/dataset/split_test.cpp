#include <fmt/format.h>

#include <QtTest>
#include <algorithm>
#include <set>

#include "dataset/random.h"
#include "dataset/split.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::dataset;

namespace {

std::vector<std::string> ids(int n) {
    std::vector<std::string> result;
    for (int i = 0; i < n; ++i) result.push_back(fmt::format("tree-{}", i));
    return result;
}

std::set<std::string> validation(const std::vector<std::string>& trees, double fraction, std::uint64_t seed) {
    const auto split = splitByTree(trees, fraction, seed).value();
    std::set<std::string> held_out;
    for (std::size_t i = 0; i < trees.size(); ++i)
        if (split[i] == Split::Validation) held_out.insert(trees[i]);
    return held_out;
}

}  // namespace

class SplitTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void holdsOutTheRoundedFraction_data() {
        QTest::addColumn<int>("trees");
        QTest::addColumn<double>("fraction");
        QTest::addColumn<int>("expected");
        QTest::newRow("none") << 100 << 0.0 << 0;
        QTest::newRow("no trees") << 0 << 0.5 << 0;
        QTest::newRow("one tree is for training") << 1 << 0.9 << 0;
        QTest::newRow("at least one") << 2 << 0.001 << 1;
        QTest::newRow("at least one for training") << 2 << 0.999 << 1;
        QTest::newRow("rounds down") << 100 << 0.054 << 5;
        QTest::newRow("rounds up") << 100 << 0.056 << 6;
        QTest::newRow("half") << 137 << 0.5 << 69;
    }
    void holdsOutTheRoundedFraction() {
        QFETCH(int, trees);
        QFETCH(double, fraction);
        QFETCH(int, expected);
        QCOMPARE(static_cast<int>(validation(ids(trees), fraction, 42).size()), expected);
    }

    // Written down once: the split of a project must not change with compiler or library.
    void isTheSameOnEveryMachine() {
        QCOMPARE(validation(ids(20), 0.2, 42), (std::set<std::string>{"tree-0", "tree-10", "tree-18", "tree-3"}));
        SplitMix64 random(42, 7);
        QCOMPARE(random.next(), std::uint64_t{0x6cf90baed6340560});
        std::vector<int> order{0, 1, 2, 3, 4, 5, 6, 7};
        shuffle(order, random);
        QCOMPARE(order, (std::vector<int>{2, 3, 0, 1, 4, 7, 6, 5}));
    }

    void doesNotDependOnTheOrderOfTrees() {
        auto trees = ids(200);
        const auto before = validation(trees, 0.1, 3);
        std::reverse(trees.begin(), trees.end());
        QCOMPARE(validation(trees, 0.1, 3), before);
    }

    void hardlyChangesWhenATreeIsAdded() {
        const auto before = validation(ids(1000), 0.1, 3), after = validation(ids(1001), 0.1, 3);
        std::vector<std::string> moved;
        std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                      std::back_inserter(moved));
        QVERIFY2(moved.size() <= 2, fmt::format("{} trees changed sides", moved.size()).c_str());
    }

    void dependsOnTheSeed() { QVERIFY(validation(ids(200), 0.1, 1) != validation(ids(200), 0.1, 2)); }

    void countsEqualIdsOnce() {
        auto trees = ids(10);
        const auto expected = validation(trees, 0.3, 9);
        trees.insert(trees.end(), 90, "tree-0");
        QCOMPARE(validation(trees, 0.3, 9), expected);
        const auto split = splitByTree(trees, 0.3, 9).value();
        QVERIFY(std::all_of(split.begin() + 10, split.end(), [&](Split side) { return side == split[0]; }));
    }

    void refusesImpossibleFractions_data() {
        QTest::addColumn<double>("fraction");
        QTest::newRow("one") << 1.0;
        QTest::newRow("negative") << -0.1;
        QTest::newRow("not a number") << std::numeric_limits<double>::quiet_NaN();
    }
    void refusesImpossibleFractions() {
        QFETCH(double, fraction);
        EXPECT_ERROR(splitByTree(ids(10), fraction, 1), "validation fraction");
    }

    void drawsEvenlyBelowABound() {
        SplitMix64 random(1, 2);
        std::vector<int> counts(6);
        for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
        for (const int count : counts) QVERIFY(count > 9'600 && count < 10'400);
    }
};

QTEST_APPLESS_MAIN(SplitTest)
#include "split_test.moc"
