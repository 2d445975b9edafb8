#include <QtTest>

#include "dataset/paths.h"
#include "oracle.h"
#include "support/expect.h"
#include "trees.h"

using namespace studio;
using namespace studio::dataset;
using studio::test::tree;

namespace {

// "p a p a|p a": the message ids along each path.
QString spelled(const Tree& t, PathPolicy policy) {
    const TreeIndex index(t);
    QStringList paths;
    if (policy == PathPolicy::Tree) {
        QStringList names;
        for (const int node : index.depthFirst()) names << QString::fromStdString(t.nodes[node].message_id);
        return names.join(' ');
    }
    for (const int end : index.pathEnds(policy)) {
        QStringList names;
        for (const int node : index.pathTo(end)) names << QString::fromStdString(t.nodes[node].message_id);
        paths << names.join(' ');
    }
    return paths.join('|');
}

Tree forked() {
    return tree("t", {{'p', "root", ""},
                      {'a', "a1", "root", 1},
                      {'p', "p1", "a1"},
                      {'a', "a11", "p1"},
                      {'a', "a2", "root", 0},
                      {'p', "p2", "a2"},  // unanswered
                      {'p', "p3", "a2"},
                      {'a', "a31", "p3"},  // unranked
                      {'a', "a32", "p3", 2},
                      {'p', "p4", "a32"},  // unanswered
                      {'a', "a3", "root"}});
}

}  // namespace

class PathsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void readsATreeByPolicy() {
        const Tree t = forked();
        QCOMPARE(spelled(t, PathPolicy::Best), "root a2 p3 a32");
        QCOMPARE(spelled(t, PathPolicy::Leaves), "root a1 p1 a11|root a2|root a2 p3 a31|root a2 p3 a32|root a3");
        QCOMPARE(spelled(t, PathPolicy::Replies),
                 "root a1|root a1 p1 a11|root a2|root a2 p3 a31|root a2 p3 a32|root a3");
        QCOMPARE(spelled(t, PathPolicy::Tree), "root a1 p1 a11 a2 p3 a31 a32 a3");
    }

    void breaksTiesInFileOrder() {
        QCOMPARE(spelled(tree("t", {{'p', "r", ""}, {'a', "x", "r", 1}, {'a', "y", "r", 1}}), PathPolicy::Best), "r x");
        QCOMPARE(spelled(tree("t", {{'p', "r", ""}, {'a', "x", "r"}, {'a', "y", "r"}}), PathPolicy::Best), "r x");
        QCOMPARE(spelled(tree("t", {{'p', "r", ""}, {'a', "x", "r"}, {'a', "y", "r", 7}}), PathPolicy::Best), "r y");
    }

    // Two unanswered prompter turns after one answer end on the same message.
    void givesEqualLeafPathsOnce() {
        const Tree t = tree("t", {{'p', "r", ""}, {'a', "x", "r"}, {'p', "u", "x"}, {'p', "v", "x"}});
        QCOMPARE(spelled(t, PathPolicy::Leaves), "r x");
    }

    void acceptsASystemMessageFirst() {
        const Tree t = tree("t", {{'s', "s", ""}, {'p', "p", "s"}, {'a', "a", "p"}, {'s', "late", "a"}});
        for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies, PathPolicy::Tree})
            QCOMPARE(spelled(t, policy), "s p a");
        QCOMPARE(TreeIndex(t).messagesOutOfOrder(), 1);
    }

    void leavesOutWhatBreaksTheAlternation() {
        const Tree t = tree("t", {{'p', "r", ""},
                                  {'p', "again", "r"},
                                  {'a', "below", "again"},
                                  {'a', "x", "r"},
                                  {'a', "twice", "x"},
                                  {'p', "under", "twice"}});
        QCOMPARE(spelled(t, PathPolicy::Leaves), "r x");
        QCOMPARE(TreeIndex(t).messagesOutOfOrder(), 4);
        const Tree headless = tree("t", {{'a', "r", ""}, {'p', "p", "r"}, {'a', "x", "p"}});
        QVERIFY(!TreeIndex(headless).hasReply());
        QCOMPARE(TreeIndex(headless).messagesOutOfOrder(), 3);
        const Tree answered_system = tree("t", {{'s', "s", ""}, {'a', "x", "s"}});
        QVERIFY(!TreeIndex(answered_system).hasReply());
    }

    void hasNoPathWithoutAReply() {
        for (const Tree& t : {Tree{"t", {}}, tree("t", {{'p', "r", ""}}), tree("t", {{'s', "r", ""}})}) {
            QVERIFY(!TreeIndex(t).hasReply());
            for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies, PathPolicy::Tree})
                QCOMPARE(spelled(t, policy), "");
        }
    }

    void takesTheFirstOfTwoFirstMessages() {
        Tree t = tree("t", {{'p', "r", ""}, {'a', "x", "r"}, {'p', "second", ""}, {'a', "y", "second"}});
        QCOMPARE(spelled(t, PathPolicy::Leaves), "r x");
        QCOMPARE(TreeIndex(t).messagesOutOfOrder(), 2);
    }

    void agreesWithTheSlowWay() {
        int compared = 0;
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            for (const Tree& t : test::randomForest(seed)) {
                const TreeIndex index(t);
                for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies}) {
                    std::vector<std::vector<int>> ours;
                    for (const int end : index.pathEnds(policy)) ours.push_back(index.pathTo(end));
                    QCOMPARE(ours, test::paths(t, policy));
                    compared += static_cast<int>(ours.size());
                }
            }
        }
        QVERIFY(compared > 5'000);
    }

    void readsLongChainsWithoutRecursion() {
        Tree t{"t", {}};
        for (int i = 0; i < 200'000; ++i)
            t.nodes.push_back({"m", i - 1, i % 2 ? text::Role::Assistant : text::Role::Prompter, {}, "", ""});
        const TreeIndex index(t);
        QCOMPARE(index.depthFirst().size(), t.nodes.size());
        QCOMPARE(index.pathTo(index.pathEnds(PathPolicy::Best)[0]).size(), t.nodes.size());
    }

    void knowsItsNames() {
        for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies, PathPolicy::Tree})
            QCOMPARE(pathPolicy(name(policy)).value(), policy);
        EXPECT_ERROR(pathPolicy("Best"), "replies");
    }
};

QTEST_APPLESS_MAIN(PathsTest)
#include "paths_test.moc"
