#include "project/event_file.h"

#include <QtTest>
#include <cmath>

#include "support/expect.h"

using namespace studio::project;
using namespace studio::test;

class EventFileTest : public QObject {
    Q_OBJECT
    // Made with TensorBoard's own writer by tests/reference/event_file.py.
    std::string golden_ = slurp(STUDIO_SOURCE_DIR "/tests/reference/data/event_file.tfevents");

    static std::vector<std::string> records() {
        const Scalar before[] = {{"eval/loss", 3.5}};
        const Scalar first[] = {{"train/loss", 3.25}, {"train/learning_rate", 2e-4}, {"train/grad_norm", 0.5}};
        const Scalar skipped[] = {
            {"train/loss", std::nan("")}, {"train/learning_rate", 1e-5}, {"train/grad_norm", HUGE_VAL}};
        const Scalar last[] = {{"eval/loss", -1e-30}};
        return {eventFileVersion(1700000000.25), eventScalars(1700000001.5, 0, before),
                eventScalars(1700000002.0, 1, first), eventScalars(1700000003.0, 300, skipped),
                eventScalars(1700000004.0, 5000000000, last)};
    }
    static std::string joined(std::size_t count) {
        std::string bytes;
        for (std::size_t i = 0; i < count; ++i) bytes += records()[i];
        return bytes;
    }

  private Q_SLOTS:
    void theBytesAreTensorBoards() {
        QVERIFY(golden_.size() > 200);
        QCOMPARE(QByteArray::fromStdString(joined(5)).toHex(), QByteArray::fromStdString(golden_).toHex());
    }

    // RFC 3720, B.4.
    void theChecksumIsTheStandards() {
        QCOMPARE(crc32c("123456789"), 0xE3069283u);
        QCOMPARE(crc32c(std::string(32, '\0')), 0x8A9136AAu);
        QCOMPARE(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
    }

    void eventsAreKeptUpToAStep_data() {
        QTest::addColumn<qint64>("step");
        QTest::addColumn<int>("records");
        QTest::newRow("-1") << qint64{-1} << 1;
        QTest::newRow("0") << qint64{0} << 2;
        QTest::newRow("1") << qint64{1} << 3;
        QTest::newRow("299") << qint64{299} << 3;
        QTest::newRow("300") << qint64{300} << 4;
        QTest::newRow("5000000000") << qint64{5000000000} << 5;
    }
    void eventsAreKeptUpToAStep() {
        QFETCH(qint64, step);
        QFETCH(int, records);
        QCOMPARE(eventBytesUpTo(golden_, step), joined(static_cast<std::size_t>(records)).size());
    }

    void aTornEndIsDroppedAtEveryByte() {
        std::size_t whole = 0;
        for (std::size_t keep = 0; keep <= golden_.size(); ++keep) {
            while (whole < 5 && joined(whole + 1).size() <= keep) ++whole;
            QCOMPARE(eventBytesUpTo(std::string_view(golden_).substr(0, keep), 1LL << 40), joined(whole).size());
        }
    }

    void aFlippedBitEndsTheGoodPart() {
        for (std::size_t at = 0; at < golden_.size(); ++at) {
            std::string damaged = golden_;
            damaged[at] ^= 0x10;
            std::size_t before = 0;
            while (joined(before + 1).size() <= at) ++before;
            QCOMPARE(eventBytesUpTo(damaged, 1LL << 40), joined(before).size());
        }
    }

    void otherFilesHaveNoGoodPart() {
        QCOMPARE(eventBytesUpTo("", 9), std::uint64_t{0});
        QCOMPARE(eventBytesUpTo(std::string(100, '\0'), 9), std::uint64_t{0});
        QCOMPARE(eventBytesUpTo(std::string(100, '\xFF'), 9), std::uint64_t{0});
        QCOMPARE(eventBytesUpTo(records()[2], 9), std::uint64_t{0});  // no version first
        QCOMPARE(eventBytesUpTo(records()[0] + records()[0], 9), records()[0].size());
    }
};

QTEST_APPLESS_MAIN(EventFileTest)
#include "event_file_test.moc"
