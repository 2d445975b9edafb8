#include "io/safetensors.h"

#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cstring>

#include "support/bad_safetensors.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::test;

class SafetensorsTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::filesystem::path file(const char* name = "x.safetensors") { return folder_.filePath(name).toStdString(); }

  private Q_SLOTS:
    void badFilesAreRefusedWithTheReason_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("phrase");
        for (const BadFile& bad : badSafetensors())
            QTest::newRow(bad.name) << QByteArray::fromStdString(bad.bytes) << QString(bad.phrase);
    }
    void badFilesAreRefusedWithTheReason() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, phrase);
        put(file(), {bytes.data(), static_cast<std::size_t>(bytes.size())});
        const auto opened = io::SafetensorsFile::open(file());
        EXPECT_ERROR(opened, phrase.toStdString());
    }

    void unusualButValidFilesAreRead_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("tensors");
        const auto row = [](const char* name, const std::string& bytes, int tensors) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << tensors;
        };
        row("no tensors", safetensors("{}", 0), 0);
        row("padded with spaces", safetensors("{}      ", 0), 0);
        row("zero dimension", safetensors(oneTensor("F32", "[0,5]", "[0,0]"), 0), 1);
        row("zero and huge dimension", safetensors(oneTensor("F32", "[0,9223372036854775807]", "[0,0]"), 0), 1);
        row("scalar", safetensors(oneTensor("F64", "[]", "[0,8]"), 8), 1);
        row("eight dimensions", safetensors(oneTensor("U8", "[1,1,1,1,1,1,1,2]", "[0,2]"), 2), 1);
        row("eight-bit floats", safetensors(oneTensor("F8_E4M3", "[4]", "[0,4]"), 4), 1);
        row("four-bit floats", safetensors(oneTensor("F4", "[4]", "[0,2]"), 2), 1);
        row("other order in the header",
            safetensors(R"({"b":{"data_offsets":[4,8],"shape":[1],"dtype":"I32"},)"
                        R"("a":{"data_offsets":[0,4],"shape":[1],"dtype":"I32"}})",
                        8),
            2);
        row("empty tensors between",
            safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                        R"("e":{"dtype":"U8","shape":[0],"data_offsets":[2,2]},)"
                        R"("c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                        3),
            3);
    }
    void unusualButValidFilesAreRead() {
        QFETCH(QByteArray, bytes);
        QFETCH(int, tensors);
        put(file(), {bytes.data(), static_cast<std::size_t>(bytes.size())});
        const auto opened = io::SafetensorsFile::open(file());
        EXPECT_OK(opened);
        QCOMPARE(static_cast<int>(opened->tensors().size()), tensors);
    }

    void whatWasWrittenIsReadBack() {
        const float weights[] = {1.5f, -2, 3, 4, 5, 6};
        const std::int64_t ids[] = {7, -8};
        const std::uint8_t codes[] = {9, 10, 11};
        const io::TensorView views[] = {{"codes", io::DType::U8, {3}, codes, 3},
                                        {"weights", io::DType::F32, {2, 3}, weights, 24},
                                        {"ids", io::DType::I64, {2}, ids, 16},
                                        {"nothing", io::DType::F32, {0}, nullptr, 0}};
        io::FileOps ops;
        EXPECT_OK(io::writeSafetensors(ops, file(), views, {{"format", "pt"}, {"quote", "\"\\\n"}}));
        const auto opened = io::SafetensorsFile::open(file());
        EXPECT_OK(opened);
        QCOMPARE(opened->metadata().at("format"), std::string("pt"));
        QCOMPARE(opened->metadata().at("quote"), std::string("\"\\\n"));
        QCOMPARE(opened->tensors().front().name, std::string("ids"));  // the largest alignment first
        const io::TensorInfo* found = opened->find("weights");
        QVERIFY(found && found->shape == std::vector<std::int64_t>({2, 3}) && found->elements() == 6);
        const auto bytes = opened->read(*found);
        EXPECT_OK(bytes);
        QVERIFY(bytes->size() == 24 && std::memcmp(bytes->data(), weights, 24) == 0);
        float second = 0;
        EXPECT_OK(opened->read(*found, std::as_writable_bytes(std::span(&second, 1)), 4));
        QCOMPARE(second, -2.0f);
        QVERIFY(!opened->find("absent"));
        QVERIFY(!opened->read(*found, std::as_writable_bytes(std::span(&second, 1)), 21));
        QVERIFY(!opened->read(*found, std::as_writable_bytes(std::span(&second, 1)), ~0ull));
    }

    // The bytes of safetensors 0.6 (Python: save_file({'b': …, 'a': …}, path, {'format': 'pt'})).
    void theBytesAreThoseOfTheReferenceWriter() {
        const float b[] = {1, 2, 3, 4, 5, 6};
        const std::int64_t a[] = {1, 2, 3};
        const io::TensorView views[] = {{"b", io::DType::F32, {2, 3}, b, 24}, {"a", io::DType::I64, {3}, a, 24}};
        io::FileOps ops;
        EXPECT_OK(io::writeSafetensors(ops, file(), views, {{"format", "pt"}}));
        const std::string header =
            R"({"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},)"
            R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[24,48]}} )";
        const std::string expected = littleEndian(0x90) + header + std::string(reinterpret_cast<const char*>(a), 24) +
                                     std::string(reinterpret_cast<const char*>(b), 24);
        QVERIFY(slurp(file()) == expected);
    }

    void wrongTensorsAreNotWritten_data() {
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("name twice") << 0 << "there twice";
        QTest::newRow("bytes do not fit the shape") << 1 << "8 bytes where its shape needs 12";
        QTest::newRow("negative shape") << 2 << "impossible shape";
        QTest::newRow("no data") << 3 << "has no data";
        QTest::newRow("reserved name") << 4 << "does not allow";
        QTest::newRow("name is not UTF-8") << 5 << "UTF-8";
        QTest::newRow("type is not of the format") << 6 << "has no type";
    }
    void wrongTensorsAreNotWritten() {
        QFETCH(int, which);
        QFETCH(QString, phrase);
        const float data[3] = {};
        using V = std::vector<io::TensorView>;
        const V views = std::vector<V>{{{"a", io::DType::F32, {2}, data, 8}, {"a", io::DType::F32, {2}, data, 8}},
                                       {{"a", io::DType::F32, {3}, data, 8}},
                                       {{"a", io::DType::F32, {-2}, data, 8}},
                                       {{"a", io::DType::F32, {2}, nullptr, 8}},
                                       {{"__metadata__", io::DType::F32, {2}, data, 8}},
                                       {{"\xFF", io::DType::F32, {2}, data, 8}},
                                       {{"a", io::DType::Other, {2}, data, 8}}}[static_cast<std::size_t>(which)];
        io::FileOps ops;
        put(file("kept.safetensors"), "old");
        const auto written = io::writeSafetensors(ops, file("kept.safetensors"), views, {});
        EXPECT_ERROR(written, phrase.toStdString());
        QCOMPARE(slurp(file("kept.safetensors")), std::string("old"));
    }

    // Fault 29: the file loses its end after it was opened and checked.
    void aFileTruncatedWhileOpenIsAnError() {
        put(file(), safetensors(oneTensor("F32", "[2048]", "[0,8192]"), 8192));
        const auto opened = io::SafetensorsFile::open(file());
        EXPECT_OK(opened);
        QVERIFY(::truncate(file().c_str(), 4096) == 0);
        const auto bytes = opened->read(opened->tensors().front());
        EXPECT_ERROR(bytes, "became shorter");
    }

    // Fault 27: saving over an adapter in use leaves the reader with the old bytes.
    void savingOverAnOpenFileLeavesItsReaderTheOldBytes() {
        const float old_value = 1, new_value = 2;
        io::FileOps ops;
        const io::TensorView before[] = {{"a", io::DType::F32, {1}, &old_value, 4}};
        const io::TensorView after[] = {{"a", io::DType::F32, {1}, &new_value, 4}};
        EXPECT_OK(io::writeSafetensors(ops, file("live.safetensors"), before, {}));
        const auto opened = io::SafetensorsFile::open(file("live.safetensors"));
        EXPECT_OK(opened);
        EXPECT_OK(io::writeSafetensors(ops, file("live.safetensors"), after, {}));
        float value = 0;
        EXPECT_OK(opened->read(opened->tensors().front(), std::as_writable_bytes(std::span(&value, 1))));
        QCOMPARE(value, old_value);
    }
};

QTEST_APPLESS_MAIN(SafetensorsTest)
#include "safetensors_test.moc"
