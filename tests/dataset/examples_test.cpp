#include <QtTest>
#include <set>

#include "byte_tokenizer.h"
#include "dataset/make_examples.h"
#include "support/expect.h"
#include "trees.h"

using namespace studio;
using namespace studio::dataset;
using studio::test::tree;

namespace {

Result<Examples> make(const std::vector<Tree>& trees, const ExampleOptions& options, bool silent_system = false) {
    return makeExamples(trees, test::ByteTokenizer(), test::ShortTemplate(silent_system), options);
}

// Tokens as text: "^" begins, "$" is EOS, what is supervised stands in brackets.
QString spelled(const Example& example) {
    QString text;
    for (int i = 0; i < example.size(); ++i) {
        if (example.supervised[i] && (i == 0 || !example.supervised[i - 1])) text += '[';
        const int id = example.tokens[i];
        text += QChar(id == test::ByteTokenizer::kBegin ? '^' : id == test::ByteTokenizer::kEos ? '$' : id);
        if (example.supervised[i] && (i + 1 == example.size() || !example.supervised[i + 1])) text += ']';
    }
    return text;
}

QStringList spelled(const Examples& examples) {
    QStringList all;
    for (int i = 0; i < examples.size(); ++i) all << spelled(examples[i]);
    return all;
}

// p─a─q─b and p─c.
Tree threeAnswers() {
    return tree("t", {{'p', "p", ""}, {'a', "a", "p"}, {'p', "q", "a"}, {'a', "b", "q"}, {'a', "c", "p"}});
}

}  // namespace

class ExamplesTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void supervisesByPolicy_data() {
        QTest::addColumn<QString>("policy");
        QTest::addColumn<QString>("train_on");
        QTest::addColumn<QStringList>("expected");
        QTest::newRow("best") << "best"
                              << "assistant" << QStringList{"^P:p$A:[a$]P:q$A:[b$]"};
        QTest::newRow("leaves") << "leaves"
                                << "assistant" << QStringList{"^P:p$A:[a$]P:q$A:[b$]", "^P:p$A:[c$]"};
        QTest::newRow("replies") << "replies"
                                 << "assistant" << QStringList{"^P:p$A:[a$]", "^P:p$A:a$P:q$A:[b$]", "^P:p$A:[c$]"};
        QTest::newRow("tree") << "tree"
                              << "assistant" << QStringList{"^P:p$A:[a$]P:q$A:[b$]A:[c$]"};
        QTest::newRow("best, all") << "best"
                                   << "all" << QStringList{"^[P:p$A:a$P:q$A:b$]"};
        QTest::newRow("replies, all") << "replies"
                                      << "all" << QStringList{"^P:p$[A:a$]", "^P:p$A:a$P:q$[A:b$]", "^P:p$[A:c$]"};
        QTest::newRow("tree, all") << "tree"
                                   << "all" << QStringList{"^[P:p$A:a$P:q$A:b$A:c$]"};
    }
    void supervisesByPolicy() {
        QFETCH(QString, policy);
        QFETCH(QString, train_on);
        QFETCH(QStringList, expected);
        ExampleOptions options;
        options.paths = pathPolicy(policy.toStdString()).value();
        options.train_on = trainOn(train_on.toStdString()).value();
        const auto examples = make({threeAnswers()}, options);
        EXPECT_OK(examples);
        QCOMPARE(spelled(*examples), expected);
    }

    void knowsMessagesAndParents() {
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        const Examples examples = make({threeAnswers()}, options).value();
        const Example example = examples[0];
        const std::vector<Span> expected{
            {0, -1, 0, 5, 0}, {1, 0, 5, 9, 5}, {2, 1, 9, 13, 9}, {3, 2, 13, 17, 13}, {4, 0, 17, 21, 5}};
        QVERIFY(std::equal(example.spans.begin(), example.spans.end(), expected.begin(), expected.end()));
        QCOMPARE(examples.message_ids, (std::vector<std::string>{"p", "a", "q", "b", "c"}));
        QCOMPARE(examples.lastMessageId(0), std::string("c"));
        QCOMPARE(examples.treeId(0), std::string("t"));
        QCOMPARE(examples.longestPath(), 17);
    }

    void countsRepetition() {
        ExampleOptions options;
        options.paths = PathPolicy::Replies;
        const Statistics replies = make({threeAnswers()}, options).value().statistics;
        QCOMPARE(replies.conversations, 1);
        QCOMPARE(replies.examples, 3);
        QCOMPARE(replies.tokens, 9 + 17 + 9);
        QCOMPARE(replies.supervised_tokens, 6);
        QCOMPARE(replies.repetition, 35.0 / 21.0);
        options.paths = PathPolicy::Tree;
        const Statistics whole = make({threeAnswers()}, options).value().statistics;
        QCOMPARE(whole.tokens, 21);
        QCOMPARE(whole.supervised_tokens, 6);
        QCOMPARE(whole.repetition, 1.0);
        options.paths = PathPolicy::Best;
        QCOMPARE(make({threeAnswers()}, options).value().statistics.repetition, 1.0);
    }

    void cutsAPathAfterTheBound_data() {
        QTest::addColumn<int>("bound");
        QTest::addColumn<QStringList>("replies");
        QTest::addColumn<QStringList>("tree");
        QTest::addColumn<int>("cut_of_replies");
        QTest::addColumn<int>("cut_of_tree");
        const QStringList all{"^P:p$A:[a$]", "^P:p$A:a$P:q$A:[b$]", "^P:p$A:[c$]"};
        QTest::newRow("unbounded") << 0 << all << QStringList{"^P:p$A:[a$]P:q$A:[b$]A:[c$]"} << 0 << 0;
        QTest::newRow("exact") << 17 << all << QStringList{"^P:p$A:[a$]P:q$A:[b$]A:[c$]"} << 0 << 0;
        QTest::newRow("no EOS") << 16 << QStringList{"^P:p$A:[a$]", "^P:p$A:a$P:q$A:[b]", "^P:p$A:[c$]"}
                                << QStringList{"^P:p$A:[a$]P:q$A:[b]A:[c$]"} << 1 << 1;
        QTest::newRow("only the marker") << 15 << QStringList{"^P:p$A:[a$]", "^P:p$A:[c$]"}
                                         << QStringList{"^P:p$A:[a$]P:q$A:A:[c$]"} << 2 << 2;
        QTest::newRow("inside a prompt") << 11 << QStringList{"^P:p$A:[a$]", "^P:p$A:[c$]"}
                                         << QStringList{"^P:p$A:[a$]P:A:[c$]"} << 6 << 6;
        QTest::newRow("inside both answers") << 8 << QStringList{"^P:p$A:[a]", "^P:p$A:[c]"}
                                             << QStringList{"^P:p$A:[a]A:[c]"} << 1 + 9 + 1 << 1 + 4 + 4 + 1;
        QTest::newRow("before any answer") << 7 << QStringList{} << QStringList{} << 2 + 10 + 2 << 2 + 8 + 2;
    }
    void cutsAPathAfterTheBound() {
        QFETCH(int, bound);
        QFETCH(QStringList, replies);
        QFETCH(QStringList, tree);
        QFETCH(int, cut_of_replies);
        QFETCH(int, cut_of_tree);
        ExampleOptions options;
        options.max_seq_length = bound;
        options.paths = PathPolicy::Replies;
        const Examples paths = make({threeAnswers()}, options).value();
        QCOMPARE(spelled(paths), replies);
        QCOMPARE(paths.statistics.cut_tokens, cut_of_replies);
        QCOMPARE(paths.statistics.left_out.examples_without_target, 3 - replies.size());
        QCOMPARE(paths.statistics.conversations, replies.isEmpty() ? 0 : 1);
        options.paths = PathPolicy::Tree;
        const Examples whole = make({threeAnswers()}, options).value();
        QCOMPARE(spelled(whole), tree);
        QCOMPARE(whole.statistics.cut_tokens, cut_of_tree);
        QCOMPARE(whole.statistics.left_out.examples_without_target, 1 - tree.size());
    }

    // Where a path ends is its name, even where the bound takes the end away.
    void namesACutPathByItsEnd() {
        ExampleOptions options;
        options.max_seq_length = 10;
        const Examples examples = make({threeAnswers()}, options).value();
        QCOMPARE(spelled(examples), QStringList{"^P:p$A:[a$]P"});
        QCOMPARE(examples.lastMessageId(0), std::string("b"));
    }

    void passesOverTurnsWithoutTokens() {
        const Tree t = tree("t", {{'s', "s", ""}, {'p', "p", "s"}, {'a', "a", "p"}, {'p', "q", "s"}, {'a', "b", "q"}});
        ExampleOptions options;
        options.paths = PathPolicy::Leaves;
        QCOMPARE(spelled(make({t}, options, true).value()), (QStringList{"P:p$A:[a$]", "P:q$A:[b$]"}));
        QCOMPARE(spelled(make({t}, options).value()), (QStringList{"^S:sP:p$A:[a$]", "^S:sP:q$A:[b$]"}));
        options.paths = PathPolicy::Tree;
        options.train_on = TrainOn::All;
        const Examples whole = make({t}, options, true).value();
        QCOMPARE(spelled(whole), QStringList{"P[:p$A:a$]P[:q$A:b$]"});  // neither first token has anything before it
        QCOMPARE(whole[0].spans[2].parent, -1);
        QCOMPARE(whole[0].spans[2].position, 0);
    }

    void supervisesTheEndOfAnEmptyAnswer() {
        Tree t = tree("t", {{'p', "p", ""}, {'a', "a", "p"}});
        t.nodes[1].text.clear();
        QCOMPARE(spelled(make({t}, {}).value()), QStringList{"^P:p$A:[$]"});
    }

    void countsWhatItLeavesOut() {
        const std::vector<Tree> trees{threeAnswers(),
                                      tree("no reply", {{'p', "x", ""}}),
                                      {"empty", {}},
                                      tree("disorder", {{'p', "y", ""}, {'p', "z", "y"}, {'a', "w", "z"}})};
        const Examples examples = make(trees, {}).value();
        QCOMPARE(examples.size(), 1);
        QCOMPARE(examples.statistics.left_out, (LeftOut{3, 0, 2}));
        QCOMPARE(examples.statistics.left_out.conversations(), 3);
    }

    void splitsTreesAndNotExamples() {
        ExampleOptions options;
        options.paths = PathPolicy::Replies;
        options.validation_fraction = 0.25;
        test::RandomTrees random;
        random.trees = 100;
        const Examples examples = make(test::randomForest(5, random), options).value();
        const auto train = examples.of(Split::Train), validation = examples.of(Split::Validation);
        QCOMPARE(static_cast<int>(train.size() + validation.size()), examples.size());
        std::set<std::string> sides[2];
        for (const int i : train) sides[0].insert(examples.treeId(i));
        for (const int i : validation) sides[1].insert(examples.treeId(i));
        for (const std::string& id : sides[1]) QVERIFY(!sides[0].contains(id));
        QCOMPARE(sides[1].size(), (sides[0].size() + sides[1].size() + 2) / 4);

        options.paths = PathPolicy::Tree;  // the same trees are held out, whatever is read from them
        options.max_seq_length = 20;
        const Examples other = make(test::randomForest(5, random), options).value();
        QCOMPARE(other.tree_ids, examples.tree_ids);
        QCOMPARE(other.split, examples.split);
    }

    void refusesWhatMakesNoSense() {
        ExampleOptions options;
        options.max_seq_length = -1;
        EXPECT_ERROR(make({threeAnswers()}, options), "max_seq_length");
        Tree backwards = threeAnswers();
        backwards.nodes[1].parent = 4;
        EXPECT_ERROR(make({backwards}, {}), "comes before");
        options = {};
        options.validation_fraction = 2;
        EXPECT_ERROR(make({threeAnswers()}, options), "validation fraction");
        EXPECT_ERROR(trainOn("everything"), "assistant or all");
    }

    void stopsWhenAsked() {
        std::stop_source source;
        source.request_stop();
        const auto result =
            makeExamples({threeAnswers()}, test::ByteTokenizer(), test::ShortTemplate(), {}, {source.get_token(), {}});
        QVERIFY(!result && result.error().cancelled());
    }
};

QTEST_APPLESS_MAIN(ExamplesTest)
#include "examples_test.moc"
