// The graphics cards in the window, as a driver tells of them that the test plays.
#include <QComboBox>
#include <QLabel>

#include "support/fake_nvml.h"
#include "ui/look/format.h"
#include "ui/session/card_words.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/rail.h"
#include "ui/shell/system_report.h"
#include "ui/support/fixture.h"
#include "ui/widgets/basics.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;
using studio::test::FakeCard;

class CardsTest : public QObject {
    Q_OBJECT

    test::FakeDriver* driver_ = nullptr;
    std::unique_ptr<Bench> bench_;

    CardWatch& cards() { return bench_->session().cards(); }
    // The driver is asked anew.
    void install(const std::string& library = STUDIO_FAKE_NVML) {
        cards().setLibrary(library);
        cards().refresh();
        QVERIFY(waitFor([&] { return cards().known(); }));
    }
    static bool says(const QWidget& widget, const QString& words) {
        for (const Text* label : widget.findChildren<Text*>())
            if (label->isVisibleTo(&widget) && label->text() == words) return true;
        for (const ElidedText* label : widget.findChildren<ElidedText*>())
            if (label->isVisibleTo(&widget) && label->text() == words) return true;
        return false;
    }
    QStringList offered(SettingsDialog& dialog) {
        QStringList all;
        for (const QComboBox* box : dialog.findChildren<QComboBox*>())
            for (int i = 0; i < box->count(); ++i) all << box->itemText(i);
        return all;
    }

  private Q_SLOTS:
    void initTestCase() {
        driver_ = test::openFakeNvml(STUDIO_FAKE_NVML);
        QVERIFY(driver_);
    }
    void init() {
        qunsetenv("CUDA_VISIBLE_DEVICES");
        driver_->cards = {FakeCard{}};
        driver_->init = 0;
        bench_ = std::make_unique<Bench>();
    }
    void cleanup() { bench_.reset(); }

    void theRailShowsTheCard() {
        Rail rail(bench_->session());
        rail.resize(180, 640);
        rail.show();
        install();
        QVERIFY(says(rail, QStringLiteral("NVIDIA H100 80GB HBM3")));
        QVERIFY(says(rail, QStringLiteral("12.4 of 79.6 GiB")));
        QVERIFY(says(rail, QStringLiteral("61 °C")));
        QVERIFY(says(rail, QStringLiteral("98 % busy")));
        photograph(rail, QStringLiteral("rail-card"), {200, 640});
        QVERIFY2(clippedTexts(rail).isEmpty(), qPrintable(clippedTexts(rail).join(u'\n')));
    }

    void whatIsNotToldIsADash() {
        driver_->cards.front().tells = false;
        Rail rail(bench_->session());
        rail.show();
        install();
        QVERIFY(says(rail, QStringLiteral("– of – GiB")));
        QVERIFY(says(rail, QStringLiteral("– °C")));
        QVERIFY(says(rail, QStringLiteral("– % busy")));
    }

    void withoutADriverTheRailShowsTheProcessor() {
        Rail rail(bench_->session());
        rail.show();
        install("libnvidia-ml.so.none");
        QVERIFY(!says(rail, QStringLiteral("61 °C")));
        QVERIFY(cards().problem());
        QVERIFY(systemReport(bench_->session()).contains(QStringLiteral("No NVIDIA driver is installed.")));
    }

    void hiddenCardsAreNotShown() {
        qputenv("CUDA_VISIBLE_DEVICES", "");
        install();
        QVERIFY(cards().cards().empty());
        QVERIFY(cards().problem()->message.find("CUDA_VISIBLE_DEVICES") != std::string::npos);
    }

    void aChosenCardIsRememberedByItsUuid() {
        FakeCard second;
        second.uuid = "GPU-77777777-0000-4000-8000-000000000002";
        driver_->cards.push_back(second);
        install();
        Settings& settings = bench_->session().settings();
        SettingsDialog dialog(settings, cards());
        dialog.show();
        const QStringList all = offered(dialog);
        QVERIFY2(all.contains(QStringLiteral("NVIDIA H100 80GB HBM3 (GPU-3f2a81bc)")), qPrintable(all.join(u'|')));
        auto* box = dialog.findChild<QComboBox*>();
        const int at = box->findText(QStringLiteral("NVIDIA H100 80GB HBM3 (GPU-77777777)"));
        QVERIFY(at >= 0);
        box->setCurrentIndex(at);
        Q_EMIT box->activated(at);
        QCOMPARE(settings.device(), QStringLiteral("cuda:GPU-77777777-0000-4000-8000-000000000002"));
        photograph(dialog, QStringLiteral("settings-cards"), dialog.sizeHint());

        // It stays chosen, and is said to be gone, when the card is.
        driver_->cards.pop_back();
        install();
        QVERIFY(waitFor([&] { return box->currentText().endsWith(QStringLiteral("(not found)")); }));
        QCOMPARE(settings.device(), QStringLiteral("cuda:GPU-77777777-0000-4000-8000-000000000002"));
    }

    void theReportNamesCardsAndDriver() {
        install();
        const QString report = systemReport(bench_->session());
        QVERIFY(report.contains(QStringLiteral("NVIDIA driver: 580.65.06")));
        QVERIFY2(report.contains(QStringLiteral("NVIDIA H100 80GB HBM3, 12.4 of 79.6 GiB, 98 % busy, 61 °C, 412 W, "
                                                "GPU-3f2a81bc-0000-4000-8000-000000000001")),
                 qPrintable(report));
    }
};

STUDIO_WIDGET_TEST(CardsTest)
#include "cards_test.moc"
