#include "io/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "support/expect.h"

using namespace studio;

class FileLockTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::filesystem::path file() { return folder_.filePath("run.lock").toStdString(); }

  private Q_SLOTS:
    void oneHoldsItAndTheOthersHearWho() {
        QVERIFY(!io::FileLock::isHeld(file()));
        {
            auto first = io::FileLock::tryLock(file());
            EXPECT_OK(first);
            QVERIFY(io::FileLock::isHeld(file()));
            const auto second = io::FileLock::tryLock(file());
            EXPECT_ERROR(second, "process " + std::to_string(::getpid()));
            QCOMPARE(second.error().code, ErrorCode::Busy);
            auto moved = std::move(first);
            QVERIFY(io::FileLock::isHeld(file()));
        }
        QVERIFY(!io::FileLock::isHeld(file()));
        EXPECT_OK(io::FileLock::tryLock(file()));
    }

    void deathReleasesIt() {
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto lock = io::FileLock::tryLock(file());
            const char answer = lock ? 'y' : 'n';
            if (::write(ready[1], &answer, 1) == 1)
                for (;;) ::pause();
            ::_exit(1);
        }
        char answer = 0;
        QCOMPARE(::read(ready[0], &answer, 1), ssize_t{1});
        QCOMPARE(answer, 'y');
        QVERIFY(io::FileLock::isHeld(file()));
        EXPECT_ERROR(io::FileLock::tryLock(file()), "process " + std::to_string(child));
        QCOMPARE(::kill(child, SIGKILL), 0);
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(!io::FileLock::isHeld(file()));
        EXPECT_OK(io::FileLock::tryLock(file()));
    }

    void aLockThatCannotBeMadeIsAnError() {
        EXPECT_ERROR(io::FileLock::tryLock(folder_.filePath("absent/run.lock").toStdString()), "cannot be locked");
        QVERIFY(!io::FileLock::isHeld(folder_.filePath("absent/run.lock").toStdString()));
    }
};

QTEST_APPLESS_MAIN(FileLockTest)
#include "file_lock_test.moc"
