#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "engine/api/schedule.h"

using studio::engine::api::Schedule;

class ScheduleTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void everyStepIsWhatTransformersUses_data() {
        QTest::addColumn<QJsonObject>("golden");
        QFile file(STUDIO_SOURCE_DIR "/tests/reference/data/schedules.json");
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonArray all = QJsonDocument::fromJson(file.readAll()).array();
        QVERIFY(!all.isEmpty());
        for (int i = 0; i < all.size(); ++i) {
            const QJsonObject golden = all[i].toObject();
            QTest::addRow("%d %s", i, qPrintable(golden["name"].toString())) << golden;
        }
    }
    void everyStepIsWhatTransformersUses() {
        QFETCH(QJsonObject, golden);
        const std::string name = golden["name"].toString().toStdString();
        const auto schedule =
            Schedule::create({name, golden["learning_rate"].toDouble(), golden["total_steps"].toInteger(),
                              golden["warmup_steps"].toInteger(), golden["min_lr"].toDouble()});
        QVERIFY(schedule);
        const QJsonArray rates = golden["rates"].toArray();
        QVERIFY(!rates.isEmpty());
        for (int s = 0; s < rates.size(); ++s) {
            const double expected = rates[s].toDouble(), got = schedule->at(s + 1);
            QVERIFY2(
                std::abs(got - expected) <= 1e-15 * expected + 1e-22,
                qPrintable(QString("step %1: %2, not %3").arg(s + 1).arg(got, 0, 'g', 17).arg(expected, 0, 'g', 17)));
        }
    }

    void whatIsNoScheduleIsRefused_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("rate");
        QTest::addColumn<int>("warmup");
        QTest::addColumn<double>("min_lr");
        QTest::addColumn<QString>("named");
        QTest::newRow("unknown") << "polynomial" << 1e-4 << 0 << 0.0 << "polynomial";
        QTest::newRow("negative rate") << "linear" << -1e-4 << 0 << 0.0 << "learning_rate";
        QTest::newRow("no number") << "linear" << std::nan("") << 0 << 0.0 << "learning_rate";
        QTest::newRow("negative warm-up") << "linear" << 1e-4 << -1 << 0.0 << "warmup_steps";
        QTest::newRow("floor above the peak") << "cosine_with_min_lr" << 1e-4 << 0 << 1e-3 << "min_lr";
    }
    void whatIsNoScheduleIsRefused() {
        QFETCH(QString, name);
        QFETCH(double, rate);
        QFETCH(int, warmup);
        QFETCH(double, min_lr);
        QFETCH(QString, named);
        const std::string scheduler = name.toStdString();
        const auto schedule = Schedule::create({scheduler, rate, 10, warmup, min_lr});
        QVERIFY(!schedule);
        QVERIFY2(QString::fromStdString(schedule.error().text()).contains(named), schedule.error().text().c_str());
    }
};

QTEST_APPLESS_MAIN(ScheduleTest)
#include "train_schedule_test.moc"
