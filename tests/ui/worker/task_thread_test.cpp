#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTest>
#include <atomic>
#include <latch>

#include "ui/worker/task_thread.h"

using namespace studio;
using namespace studio::ui;

class TaskThreadTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void answersComeBackInOrderOnTheThreadOfTheWindow() {
        TaskThread thread;
        std::vector<int> answers;
        for (int i = 0; i < 20; ++i)
            thread.run<int>(
                this, [i](const JobContext&) -> Result<int> { return i; },
                [&](Result<int> r) {
                    QCOMPARE(QThread::currentThread(), QCoreApplication::instance()->thread());
                    answers.push_back(*r);
                });
        QTRY_COMPARE(answers.size(), std::size_t{20});
        QVERIFY(std::is_sorted(answers.begin(), answers.end()));
    }

    void nobodyIsCalledWhoIsGone() {
        TaskThread thread;
        std::latch gone(1), begun(1);
        auto receiver = std::make_unique<QObject>();
        bool called = false;
        thread.run<int>(
            receiver.get(),
            [&](const JobContext&) -> Result<int> {
                begun.count_down();
                gone.wait();
                return 1;
            },
            [&](Result<int>) { called = true; });
        begun.wait();
        receiver.reset();
        gone.count_down();
        bool later = false;  // whose answer comes after the first one's would have
        thread.run<int>(
            this, [](const JobContext&) -> Result<int> { return 1; }, [&](Result<int>) { later = true; });
        QTRY_VERIFY(later);
        QVERIFY(!called);
    }

    void aTaskWhoseReceiverGoesIsStopped() {
        TaskThread thread;
        std::atomic<bool> stopped = false;
        std::latch begun(1);
        auto receiver = std::make_unique<QObject>();
        thread.run<int>(receiver.get(),
                        [&](const JobContext& job) -> Result<int> {
                            begun.count_down();
                            while (!job.stopped()) std::this_thread::yield();
                            stopped = true;
                            return cancelled();
                        },
                        {});
        begun.wait();
        receiver.reset();
        QTRY_VERIFY(stopped);
    }

    void cancelledTasksSaySo() {
        TaskThread thread;
        std::latch go(1);
        thread.post([&] { go.wait(); });
        bool cancelled_seen = false;
        Task* task = thread.run<int>(
            this, [](const JobContext&) -> Result<int> { return 1; },
            [&](Result<int> r) { cancelled_seen = !r && r.error().cancelled(); });
        task->cancel();
        go.count_down();
        QTRY_VERIFY(cancelled_seen);
    }

    void exceptionsBecomeSentences() {
        TaskThread thread;
        std::optional<Error> seen;
        thread.run<int>(
            this, [](const JobContext&) -> Result<int> { throw std::runtime_error("a broken library"); },
            [&](Result<int> r) { seen = r.error(); });
        QTRY_VERIFY(seen.has_value());
        QVERIFY(seen->message.find("a broken library") != std::string::npos);
        QVERIFY(!seen->hint.empty());
    }

    void floodsOfProgressAreThinned() {
        TaskThread thread;
        int told = 0;
        bool done = false;
        Task* task = thread.run<int>(
            this,
            [](const JobContext& job) -> Result<int> {
                for (std::uint64_t i = 1; i <= 100000; ++i) job.report({"Counting", i, 100000, "steps"});
                return 1;
            },
            [&](Result<int>) { done = true; });
        Progress last;
        connect(task, &Task::progress, this, [&](const Progress& p) {
            ++told;
            last = p;
        });
        QTRY_VERIFY(done);
        QVERIFY2(told < 1000, qPrintable(QString::number(told)));
        QCOMPARE(last.done, std::uint64_t{100000});
    }
};

QTEST_GUILESS_MAIN(TaskThreadTest)
#include "task_thread_test.moc"
