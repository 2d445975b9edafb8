// Every text on every ground it stands on is read easily: contrast ≥ 4.5, in both themes.
#include <QApplication>
#include <QCheckBox>
#include <QRadioButton>
#include <QTest>

#include "ui/look/colours.h"
#include "ui/look/style.h"

using namespace studio::ui;

class ColoursTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void textIsReadOnItsGround_data() {
        QTest::addColumn<int>("ink");
        QTest::addColumn<int>("ground");
        const auto row = [](const char* what, Hue ink, Hue ground) {
            QTest::newRow(what) << static_cast<int>(ink) << static_cast<int>(ground);
        };
        const std::pair<const char*, Hue> inks[] = {{"text", Hue::Text},
                                                    {"secondary", Hue::Secondary},
                                                    {"faint", Hue::Faint},
                                                    {"accent", Hue::Accent},
                                                    {"prompter", Hue::Prompter},
                                                    {"assistant", Hue::Assistant},
                                                    {"training", Hue::Training},
                                                    {"validation", Hue::Validation},
                                                    {"base", Hue::Base},
                                                    {"adapted", Hue::Adapted},
                                                    {"good", Hue::Good},
                                                    {"careful", Hue::Careful},
                                                    {"bad", Hue::Bad}};
        for (const auto& [name, ink] : inks) {
            row(qPrintable(QStringLiteral("%1 on window").arg(QLatin1String(name))), ink, Hue::Window);
            row(qPrintable(QStringLiteral("%1 on surface").arg(QLatin1String(name))), ink, Hue::Surface);
        }
        for (const auto& [name, ink] : {std::pair{"text", Hue::Text}, std::pair{"secondary", Hue::Secondary}})
            for (const auto& [where, ground] :
                 {std::pair{"chosen", Hue::AccentWash}, std::pair{"careful", Hue::CarefulWash},
                  std::pair{"bad", Hue::BadWash}, std::pair{"good", Hue::GoodWash}, std::pair{"chip", Hue::Chip}})
                row(qPrintable(QStringLiteral("%1 on %2").arg(QLatin1String(name), QLatin1String(where))), ink, ground);
        row("primary button", Hue::OnAccent, Hue::Accent);
        row("accent on chosen", Hue::Accent, Hue::AccentWash);
        row("careful on its ground", Hue::Careful, Hue::CarefulWash);
        row("bad on its ground", Hue::Bad, Hue::BadWash);
        row("good on its ground", Hue::Good, Hue::GoodWash);
    }
    void textIsReadOnItsGround() {
        QFETCH(int, ink);
        QFETCH(int, ground);
        for (const bool dark : {false, true}) {
            const QPalette palette = housePalette(dark);
            const double ratio =
                contrast(colour(static_cast<Hue>(ink), palette), colour(static_cast<Hue>(ground), palette));
            QVERIFY2(ratio >= 4.5, qPrintable(QStringLiteral("dark %1: %2").arg(dark).arg(ratio)));
        }
    }

    void everyPaletteRoleIsRead() {
        for (const bool dark : {false, true}) {
            const QPalette p = housePalette(dark);
            for (const auto group : {QPalette::Active, QPalette::Inactive, QPalette::Disabled}) {
                const std::pair<QPalette::ColorRole, QPalette::ColorRole> pairs[] = {
                    {QPalette::WindowText, QPalette::Window},    {QPalette::Text, QPalette::Base},
                    {QPalette::ButtonText, QPalette::Button},    {QPalette::HighlightedText, QPalette::Highlight},
                    {QPalette::PlaceholderText, QPalette::Base}, {QPalette::ToolTipText, QPalette::ToolTipBase}};
                for (const auto& [ink, ground] : pairs)
                    QVERIFY2(contrast(p.color(group, ink), p.color(group, ground)) >= 4.5,
                             qPrintable(QStringLiteral("%1 group %2 role %3").arg(dark).arg(group).arg(ink)));
            }
        }
    }

    // The ring of an empty box or button is all that shows it: 3 : 1 against what is around and inside it.
    void anIndicatorThatIsOffIsSeen() {
        for (const ThemeChoice theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            applyTheme(theme);
            QRadioButton radio;
            QCheckBox check;
            for (QAbstractButton* button :
                 {static_cast<QAbstractButton*>(&radio), static_cast<QAbstractButton*>(&check)}) {
                button->resize(60, 40);
                const QImage picture = button->grab().toImage();
                const QColor ground = colour(Hue::Window, button), inside = colour(Hue::Surface, button);
                double best = 0;
                for (int y = 0; y < picture.height(); ++y)
                    for (int x = 0; x < picture.width(); ++x)
                        best = std::max(best, std::min(contrast(picture.pixelColor(x, y), ground),
                                                       contrast(picture.pixelColor(x, y), inside)));
                QVERIFY2(best >= 3.0, qPrintable(QStringLiteral("theme %1: %2").arg(int(theme)).arg(best)));
            }
        }
    }

    void contrastIsThatOfTheStandard() {
        QCOMPARE(contrast(Qt::black, Qt::white), 21.0);
        QCOMPARE(contrast(Qt::white, Qt::white), 1.0);
        // #767676 on white is the lightest grey that passes.
        QVERIFY(contrast(QColor(0x76, 0x76, 0x76), Qt::white) >= 4.5);
        QVERIFY(contrast(QColor(0x77, 0x77, 0x77), Qt::white) < 4.5);
    }
};

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const QApplication application(argc, argv);
    ColoursTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "colours_test.moc"
