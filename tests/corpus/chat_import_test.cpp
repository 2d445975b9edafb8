#include "corpus/forest.h"
#include "corpus_support.h"

using namespace studio;
using namespace studio::test;
using corpus::Role;

namespace {

using Turns = std::vector<std::pair<Role, std::string>>;

Turns turns(corpus::Store& store) {
    Turns out;
    const auto forest = corpus::loadForest(store, {});
    if (!forest || forest->trees.size() != 1) return out;
    for (std::size_t i = 0; i < forest->trees[0].nodes.size(); ++i) {
        const corpus::Node& node = forest->trees[0].nodes[i];
        if (node.parent != static_cast<int>(i) - 1) return {};
        out.emplace_back(node.role, node.text);
    }
    return out;
}

}  // namespace

class ChatImportTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void kinds_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<int>("count");
        const auto add = [](const char* name, const char* line, int count) {
            QTest::newRow(name) << QByteArray(line) << count;
        };
        add("messages",
            R"({"messages":[{"role":"system","content":"S"},{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]})",
            3);
        add("sharegpt",
            R"({"id":7,"conversations":[{"from":"system","value":"S"},{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]})",
            3);
        add("conversations with roles",
            R"({"conversations":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]})", 2);
        add("prompt and response", R"({"prompt":"Q","response":"A"})", 2);
        add("with system", R"({"system":"S","prompt":"Q","response":"A"})", 3);
        add("completion", R"({"prompt":"Q","completion":"A"})", 2);
        add("instruction and output", R"({"instruction":"Q","output":"A"})", 2);
        add("empty input", R"({"instruction":"Q","input":"","output":"A"})", 2);
    }
    void kinds() {
        QFETCH(QByteArray, line);
        QFETCH(int, count);
        Importing files;
        const auto report = files.import(line.toStdString() + "\n");
        EXPECT_OK(report);
        QCOMPARE(report->messages, std::uint64_t(count));
        QCOMPARE(report->trees, 1u);
        QCOMPARE(report->roots, 1u);
        Turns expected;
        if (count == 3) expected.emplace_back(Role::System, "S");
        expected.emplace_back(Role::Prompter, "Q");
        expected.emplace_back(Role::Assistant, "A");
        QVERIFY(turns(files.store) == expected);
    }

    void inputFollowsTheInstruction() {
        Importing files;
        EXPECT_OK(files.import("{\"instruction\":\"Add.\",\"input\":\"1 2\",\"output\":\"3\"}\n"));
        QVERIFY((turns(files.store) == Turns{{Role::Prompter, "Add.\n\n1 2"}, {Role::Assistant, "3"}}));
    }

    void idsAreStable() {
        const std::string line = "{\"prompt\":\"Q\",\"response\":\"A\"}\n";
        Importing files;
        EXPECT_OK(files.import(line + line));
        QCOMPARE(files.store.counts()->trees, 2);  // two lines, two conversations, though they say the same
        // The file has grown: its first lines are known already.
        const auto grown = files.import(line + line + "{\"prompt\":\"Q2\",\"response\":\"A2\"}\n");
        EXPECT_OK(grown);
        QCOMPARE(grown->merged, 4u);
        QCOMPARE(grown->messages, 2u);
    }

    void reasons_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("reason");
        const auto add = [](const char* name, const char* line, const char* reason) {
            QTest::newRow(name) << QByteArray(line) << QByteArray(reason);
        };
        add("unknown role", R"({"messages":[{"role":"tool","content":"x"}]})",
            "The role \"tool\" of turn 1 is unknown");
        add("no role", R"({"messages":[{"content":"x"}]})", "Turn 1 does not say whose it is.");
        add("parts", R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})", "Turn 1 has no text.");
        add("no turns", R"({"messages":[]})", "without messages");
        add("no list", R"({"messages":"x"})", "not a list");
        add("turn no object", R"({"messages":["x"]})", "Turn 1 is not an object.");
        add("no response", R"({"prompt":"Q"})", "It has a prompt, but no response.");
        add("response a number", R"({"prompt":"Q","response":3})", "Its response is not a string.");
        add("prompt a number", R"({"prompt":3,"response":"A"})", "Its prompt is not a string.");
        add("input a list", R"({"prompt":"Q","input":[],"response":"A"})", "Its input is not a string.");
        add("something else", R"({"text":"only text"})", "It holds no conversation");
    }
    void reasons() {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, reason);
        Importing files;
        const auto report = files.import(line.toStdString() + "\n{\"prompt\":\"Q\",\"response\":\"A\"}\n");
        EXPECT_OK(report);
        QCOMPARE(report->messages, 2u);
        QCOMPARE(report->rejected_count, 1u);
        QCOMPARE(report->rejected[0].line, 1u);
        QVERIFY2(report->rejected[0].reason.find(reason.toStdString()) != std::string::npos,
                 report->rejected[0].reason.c_str());
        QCOMPARE(report->rejected[0].excerpt.substr(0, 20), line.toStdString().substr(0, 20));
    }
};

QTEST_GUILESS_MAIN(ChatImportTest)
#include "chat_import_test.moc"
