#include "corpus/link.h"

#include <QtTest>
#include <random>
#include <set>

using namespace studio::corpus;

namespace {

// What link() promises, message by message and by walking; quadratic.
Fate fateByWalking(const std::vector<LinkInput>& messages, std::uint32_t i) {
    const auto own = [&](std::uint32_t m) {
        if (!messages[m].names_parent) return Fate::Root;
        const std::uint32_t parent = messages[m].parent;
        if (parent == kNoMessage) return Fate::Orphan;
        if (parent == m) return Fate::SelfParent;
        if (messages[parent].tree != messages[m].tree) return Fate::OtherTree;
        std::set<std::uint32_t> seen;
        for (std::uint32_t at = m; seen.insert(at).second;) {
            const LinkInput& here = messages[at];
            const bool up = here.names_parent && here.parent != kNoMessage && here.parent != at &&
                            messages[here.parent].tree == here.tree;
            if (!up) return Fate::Reply;
            at = here.parent;
            if (at == m) return Fate::Cycle;
        }
        return Fate::Reply;  // walked into a cycle above
    };
    const Fate fate = own(i);
    return fate == Fate::Reply && isRejected(own(messages[i].parent)) ? Fate::Orphan : fate;
}

std::vector<LinkInput> chain(int length) {
    std::vector<LinkInput> messages(static_cast<std::size_t>(length));
    for (int i = 1; i < length; ++i) messages[i] = {static_cast<std::uint32_t>(i - 1), 0, true, 0};
    return messages;
}

}  // namespace

class LinkTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void agreesWithWalking() {
        std::mt19937 engine(7);
        const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
        for (int round = 0; round < 400; ++round) {
            const std::uint32_t n = 1 + random() % 30;
            std::vector<LinkInput> messages(n);
            for (LinkInput& message : messages) {
                message.names_parent = random() % 5 != 0;
                if (message.names_parent && random() % 8 != 0) message.parent = random() % n;
                message.tree = random() % 4 == 0;
                message.role = random() % 2;
            }
            const std::vector<Link> links = link(messages);
            std::vector<std::uint32_t> replies(n, 0);
            for (std::uint32_t i = 0; i < n; ++i) {
                QCOMPARE(static_cast<int>(links[i].fate), static_cast<int>(fateByWalking(messages, i)));
                if (links[i].fate != Fate::Reply) {
                    QCOMPARE(links[i].parent, kNoMessage);
                    QCOMPARE(links[i].depth, std::uint16_t{0});
                    continue;
                }
                QCOMPARE(links[i].parent, messages[i].parent);
                QCOMPARE(int{links[i].depth}, links[links[i].parent].depth + 1);
                QCOMPARE(links[i].same_role, messages[i].role == messages[links[i].parent].role);
                ++replies[links[i].parent];
            }
            for (std::uint32_t i = 0; i < n; ++i) QCOMPARE(links[i].replies, replies[i]);
        }
    }

    void aCycleOfThreeIsRejectedWhole() {
        std::vector<LinkInput> messages(5);
        messages[1] = {3, 0, true, 0};
        messages[2] = {1, 0, true, 0};
        messages[3] = {2, 0, true, 0};
        messages[4] = {1, 0, true, 0};  // hangs on the cycle
        const std::vector<Link> links = link(messages);
        for (const int member : {1, 2, 3}) QVERIFY(links[member].fate == Fate::Cycle);
        QVERIFY(links[0].fate == Fate::Root);
        QVERIFY(links[4].fate == Fate::Orphan && links[4].parent_rejected);
    }

    void theDepthLimitCutsExactly() {
        const std::vector<Link> links = link(chain(5000));
        for (int i = 0; i < 5000; ++i) QCOMPARE(links[i].fate == Fate::TooDeep, i >= kMaxDepth);
        QCOMPARE(int{links[kMaxDepth - 1].depth}, kMaxDepth - 1);
        QCOMPARE(links[kMaxDepth - 1].replies, 0u);
    }

    // A recursion, or anything quadratic, would not come back from these.
    void aMillionInOneChainAndOneCycle() {
        std::vector<LinkInput> messages = chain(1'000'000);
        QVERIFY(link(messages).back().fate == Fate::TooDeep);
        messages[0] = {999'999, 0, true, 0};
        QVERIFY(link(messages)[500'000].fate == Fate::Cycle);
    }
};

QTEST_APPLESS_MAIN(LinkTest)
#include "link_test.moc"
