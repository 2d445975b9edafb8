#include "corpus/forest.h"

#include "corpus_support.h"

using namespace studio;
using namespace studio::test;
using corpus::Filter;

namespace {

// r → a (rank 1) → p → b;  r → d (deleted) → e;  o: orphan → u
std::vector<Json> rows() {
    std::vector<Json> all{row("r", "", "t", "prompter"),      row("a", "r", "t", "assistant"),
                          row("p", "a", "t", "prompter"),     row("b", "p", "t", "assistant"),
                          row("d", "r", "t", "assistant"),    row("e", "d", "t", "prompter"),
                          row("o", "gone", "s", "assistant"), row("u", "o", "s", "prompter")};
    all[1]["rank"] = 1;
    all[4]["deleted"] = true;
    all[4]["rank"] = 0;
    return all;
}

// "t: r>a>p …": every tree with its nodes and their parents' places.
std::string shape(const corpus::Forest& forest) {
    std::string out;
    for (const corpus::Tree& tree : forest.trees) {
        out += tree.id + ":";
        for (const corpus::Node& node : tree.nodes) out += " " + node.message_id + "^" + std::to_string(node.parent);
        out += "; ";
    }
    return out;
}

}  // namespace

class ForestTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void whatIsLeftOut_data() {
        QTest::addColumn<QByteArray>("filter");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QList<int>>("left_out");  // deleted, orphans, filtered, below
        QTest::newRow("default") << QByteArray("") << QByteArray("t: r^-1 a^0 p^1 b^2; ") << QList<int>{1, 1, 0, 2};
        QTest::newRow("with deleted") << QByteArray("deleted:yes,no OR -deleted") << QByteArray() << QList<int>{};
        QTest::newRow("deleted asked for") << QByteArray("deleted OR -deleted")
                                           << QByteArray("t: r^-1 a^0 p^1 b^2 d^0 e^4; ") << QList<int>{0, 1, 0, 1};
        QTest::newRow("orphans asked for")
            << QByteArray("orphan OR NOT orphan") << QByteArray("t: r^-1 a^0 p^1 b^2; s: o^-1 u^0; ")
            << QList<int>{1, 0, 0, 1};
        QTest::newRow("both named") << QByteArray("-deleted orphan:no") << QByteArray("t: r^-1 a^0 p^1 b^2; ")
                                    << QList<int>{0, 0, 2, 2};
        QTest::newRow("a subtree goes along")
            << QByteArray("-id:p") << QByteArray("t: r^-1 a^0; ") << QList<int>{1, 1, 1, 3};
        QTest::newRow("without roots nothing")
            << QByteArray("role:assistant") << QByteArray() << QList<int>{1, 1, 4, 2};
        QTest::newRow("depth") << QByteArray("depth<=1") << QByteArray("t: r^-1 a^0; ") << QList<int>{1, 1, 3, 1};
    }
    void whatIsLeftOut() {
        QFETCH(QByteArray, filter);
        QFETCH(QByteArray, expected);
        QFETCH(QList<int>, left_out);
        if (left_out.isEmpty()) {
            QVERIFY(!Filter::parse(filter.toStdString()));  // a flag is yes or no, not both
            return;
        }
        Importing files;
        EXPECT_OK(files.import(lines(rows())));
        const auto forest = corpus::loadForest(files.store, *Filter::parse(filter.toStdString()));
        EXPECT_OK(forest);
        QCOMPARE(shape(*forest), expected.toStdString());
        const corpus::LeftOut& out = forest->left_out;
        QCOMPARE((QList<int>{int(out.deleted), int(out.orphans), int(out.filtered), int(out.below)}), left_out);
        QCOMPARE(out.total() + forest->messages, 8);
    }

    void nodesCarryTheMessage() {
        Importing files;
        EXPECT_OK(files.import(lines(rows())));
        const auto forest = corpus::loadForest(files.store, {});
        const corpus::Node& a = forest->trees[0].nodes[1];
        QVERIFY(a.role == corpus::Role::Assistant);
        QCOMPARE(a.rank, std::optional(1));
        QCOMPARE(a.text, std::string("text"));
        QCOMPARE(a.lang, std::string("en"));
        QCOMPARE(files.store.messageAt(a.row).value()->message_id, a.message_id);
        QVERIFY(!forest->trees[0].nodes[0].rank);
    }

    void treesComeInFileOrder() {
        Importing files;
        EXPECT_OK(files.import(lines({row("z", "", "z", "prompter"), row("m", "", "m", "prompter"),
                                      row("z1", "z", "z", "assistant"), row("a", "", "a", "prompter")})));
        QCOMPARE(shape(*corpus::loadForest(files.store, {})), std::string("z: z^-1 z1^0; m: m^-1; a: a^-1; "));
    }

    void repliesBeforeTheirParentsAreSorted() {
        Importing files;
        EXPECT_OK(files.import(lines({row("b", "a", "r", "prompter"), row("a", "r", "r", "assistant"),
                                      row("c", "r", "r", "assistant"), row("r", "", "r", "prompter")})));
        QCOMPARE(shape(*corpus::loadForest(files.store, {})), std::string("r: r^-1 a^0 c^0 b^1; "));
    }

    void theSampleInFigures() {
        auto store = corpus::Store::openMemory();
        EXPECT_OK(corpus::importFile(
            *store, STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz", {}, {}));
        const auto forest = corpus::loadForest(*store, {});
        EXPECT_OK(forest);
        QCOMPARE(forest->trees.size(), 136u);
        QCOMPARE(forest->messages, 1460);
        QCOMPARE(forest->left_out.deleted, 28);
        QCOMPARE(forest->left_out.orphans, 1);
        QCOMPARE(forest->left_out.below, 0);
        for (const corpus::Tree& tree : forest->trees) {
            QVERIFY(tree.nodes.front().role == corpus::Role::Prompter);
            QCOMPARE(tree.id, tree.nodes.front().message_id);
            for (std::size_t i = 1; i < tree.nodes.size(); ++i) {
                QVERIFY(tree.nodes[i].parent >= 0 && tree.nodes[i].parent < int(i));
                QVERIFY(tree.nodes[i].row > tree.nodes[i - 1].row);
            }
        }
    }

    void canBeStopped() {
        Importing files;
        EXPECT_OK(files.import(lines(rows())));
        std::stop_source stop;
        stop.request_stop();
        const auto forest = corpus::loadForest(files.store, {}, {stop.get_token(), {}});
        QVERIFY(!forest && forest.error().cancelled());
    }
};

QTEST_GUILESS_MAIN(ForestTest)
#include "forest_test.moc"
