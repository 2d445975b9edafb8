#include "text/bpe/splitter.h"

#include <QtTest>
#include <random>

#include "pattern.h"

using namespace studio;
using namespace studio::text;

namespace {

std::vector<std::string> split(std::string_view text) {
    const CharClasses classes;
    std::vector<std::string> words;
    for (WordSplitter splitter(classes, text); !splitter.done();) words.emplace_back(splitter.next());
    return words;
}

// What a failure shows.
std::string shown(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words)
        out += QByteArray::fromStdString(word).toPercentEncoding().toStdString() + " | ";
    return out;
}

const char* const kPattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

class WordSplitterTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void wordsAreThoseOfThePattern_data() {
        QTest::addColumn<QByteArray>("text");
        for (const char* text : {"Hello  world",
                                 "I'm don't WE'LL we'll 's",
                                 "'",
                                 "''s 't'",
                                 "a\n\nb",
                                 "a \n b",
                                 "  a",
                                 "a  ",
                                 "\t\ta",
                                 " 12ab3 ",
                                 "x=y; // z",
                                 "\u00a0a",
                                 "\u00a0\u00a0a",
                                 " \u3000 a",
                                 "e\u0301a",
                                 "日本語 テキスト１２",
                                 "👨‍👩‍👧 🙂",
                                 " ",
                                 "\r\n",
                                 "'r 're 'l 'll 'v 've '"})
            QTest::newRow(text) << QByteArray(text);
    }
    void wordsAreThoseOfThePattern() {
        QFETCH(QByteArray, text);
        QCOMPARE(shown(split(text.toStdString())), shown(test::Pattern(kPattern).findAll(text.toStdString())));
    }

    void randomTextsAreSplitAsThePatternDoes() {
        const CharClasses classes;
        const test::Pattern pattern(kPattern);
        std::mt19937 random(7);
        // Characters that both sides' Unicode versions know, from every class and length in UTF-8.
        const std::vector<std::string> chars = {"a",
                                                "Z",
                                                "s",
                                                "t",
                                                "r",
                                                "e",
                                                "v",
                                                "m",
                                                "l",
                                                "d",
                                                "'",
                                                "'",
                                                "'",
                                                "0",
                                                "9",
                                                " ",
                                                " ",
                                                " ",
                                                "\t",
                                                "\n",
                                                "\r",
                                                "\v",
                                                "\f",
                                                ".",
                                                "-",
                                                "_",
                                                "<",
                                                "|",
                                                std::string(1, '\0'),
                                                "\x7f",
                                                "\u0085",
                                                "\u00a0",
                                                "\u1680",
                                                "\u2003",
                                                "\u2028",
                                                "\u202f",
                                                "\u205f",
                                                "\u3000",
                                                "\u200b",
                                                "\u200d",
                                                "\ufeff",
                                                "ä",
                                                "ß",
                                                "ǅ",
                                                "ʰ",
                                                "Ω",
                                                "я",
                                                "א",
                                                "ع",
                                                "अ",
                                                "ไ",
                                                "日",
                                                "한",
                                                "𝒳",
                                                "𐌰",
                                                "½",
                                                "²",
                                                "٣",
                                                "Ⅷ",
                                                "㊿",
                                                "𝟘",
                                                "\u0301",
                                                "\u0903",
                                                "\u20dd",
                                                "€",
                                                "→",
                                                "☃",
                                                "🙂",
                                                "🏽",
                                                "\ue000",
                                                "\ufffd",
                                                "\U0010ffff"};
        for (int round = 0; round < 20000; ++round) {
            std::string text;
            const int length = static_cast<int>(random() % 24);
            for (int i = 0; i < length; ++i) text += chars[random() % chars.size()];
            std::vector<std::string> words;
            for (WordSplitter splitter(classes, text); !splitter.done();) words.emplace_back(splitter.next());
            const auto expected = pattern.findAll(text);
            if (words != expected) QFAIL((shown(words) + " instead of " + shown(expected)).c_str());
        }
    }

    void illFormedBytesAreWordsOfTheirOwn() {
        QCOMPARE(shown(split("a\xFF\xFE b")), shown({"a", "\xFF", "\xFE", " b"}));
        QCOMPARE(shown(split("  \x80")), shown({" ", " ", "\x80"}));
        QCOMPARE(shown(split("a\xE2\x82")), shown({"a", "\xE2", "\x82"}));        // half a euro sign
        QCOMPARE(shown(split("\xED\xA0\x80")), shown({"\xED", "\xA0", "\x80"}));  // a surrogate
        QCOMPARE(shown(split("\xC0\xAF")), shown({"\xC0", "\xAF"}));              // an overlong slash
        QCOMPARE(shown(split("\xF4\x90\x80\x80")), shown({"\xF4", "\x90", "\x80", "\x80"}));
    }
};

QTEST_APPLESS_MAIN(WordSplitterTest)
#include "word_splitter_test.moc"
