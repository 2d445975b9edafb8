#include <QLocale>
#include <QTest>

#include <limits>

#include "ui/look/format.h"

using namespace studio::ui;

class FormatTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void init() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }

    void durationsAreSaidAsPeopleSayThem_data() {
        QTest::addColumn<double>("seconds");
        QTest::addColumn<QString>("words");
        QTest::newRow("moment") << 0.42 << "0.4 s";
        QTest::newRow("seconds") << 38.0 << "38 s";
        QTest::newRow("minutes") << 420.0 << "7 min";
        QTest::newRow("hour") << 5400.0 << "1 h 30 min";
        QTest::newRow("days") << 3 * 86400.0 + 7200 << "3 days 2 h";
        QTest::newRow("unknown") << -1.0 << "–";
        QTest::newRow("endless") << std::numeric_limits<double>::infinity() << "–";
    }
    void durationsAreSaidAsPeopleSayThem() {
        QFETCH(double, seconds);
        QFETCH(QString, words);
        QCOMPARE(duration(seconds), words);
    }

    void whatIsNoNumberIsAbsentNeverZero() {
        QCOMPARE(number(std::nullopt, 4), absent());
        QCOMPARE(number(std::nan(""), 4), absent());
        QCOMPARE(number(std::optional(0.0), 4), QStringLiteral("0.0000"));
        QCOMPARE(percent(std::nan(""), 1), absent());
    }

    void numbersFollowTheLocale() {
        QCOMPARE(number(qint64{1489}), QStringLiteral("1,489"));
        QLocale::setDefault(QLocale(QLocale::German));
        QCOMPARE(number(qint64{1489}), QStringLiteral("1.489"));
        QCOMPARE(number(1.6021, 4), QStringLiteral("1,6021"));
    }
};

QTEST_APPLESS_MAIN(FormatTest)
#include "format_test.moc"
