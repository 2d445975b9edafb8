#include "io/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <set>

#include "io/sha256.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::test;
namespace fs = std::filesystem;

class FileTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path folder_;

    std::size_t filesInFolder() {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>();
        folder_ = directory_->path().toStdString();
    }

    void theLimitOfAReadIsExact_data() {
        QTest::addColumn<int>("limit");
        QTest::addColumn<bool>("read");
        QTest::newRow("0") << 0 << false;
        QTest::newRow("9") << 9 << false;
        QTest::newRow("10") << 10 << true;
        QTest::newRow("11") << 11 << true;
    }
    void theLimitOfAReadIsExact() {
        QFETCH(int, limit);
        QFETCH(bool, read);
        put(folder_ / "ten", "0123456789");
        const auto bytes = io::readFile(folder_ / "ten", static_cast<std::uint64_t>(limit));
        QCOMPARE(bytes.has_value(), read);
        if (read) QCOMPARE(*bytes, std::string("0123456789"));
    }

    // Fault 14.
    void onlyRegularFilesAreRead() {
        QCOMPARE(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
        EXPECT_ERROR(io::readFile(folder_ / "pipe", 10), "is a pipe");
        EXPECT_ERROR(io::readFile("/dev/zero", 10), "is a device");
        EXPECT_ERROR(io::readFile(folder_, 10), "is a folder");
        EXPECT_ERROR(io::readFile(folder_ / "absent", 10), "does not exist");
        fs::create_symlink("loop", folder_ / "loop");
        EXPECT_ERROR(io::readFile(folder_ / "loop", 10), "form a loop");
        put(folder_ / "file", "x");
        EXPECT_ERROR(io::readFile(folder_ / "file" / "x", 10), "not a folder");
        fs::create_symlink("file", folder_ / "link");
        EXPECT_OK(io::readFile(folder_ / "link", 10));
        QCOMPARE(*io::regularFileSize(folder_ / "link"), std::uint64_t{1});
        if (::geteuid() != 0) {  // root may read everything
            fs::permissions(folder_ / "file", fs::perms::none);
            EXPECT_ERROR(io::readFile(folder_ / "file", 10), "permission denied");
        }
    }

    void filesOfTheKernelThatClaimNoSizeAreRead() {
        const auto bytes = io::readFile("/proc/self/maps", 1u << 20);
        EXPECT_OK(bytes);
        QVERIFY(bytes->size() > 100);
        EXPECT_ERROR(io::readFile("/proc/self/maps", 50), "at most 50");
    }

    // Whatever fails, and whenever: the old file or the new one, no leftovers, and an error exactly if it is the old.
    void everyFailingCallLeavesTheOldFileOrTheNew_data() {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<bool>("survivable");
        for (const char* error : {"ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES"}) {
            QTest::addRow("%s once", error) << QString("%1:once:").arg(error) << false;
            QTest::addRow("%s always", error) << QString("%1:always:").arg(error) << false;
        }
        QTest::newRow("short once") << QString("short:once:") << true;
        QTest::newRow("short always") << QString("short:always:") << true;
    }
    void everyFailingCallLeavesTheOldFileOrTheNew() {
        QFETCH(QString, fault);
        QFETCH(bool, survivable);
        const std::string before(5000, 'o'), after(7000, 'n');
        int failures = 0;
        for (int n = 1; n <= 12; ++n) {
            const fs::path path = folder_ / "file";
            put(path, before);
            auto ops = io::faultyFileOps(fault.toStdString() + std::to_string(n));
            EXPECT_OK(ops);
            const auto written = io::writeFileAtomic(**ops, path, after);
            const std::string now = slurp(path);
            QVERIFY(now == before || now == after);
            if (written) QVERIFY(now == after);
            if (!written) {
                ++failures;
                QVERIFY(!written.error().hint.empty());
                QVERIFY2(written.error().text().find("written") != std::string::npos ||
                             written.error().text().find("opened") != std::string::npos,
                         written.error().text().c_str());
            }
            // The temporary goes too, unless removing it is what fails.
            if (!fault.contains("always")) QCOMPARE(filesInFolder(), std::size_t{1});
            for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry);
        }
        if (survivable)
            QCOMPARE(failures, 0);
        else
            QVERIFY(failures >= 5);  // open, write, fsync, rename, open and fsync of the folder
    }

    void theOrderIsWriteSyncRenameSyncFolder() {
        auto ops = io::faultyFileOps("count", folder_ / "trace");
        EXPECT_OK(ops);
        fs::create_directory(folder_ / "sub");
        EXPECT_OK(io::writeFileAtomic(**ops, folder_ / "sub" / "file", "x"));
        const std::string temporary = "file.tmp-" + std::to_string(::getpid());
        QCOMPARE(QByteArray::fromStdString(slurp(folder_ / "trace")),
                 QByteArray::fromStdString("1 open " + temporary + "\n2 write " + temporary + "\n3 fsync " + temporary +
                                           "\n4 rename file\n5 open sub\n6 fsync sub\n"));
    }

    // Fault 40 for a single file.
    void everyDeathLeavesTheOldFileOrTheNew() {
        const std::string before(5000, 'o'), after(7000, 'n');
        const fs::path path = folder_ / "file";
        std::set<std::string> outcomes;
        for (const char* when : {"before", "during", "after"}) {
            for (int n = 1; n <= 6; ++n) {
                put(path, before);
                const pid_t child = ::fork();
                if (child == 0) {
                    auto ops = io::faultyFileOps("kill:" + std::string(when) + ":" + std::to_string(n));
                    if (ops) static_cast<void>(io::writeFileAtomic(**ops, path, after));
                    ::_exit(1);
                }
                int status = 0;
                QCOMPARE(::waitpid(child, &status, 0), child);
                QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
                const std::string now = slurp(path);
                QVERIFY(now == before || now == after);
                outcomes.insert(now);
            }
        }
        QCOMPARE(outcomes.size(), std::size_t{2});  // both happened: the loop really passed the rename
    }

    void aFullDiskIsSaidInWords() {
        auto ops = io::faultyFileOps("ENOSPC:always:2");
        const auto written = io::writeFileAtomic(**ops, folder_ / "file", "x");
        EXPECT_ERROR(written, "no space left on the disk");
        EXPECT_ERROR(written, "Free some space");
        EXPECT_ERROR(io::writeFileAtomic(folder_ / "absent" / "file", "x"), "does not exist");
    }

    void anInterruptedCallIsRepeated() {
        auto ops = io::faultyFileOps("EINTR:once:2");
        EXPECT_OK(io::writeFileAtomic(**ops, folder_ / "file", "xyz"));
        QCOMPARE(slurp(folder_ / "file"), std::string("xyz"));
    }

    void aTemporaryIsNeverWrittenThroughALink() {
        put(folder_ / "victim", "precious");
        fs::create_symlink("victim", folder_ / ("file.tmp-" + std::to_string(::getpid())));
        QVERIFY(!io::writeFileAtomic(folder_ / "file", "x"));
        QCOMPARE(slurp(folder_ / "victim"), std::string("precious"));
    }

    void wrongPlansOfFaultsAreRefused() {
        for (const char* plan : {"", "kill", "kill:before", "kill:before:0", "kill:before:-1", "kill:before:x",
                                 "kill:sometimes:1", "ENOENT:once:1", "EIO:twice:1", "EIO:once:1x"})
            EXPECT_ERROR(io::faultyFileOps(plan), "no plan of faults");
    }

    // FIPS 180-2, appendix B.
    void sha256IsTheStandards() {
        QCOMPARE(io::sha256(""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        QCOMPARE(io::sha256("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        put(folder_ / "million", std::string(1000000, 'a'));
        QCOMPARE(*io::sha256File(folder_ / "million"),
                 std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = io::sha256File(folder_ / "million", stop.get_token());
        QVERIFY(!stopped && stopped.error().cancelled());
        EXPECT_ERROR(io::sha256File(folder_), "is a folder");
    }
};

QTEST_APPLESS_MAIN(FileTest)
#include "file_test.moc"
