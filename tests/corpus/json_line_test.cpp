#include "corpus/json_line.h"

#include <QtTest>

using namespace studio::corpus;

class JsonLineTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void rejectsWithAReason_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("not JSON") << QByteArray("{\"a\":1,}") << QByteArray("not JSON");
        QTest::newRow("array") << QByteArray("[{\"a\":1}]") << QByteArray("JSON array");
        QTest::newRow("value") << QByteArray("3") << QByteArray("single value");
        QTest::newRow("two objects") << QByteArray("{} {}") << QByteArray("not JSON");
        QTest::newRow("trailing text") << QByteArray("{\"a\":1} x") << QByteArray("not JSON");
        QTest::newRow("no end") << QByteArray("{\"a\":\"b") << QByteArray("not JSON");
        QTest::newRow("control character") << QByteArray("{\"a\":\"\x01\"}") << QByteArray("control character");
        QTest::newRow("NUL byte") << QByteArray("{\"a\":\"x\0y\"}", 11) << QByteArray("control character");
        QTest::newRow("octal number") << QByteArray("{\"a\":010}") << QByteArray("number is written wrongly");
        QTest::newRow("Latin-1") << QByteArray("{\"a\":\"caf\xE9\"}") << QByteArray("byte 1009");
        QTest::newRow("lone FF") << QByteArray("{\"a\":\"\xFF\"}") << QByteArray("byte 1006");
        QTest::newRow("overlong slash") << QByteArray("{\"a\":\"x\xC0\xAF\"}") << QByteArray("byte 1007");
        QTest::newRow("surrogate bytes") << QByteArray("{\"a\":\"\xED\xA0\x80\"}") << QByteArray("byte 1006");
        QTest::newRow("lone high") << QByteArray("{\"a\":\"\\ud800\"}") << QByteArray("\\ud800 at byte 1006");
        QTest::newRow("lone low") << QByteArray("{\"a\":\"xy\\udc00\"}") << QByteArray("\\udc00 at byte 1008");
        QTest::newRow("high, then letter") << QByteArray("{\"a\":\"\\ud83dx\"}") << QByteArray("lone surrogate");
        QTest::newRow("key twice") << QByteArray("{\"a\":1,\"b\":2,\"a\":1}") << QByteArray("key \"a\" twice");
        QTest::newRow("key twice, escaped") << QByteArray("{\"a\":1,\"\\u0061\":2}") << QByteArray("key \"a\" twice");
        QTest::newRow("key twice, deep inside")
            << QByteArray("{\"x\":[{\"y\":{\"k\":1,\"k\":1}}]}") << QByteArray("key \"k\" twice");
        QByteArray deep;
        deep = QByteArray("{\"a\":[").repeated(100'000) + QByteArray("]}").repeated(100'000);
        QTest::newRow("100,000 levels") << deep << QByteArray("nested too deep");
    }
    void rejectsWithAReason() {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, reason);
        JsonLineParser parser;
        const auto object = parser.parse({line.data(), static_cast<std::size_t>(line.size())}, 1000);
        QVERIFY(!object);
        QVERIFY2(object.error().find(reason.toStdString()) != std::string::npos, object.error().c_str());
        QVERIFY2(object.error().ends_with('.'), object.error().c_str());
    }

    void readsWhatIsRight() {
        JsonLineParser parser;
        const std::string line = R"({"a":"\ud83d\ude00\u0000\\ud800","b":[1,2.5,null,true],"c":{"a":1}})";
        const auto object = parser.parse(line, 0);
        QVERIFY(object);
        std::string_view text;
        QVERIFY((*object)["a"].get(text) == simdjson::SUCCESS);
        QCOMPARE(text, std::string_view("\xF0\x9F\x98\x80\0\\ud800", 11));
    }

    // One parser serves a whole file; a bad line must leave no trace.
    void goesOnAfterABadLine() {
        JsonLineParser parser;
        QVERIFY(parser.parse("{\"a\":1}", 0));
        QVERIFY(!parser.parse("{\"a\":", 0));
        QVERIFY(!parser.parse("{\"a\":\"\xFF\"}", 0));
        QVERIFY(parser.parse("{\"a\":1}", 0));
    }

    void numbersBeyondRangeBecomeStrings_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("quoted");
        QTest::newRow("none") << QByteArray("{\"a\":1.5}") << QByteArray();
        QTest::newRow("NaN") << QByteArray("{\"a\":NaN}") << QByteArray("{\"a\":\"NaN\"}");
        QTest::newRow("-Infinity") << QByteArray("[-Infinity, 1]") << QByteArray("[\"-Infinity\", 1]");
        QTest::newRow("1e999") << QByteArray("{\"a\":1e999,\"b\":2}") << QByteArray("{\"a\":\"1e999\",\"b\":2}");
        QTest::newRow("2^70") << QByteArray("{\"a\":1180591620717411303424}")
                              << QByteArray("{\"a\":\"1180591620717411303424\"}");
        QTest::newRow("2^64-1 fits") << QByteArray("{\"a\":18446744073709551615}") << QByteArray();
        QTest::newRow("1e-999 is 0") << QByteArray("{\"a\":1e-999}") << QByteArray();
        QTest::newRow("in a string") << QByteArray("{\"a\":\"NaN \\\" 1e999\"}") << QByteArray();
        QTest::newRow("not a number") << QByteArray("{\"a\":01e999}") << QByteArray();
    }
    void numbersBeyondRangeBecomeStrings() {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, quoted);
        QCOMPARE(quoteImpossibleNumbers(line.toStdString()), quoted.toStdString());
    }
};

QTEST_APPLESS_MAIN(JsonLineTest)
#include "json_line_test.moc"
