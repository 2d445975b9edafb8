#include "project/run_state.h"

#include <QtTest>
#include <set>

#include "support/expect.h"

using namespace studio;
using namespace studio::project;

class RunStateTest : public QObject {
    Q_OBJECT

    static constexpr int kStates = 9, kEvents = 9;

  private Q_SLOTS:
    // The whole table: what each event does in each state; "-" where it means nothing.
    void everyEventInEveryState_data() {
        QTest::addColumn<QString>("outcomes");
        //                             start      ready   pause  resume  stop     steps_done stop_done fail   vanish
        QTest::newRow("queued") << "preparing -       -      -       stopped  -        -       failed -";
        QTest::newRow("preparing") << "-         running -      -       stopping -        -       failed interrupted";
        QTest::newRow("running") << "-         -       paused running stopping finished -       failed interrupted";
        QTest::newRow("paused") << "-         -       paused running stopping -        -       failed interrupted";
        QTest::newRow("stopping") << "-         -       -      -       stopping finished stopped failed interrupted";
        QTest::newRow("finished") << "-         -       -      -       -        -        -       -      -";
        QTest::newRow("stopped") << "preparing -       -      -       -        -        -       -      -";
        QTest::newRow("failed") << "preparing -       -      -       -        -        -       -      -";
        QTest::newRow("interrupted") << "preparing -       -      -       -        -        -       -      -";
    }
    void everyEventInEveryState() {
        QFETCH(QString, outcomes);
        const QStringList expected = outcomes.simplified().split(' ');
        QCOMPARE(expected.size(), kEvents);
        const auto state = runState(QTest::currentDataTag());
        EXPECT_OK(state);
        for (int e = 0; e < kEvents; ++e) {
            const auto event = static_cast<RunEvent>(e);
            const auto after = next(*state, event);
            if (expected[e] == "-") {
                EXPECT_ERROR(after, std::string(name(*state)));
                EXPECT_ERROR(after, std::string(name(event)));
            } else {
                EXPECT_OK(after);
                QCOMPARE(QString::fromStdString(std::string(name(*after))), expected[e]);
            }
        }
    }

    void everyStateHasItsOwnNameThatReadsBack() {
        std::set<std::string_view> names;
        for (int s = 0; s < kStates; ++s) {
            const auto state = static_cast<RunState>(s);
            names.insert(name(state));
            QVERIFY(runState(name(state)) == state);
        }
        QCOMPARE(static_cast<int>(names.size()), kStates);
        EXPECT_ERROR(runState("sleeping"), "no state of a run");
    }

    void stoppedAndBrokenRunsResumeAndWorkNeedsALock_data() {
        QTest::addColumn<bool>("resumes");
        QTest::addColumn<bool>("at_work");
        QTest::newRow("queued") << false << false;
        QTest::newRow("preparing") << false << true;
        QTest::newRow("running") << false << true;
        QTest::newRow("paused") << true << true;
        QTest::newRow("stopping") << false << true;
        QTest::newRow("finished") << false << false;
        QTest::newRow("stopped") << true << false;
        QTest::newRow("failed") << true << false;
        QTest::newRow("interrupted") << true << false;
    }
    void stoppedAndBrokenRunsResumeAndWorkNeedsALock() {
        QFETCH(bool, resumes);
        QFETCH(bool, at_work);
        const auto state = runState(QTest::currentDataTag());
        EXPECT_OK(state);
        QCOMPARE(canResume(*state), resumes);
        QCOMPARE(isAtWork(*state), at_work);
    }
};

QTEST_APPLESS_MAIN(RunStateTest)
#include "run_state_test.moc"
