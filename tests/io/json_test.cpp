#include "io/json.h"

#include <QTemporaryDir>
#include <QtTest>
#include <clocale>
#include <cmath>

#include "support/expect.h"

using namespace studio;
using namespace studio::test;

class JsonTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void valuesSurvive() {
        const auto json = io::parseJson(
            "\xEF\xBB\xBF"
            R"( {"b": [1, -2, 3.5, true, null], "a": {"x": "\u0000ä\ud83d\ude00"}} )",
            "t");
        EXPECT_OK(json);
        QCOMPARE(json->begin().key(), std::string("b"));  // the file's order
        QCOMPARE((*json)["b"][1].get<int>(), -2);
        QCOMPARE((*json)["a"]["x"].get<std::string>(), std::string("\0ä😀", 7));
        QCOMPARE(io::dumpJson(io::Json::parse(R"({"b":[1,2.5,[],{}],"a":"ä"})")),
                 std::string(R"({"b": [1, 2.5, [], {}], "a": "ä"})"));
        QCOMPARE(io::dumpJson(io::Json::parse(R"({"a":[1],"b":{}})"), 2),
                 std::string("{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}"));
    }

    void wrongTextsAreRefusedWithTheirPlace_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const std::string& text, const char* phrase) {
            QTest::newRow(name) << QByteArray::fromStdString(text) << QString(phrase);
        };
        row("nothing", "", "line 1, column 1");
        row("only a byte order mark", "\xEF\xBB\xBF", "unexpected end of input");
        row("cut off", "{\"a\": [1,\n 2",
            "line 2, column 3: syntax error while parsing array - unexpected end of input");
        row("trailing garbage", "{}\n\n x", "line 3, column 2");
        row("two values", "{} {}", "line 1, column 4");
        row("comment", "{ // no\n}", "line 1, column 3");
        row("trailing comma", "[1,]", "line 1, column 4");
        row("single quotes", "{'a': 1}", "line 1, column 2");
        row("NaN", "[NaN]", "line 1");
        row("leading zero", "[010]", "line 1");
        row("hexadecimal", "[0x10]", "line 1");
        row("number too large", "[1e999]", "1e999");
        row("raw newline in a text", "[\"a\nb\"]", "control character");
        row("invalid UTF-8", "[\"\xFF\"]", "UTF-8");
        row("overlong UTF-8", "[\"\xC0\x80\"]", "UTF-8");
        row("UTF-8 surrogate", "[\"\xED\xA0\x80\"]", "UTF-8");
        row("lone surrogate", R"(["\ud800"])", "surrogate");
        row("UTF-16", std::string("[\0]\0", 4), "line 1, column 2");
        row("key twice", "{\"a\": 1,\n  \"b\": 2, \"a\": 3}", "line 2, column 11: the key \"a\" occurs twice");
        row("key twice, written differently", R"({"a": 1, "\u0061": 3})", "column 10: the key \"a\" occurs twice");
        row("key twice, quotes inside", "{\"\\\"\": 1, \"\\\"\": 3}", "column 11: the key \"\"\" occurs twice");
        row("key twice, deep", R"([{"x": {"k": 1, "k": 2}}])", "occurs twice");
        row("65 levels", std::string(65, '[') + std::string(65, ']'), "column 65: it is nested more than 64");
        row("100,000 levels", std::string(100000, '['), "nested more than 64");
        row(
            "100,000 objects",
            [] {
                std::string text;
                for (int i = 0; i < 100000; ++i) text += "{\"a\":";
                return text;
            }(),
            "nested more than 64");
    }
    void wrongTextsAreRefusedWithTheirPlace() {
        QFETCH(QByteArray, text);
        QFETCH(QString, phrase);
        const auto json = io::parseJson({text.data(), static_cast<std::size_t>(text.size())}, "config.json");
        EXPECT_ERROR(json, phrase.toStdString());
        QVERIFY(json.error().message.starts_with("config.json: line "));
    }

    void theLimitsAreTheLimits() {
        EXPECT_OK(io::parseJson(std::string(64, '[') + std::string(64, ']'), "t"));
        EXPECT_OK(io::parseJson("[1, 2]", "t", {.max_bytes = 6}));
        EXPECT_ERROR(io::parseJson("[1, 2]", "t", {.max_bytes = 5}), "at most 5");
    }

    void equalKeysInDifferentObjectsAreFine() { EXPECT_OK(io::parseJson(R"([{"a": 1}, {"a": {"a": 2}}])", "t")); }

    void largeObjectsAreReadInLinearTime() {
        std::string text = "{";
        for (int i = 0; i < 200000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
        text.back() = '}';
        const auto json = io::parseJson(text, "t");
        EXPECT_OK(json);
        QCOMPARE(json->size(), std::size_t{200000});
        QCOMPARE(json->front().get<int>(), 0);
        QCOMPARE(json->back().get<int>(), 199999);
    }

    void numbersAreWrittenWithNineDigitsInEveryLocale_data() {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("text");
        QTest::newRow("third") << 1.0 / 3 << "0.333333333";
        QTest::newRow("large") << 1234567890123.0 << "1.23456789e+12";
        QTest::newRow("small") << 1e-5 << "1e-05";
        QTest::newRow("whole") << 2.0 << "2.0";
        QTest::newRow("rate") << 2e-4 << "0.0002";
        QTest::newRow("negative") << -0.1 << "-0.1";
        QTest::newRow("infinite") << HUGE_VAL << "null";
        QTest::newRow("not a number") << std::nan("") << "null";
    }
    void numbersAreWrittenWithNineDigitsInEveryLocale() {
        QFETCH(double, value);
        QFETCH(QString, text);
        std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed, the decimal point becomes a comma
        const std::string written = io::dumpJson(io::Json(value));
        const auto read = io::parseJson("[2.5]", "t");
        std::setlocale(LC_ALL, "C");
        QCOMPARE(QString::fromStdString(written), text);
        QCOMPARE((*read)[0].get<double>(), 2.5);
    }

    void invalidUtf8IsReplacedWhenWritten() {
        QCOMPARE(io::dumpJson(io::Json("a\xFF"
                                       "b")),
                 std::string("\"a\xEF\xBF\xBD"
                             "b\""));
    }

    void filesThatCannotBeReadAreErrors() {
        QTemporaryDir folder;
        const std::filesystem::path path = folder.path().toStdString();
        EXPECT_ERROR(io::readJson(path / "absent.json"), "does not exist");
        EXPECT_ERROR(io::readJson(path), "is a folder");
        put(path / "x.json", "{}");
        EXPECT_OK(io::readJson(path / "x.json"));
    }
};

QTEST_APPLESS_MAIN(JsonTest)
#include "json_test.moc"
