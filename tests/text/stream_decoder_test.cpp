#include <QTemporaryDir>
#include <QtTest>
#include <random>

#include "support/expect.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

using namespace studio;
using namespace studio::text;

namespace {

// Token i is the byte i; 256 and 257 are longer.
class Bytes final : public Tokenizer {
  public:
    explicit Bytes(bool adds_leading_space = false) : adds_leading_space_(adds_leading_space) {
        for (int i = 0; i < 256; ++i) tokens_.emplace_back(1, static_cast<char>(i));
        tokens_.insert(tokens_.end(), {"\x82\xAC and \xE2", " word", ""});
    }
    using Tokenizer::encode;
    void encode(std::string_view text, std::vector<int>& ids) const override {
        for (const char c : text) ids.push_back(static_cast<std::uint8_t>(c));
    }
    void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const override { encode(text, ids); }
    std::string_view tokenBytes(int id) const override { return id < 259 ? std::string_view(tokens_[id]) : ""; }
    int size() const override { return 260; }
    int eos() const override { return 259; }
    std::string_view eosText() const override { return ""; }
    bool isSpecial(int id) const override { return id == 259; }
    bool addsLeadingSpace() const override { return adds_leading_space_; }

  private:
    std::vector<std::string> tokens_;
    bool adds_leading_space_;
};

// Each push, then the rest, joined by bars. Every part must be valid by itself.
std::string streamed(const Tokenizer& tokenizer, const std::vector<int>& ids, bool* valid = nullptr) {
    StreamDecoder decoder(tokenizer);
    std::string out;
    for (const int id : ids) {
        const std::string part = decoder.push(id);
        if (valid && validPrefix(part) != part.size()) *valid = false;
        out += part + "|";
    }
    return out + decoder.finish();
}

std::string joined(const Tokenizer& tokenizer, const std::vector<int>& ids) {
    StreamDecoder decoder(tokenizer);
    std::string out;
    for (const int id : ids) out += decoder.push(id);
    return out + decoder.finish();
}

// All at once, as Python's bytes.decode(errors="replace").
std::string replaced(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        const CodePoint next = firstCodePoint(bytes);
        out += next.valid ? bytes.substr(0, next.length) : std::string_view("\uFFFD");
        bytes.remove_prefix(next.length);
    }
    return out;
}

}  // namespace

class StreamDecoderTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void charactersAppearWhenTheyAreWhole_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("shown");
        const auto row = [](const char* name, const char* bytes, const char* shown) {
            QTest::newRow(name) << QByteArray(bytes) << QByteArray(shown);
        };
        row("one byte each", "ab", "a|b|");
        row("two bytes", "ä", "|ä|");
        row("three bytes", "€!", "||€|!|");
        row("four bytes", "🙂", "|||🙂|");
        row("no start", "\x80z", "\uFFFD|z|");
        row("never a start", "\xFFz", "\uFFFD|z|");
        row("broken off by a letter", "\xE2\x82z", "||\uFFFDz|");
        row("broken off by a start", "\xE2\x82\xC3\xA4", "||\uFFFD|ä|");
        row("surrogate", "\xED\xA0\x80", "|\uFFFD\uFFFD|\uFFFD|");
        row("overlong", "\xC0\xAF", "\uFFFD|\uFFFD|");
        row("above Unicode", "\xF4\x90", "|\uFFFD\uFFFD|");
        row("ends half way", "a\xF0\x9F\x99", "a||||\uFFFD");
    }
    void charactersAppearWhenTheyAreWhole() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, shown);
        const Bytes tokenizer;
        bool valid = true;
        QCOMPARE(streamed(tokenizer, tokenizer.encode(bytes.toStdString()), &valid), shown.toStdString());
        QVERIFY(valid);
    }

    void tokensMayEndAndBeginInsideCharacters() {
        const Bytes tokenizer;
        QCOMPARE(streamed(tokenizer, {0xE2, 256, 0x82, 0xAC, 258, 259}), std::string("|€ and ||€|||"));
    }

    void theSpaceThatEncodeAddsIsNotShown() {
        const Bytes tokenizer(true);
        QCOMPARE(streamed(tokenizer, {257, 257}), std::string("word| word|"));
        QCOMPARE(streamed(tokenizer, {258, ' ', ' ', 'a'}), std::string("|| |a|"));
        QCOMPARE(streamed(tokenizer, {'a', ' '}), std::string("a| |"));
        QCOMPARE(tokenizer.decode({257, 257}), std::string("word word"));
    }

    void everyCutOfEveryLengthGivesTheSameText() {
        const Bytes tokenizer;
        std::mt19937 random(5);
        const std::vector<std::string> parts = {"a",    "ä",    "€",        "🙂",     "\u0301",       "\U0010FFFF",
                                                "\x80", "\xC3", "\xE2\x82", "\xF0\x9F", "\xF0\x9F\x99", "\xED\xA0\x80",
                                                "\xC0", "\xFF", "\xF5",     "\xF4\x90"};
        for (int round = 0; round < 5000; ++round) {
            std::string bytes;
            const int count = static_cast<int>(random() % 8);
            for (int i = 0; i < count; ++i) bytes += parts[random() % parts.size()];
            bool valid = true;
            std::string shown = streamed(tokenizer, tokenizer.encode(bytes), &valid);
            std::erase(shown, '|');
            QCOMPARE(shown, replaced(bytes));
            QVERIFY(valid);
        }
    }

    void realTokenizersStreamWhatTheyDecode_data() {
        QTest::addColumn<QString>("folder");
        QTest::newRow("byte-level BPE") << "tests/reference/data/phi-2";
        QTest::newRow("sentencepiece") << "tests/reference/data/sentencepiece";
        QTest::newRow("built-in model") << "resources/demo/model";
    }
    void realTokenizersStreamWhatTheyDecode() {
        QFETCH(QString, folder);
        const auto tokenizer = loadTokenizer(std::filesystem::path(STUDIO_SOURCE_DIR) / folder.toStdString());
        EXPECT_OK(tokenizer);
        const std::string text = "Grüße, 日本語 👨‍👩‍👧 e\u0301!\n\tfin";
        const std::vector<int> ids = (*tokenizer)->encode(text);
        bool valid = true;
        streamed(**tokenizer, ids, &valid);
        QVERIFY(valid);
        QCOMPARE(joined(**tokenizer, ids), text);
        for (std::size_t i = 0; i < ids.size(); ++i) {  // from the middle of characters, too
            const std::vector<int> rest(ids.begin() + static_cast<long>(i), ids.end());
            QCOMPARE(joined(**tokenizer, rest), replaced((*tokenizer)->decode(rest)));
        }
    }
};

QTEST_APPLESS_MAIN(StreamDecoderTest)
#include "stream_decoder_test.moc"
