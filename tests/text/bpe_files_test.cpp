#include <QTemporaryDir>
#include <QtTest>
#include <functional>

#include "text/limits.h"
#include "text/tokenizer.h"
#include "tiny_bpe.h"

using namespace studio;
using namespace studio::test;

using Break = std::function<void(TinyBpe&, const std::filesystem::path&)>;
Q_DECLARE_METATYPE(Break)

class BpeFilesTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theTinyTokenizerWorks() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        TinyBpe().write(folder);
        const auto tokenizer = text::loadTokenizer(folder);
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->encode("hello hex"), (std::vector<int>{TinyBpe::kHello, 260, 'x'}));
        QCOMPARE((*tokenizer)->eos(), TinyBpe::kEos);
    }

    void lineEndsOfWindowsAndAByteOrderMarkAreAccepted() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        TinyBpe tiny;
        tiny.merges = "h e\r\nl l\r\nhe ll\r\nhell o";  // no version line, no last line end
        tiny.write(folder);
        put(folder / "vocab.json", "\xEF\xBB\xBF" + tiny.vocabularyText());
        const auto tokenizer = text::loadTokenizer(folder);
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->encode("hello"), std::vector<int>{TinyBpe::kHello});
    }

    void brokenFilesAreRefusedWithFileAndLine_data() {
        QTest::addColumn<Break>("spoil");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const char* phrase, Break spoil) {
            QTest::newRow(name) << spoil << QString(phrase);
        };
        const auto vocabulary = [&](const char* name, const char* phrase, std::function<void(TinyBpe&)> spoil) {
            row(name, phrase, [spoil](TinyBpe& tiny, const std::filesystem::path& folder) {
                spoil(tiny);
                tiny.write(folder);
            });
        };
        const auto merges = [&](const char* name, const char* phrase, const char* text) {
            vocabulary(name, phrase, [text](TinyBpe& tiny) { tiny.merges = text; });
        };
        vocabulary("hole",
                   "vocab.json, line 260, column 1: the token \"hell\" has the id 258, but no token has the id 257",
                   [](TinyBpe& tiny) { tiny.vocabulary[257].second = "262"; });
        vocabulary("no id 0", "no token has the id 0", [](TinyBpe& tiny) { tiny.vocabulary[0].second = "262"; });
        vocabulary("duplicate id",
                   "vocab.json, line 262, column 1: the tokens \"ll\" and \"\u0120he\" both have the id 257",
                   [](TinyBpe& tiny) { tiny.vocabulary[260].second = "257"; });
        vocabulary("duplicate token", "vocab.json, line 262, column 1: the token \"ll\" is there twice",
                   [](TinyBpe& tiny) { tiny.vocabulary[260].first = "\"ll\""; });
        vocabulary("too large id", "line 10, column 1: the token \"Ĉ\" has the id 1048576; ids are from 0 to 1048575",
                   [](TinyBpe& tiny) { tiny.vocabulary[8].second = "1048576"; });
        vocabulary("negative id", "the id -1", [](TinyBpe& tiny) { tiny.vocabulary[8].second = "-1"; });
        vocabulary("huge id", "line 10, column 1: the id of the token \"Ĉ\" is not a whole number",
                   [](TinyBpe& tiny) { tiny.vocabulary[8].second = "99999999999999999999"; });
        vocabulary("string for an id", "is not a whole number",
                   [](TinyBpe& tiny) { tiny.vocabulary[8].second = "\"8\""; });
        vocabulary("fraction for an id", "is not a whole number",
                   [](TinyBpe& tiny) { tiny.vocabulary[8].second = "8.5"; });
        vocabulary("null for an id", "is not a whole number",
                   [](TinyBpe& tiny) { tiny.vocabulary[8].second = "null"; });
        vocabulary("list for an id", "is not a whole number", [](TinyBpe& tiny) { tiny.vocabulary[8].second = "[8]"; });
        vocabulary("empty token", "is empty", [](TinyBpe& tiny) { tiny.vocabulary[8].first = "\"\""; });
        vocabulary("overlong token", "at most 4096",
                   [](TinyBpe& tiny) { tiny.vocabulary[257].first = '"' + std::string(5000, 'l') + '"'; });
        vocabulary("lone surrogate", "vocab.json, line",
                   [](TinyBpe& tiny) { tiny.vocabulary[257].first = "\"\\ud800\""; });
        vocabulary("a byte without token", "no token stands for the byte 0x41",
                   [](TinyBpe& tiny) { tiny.vocabulary['A'].first = "\"AA\""; });
        row("not JSON", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            put(folder / "vocab.json", "not JSON");
        });
        row("a list", "vocab.json, line 1: an object from tokens to ids is expected",
            [](TinyBpe& tiny, const std::filesystem::path& folder) {
                tiny.write(folder);
                put(folder / "vocab.json", "[\"a\", \"b\"]");
            });
        row("no bytes at all", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            put(folder / "vocab.json", "");
        });
        row("no tokens", "there are no tokens", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            put(folder / "vocab.json", "{}");
        });
        row("cut off", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            put(folder / "vocab.json", tiny.vocabularyText().substr(0, 1000));
        });
        row("something behind", "something follows the end", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            put(folder / "vocab.json", tiny.vocabularyText() + "{}");
        });
        row("not UTF-8", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.vocabulary[257].first = "\"\xFF\"";
            tiny.write(folder);
        });
        row("100 MB", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            std::filesystem::resize_file(folder / "vocab.json", 100u << 20);
        });
        row("100 MB of merges", "merges.txt", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            std::filesystem::resize_file(folder / "merges.txt", 100u << 20);
        });
        row("a folder for a file", "vocab.json", [](TinyBpe& tiny, const std::filesystem::path& folder) {
            tiny.write(folder);
            std::filesystem::remove(folder / "vocab.json");
            std::filesystem::create_directory(folder / "vocab.json");
        });
        merges("one field", "merges.txt, line 3: a merge is two tokens with a space between, not \"hell\"",
               "#version: 0.2\nh e\nhell\n");
        merges("three fields", "merges.txt, line 3: a merge is two tokens with a space between, not \"h e l\"",
               "#version: 0.2\nl l\nh e l\n");
        merges("two spaces", "merges.txt, line 1: a merge is two tokens", "h  e\n");
        merges("space behind", "merges.txt, line 1: a merge is two tokens", "he \n");
        merges("space before", "merges.txt, line 1: a merge is two tokens", " he\n");
        merges("empty line", "merges.txt, line 2: a merge is two tokens with a space between, not an empty line",
               "h e\n\nl l\n");
        merges("unknown left",
               "merges.txt, line 2: the merge of \"xy\" and \"e\" needs the token \"xy\", which vocab.json "
               "does not have",
               "h e\nxy e\n");
        merges("unknown right", "needs the token \"ÿÿ\"", "h e\nh ÿÿ\n");
        merges("unknown result", "merges.txt, line 1: the merge of \"x\" and \"y\" needs the token \"xy\"", "x y\n");
        merges("twice", "merges.txt, line 3: the merge of \"h\" and \"e\" is there twice", "h e\nl l\nh e\n");
        vocabulary("a merge that spells the end",
                   "merges.txt, line 2: merging \"<|endof\" and \"text|>\" would make the "
                   "special or added token \"<|endoftext|>\"",
                   [](TinyBpe& tiny) {
                       tiny.add("<|endof");
                       tiny.add("text|>");
                       tiny.merges = "h e\n<|endof text|>\n";
                   });
    }
    void brokenFilesAreRefusedWithFileAndLine() {
        QFETCH(Break, spoil);
        QFETCH(QString, phrase);
        const QTemporaryDir dir;
        TinyBpe tiny;
        spoil(tiny, dir.path().toStdString());
        EXPECT_ERROR(text::loadTokenizer(dir.path().toStdString()), phrase.toStdString());
    }

    void brokenAddedTokensAreRefused_data() {
        QTest::addColumn<QByteArray>("added");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("id of another")
            << QByteArray("{\n\"  \": 262,\n\"<x>\": 257}")
            << "added_tokens.json, line 3, column 1: the tokens \"ll\" and \"<x>\" both have the id 257";
        QTest::newRow("other id") << QByteArray("{\"hello\": 300}")
                                  << "the token \"hello\" has the id 300, but 259 in vocab.json";
        QTest::newRow("same id twice") << QByteArray("{\"<x>\": 262, \"<y>\": 262}") << "both have the id 262";
        QTest::newRow("twice") << QByteArray("{\"<x>\": 262, \"<x>\": 263}") << "\"<x>\" has the id 263, but 262";
        QTest::newRow("wrong type") << QByteArray("{\"<x>\": true}") << "is not a whole number";
        QTest::newRow("too large id") << QByteArray("{\"<x>\": 1048576}") << "ids are from 0 to 1048575";
    }
    void brokenAddedTokensAreRefused() {
        QFETCH(QByteArray, added);
        QFETCH(QString, phrase);
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        TinyBpe().write(folder);
        put(folder / "added_tokens.json", added.toStdString());
        EXPECT_ERROR(text::loadTokenizer(folder), phrase.toStdString());
    }

    void addedTokensMayLeaveIdsOut() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        TinyBpe().write(folder);
        put(folder / "added_tokens.json", "{\"<x>\": 300}");
        const auto tokenizer = text::loadTokenizer(folder);
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->size(), 301);
        QVERIFY((*tokenizer)->tokenBytes(280).empty());
        QVERIFY(!(*tokenizer)->isSpecial(280));
        QCOMPARE((*tokenizer)->encode("a<x>"), (std::vector<int>{'a', 300}));
    }

    void aFolderWithoutATokenizerIsSaidSo() {
        const QTemporaryDir dir;
        EXPECT_ERROR(text::loadTokenizer(dir.path().toStdString()), "has no tokenizer");
        TinyBpe().write(dir.path().toStdString());
        std::filesystem::remove(std::filesystem::path(dir.path().toStdString()) / "merges.txt");
        EXPECT_ERROR(text::loadTokenizer(dir.path().toStdString()), "has no tokenizer");
        EXPECT_ERROR(text::loadTokenizer("/nowhere/at/all"), "has no tokenizer");
    }
};

QTEST_APPLESS_MAIN(BpeFilesTest)
#include "bpe_files_test.moc"
