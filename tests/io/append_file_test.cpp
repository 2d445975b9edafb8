#include "io/append_file.h"

#include <QTemporaryDir>
#include <QtTest>

#include "support/expect.h"

using namespace studio;
using namespace studio::test;

class AppendFileTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    std::filesystem::path file_;

    // Writes only half of a record and then fails once.
    class HalfThenFull final : public io::FileOps {
      public:
        int call = 0;
        ssize_t write(int fd, const void* data, std::size_t size) override {
            ++call;
            if (call == 2) return io::FileOps::write(fd, data, size / 2);
            if (call == 3) {
                errno = ENOSPC;
                return -1;
            }
            return io::FileOps::write(fd, data, size);
        }
    };

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>();
        file_ = directory_->filePath("log").toStdString();
    }

    void recordsAreAppendedToWhatIsThere() {
        put(file_, "one\n");
        auto file = io::AppendFile::open(io::realFileOps(), file_);
        EXPECT_OK(file);
        QCOMPARE(file->size(), std::uint64_t{4});
        EXPECT_OK(file->append("two\n"));
        EXPECT_OK(file->sync());
        QCOMPARE(slurp(file_), std::string("one\ntwo\n"));
    }

    void aTornEndIsCut() {
        put(file_, "one\ntw");
        auto file = io::AppendFile::open(io::realFileOps(), file_, 4);
        EXPECT_OK(file);
        EXPECT_OK(file->append("two\n"));
        QCOMPARE(slurp(file_), std::string("one\ntwo\n"));
    }

    void halfARecordNeverStays() {
        auto file = io::AppendFile::open(std::make_shared<HalfThenFull>(), file_);
        EXPECT_OK(file);
        EXPECT_OK(file->append("first\n"));
        EXPECT_ERROR(file->append("second\n"), "no space left");
        QCOMPARE(slurp(file_), std::string("first\n"));
        EXPECT_OK(file->append("second\n"));
        QCOMPARE(slurp(file_), std::string("first\nsecond\n"));
    }

    void theFileIsCutToAnySize_data() {
        QTest::addColumn<int>("size");
        QTest::addColumn<QString>("left");
        QTest::newRow("0") << 0 << "";
        QTest::newRow("2") << 2 << "ab";
        QTest::newRow("as long as it is") << 4 << "abcd";
        QTest::newRow("longer") << 9 << "abcd";
    }
    void theFileIsCutToAnySize() {
        QFETCH(int, size);
        QFETCH(QString, left);
        put(file_, "abcd");
        io::FileOps ops;
        EXPECT_OK(io::truncateFile(ops, file_, static_cast<std::uint64_t>(size)));
        QCOMPARE(QString::fromStdString(slurp(file_)), left);
    }

    void whatCannotBeWrittenIsAnError() {
        EXPECT_ERROR(io::AppendFile::open(io::realFileOps(), file_ / "absent"), "does not exist");
        EXPECT_ERROR(io::AppendFile::open(io::realFileOps(), directory_->path().toStdString()), "is a folder");
    }
};

QTEST_APPLESS_MAIN(AppendFileTest)
#include "append_file_test.moc"
