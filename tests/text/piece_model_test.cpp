#include "text/sentencepiece/piece_model.h"

#include <QTemporaryDir>
#include <QtTest>
#include <cmath>

#include "support/expect.h"
#include "text/sentencepiece/wire.h"
#include "text/tokenizer.h"
#include "wire_writer.h"

using namespace studio;
using namespace studio::test;
using namespace studio::text;

namespace {

const std::filesystem::path kData = std::filesystem::path(STUDIO_SOURCE_DIR) / "tests/reference/data/sentencepiece";

std::string specials() {
    return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
}
std::string plain() {
    return specials() + piece("\u2581a", -1) + piece("a", -2) + piece("\u2581", -3);
}
std::string trainer(const std::string& fields = "") {
    return bytes(2, number(3, 2) + fields);
}
std::string identity() {
    return bytes(3, number(3, 0) + number(4, 0));
}

// A trie of one block whose root leads to "a" and from there to a value.
std::string charsMap(std::uint32_t root, std::uint32_t a, std::uint32_t value, std::string strings,
                     std::size_t units = 256) {
    std::string trie;
    for (std::size_t i = 0; i < units; ++i)
        trie += littleEndian(i == 0 ? root : i == (1u ^ 'a') ? a : i == (1u ^ 'a' ^ 4u) ? value : 0);
    return littleEndian(static_cast<std::uint32_t>(trie.size())) + trie + strings;
}
constexpr std::uint32_t unit(std::uint32_t offset, std::uint32_t label, bool has_leaf) {
    return offset << 10 | (has_leaf ? 1u << 8 : 0) | label;
}

}  // namespace

class PieceModelTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void readsWhatTheModelSays() {
        const auto model = checkPieceModel(plain() + trainer(number(41, 1) + number(43, UINT64_MAX)) + identity(), "m");
        EXPECT_OK(model);
        QCOMPARE(model->pieces.size(), std::size_t{6});
        QCOMPARE(model->pieces[3].text, std::string("\u2581a"));
        QVERIFY(model->pieces[0].type == PieceType::Unknown && model->pieces[2].type == PieceType::Control);
        QCOMPARE(model->eos_id, 2);
        QVERIFY(model->is_bpe && !model->byte_fallback && !model->add_dummy_prefix && !model->remove_extra_whitespaces);
    }

    void withoutFieldsTheFormatsDefaultsHold() {
        const auto model = checkPieceModel(plain(), "m");
        EXPECT_OK(model);
        QVERIFY(!model->is_bpe && model->add_dummy_prefix && model->remove_extra_whitespaces && !model->normalizes);
    }

    void brokenModelsAreRefused_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const std::string& model, const char* phrase) {
            QTest::newRow(name) << QByteArray::fromStdString(model) << QString(phrase);
        };
        const char* const broken = "m: this is not a sentencepiece model";
        row("nothing", "", "there are no pieces");
        row("text", "{\"model\": 1}", broken);
        row("cut off inside a piece", plain().substr(0, plain().size() - 1), broken);
        row("length beyond the end", std::string("\x0A\x7F", 2), broken);
        row("length of 2^63", "\x0A" + varint(1ull << 63), broken);
        row("endless varint", std::string(20, '\xFF'), broken);
        row("field number 0", std::string("\x02\x00", 2), broken);
        row("group", std::string("\x0B\x0C", 2), broken);
        row("piece that is a number", number(1, 5), broken);
        row("text that is a number", bytes(1, number(1, 5)), broken);
        row("score that is a number", bytes(1, bytes(1, "a") + number(2, 5)), broken);
        row("trainer that is a number", plain() + number(2, 5), broken);
        row("broken normaliser", plain() + bytes(3, "\x1A"), broken);
        row("broken self-test", plain() + bytes(4, bytes(1, "\x0A\x05")), broken);
        row("byte_fallback that is text", plain() + bytes(2, bytes(35, "yes")), broken);
        row("empty piece", specials() + piece(""), "m, piece 3: the piece is empty");
        row("piece without text", specials() + bytes(1, real(2, 1)), "the piece is empty");
        row("overlong piece", specials() + piece(std::string(200'000, 'a')),
            "m, piece 3: the piece is 200000 bytes long");
        row("NUL in a piece", specials() + piece(std::string_view("a\0b", 3)),
            "m, piece 3: the piece \"a\\x00b\" is not plain");
        row("piece that is not UTF-8", specials() + piece("a\xFF"), "\"a\\xFF\" is not plain UTF-8");
        row("score NaN", specials() + piece("a", std::nanf("")), "the score of the piece is not a number");
        row("score infinite", specials() + piece("a", -INFINITY), "the score of the piece is not a number");
        row("type 7", specials() + piece("a", 0, 7), "m, piece 3: the type of the piece is unknown");
        row("type 0", specials() + piece("a", 0, 0), "the type of the piece is unknown");
        row("type 2^32 + 3", specials() + piece("a", 0, (1ull << 32) + 3), "the type of the piece is unknown");
        row("twice", plain() + piece("a"), "m, piece 6: the piece \"a\" is there twice");
        row("no unknown piece", piece("a"), "exactly one piece for unknown characters");
        row("two unknown pieces", plain() + piece("?", 0, 2), "exactly one piece for unknown characters");
        row("bytes missing", plain() + piece("<0x41>", 0, 6) + trainer(number(35, 1)), "has 1 byte pieces of 256");
        row("no byte", plain() + piece("<0x4g>", 0, 6), "the byte piece \"<0x4g>\" names no byte");
        row("lower case byte", plain() + piece("<0x4a>", 0, 6), "names no byte");
        row("word model", plain() + bytes(2, number(3, 3)), "neither a unigram nor a BPE model");
        row("suffix", plain() + trainer(number(24, 1)), "does not write spaces before words");
        row("spaces as they are", plain() + bytes(3, number(5, 0)), "does not write spaces before words");
        row("table too short", plain() + bytes(3, bytes(2, "abc")), "the table of the normaliser is broken");
        row("table of the denormaliser", plain() + bytes(5, bytes(2, "abc")), "the table of the normaliser is broken");
    }
    void brokenModelsAreRefused() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, phrase);
        EXPECT_ERROR(checkPieceModel(bytes.toStdString(), "m"), phrase.toStdString());
        const QTemporaryDir dir;  // and so by the tokenizer, without a word from the library
        put(std::filesystem::path(dir.path().toStdString()) / "tokenizer.model", bytes.toStdString());
        EXPECT_ERROR(loadTokenizer(dir.path().toStdString()), "tokenizer.model");
    }

    void aRealModelCutAnywhereIsNotTrusted() {
        const std::string model = slurp(kData / "tokenizer.model");
        EXPECT_OK(checkPieceModel(model, "m"));
        std::vector<bool> between_fields(model.size() + 1);
        WireReader reader(model);
        while (const auto field = reader.next()) between_fields[field->value_offset + field->bytes.size()] = true;
        for (std::size_t size = 0; size < model.size(); size += 7) {
            const auto part = checkPieceModel(std::string_view(model).substr(0, size), "m");
            QVERIFY(!part.has_value() || between_fields[size]);
        }
    }

    void walksOfTheTableStayInside() {
        const std::string ok = std::string("b\0c\0", 4);
        const std::uint32_t root = unit(1, 0, false), a = unit(4, 'a', true), value = 1u << 31 | 2;
        QVERIFY(isSoundCharsMap(charsMap(root, a, value, ok)));
        QVERIFY(!isSoundCharsMap(""));
        QVERIFY(!isSoundCharsMap(charsMap(root, a, value, "")));
        QVERIFY(!isSoundCharsMap(charsMap(root, a, value, "bc")));                       // no end of a string
        QVERIFY(!isSoundCharsMap(charsMap(root, a, 1u << 31 | 4, ok)));                  // a string beyond the end
        QVERIFY(!isSoundCharsMap(charsMap(root, unit(4096, 'a', true), value, ok)));     // a step out of the trie
        QVERIFY(!isSoundCharsMap(charsMap(unit(1 << 20, 0, false), a, value, ok)));      // from the root
        QVERIFY(!isSoundCharsMap(charsMap(1u << 31 | root, a, value, ok)));              // a root that is a value
        QVERIFY(!isSoundCharsMap(charsMap(unit(5, 0, false) | 1u << 9, a, value, ok)));  // a far offset
        QVERIFY(!isSoundCharsMap(charsMap(root, a, value, ok, 255)));                    // a block that is cut off
        std::string lies = charsMap(root, a, value, ok);
        lies[1] = '\x7F';  // larger than the blob
        QVERIFY(!isSoundCharsMap(lies));
        lies[1] = '\x04';
        lies[0] = '\x02';  // no whole number of units
        QVERIFY(!isSoundCharsMap(lies));
    }

    void aRealTableIsSound() {
        const auto model = checkPieceModel(slurp(kData / "unigram/tokenizer.model"), "m");
        EXPECT_OK(model);
        QVERIFY(model->normalizes && !model->is_bpe);
    }

    void wireFieldsAreReadInTurn() {
        const std::string message =
            number(1, 300) + bytes(2, "ab") + real(3, 1.5f) + varint(4 << 3 | 1) + std::string(8, '\x01');
        WireReader reader(message);
        const auto first = reader.next(), second = reader.next(), third = reader.next(), fourth = reader.next();
        QVERIFY(first && second && third && fourth && !reader.next() && !reader.broken());
        QCOMPARE(first->value, std::uint64_t{300});
        QCOMPARE(second->bytes, std::string_view("ab"));
        QCOMPARE(message.substr(second->value_offset, 2), std::string("ab"));
        QCOMPARE(third->value, std::uint64_t{0x3FC00000});
        QCOMPARE(fourth->value, std::uint64_t{0x0101010101010101});
        for (std::size_t cut = 1; cut < message.size(); ++cut) {
            WireReader part(std::string_view(message).substr(0, cut));
            while (part.next()) {
            }
            const bool at_border = cut == 3 || cut == 7 || cut == 12;
            QCOMPARE(part.broken(), !at_border);
        }
    }
};

QTEST_APPLESS_MAIN(PieceModelTest)
#include "piece_model_test.moc"
