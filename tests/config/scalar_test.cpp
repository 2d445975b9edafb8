// Numbers as text: exact, shortest, the same in every locale.
#include "config/scalar.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <clocale>
#include <cmath>
#include <cstring>
#include <limits>
#include <locale>
#include <random>

#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

namespace {

struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

// What must hold whatever the locale.
void numbersSurvive() {
    Recipe recipe;
    recipe.training.model_name_or_path = "phi";
    recipe.training.data_path = {"x.jsonl"};
    for (const auto& [text, value] :
         {std::pair("1e-5", 1e-5), std::pair("2e-4", 2e-4), std::pair("3.3333e-5", 3.3333e-5)}) {
        ReadRecipe read;
        auto parsed =
            parseTrainingConfig(std::string("learning_rate: ") + text + "\nwarmup_ratio: 0.03\n", "t.yaml", read);
        QVERIFY2(parsed && read.issues.empty(), text);
        QCOMPARE(read.recipe.training.learning_rate, value);
        QCOMPARE(read.recipe.training.warmup_ratio, 0.03);
        ReadRecipe json;
        QVERIFY(parseTrainingConfig(std::string("{\"learning_rate\": ") + text + "}", "t.json", json));
        QCOMPARE(json.recipe.training.learning_rate, value);

        const std::string written = formatTrainingConfig(read.recipe);
        QVERIFY2(written.find("warmup_ratio: 0.03\n") != written.npos, written.c_str());
        ReadRecipe again;
        QVERIFY(parseTrainingConfig(written, "t.yaml", again));
        QCOMPARE(again.recipe.training.learning_rate, value);
        QVERIFY(setFromText(recipe, "learning_rate", text));
        QCOMPARE(recipe.training.learning_rate, value);
    }
}

}  // namespace

class ScalarTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void realsRoundTrip() {
        std::mt19937_64 random(7);
        for (int i = 0; i < 50000; ++i) {
            std::uint64_t bits = random();
            double value = 0;
            std::memcpy(&value, &bits, sizeof value);
            if (!std::isfinite(value)) continue;
            for (const std::string& text : {formatReal(value), formatNumber(value), formatPython(value)}) {
                const auto back = parseReal(text);
                QVERIFY2(back && *back == value, text.c_str());
            }
        }
    }

    void textIsShort_data() {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("real");
        QTest::addColumn<QString>("python");
        const auto row = [](double value, const char* real, const char* python) {
            QTest::newRow(real) << value << real << python;
        };
        row(1e-5, "1.0e-5", "1e-05");
        row(2e-4, "2.0e-4", "0.0002");
        row(3.3333e-5, "3.3333e-5", "3.3333e-05");
        row(0.1, "0.1", "0.1");
        row(0.001, "0.001", "0.001");
        row(16, "16.0", "16.0");
        row(-1234.5, "-1234.5", "-1234.5");
        row(1e15, "1000000000000000.0", "1000000000000000.0");
        row(1e16, "1.0e+16", "1e+16");
        row(1.5e300, "1.5e+300", "1.5e+300");
        row(0, "0.0", "0.0");
        row(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
        row(std::numeric_limits<double>::denorm_min(), "5.0e-324", "5e-324");
    }
    void textIsShort() {
        QFETCH(double, value);
        QFETCH(QString, real);
        QFETCH(QString, python);
        QCOMPARE(QString::fromStdString(formatReal(value)), real);
        QCOMPARE(QString::fromStdString(formatPython(value)), python);
    }

    void realsAreRead_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("ok");
        QTest::addColumn<double>("value");
        const auto yes = [](const char* text, double value) { QTest::newRow(text) << text << true << value; };
        const auto no = [](const char* text) { QTest::newRow(text) << text << false << 0.0; };
        yes("1e-4", 1e-4);
        yes("1E-4", 1e-4);
        yes("+1e-4", 1e-4);
        yes("1.0e+3", 1000);
        yes(".5", 0.5);
        yes("5.", 5);
        yes("0.05", 0.05);
        yes("00.5", 0.5);
        for (const char* bad : {"",     "abc",   "0,05",   "1e",      "0x10", "010", "nan", "inf", "-inf", ".nan",
                                ".inf", "1e999", "1e-999", "1_000.0", "1 ",   " 1",  "--1", "++1", "+-1",  "1.2.3"})
            no(bad);
    }
    void realsAreRead() {
        QFETCH(QString, text);
        QFETCH(bool, ok);
        QFETCH(double, value);
        const auto parsed = parseReal(text.toStdString());
        QCOMPARE(parsed.has_value(), ok);
        if (ok) {
            QCOMPARE(*parsed, value);
        } else {
            QVERIFY(parsed.error().message.ends_with("."));
            QVERIFY(!parsed.error().hint.empty());
        }
    }

    void integersAreRead() {
        QCOMPARE(*parseInteger("42"), 42);
        QCOMPARE(*parseInteger("-1"), -1);
        QCOMPARE(*parseInteger("+7"), 7);
        QCOMPARE(*parseInteger("0"), 0);
        QCOMPARE(*parseInteger("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
        for (const char* bad :
             {"", "010", "-010", "1e3", "1.0", "1.5", "0x10", "0o10", "9223372036854775808", "1_000", "one", "1 2"})
            QVERIFY2(!parseInteger(bad), bad);
        // yaml-cpp would read 8 and throw on the second: here the cure is named.
        QVERIFY(parseInteger("010").error().message.find("octal") != std::string::npos);
        QCOMPARE(parseInteger("1e3").error().hint, std::string("Write 1000 in plain digits."));
    }

    void truthIsRead() {
        for (const char* yes : {"true", "True", "TRUE", "yes", "on"}) QVERIFY2(*parseBool(yes), yes);
        for (const char* no : {"false", "False", "no", "No", "off"}) QVERIFY2(!*parseBool(no), no);
        for (const char* bad : {"1", "0", "y", "", "truth"}) QVERIFY2(!parseBool(bad), bad);
    }

    void yamlTextIsQuotedWhereItMustBe() {
        for (const char* plain : {"phi-2", "runs/first", "/data/x.jsonl", "./a", "adamw_torch", "a+b", "e5"})
            QCOMPARE(yamlText(plain), std::string(plain));
        for (const char* quoted : {"",
                                   "no",
                                   "Yes",
                                   "null",
                                   "~",
                                   "on",
                                   "1",
                                   "1e5",
                                   ".5",
                                   ".inf",
                                   "-x",
                                   "a b",
                                   "a:b",
                                   "a#b",
                                   "*a",
                                   "&a",
                                   "[a",
                                   "true",
                                   "n",
                                   "...",
                                   "ä",
                                   "a\nb",
                                   "2023-04-12_oasst.jsonl",
                                   "'",
                                   "\""})
            QVERIFY2(yamlText(quoted).front() == '"', quoted);
    }

    void quotingIsPythons() {
        QCOMPARE(quote("a\"b\\c\n\t\r\b\f\x01\x7f", true), std::string("\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u007f\""));
        QCOMPARE(quote("è😀", true), std::string(R"("\u00e8\ud83d\ude00")"));
        QCOMPARE(quote("è😀", false), std::string("\"è😀\""));
        QCOMPARE(quote("\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF", false), std::string(R"("\u0085\u2028\ufeff")"));
    }

    void numbersSurviveAGlobalLocaleWithCommas() {
        const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
        numbersSurvive();
        std::locale::global(before);
    }

    void numbersSurviveGerman() {
        // Where the system has no German locale, one is made for the test.
        QTemporaryDir folder;
        if (!std::setlocale(LC_ALL, "de_DE.UTF-8")) {
            QProcess localedef;
            localedef.start("localedef", {"-i", "de_DE", "-f", "UTF-8", folder.filePath("de_DE.UTF-8")});
            if (!localedef.waitForFinished() || localedef.exitCode() != 0)
                QSKIP("no locale de_DE.UTF-8 on this machine, and localedef cannot make one");
            qputenv("LOCPATH", folder.path().toUtf8());
            if (!std::setlocale(LC_ALL, "de_DE.UTF-8")) QSKIP("the locale that localedef made cannot be loaded");
        }
        QCOMPARE(std::localeconv()->decimal_point, ",");
        numbersSurvive();
        std::setlocale(LC_ALL, "C");
    }
};

QTEST_GUILESS_MAIN(ScalarTest)
#include "scalar_test.moc"
