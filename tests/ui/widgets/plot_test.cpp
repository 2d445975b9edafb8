// The plot by keyboard and pointer, its table, many points.
#include <QSignalSpy>
#include <QTableView>
#include <QWheelEvent>
#include <cmath>

#include "ui/support/fixture.h"
#include "ui/widgets/plot.h"

using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

std::vector<Series> twoSeries(int steps) {
    Series training{QStringLiteral("training"), Hue::Training, true, false};
    Series validation{QStringLiteral("validation"), Hue::Validation, false, true};
    for (int i = 1; i <= steps; ++i) {
        const double value = 1.5 + 1.5 * std::exp(-i / (0.1 * steps)) + 0.1 * std::sin(i * 2.3);
        training.append({double(i), i / 100.0, i * 0.25, value});
        if (i % (steps / 10) == 0) validation.append({double(i), i / 100.0, i * 0.25, value + 0.05});
    }
    return {training, validation};
}

}  // namespace

class PlotTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void theCursorMovesByKeyboardAndAllPlotsOfTheGroupFollow() {
        PlotGroup group;
        Plot loss(QStringLiteral("Loss"), group, Plot::Size::Full),
            rate(QStringLiteral("Rate"), group, Plot::Size::Small);
        loss.setSeries(twoSeries(100));
        rate.setSeries({twoSeries(100)[0]});
        loss.resize(600, 300);
        loss.show();
        QTest::keyClick(&loss, Qt::Key_Right);
        QCOMPARE(group.cursor().value_or(0), 1.0);
        QTest::keyClick(&loss, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(group.cursor().value_or(0), 11.0);
        QTest::keyClick(&loss, Qt::Key_End);
        QCOMPARE(group.cursor().value_or(0), 100.0);
        QVERIFY(waitFor(
            [&] { return loss.readOut().size() == 3 && loss.readOut()[1].endsWith(QStringLiteral("(smoothed)")); }));
        QCOMPARE(loss.readOut()[0], QStringLiteral("Step 100 · epoch 1.00"));
        QCOMPARE(rate.readOut()[0], QStringLiteral("Step 100 · epoch 1.00"));
        QTest::keyClick(&loss, Qt::Key_Escape);
        QVERIFY(!group.cursor());
    }

    void plusMinusAndZeroZoom() {
        PlotGroup group;
        Plot plot(QStringLiteral("Loss"), group, Plot::Size::Full);
        plot.setSeries(twoSeries(100));
        plot.show();
        QTest::keyClick(&plot, Qt::Key_Plus);
        QVERIFY(group.range());
        const auto first = *group.range();
        QCOMPARE(first.second - first.first, 50.0);
        QTest::keyClick(&plot, Qt::Key_Right, Qt::ControlModifier);
        QVERIFY(group.range()->first > first.first);
        QTest::keyClick(&plot, Qt::Key_Minus);
        QVERIFY(!group.range());
        QTest::keyClick(&plot, Qt::Key_Plus);
        QTest::keyClick(&plot, Qt::Key_0);
        QVERIFY(!group.range());
    }

    void theValuesAreThereAsATable() {
        PlotGroup group;
        Plot plot(QStringLiteral("Loss"), group, Plot::Size::Full);
        plot.setSeries(twoSeries(100));
        QSignalSpy told(&plot, &Plot::tableShownChanged);
        plot.setTableShown(true);
        QCOMPARE(told.size(), 1);
        auto* table = plot.findChild<QTableView*>();
        QCOMPARE(table->model()->rowCount(), 100);
        QCOMPARE(table->model()->columnCount(), 5);
        QCOMPARE(table->model()->index(0, 4).data().toString(), QStringLiteral("–"));
        QVERIFY(waitFor([&] { return plot.accessibleDescription().contains(QStringLiteral("at step 100, falling")); }));
    }

    void aHundredThousandPointsAreDrawnAndGrow() {
        PlotGroup group;
        Plot plot(QStringLiteral("Loss"), group, Plot::Size::Full);
        plot.resize(900, 400);
        plot.setSeries(twoSeries(100'000));
        plot.show();
        QVERIFY(waitFor([&] { return !plot.accessibleDescription().isEmpty(); }));
        plot.append(0, {{100'001, 1000.01, 25000.25, 1.5}});
        QCOMPARE(plot.series()[0].points.size(), std::size_t(100'001));
        QVERIFY(!plot.picture().isNull());
        photograph(plot, QStringLiteral("plot-100000"), {900, 400});
    }

    void allItsMeasuresAndTheLogarithmHoldOddValues() {
        PlotGroup group;
        Plot plot(QStringLiteral("Loss"), group, Plot::Size::Full);
        Series odd{QStringLiteral("training"), Hue::Training, true};
        for (int i = 1; i <= 50; ++i) odd.append({double(i), i / 50.0, i * 100.0, i % 7 ? double(i - 20) : INFINITY});
        plot.setSeries({odd});
        plot.show();
        for (const PlotX x : {PlotX::Steps, PlotX::Epochs, PlotX::Time}) {
            group.setX(x);
            for (const bool log : {true, false}) {
                plot.setLogarithmic(log);
                QVERIFY(!plot.picture().isNull());
            }
        }
        plot.setSeries({Series{QStringLiteral("training"), Hue::Training, true}});
        QVERIFY(!plot.picture().isNull());
    }
};

STUDIO_WIDGET_TEST(PlotTest)
#include "plot_test.moc"
