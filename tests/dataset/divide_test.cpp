#include <fmt/format.h>

#include <QtTest>
#include <algorithm>

#include "dataset/divide.h"
#include "dataset/random.h"

using namespace studio::dataset;

namespace {

// Spans of the given sizes; parents come first.
std::vector<Span> spans(const std::vector<std::pair<int, int>>& parent_and_size) {
    std::vector<Span> result;
    int begin = 0;
    for (const auto& [parent, size] : parent_and_size) {
        const int position = parent < 0 ? 0 : result[parent].position + result[parent].size();
        result.push_back({0, parent, begin, begin + size, position});
        begin += size;
    }
    return result;
}

std::vector<Span> randomSpans(SplitMix64& random, int n, int largest) {
    std::vector<std::pair<int, int>> parent_and_size{{-1, 1 + static_cast<int>(random.below(largest))}};
    for (int i = 1; i < n; ++i) {
        // Half of them near the end, so that trees are deep as well as wide.
        const auto reach = random.below(2) ? i : std::min(i, 4);
        parent_and_size.emplace_back(i - 1 - static_cast<int>(random.below(reach)),
                                     1 + static_cast<int>(random.below(largest)));
    }
    return spans(parent_and_size);
}

int rows(const std::vector<Span>& spans, const Group& group) {
    int sum = 0;
    for (const GroupSpan& member : group) sum += spans[member.span].size();
    return sum;
}

int longest(const std::vector<Span>& spans) {
    int most = 0;
    for (const Span& span : spans) most = std::max(most, span.position + span.size());
    return most;
}

// Empty if the groups are a division; else what is wrong.
std::string fault(const std::vector<Span>& spans, const std::vector<Group>& groups, int max_rows) {
    std::vector<int> supervised(spans.size());
    for (const Group& group : groups) {
        if (rows(spans, group) > max_rows) return "a group is too large";
        std::vector<bool> inside(spans.size());
        int last = -1;
        bool any = false;
        for (const auto& [span, own] : group) {
            if (span <= last) return "a group is not ascending";
            last = span;
            if (spans[span].parent >= 0 && !inside[spans[span].parent]) return "an ancestor is missing";
            inside[span] = true;
            supervised[span] += own;
            any |= own;
        }
        if (!any) return "a group has nothing of its own";
    }
    for (const int times : supervised)
        if (times != 1) return fmt::format("a span is supervised {} times", times);
    return {};
}

}  // namespace

class DivideTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void keepsATreeThatFits() {
        const auto tree = spans({{-1, 3}, {0, 4}, {0, 2}});
        QCOMPARE(divide(tree, 9), (std::vector<Group>{{{0, true}, {1, true}, {2, true}}}));
    }

    void repeatsTheAncestorsThatAreShared() {
        const auto tree = spans({{-1, 3}, {0, 4}, {1, 2}, {0, 5}});
        QCOMPARE(divide(tree, 9), (std::vector<Group>{{{0, true}, {1, true}, {2, true}}, {{0, false}, {3, true}}}));
    }

    // The two small leaves below the long message share its repetition.
    void joinsDeepSubtreesFirst() {
        const auto tree = spans({{-1, 2}, {0, 10}, {1, 3}, {1, 3}, {0, 9}, {0, 4}});
        const auto groups = divide(tree, 18);
        QCOMPARE(groups, (std::vector<Group>{{{0, true}, {1, true}, {2, true}, {3, true}},
                                             {{0, false}, {4, true}, {5, true}}}));
    }

    void dividesSeveralRoots() {
        const auto tree = spans({{-1, 5}, {-1, 5}, {0, 5}});
        QCOMPARE(fault(tree, divide(tree, 10), 10), std::string());
        QCOMPARE(divide(tree, 10).size(), std::size_t{2});
    }

    void supervisesEverythingOnceUnderEveryBound() {
        SplitMix64 random(11, 0);
        int divided = 0;
        for (int i = 0; i < 300; ++i) {
            const auto tree = randomSpans(random, 1 + static_cast<int>(random.below(60)), 9);
            const int shortest = longest(tree), total = tree.back().end;
            for (int bound = shortest; bound <= total + 1; bound += 1 + (total - shortest) / 12) {
                const auto groups = divide(tree, bound);
                const std::string wrong = fault(tree, groups, bound);
                QVERIFY2(wrong.empty(), fmt::format("tree {}, bound {}: {}", i, bound, wrong).c_str());
                QCOMPARE(groups.size() == 1, bound >= total);
                divided += groups.size() > 1;
            }
        }
        QVERIFY(divided > 2'000);
    }

    // Trees of a real size and a usual bound: far fewer rows than the paths to the messages would be.
    void repeatsLittle() {
        SplitMix64 random(12, 0);
        std::int64_t once = 0, divided = 0, as_paths = 0;
        for (int i = 0; i < 50; ++i) {
            const auto tree = randomSpans(random, 100, 300);
            const int bound = std::max(4096, longest(tree));
            once += tree.back().end;
            for (const Group& group : divide(tree, bound)) divided += rows(tree, group);
            for (const Span& span : tree) as_paths += span.position + span.size();
        }
        const double repetition = static_cast<double>(divided) / static_cast<double>(once);
        QVERIFY2(repetition < 1.2, fmt::format("{}", repetition).c_str());
        QVERIFY(as_paths > 5 * once);
    }

    void dividesLongChainsWithManyLeaves() {
        std::vector<std::pair<int, int>> shape;
        for (int i = 0; i < 512; ++i) shape.emplace_back(i - 1, 1);
        for (int i = 0; i < 20'000; ++i) shape.emplace_back(i % 512, 7);
        const auto tree = spans(shape);
        QCOMPARE(fault(tree, divide(tree, 600), 600), std::string());
    }
};

QTEST_APPLESS_MAIN(DivideTest)
#include "divide_test.moc"
