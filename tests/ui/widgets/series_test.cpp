// Series without drawing them: smoothing, spikes, words, values as a file.
#include <QTest>
#include <cmath>
#include <limits>

#include "ui/widgets/safe_text.h"
#include "ui/widgets/series.h"
#include "ui/widgets/spark_line.h"

using namespace studio::ui;

namespace {

Series line(const std::vector<double>& values) {
    Series series{QStringLiteral("training"), Hue::Training, true};
    for (std::size_t i = 0; i < values.size(); ++i)
        series.append({double(i + 1), double(i + 1) / 100, double(i + 1) * 0.5, values[i]});
    return series;
}

}  // namespace

class SeriesTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void smoothingIsCorrectedForItsStart() {
        const auto smooth = smoothedValues(line({2, 2, 2, 2}).points, 0.9);
        for (const double value : smooth) QVERIFY(std::abs(value - 2) < 1e-12);
        // By hand: m = 0.1·4 → 4; then (0.9·0.4 + 0.1·2) / (1 − 0.81)
        const auto two = smoothedValues(line({4, 2}).points, 0.9);
        QVERIFY(std::abs(two[0] - 4) < 1e-12);
        QVERIFY(std::abs(two[1] - 0.56 / 0.19) < 1e-12);
        QCOMPARE(smoothedValues(line({4, 2}).points, 0)[1], 2.0);
    }

    void infiniteValuesBecomeGapsThatDoNotCount() {
        const double inf = std::numeric_limits<double>::infinity();
        const Series series = line({2, inf, std::nan(""), 2});
        QVERIFY(std::isnan(series.points[1].value));
        const auto smooth = smoothedValues(series.points, 0.5);
        QVERIFY(std::isnan(smooth[1]) && std::isnan(smooth[2]));
        QCOMPARE(smooth[3], 2.0);
    }

    void oneStepThatStandsOutIsASpike() {
        std::vector<double> values;
        for (int i = 0; i < 300; ++i) values.push_back(2 - 0.002 * i + 0.05 * std::sin(i * 1.7));
        QVERIFY(spikes(line(values).points).empty());
        values[213] += 1.5;
        QCOMPARE(spikes(line(values).points), std::vector<int>{213});
    }

    void wordsSayWhereItStandsAndWhereItGoes() {
        std::vector<double> falling, flat;
        for (int i = 0; i < 100; ++i) falling.push_back(3 - 0.01 * i), flat.push_back(1.5);
        QCOMPARE(trend(line(falling).points), Trend::Falling);
        QCOMPARE(trend(line(flat).points), Trend::Steady);
        QCOMPARE(trend(line({}).points), Trend::Unknown);
        QCOMPARE(describe({line(falling)}), QStringLiteral("training 2.01 at step 100, falling"));
        QCOMPARE(describe({}), QStringLiteral("No values yet"));
    }

    void theFileHasOneLineAStepAndNoFormula() {
        Series training = line({1.5, std::nan("")}), validation = line({});
        validation.name = QStringLiteral("=cmd()");
        validation.append({2, 0.02, 1, 1.25});
        const QByteArray text = csv({training, validation});
        QCOMPARE(text, QByteArray("step,epoch,seconds,\"training\",\"'=cmd()\"\n1,0.01,0.5,1.5,\n2,0.02,1,,1.25\n"));
    }

    void theNearestPointIsFound() {
        const Series series = line({1, 2, 3, 4});
        QCOMPARE(series.nearest(-5), 0);
        QCOMPARE(series.nearest(2.4), 1);
        QCOMPARE(series.nearest(2.6), 2);
        QCOMPARE(series.nearest(99), 3);
        QCOMPARE(line({}).nearest(1), -1);
    }

    void aSparkLineKeepsTheMeansOfItsShares() {
        std::vector<double> values(1000, 1.0);
        values[3] = std::nan("");
        const auto spark = sparkValues(values, 50);
        QCOMPARE(spark.size(), std::size_t(50));
        QCOMPARE(spark.front(), 1.0F);
    }

    void controlCharactersAreShownAsBoxes() {
        QCOMPARE(shownText(QStringLiteral("a\u202Eb\u200Bc\x1b[1m"), false), QString::fromUtf8("a▯b▯c␛[1m"));
        QCOMPARE(shownText(QStringLiteral("a\nb"), true), QStringLiteral("a\nb"));
        QCOMPARE(shownText(QStringLiteral("a\nb"), false), QStringLiteral("a b"));
        QCOMPARE(shownText(QString(100, u'x'), false, 5), QStringLiteral("xxxxx…"));
    }
};

QTEST_GUILESS_MAIN(SeriesTest)
#include "series_test.moc"
