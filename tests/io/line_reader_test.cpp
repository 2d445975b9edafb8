#include "io/line_reader.h"

#include <unistd.h>
#include <zlib.h>

#include <QTemporaryDir>
#include <QtTest>

#include "support/expect.h"

using namespace studio;
using namespace studio::test;

namespace {

std::string gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

struct Read {
    std::vector<std::string> lines;
    std::vector<std::uint64_t> offsets;
    int too_long = 0;
    bool unterminated = false;
    std::optional<Error> error;
};

Read readAll(const std::filesystem::path& path, io::LineReaderOptions options = {}) {
    Read result;
    auto reader = io::LineReader::open(path, options);
    if (!reader) {
        result.error = reader.error();
        return result;
    }
    for (;;) {
        auto line = reader->next();
        if (!line) {
            result.error = line.error();
            return result;
        }
        if (!*line) return result;
        result.lines.emplace_back((*line)->text);
        result.offsets.push_back((*line)->offset);
        result.too_long += (*line)->too_long;
        result.unterminated = (*line)->unterminated;
        if ((*line)->number != result.lines.size()) result.error = Error{ErrorCode::Internal, "wrong number", ""};
    }
}

}  // namespace

class LineReaderTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::filesystem::path file() { return folder_.filePath("x.jsonl").toStdString(); }

  private Q_SLOTS:
    void textsAreDividedIntoLines_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QStringList>("lines");
        QTest::addColumn<bool>("unterminated");
        QTest::newRow("empty") << QByteArray() << QStringList{} << false;
        QTest::newRow("only a mark") << QByteArray("\xEF\xBB\xBF") << QStringList{} << false;
        QTest::newRow("only a newline") << QByteArray("\n") << QStringList{""} << false;
        QTest::newRow("two lines") << QByteArray("a\nb\n") << QStringList{"a", "b"} << false;
        QTest::newRow("last one open") << QByteArray("a\nb") << QStringList{"a", "b"} << true;
        QTest::newRow("CRLF") << QByteArray("a\r\nb\r\n\r\n") << QStringList{"a", "b", ""} << false;
        QTest::newRow("lone CR stays") << QByteArray("a\rb\n") << QStringList{"a\rb"} << false;
        QTest::newRow("mark first") << QByteArray("\xEF\xBB\xBF{}\n") << QStringList{"{}"} << false;
        QTest::newRow("mark inside stays") << QByteArray(
                                                  "a\n\xEF\xBB\xBF"
                                                  "b\n")
                                           << QStringList{"a", QString(QChar(0xFEFF)) + "b"} << false;
        QTest::newRow("zero bytes stay") << QByteArray("a\0b\n", 4) << QStringList{QString("a") + QChar(0) + "b"}
                                         << false;
    }
    void textsAreDividedIntoLines() {
        QFETCH(QByteArray, text);
        QFETCH(QStringList, lines);
        QFETCH(bool, unterminated);
        for (const std::string& bytes : {text.toStdString(), gzip(text.toStdString())}) {
            put(file(), bytes);
            const Read read = readAll(file());
            QVERIFY2(!read.error, read.error ? read.error->text().c_str() : "");
            std::vector<std::string> expected;
            for (const QString& line : lines) expected.push_back(line.toUtf8().toStdString());
            QCOMPARE(read.lines, expected);
            QCOMPARE(read.unterminated, unterminated);
        }
    }

    void offsetsAreThoseOfTheExpandedText() {
        put(file(), gzip("\xEF\xBB\xBF"
                         "ab\r\nc\n\nd"));
        QCOMPARE(readAll(file()).offsets, (std::vector<std::uint64_t>{3, 7, 9, 10}));
    }

    void bufferBordersDoNotMatter() {
        std::string text;
        std::vector<std::string> expected;
        for (int i = 0; i < 3000; ++i) {  // lines around powers of two, and one larger than any buffer at the start
            expected.push_back(std::string(static_cast<std::size_t>(i == 1500 ? 900000 : (i * 37) % 700), 'x'));
            text += expected.back() + (i % 3 ? "\n" : "\r\n");
        }
        put(file(), text);
        QVERIFY(readAll(file()).lines == expected);
        put(file(), gzip(text));
        QVERIFY(readAll(file()).lines == expected);
    }

    void longLinesAreSkippedAndTheRestIsRead() {
        put(file(), "short\n" + std::string(3000000, 'y') + "\n" + std::string(1000, 'z') + "\nafter\n");
        Read read = readAll(file(), {.max_line = 1000});
        QVERIFY(!read.error);
        QCOMPARE(read.lines, (std::vector<std::string>{"short", "", std::string(1000, 'z'), "after"}));
        QCOMPARE(read.too_long, 1);
        QCOMPARE(read.offsets[2], std::uint64_t{3000007});
        put(file(), std::string(2000000, 'y'));  // without any newline
        read = readAll(file(), {.max_line = 999});
        QCOMPARE(read.lines.size(), std::size_t{1});
        QCOMPARE(read.too_long, 1);
        QVERIFY(read.unterminated);
        put(file(), std::string(1001, 'z') + "\r\n");
        QCOMPARE(readAll(file(), {.max_line = 1000}).too_long, 1);
        put(file(), std::string(1000, 'z') + "\r\n");
        QCOMPARE(readAll(file(), {.max_line = 1000}).too_long, 0);
    }

    void allMembersOfAGzipAreRead() {
        put(file(), gzip("a\nb") + gzip("") + gzip("c\nd\n"));
        Read read = readAll(file());
        QVERIFY(!read.error);
        QCOMPARE(read.lines, (std::vector<std::string>{"a", "bc", "d"}));
        put(file(), gzip("a\n") + std::string(512, '\0'));  // padded as on tapes
        read = readAll(file());
        QVERIFY(!read.error);
        QCOMPARE(read.lines, (std::vector<std::string>{"a"}));
    }

    void aBrokenOffGzipGivesItsGoodLinesAndThenTheByte() {
        std::string text;
        for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919 % 10007) + "\n";
        const std::string whole = gzip(text);
        for (const std::size_t keep : {whole.size() / 2, whole.size() - 1, whole.size() - 8, std::size_t{11}}) {
            put(file(), whole.substr(0, keep));
            const Read read = readAll(file());
            QVERIFY(read.error && read.error->code == ErrorCode::Corrupt);
            const std::string sentence = read.error->text();
            QVERIFY2(sentence.find("byte " + std::to_string(keep)) != std::string::npos, sentence.c_str());
            QVERIFY(sentence.find("line " + std::to_string(read.lines.size())) != std::string::npos);
            if (keep > 100) QVERIFY(read.lines.size() > 5000);
            for (std::size_t i = 0; i < read.lines.size(); ++i)
                QVERIFY(read.lines[i] == "line " + std::to_string(i * 7919 % 10007));
        }
        put(file(), gzip("a\n") + whole.substr(0, whole.size() / 2));  // the second member breaks off
        QVERIFY(readAll(file()).error);
    }

    void damagedGzipsAreErrors() {
        std::string bytes = gzip("some text that is long enough to be compressed, some text that is long enough\n");
        std::string flipped = bytes;
        flipped[flipped.size() - 6] ^= 1;  // the checksum
        put(file(), flipped);
        QVERIFY(readAll(file()).error);
        put(file(), bytes + "garbage");
        const Read read = readAll(file());
        QVERIFY(read.error && read.lines.size() == 1);
    }

    void aGzipBombIsCapped() {
        std::string zeros(1u << 20, '\n');
        const std::string member = gzip(zeros);
        std::string bomb;
        for (int i = 0; i < 64; ++i) bomb += member;  // 64 MiB out of some kB
        put(file(), bomb);
        auto reader = io::LineReader::open(file(), {.max_expanded = 3u << 20});
        EXPECT_OK(reader);
        std::uint64_t lines = 0;
        for (;;) {
            auto line = reader->next();
            if (!line) {
                EXPECT_ERROR(line, "expands to more than 3145728 bytes");
                break;
            }
            QVERIFY(line->has_value());
            ++lines;
        }
        QVERIFY(lines <= 3u << 20);
        QVERIFY(reader->bytesRead() <= reader->fileSize());
    }

    void otherEncodingsAndOtherThingsAreRefused() {
        put(file(), std::string("\xFF\xFE{\0}\0", 6));
        QVERIFY(readAll(file()).error->text().find("UTF-16") != std::string::npos);
        put(file(), std::string("\xFE\xFF\0{\0}", 6));
        QVERIFY(readAll(file()).error->text().find("UTF-16") != std::string::npos);
        EXPECT_ERROR(io::LineReader::open(folder_.path().toStdString()), "is a folder");
        EXPECT_ERROR(io::LineReader::open("/dev/zero"), "is a device");
        EXPECT_ERROR(io::LineReader::open(folder_.filePath("absent").toStdString()), "does not exist");
    }

    void aFileNamedGzThatIsNotGzipIsSaidToBe() {
        const std::filesystem::path named = folder_.filePath("mine.jsonl.gz").toStdString();
        put(named, std::string("PK\x03\x04\x14\0\0\0not gzip", 16));
        const auto read = readAll(named);
        QVERIFY(read.error);
        QVERIFY2(read.error->text().find("is named .gz but is not gzip") != std::string::npos,
                 read.error->text().c_str());
        put(named, "{\"a\": 1}\n");  // text that is merely named so
        QCOMPARE(readAll(named).lines.size(), std::size_t(1));
    }

    // Fault 13.
    void aFileChangedWhileItIsReadIsAnError() {
        put(file(), std::string(1000000, 'a') + "\n" + std::string(1000000, 'b') + "\n");
        auto reader = io::LineReader::open(file());
        EXPECT_OK(reader);
        EXPECT_OK(reader->next());
        QVERIFY(::truncate(file().c_str(), 1200000) == 0);
        const auto line = reader->next();
        EXPECT_ERROR(line, "was changed while it was read");
    }
};

QTEST_APPLESS_MAIN(LineReaderTest)
#include "line_reader_test.moc"
