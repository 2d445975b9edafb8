#include "jobs/statistics.h"

#include <QtTest>
#include <cmath>

using namespace studio::jobs;

class StatisticsTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    // Table of Student's t, two-sided 5 %.
    void quantilesAgreeWithTheTable() {
        const std::pair<int, double> table[] = {{1, 12.7062}, {2, 4.30265},  {3, 3.18245},  {4, 2.77645},
                                                {5, 2.57058}, {10, 2.22814}, {30, 2.04227}, {100, 1.98397}};
        for (const auto& [df, expected] : table)
            QVERIFY2(std::abs(tQuantile975(df) - expected) < 5e-3, qPrintable(QString::number(df)));
    }

    // Three clusters by hand: y = 2, 4, 9 over x = 1, 2, 3. Mean 15/6 = 2.5; residuals −0.5, −1, 1.5;
    // variance 3/2 · 3.5 / 36.
    void ratioOfSumsIsClustered() {
        const Estimate e = ratioOfSums({2, 4, 9}, {1, 2, 3});
        QCOMPARE(e.mean, 2.5);
        QVERIFY(std::abs(e.stderr_mean - std::sqrt(1.5 * 3.5 / 36.0)) < 1e-12);
        QVERIFY(std::abs((e.high - e.mean) - tQuantile975(2) * e.stderr_mean) < 1e-12);
    }

    void oneClusterHasNoInterval() {
        const Estimate e = ratioOfSums({2}, {1});
        QCOMPARE(e.mean, 2.0);
        QVERIFY(std::isinf(e.stderr_mean));
        QVERIFY(!e.excludesZero());
    }

    void nothingMeasuredIsZero() { QCOMPARE(ratioOfSums({}, {}).mean, 0.0); }

    // The same shift in every tree is certain; a shift in one tree alone is not.
    void pairedDifferenceSeesThroughTheSpreadOfTrees() {
        TreeLosses base, better, one;
        for (int i = 0; i < 20; ++i) {
            const std::string id = "t" + std::to_string(i);
            const double n = 10 + i, nll = n * (1.0 + 0.2 * i);
            base[id] = {nll, n, nll * 0.9, n - 1};
            better[id] = {nll - 0.1 * n, n, nll * 0.9 - 0.05 * (n - 1), n - 1};
            one[id] = i == 7 ? TreeLoss{nll - 0.1 * n, n, nll * 0.9, n - 1} : base[id];
        }
        const Difference d = pairedDifference(base, better);
        QVERIFY(std::abs(d.all.mean + 0.1) < 1e-12);
        QVERIFY(std::abs(d.without_eos.mean + 0.05) < 1e-12);
        QVERIFY(d.all.excludesZero() && d.without_eos.excludesZero());
        QVERIFY(!pairedDifference(base, one).all.excludesZero());
    }

    void treesOfOneSideOnlyAreLeftOut() {
        const TreeLosses base{{"a", {1, 1, 1, 1}}, {"b", {5, 1, 5, 1}}},
            other{{"a", {2, 1, 2, 1}}, {"c", {9, 1, 9, 1}}};
        QCOMPARE(pairedDifference(base, other).all.mean, 1.0);
    }
};

QTEST_APPLESS_MAIN(StatisticsTest)
#include "statistics_test.moc"
