#include <QDateTime>
#include <QtTest>

#include "corpus/message_fields.h"

using namespace studio::corpus;

class TimestampTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void reads_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("OASST") << QByteArray("2023-02-07T17:29:24.727400+00:00");
        QTest::newRow("no fraction") << QByteArray("2023-02-07T17:29:24Z");
        QTest::newRow("zone") << QByteArray("2023-02-07T17:29:24.5+05:30");
        QTest::newRow("west, over midnight") << QByteArray("2023-12-31T23:29:24.123456-08:00");
        QTest::newRow("leap day") << QByteArray("2024-02-29T00:00:00.000001Z");
        QTest::newRow("first") << QByteArray("1970-01-01T00:00:00Z");
    }
    // Qt is the reference, to its milliseconds.
    void reads() {
        QFETCH(QByteArray, text);
        const auto micros = parseTimestamp(text.toStdString());
        QVERIFY(micros);
        const QDateTime expected = QDateTime::fromString(QString::fromLatin1(text), Qt::ISODateWithMs);
        QVERIFY(expected.isValid());
        QVERIFY2(std::abs(*micros / 1000 - expected.toMSecsSinceEpoch()) <= 1, std::to_string(*micros).c_str());
    }

    void keepsMicroseconds() {
        QCOMPARE(parseTimestamp("1970-01-01T00:00:01.727401Z"), std::optional<std::int64_t>(1'727'401));
        QCOMPARE(parseTimestamp("1970-01-01T00:00:01.7274019Z"), std::optional<std::int64_t>(1'727'401));
    }

    void refuses_data() {
        QTest::addColumn<QByteArray>("text");
        for (const char* text :
             {"", "2023", "2023-02-07", "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2023-02-30T00:00:00Z",
              "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z", "2023-02-07T24:00:00Z", "2023-02-07T17:60:24Z",
              "2023-02-07T17:29:24", "2023-02-07T17:29:24.Z", "2023-02-07T17:29:24Zx", "2023-02-07T17:29:24+99:00",
              "+023-02-07T17:29:24Z", "today"})
            QTest::newRow(text[0] ? text : "empty") << QByteArray(text);
    }
    void refuses() {
        QFETCH(QByteArray, text);
        QVERIFY(!parseTimestamp(text.toStdString()));
    }
};

QTEST_APPLESS_MAIN(TimestampTest)
#include "timestamp_test.moc"
