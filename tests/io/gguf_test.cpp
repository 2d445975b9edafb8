#include "io/gguf.h"

#include <QTemporaryDir>
#include <QtTest>

#include "support/bad_safetensors.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::test;

namespace {

constexpr std::uint64_t kHuge = ~0ull;

std::string text(const std::string& value) {
    return littleEndian(value.size()) + value;
}
std::string key(const std::string& name, std::uint32_t kind, const std::string& value) {
    return text(name) + littleEndian(kind, 4) + value;
}
std::string header(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return "GGUF" + littleEndian(version, 4) + littleEndian(tensors) + littleEndian(keys);
}
std::string tensor(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                   std::uint64_t offset) {
    std::string bytes = text(name) + littleEndian(shape.size(), 4);
    for (const auto dimension : shape) bytes += littleEndian(dimension);
    return bytes + littleEndian(type, 4) + littleEndian(offset);
}
std::string padded(std::string bytes, std::size_t data) {
    bytes.resize((bytes.size() + 31) / 32 * 32);
    return bytes + std::string(data, 'x');
}

}  // namespace

class GgufTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::filesystem::path file() { return folder_.filePath("x.gguf").toStdString(); }

  private Q_SLOTS:
    void aModelIsDescribed() {
        put(file(),
            padded(header(2, 5) + key("general.architecture", 8, text("phi2")) +
                       key("phi2.block_count", 4, littleEndian(32, 4)) +
                       key("tokenizer.ggml.tokens", 9, littleEndian(8, 4) + littleEndian(2) + text("a") + text("bc")) +
                       key("ids", 9, littleEndian(4, 4) + littleEndian(3) + std::string(12, '\1')) +
                       key("add_bos", 7, std::string(1, '\0')) + tensor("w", {64, 2}, 2, 0) + tensor("b", {4}, 0, 96),
                   112));
        const auto info = io::readGgufInfo(file());
        EXPECT_OK(info);
        QCOMPARE(info->architecture, std::string("phi2"));
        QCOMPARE(info->version, 3u);
        QCOMPARE(info->metadata.at("phi2.block_count"), std::string("32"));
        QCOMPARE(info->metadata.at("tokenizer.ggml.tokens"), std::string("2 strings"));
        QCOMPARE(info->metadata.at("ids"), std::string("3 u32"));
        QCOMPARE(info->metadata.at("add_bos"), std::string("false"));
        QCOMPARE(info->tensors.size(), std::size_t{2});
        QCOMPARE(info->tensors[0].type, std::string("Q4_0"));
        QCOMPARE(info->tensors[0].bytes, std::uint64_t{72});
        QCOMPARE(info->parameters, std::uint64_t{132});
    }

    void badFilesAreRefusedWithTheReason_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const std::string& bytes, const char* phrase) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString(phrase);
        };
        row("EMPTY", "", "only 0 remain");
        row("OTHER_MAGIC", std::string(64, 'x'), "does not begin with GGUF");
        row("HEADER_CUT", header(0, 0).substr(0, 20), "remain");
        row("VERSION_1", header(0, 0, 1), "version 1");
        row("VERSION_4", header(0, 0, 4), "version 4");
        row("BIG_ENDIAN", header(0, 0, 0x03000000), "big-endian");
        row("N_TENSORS_HUGE", header(kHuge, 0), "more than its");
        row("N_TENSORS_ONE_TOO_MANY", header(1, 0), "more than its");
        row("N_KV_HUGE", header(0, kHuge), "more than its");
        row("N_KV_WRAPS", header(0, kHuge / 13 + 2), "more than its");
        row("KEY_LENGTH_HUGE", header(0, 1) + littleEndian(kHuge) + std::string(40, 'k'), "a key at byte");
        row("KEY_TOO_LONG", header(0, 1) + text(std::string(70'000, 'k')) + std::string(40, 'k'), "at most 65535");
        row("KEY_TWICE", header(0, 2) + key("a", 0, "x") + key("a", 0, "x"), "occurs twice");
        row("KIND_UNKNOWN", header(0, 1) + key("a", 13, std::string(16, '\0')), "unknown kind 13");
        row("VALUE_CUT", header(0, 1) + key("abc", 10, "1234"), "remain");
        row("TEXT_LENGTH_HUGE", header(0, 1) + key("a", 8, littleEndian(kHuge)), "a text at byte");
        row("TEXT_LENGTH_PLUS_ONE_WRAPS", header(0, 1) + key("a", 8, littleEndian(kHuge - 1)), "a text at byte");
        row("LIST_COUNT_HUGE", header(0, 1) + key("a", 9, littleEndian(4, 4) + littleEndian(kHuge)), "list elements");
        row("LIST_SIZE_WRAPS", header(0, 1) + key("a", 9, littleEndian(10, 4) + littleEndian(1ull << 61)),
            "list elements");
        row("LIST_OF_TEXTS_HUGE", header(0, 1) + key("a", 9, littleEndian(8, 4) + littleEndian(1ull << 61)),
            "list elements");
        row("LIST_OF_LISTS", header(0, 1) + key("a", 9, littleEndian(9, 4) + littleEndian(1)), "unknown kind 9");
        row("LIST_TEXT_BEYOND_END",
            header(0, 1) + key("a", 9, littleEndian(8, 4) + littleEndian(1) + littleEndian(kHuge)), "a value at");
        row("ALIGNMENT_ZERO", header(0, 1) + key("general.alignment", 4, littleEndian(0, 4)), "no power of two");
        row("ALIGNMENT_THREE", header(0, 1) + key("general.alignment", 4, littleEndian(3, 4)), "no power of two");
        row("ALIGNMENT_WRONG_KIND", header(0, 1) + key("general.alignment", 8, text("32")), "no power of two");
        row("TENSOR_NAME_HUGE", header(1, 0) + littleEndian(kHuge) + std::string(40, 'n'), "the name of a tensor");
        row("TENSOR_TWICE", padded(header(2, 0) + tensor("a", {1}, 0, 0) + tensor("a", {1}, 0, 32), 64),
            "occurs twice");
        row("TENSOR_DIMS_TOO_MANY", padded(header(1, 0) + tensor("a", {1, 1, 1, 1, 1}, 0, 0), 64), "5 dimensions");
        row("TENSOR_DIMS_HUGE", header(1, 0) + text("a") + littleEndian(0xFFFFFFFF, 4) + std::string(40, 'x'),
            "dimensions");
        row("TENSOR_TYPE_UNKNOWN", padded(header(1, 0) + tensor("a", {1}, 99, 0), 64), "unknown type 99");
        row("TENSOR_TYPE_REMOVED", padded(header(1, 0) + tensor("a", {32}, 4, 0), 64), "unknown type 4");
        row("TENSOR_NE_TOO_BIG", padded(header(1, 0) + tensor("a", {1ull << 33, 1ull << 33}, 0, 0), 64), "too large");
        row("TENSOR_BYTES_WRAP", padded(header(1, 0) + tensor("a", {1ull << 62, 1}, 0, 0), 64), "too large");
        row("TENSOR_SUM_WRAPS",
            padded(header(3, 0) + tensor("a", {1ull << 63, 1}, 24, 0) + tensor("b", {1ull << 63, 1}, 24, 0) +
                       tensor("c", {1}, 0, 0),
                   64),
            "too large");
        row("TENSOR_ROW_NOT_OF_BLOCKS", padded(header(1, 0) + tensor("a", {33}, 2, 0), 64), "no multiple of 32");
        row("TENSOR_BAD_OFFSET", padded(header(1, 0) + tensor("a", {1}, 0, 3), 64), "not aligned");
        row("TENSOR_BEYOND_END", padded(header(1, 0) + tensor("a", {17}, 0, 0), 64), "not complete");
        row("TENSOR_OFFSET_HUGE", padded(header(1, 0) + tensor("a", {8}, 0, kHuge - 31), 64), "not complete");
        row("TENSORS_OVERLAP", padded(header(2, 0) + tensor("a", {16}, 0, 0) + tensor("b", {8}, 0, 32), 64), "overlap");
    }
    void badFilesAreRefusedWithTheReason() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, phrase);
        put(file(), {bytes.data(), static_cast<std::size_t>(bytes.size())});
        const auto info = io::readGgufInfo(file());
        EXPECT_ERROR(info, phrase.toStdString());
    }

    // Every prefix of a good file is either refused or, where only data are missing, refused as incomplete.
    void everyPrefixIsRefused() {
        const std::string whole =
            padded(header(1, 2) + key("general.architecture", 8, text("phi2")) +
                       key("l", 9, littleEndian(8, 4) + littleEndian(1) + text("a")) + tensor("w", {16}, 0, 0),
                   64);
        put(file(), whole);
        EXPECT_OK(io::readGgufInfo(file()));
        for (std::size_t keep = 0; keep < whole.size(); ++keep) {
            put(file(), whole.substr(0, keep));
            QVERIFY2(!io::readGgufInfo(file()), std::to_string(keep).c_str());
        }
    }
};

QTEST_APPLESS_MAIN(GgufTest)
#include "gguf_test.moc"
