#include <QtTest>

#include "corpus/filter.h"
#include "corpus/filter_expression.h"
#include "corpus/filter_sql.h"

using namespace studio::corpus;

namespace {

// The structure with all parentheses, conditions as they were written.
std::string structure(const Expression& expression, const std::string& text) {
    switch (expression.kind) {
        case Expression::Kind::Condition:
            return text.substr(expression.condition.text_begin,
                               expression.condition.text_end - expression.condition.text_begin);
        case Expression::Kind::Not:
            return "!" + structure(expression.children[0], text);
        default:
            break;
    }
    std::string out = "(";
    for (const Expression& child : expression.children) {
        if (out.size() > 1) out += expression.kind == Expression::Kind::And ? " & " : " | ";
        out += structure(child, text);
    }
    return out + ")";
}

}  // namespace

class FilterParseTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void structures_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto add = [](const char* text, const char* expected) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(expected);
        };
        add("lang:en", "lang:en");
        add("  lang:en  ", "lang:en");
        add("lang:en role:assistant", "(lang:en & role:assistant)");
        add("lang:en AND role:assistant", "(lang:en & role:assistant)");
        add("a OR b c OR d", "(a | (b & c) | d)");
        add("(a OR b) c", "((a | b) & c)");
        add("-deleted", "!deleted");
        add("NOT deleted lang:en", "(!deleted & lang:en)");
        add("NOT (a OR -b)", "!(a | !b)");
        add("--a", "!!a");
        add("!orphan", "!orphan");
        add("((a))", "a");
        add("\"two words\" x", "(\"two words\" & x)");
        add("text:\"exact phrase\" word*", "(text:\"exact phrase\" & word*)");
        add("quality>=0.5 label.toxicity<0.2 rank=0 turns>=4",
            "(quality>=0.5 & label.toxicity<0.2 & rank=0 & turns>=4)");
        add("depth!=2 length:10..20 rank:none", "(depth!=2 & length:10..20 & rank:none)");
        add("emoji.+1>=3 detoxify.toxicity<.1", "(emoji.+1>=3 & detoxify.toxicity<.1)");
        add("re:/a b\\/(c)/i x", "(re:/a b\\/(c)/i & x)");
        add("contains:\"say \\\"hi\\\"\"", "contains:\"say \\\"hi\\\"\"");
        add("id:a,b,c tree:\"x y\"", "(id:a,b,c & tree:\"x y\")");
        add("ANDROID OREGON NOTE", "(ANDROID & OREGON & NOTE)");
        add("created>=2023-03 created:2023", "(created>=2023-03 & created:2023)");
        add("deleted:no orphan=yes", "(deleted:no & orphan=yes)");
        add("caf\xC3\xA9", "caf\xC3\xA9");
    }
    void structures() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        const auto filter = Filter::parse(text.toStdString());
        QVERIFY2(filter, filter ? "" : filter.error().message.c_str());
        QCOMPARE(structure(*filter->root(), filter->text()), expected.toStdString());
        QCOMPARE(filter->text(), text.toStdString());
    }

    void emptyMatchesEverything() {
        for (const char* text : {"", " ", "\t\n"}) {
            const auto filter = Filter::parse(text);
            QVERIFY(filter && filter->matchesEverything());
            QCOMPARE(describe(*filter), std::string("All messages"));
        }
        QVERIFY(Filter().matchesEverything());
    }

    void mistakesHaveAPlaceAndACure_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("begin");
        QTest::addColumn<int>("end");
        QTest::addColumn<QByteArray>("message");
        QTest::addColumn<QByteArray>("hint");
        const auto add = [](const char* text, int begin, int end, const char* message, const char* hint) {
            QTest::newRow(text) << QByteArray(text) << begin << end << QByteArray(message) << QByteArray(hint);
        };
        add("qualty>=0.5", 0, 6, "There is no field \"qualty\".", "Did you mean quality?");
        add("lang:en langg:de", 8, 13, "There is no field \"langg\".", "Did you mean lang?");
        add("http://x", 0, 4, "There is no field \"http\".", "If you mean the words, put them in quotation marks.");
        add(":x", 0, 1, "There is no field \"\".", "quotation marks");
        add("role:asistant", 5, 13, "role has no value \"asistant\".", "Did you mean assistant?");
        add("role:x", 5, 6, "role has no value \"x\".", "It is one of prompter, assistant, system.");
        add("review:accept", 7, 13, "review has no value \"accept\".", "Did you mean accepted?");
        add("role>assistant", 0, 5, "role has no order", "Write role:value or role!=value.");
        add("quality>=high", 9, 13, "\"high\" is no number.", "0.5");
        add("quality>=0,5", 9, 12, "\"0,5\" is no number.", "point");
        add("rank=1e999", 5, 10, "\"1e999\" is no number.", "");
        add("rank=nan", 5, 8, "\"nan\" is no number.", "");
        add("rank>none", 5, 9, "\"none\" is no number.", "");
        add("turns:4..2", 6, 10, "\"4..2\" is no range.", "the smaller number first");
        add("turns:..", 6, 8, "\"..\" is no range.", "");
        add("quality>=", 9, 10, "A value is missing after quality>=.", "directly behind");
        add("quality>= 0.5", 9, 10, "A value is missing after quality>=.", "without a space");
        add("lang:en,", 5, 8, "A value of this list is empty.", "en,de");
        add("deleted:maybe", 8, 13, "deleted is either yes or no.", "Write deleted or -deleted.");
        add("created>=yesterday", 9, 18, "\"yesterday\" is no date.", "2023-03-15");
        add("created:2023-02-30", 8, 18, "is no date.", "");
        add("created:2023-1", 8, 14, "is no date.", "");
        add("(a", 0, 1, "This parenthesis is not closed.", "Add a closing one.");
        add("a)", 1, 2, "This closing parenthesis has no opening one.", "Remove it");
        add("()", 1, 2, "A condition is missing here.", "lang:en");
        add("a OR", 4, 5, "A condition is missing here.", "");
        add("OR a", 0, 1, "A condition is missing here.", "");
        add("a AND OR b", 6, 7, "A condition is missing here.", "");
        add("a NOT", 5, 6, "A condition is missing here.", "");
        add("\"open", 0, 5, "This quotation has no end.", "quotation mark");
        add("a - b", 2, 3, "\"-\" holds no word.", "contains:");
        add("text:!?", 5, 7, "\"!?\" holds no word.", "contains:");
        add("*", 0, 1, "\"\" holds no word.", "contains:");
        add("contains:\"\"", 9, 11, "Every text contains nothing.", "");
        add("re:abc", 3, 4, "A regular expression stands between slashes.", "re:/colou?r/");
        add("re:/abc", 3, 7, "This regular expression has no end.", "re:/…/");
        add("re:/a(b/", 7, 8, "missing closing parenthesis", "Correct it");
        add("re:/a/g", 3, 7, "\"g\" behind the regular expression means nothing.", "Only i");
        add("re:/\\C/", 6, 7, "regular expression is wrong", "");
    }
    void mistakesHaveAPlaceAndACure() {
        QFETCH(QByteArray, text);
        QFETCH(int, begin);
        QFETCH(int, end);
        QFETCH(QByteArray, message);
        QFETCH(QByteArray, hint);
        const auto filter = Filter::parse(text.toStdString());
        QVERIFY(!filter);
        const FilterError& error = filter.error();
        QVERIFY2(error.message.find(message.toStdString()) != std::string::npos, error.message.c_str());
        QVERIFY2(error.hint.find(hint.toStdString()) != std::string::npos, error.hint.c_str());
        QVERIFY2(error.message.ends_with('.') && !error.hint.empty(), error.message.c_str());
        QCOMPARE(int(error.begin), begin);
        QCOMPARE(int(error.end), end);
        QVERIFY(error.error().message.find("character " + std::to_string(begin + 1)) != std::string::npos);
    }

    void limitsEndInSentences() {
        const auto message = [](const std::string& text) {
            const auto filter = Filter::parse(text);
            return filter ? std::string() : filter.error().message;
        };
        QCOMPARE(message(std::string(50, '(') + "a" + std::string(50, ')')), std::string());
        QCOMPARE(message(std::string(51, '(') + "a" + std::string(51, ')')),
                 std::string("The filter is nested too deep."));
        QCOMPARE(message(std::string(5000, '(')), std::string("The filter is nested too deep."));
        QCOMPARE(message(std::string(5000, '-') + "a"), std::string("The filter is nested too deep."));
        QCOMPARE(message(std::string(20'000, 'a')), std::string("The filter is too long."));
        std::string many;
        for (int i = 0; i < 200; ++i) many += "a ";
        QCOMPARE(message(many), std::string());
        QCOMPARE(message(many + "a"), std::string("The filter has more than 200 conditions."));
        QCOMPARE(message(std::string("a\0b", 3)), std::string("This byte is not a character."));
        QCOMPARE(message("a \xFF"), std::string("This byte is not a character."));
    }

    // Nothing that a person types becomes part of the SQL.
    void valuesAreParameters_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("value");
        const auto add = [](const char* text, const char* value) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(value);
        };
        add("lang:\"'; DROP TABLE messages; --\"", "'; DROP TABLE messages; --");
        add("id:x'/*", "x'/*");
        add("tree:\"1) OR 1=1\"", "1) OR 1=1");
        add("user:%_?", "%_?");
        add("text:\"a\\\" OR b NEAR c\"", "\"a\"\" OR b NEAR c\"");
        add("text:\"words:* ^x\"", "\"words:* ^x\"");
        add("label.x.y-1>=0.5", "$.\"x.y-1\"[0]");
    }
    void valuesAreParameters() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, value);
        const auto filter = Filter::parse(text.toStdString());
        QVERIFY2(filter, filter ? "" : filter.error().message.c_str());
        const FilterSql sql = filterSql(*filter);
        QVERIFY2(sql.where.find("DROP") == std::string::npos && sql.where.find("1=1") == std::string::npos,
                 sql.where.c_str());
        QCOMPARE(std::count(sql.where.begin(), sql.where.end(), '?'), std::ptrdiff_t(sql.values.size()));
        const auto* first = std::get_if<std::string>(&sql.values.at(0));
        QVERIFY(first);
        QCOMPARE(*first, value.toStdString());
    }

    void knowsWhatItMentions() {
        const auto filter = Filter::parse("lang:en (quality>0.5 OR NOT deleted)");
        QVERIFY(filter->mentions("deleted") && filter->mentions("lang") && filter->mentions("quality"));
        QVERIFY(!filter->mentions("orphan") && !filter->mentions("delete"));
        QVERIFY(!Filter().mentions("deleted"));
    }

    void sentences_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("sentence");
        const auto add = [](const char* text, const char* sentence) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(sentence);
        };
        add("lang:en role:assistant quality>=0.5 rank=0 -deleted",
            "Messages that are in English, that are from an assistant, whose quality is at least 0.5, whose rank is 0 "
            "and "
            "that are not deleted");
        add("lang:en,pt-BR,xx", "Messages that are in English, Brazilian Portuguese or \"xx\"");
        add("(a OR \"b c\") wor*",
            "Messages (that contain the word \"a\" or that contain the words \"b c\") and that contain words that "
            "begin with "
            "\"wor\"");
        add("-(root leaf)", "Messages that do not begin a conversation or that have replies");
        add("NOT (lang:de OR rank>2)", "Messages that are not in German and whose rank is not above 2");
        add("review!=accepted", "Messages that were not accepted in review");
        add("review:rejected,none", "Messages that were rejected in review or have no review result");
        add("label.quality:0.2..0.8", "Messages whose quality is between 0.2 and 0.8");
        add("rank:none -quality:none", "Messages that have no rank and that have a quality");
        add("turns>=4", "Messages whose number of turns is at least 4");
        add("created>=2023-03 created<2023-04-02",
            "Messages that were written from 2023-03 on and that were written before 2023-04-02");
        add("emoji.+1>=3 detoxify.threat<0.1",
            "Messages whose number of +1 emojis is at least 3 and whose Detoxify score threat is below 0.1");
        add("contains:x re:/y/", "Messages that contain \"x\" and that match the regular expression /y/");
        add("tree:1 id:a,b", "Messages that have the tree \"1\" and that have the id \"a\" or \"b\"");
        add("orphan:no", "Messages that have not lost their parent");
    }
    void sentences() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, sentence);
        const auto filter = Filter::parse(text.toStdString());
        QVERIFY2(filter, filter ? "" : filter.error().message.c_str());
        QCOMPARE(describe(*filter), sentence.toStdString());
    }

    // Any bytes give a filter or an error that lies within the text.
    void survivesAnything() {
        const std::string pieces[] = {"lang:",   "en",   "(",     ")", "\"",      "/",        "re:/", "-", "!",
                                      "NOT ",    " OR ", " AND ", "*", ">=",      "0.5",      "..",   ",", "\\",
                                      "quality", " ",    "rank",  "=", "deleted", "\xC3\xA9", "\xFF"};
        std::uint32_t state = 1;
        const auto next = [&](std::uint32_t n) { return (state = state * 1664525 + 1013904223) / 7 % n; };
        for (int round = 0; round < 20'000; ++round) {
            std::string text;
            for (std::uint32_t i = next(12); i > 0; --i) text += pieces[next(std::size(pieces))];
            const auto filter = Filter::parse(text);
            if (filter) {
                (void)filterSql(*filter);
                (void)describe(*filter);
                continue;
            }
            QVERIFY2(filter.error().begin <= text.size() && filter.error().begin < filter.error().end &&
                         filter.error().end <= text.size() + 1,
                     text.c_str());
        }
    }
};

QTEST_APPLESS_MAIN(FilterParseTest)
#include "filter_parse_test.moc"
