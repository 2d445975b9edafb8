// The YAML and JSON readers: what they take, what they refuse, and that nothing makes them slow or sick.
#include <QElapsedTimer>
#include <QTest>
#include <random>

#include "config/node.h"
#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

class YamlTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void scalarsKeepTheirSpelling() {
        GET(const Node root,
            parseYaml("a: 010\nb: no\nc: 1e3\nd: \"5\"\ne: null\nf: ~\ng:\nh: 'x y'\ni: >\n  folded\n  text\n",
                      "x.yaml"));
        QCOMPARE(root.find("a")->text, std::string("010"));
        QCOMPARE(root.find("b")->text, std::string("no"));
        QCOMPARE(root.find("c")->text, std::string("1e3"));
        QVERIFY(root.find("c")->kind == Node::Kind::Plain);
        QVERIFY(root.find("d")->kind == Node::Kind::Quoted);
        for (const char* nothing : {"e", "f", "g"}) QVERIFY2(root.find(nothing)->kind == Node::Kind::Null, nothing);
        QCOMPARE(root.find("h")->text, std::string("x y"));
        QCOMPARE(root.find("i")->text, std::string("folded text\n"));
    }

    void placesAreKnown() {
        GET(const Node yaml, parseYaml("# head\na: 1\n\nbc:   [x, y]\n", "x.yaml"));
        QCOMPARE(yaml.find("a")->line, 2);
        QCOMPARE(yaml.find("a")->column, 4);
        QCOMPARE(yaml.entries[1].key.line, 4);
        QCOMPARE(yaml.entries[1].key.column, 1);
        QCOMPARE(yaml.find("bc")->column, 7);
        GET(const Node json,
            parseJsonNode("{\"a\\\"\": [1, {\"k\": \"}\"}],\n  \"b\" : {\"c\":2},\n\t\"d\": -5 , \"e\":\"f\"}",
                          "x.json"));
        QCOMPARE(json.entries[0].key.column, 2);
        QCOMPARE(json.entries[0].value.column, 9);
        QCOMPARE(json.entries[1].key.line, 2);
        QCOMPARE(json.entries[1].value.column, 9);
        QCOMPARE(json.entries[2].value.line, 3);
        QCOMPARE(json.entries[2].value.column, 7);
        QCOMPARE(json.entries[3].key.column, 12);
        QCOMPARE(json.entries[3].value.column, 16);
    }

    void emptyFilesAreEmptyMaps() {
        for (const char* text : {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
            const auto root = parseYaml(text, "x.yaml");
            QVERIFY2(root && root->kind == Node::Kind::Map && root->entries.empty(), text);
        }
        QVERIFY(parseYaml("\xEF\xBB\xBFseed: 1\n", "x.yaml")->find("seed"));
        QVERIFY(parseYaml("seed: 1\r\nr: 2\r\n", "x.yaml")->find("r"));
    }

    void malformedFilesAreRefusedWithTheirPlace_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* name, QByteArray text, const char* said) {
            QTest::newRow(name) << text << said;
        };
        row("alias", "a: &x 1\nb: *x\n", "line 1, column 4: anchors and aliases");
        row("anchor on a list", "a: &x [1]\n", "anchors and aliases");
        row("bomb", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "anchors and aliases");
        row("tag", "a: !!python/object:os.system x\n", "the tag");
        row("tagged map", "a: !x {b: 1}\n", "the tag");
        row("twice", "seed: 1\nr: 2\nseed: 3\n", "line 3, column 1: the key seed occurs twice");
        row("twice inside", "a: {b: 1, b: 2}\n", "line 1, column 11: the key b occurs twice");
        row("list as key", "[a, b]: 1\n", "a list or map stands where a key belongs");
        row("tabs", "a:\n\tb: 1\n", "line 2");
        row("bad indent", "a: 1\n b: 2\n", "line 2");
        row("open quote", "a: \"x\n", "line");
        row("open bracket", "a: [1, 2\n", "line");
        row("deep", "a: " + QByteArray(40, '[') + QByteArray(40, ']'), "nested more than 16 levels");
        row("very deep", "a: " + QByteArray(400000, '['), "line 1");
        row("very deep map", QByteArray("a: ") + QByteArray("{a: ").repeated(100000), "line 1");
        row("block depth", QByteArray("- ").repeated(100000), "nested more than 16 levels");
        row("two documents", "a: 1\n---\nb: 2\n", "more than one YAML document");
        row("a list", "- a\n- b\n", "no list of");
        row("a scalar", "hello\n", "no list of");
        row("NUL", QByteArray("a: 1\0b: 2", 9), "zero byte");
        row("latin-1", "a: caf\xE9\n", "is not UTF-8 text (byte 6)");
        row("overlong", "a: \xC0\x80\n", "is not UTF-8");
        row("surrogate", "a: \xED\xA0\x80\n", "is not UTF-8");
        row("UTF-16",
            QByteArray("\xFF\xFE"
                       "a\0:\0",
                       6),
            "is not UTF-8");
        row("large", QByteArray("a: ") + QByteArray(1 << 20, 'x'), "at most 1048576");
        row(
            "many keys",
            [] {
                QByteArray text;
                for (int i = 0; i < 20000; ++i) text += "k" + QByteArray::number(i) + ": 1\n";
                return text;
            }(),
            "more than 10000 keys");
    }
    void malformedFilesAreRefusedWithTheirPlace() {
        QFETCH(QByteArray, text);
        QFETCH(QString, said);
        const auto root = parseYaml(text.toStdString(), "my.yaml");
        QVERIFY(!root);
        const QString message = test::q(root.error().text());
        QVERIFY2(message.contains(said), qPrintable(message.left(300)));
        QVERIFY2(message.contains("my.yaml"), qPrintable(message.left(300)));
        QVERIFY(!root.error().hint.empty());
    }

    void malformedJsonIsRefused() {
        for (const char* text :
             {"", "{", "[]", "{\"a\": 1,}", "{\"a\": 1, \"a\": 2}", "{a: 1}", "{\"a\": 01}", "{\"a\": NaN}", "5"}) {
            const auto root = parseJsonNode(text, "my.json");
            QVERIFY2(!root, text);
            QVERIFY2(root.error().message.find("my.json") != std::string::npos, root.error().message.c_str());
        }
    }

    // Whatever bytes stand in a file, it is read or refused, never worse.
    void mutatedFilesAreReadOrRefused() {
        std::string seed = formatTrainingConfig(Recipe{});
        seed.resize(std::min<std::size_t>(seed.size(), 1500));
        std::mt19937 random(3);
        const std::string special = "{}[]&*!|>'\"%@`#,:-?\n\t \\\x80\xff\x00";
        int read = 0;
        for (int i = 0; i < 3000; ++i) {
            std::string text = seed;
            for (int k = 0; k < 1 + i % 4; ++k) text[random() % text.size()] = special[random() % special.size()];
            ReadRecipe into;
            const auto ok = parseTrainingConfig(text, i % 2 ? "x.yaml" : "x", into);
            read += ok ? 1 : 0;
            if (!ok) QVERIFY(!ok.error().message.empty());
        }
        QVERIFY(read > 10);
    }
};

QTEST_GUILESS_MAIN(YamlTest)
#include "yaml_test.moc"
