// The whole window without a pointer, and for who cannot see it: names, the way of the Tab key, shortcuts, access
// keys, where the focus is drawn, contrast.
#include <QAbstractButton>
#include <QAction>
#include <QButtonGroup>
#include <QDialog>
#include <QFormLayout>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QPlainTextEdit>

#include "ui/look/colours.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/rail.h"
#include "ui/shell/scenes.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

// One filled scene of each page, and what comes up on it.
const char* const kScenes[] = {
    "no-project",    "data-list",   "data-empty",      "data-report",        "recipe-changes",
    "runs-finished", "runs-paused", "evaluate-result", "evaluate-base-gone", "chat-compare",
    "chat-empty",    "models",      "banners"};

std::unique_ptr<Stage> staged(const QString& name) {
    for (const Scene& scene : scenes())
        if (scene.name == name) return stageOf(scene, {1280, 800});
    return nullptr;
}

QString called(const QWidget* widget) {
    return QStringLiteral("%1 %2 “%3”")
        .arg(QLatin1String(widget->metaObject()->className()), widget->objectName(), widget->accessibleName());
}

// What the Tab key should reach: radio buttons and the rail count as one each.
QList<QWidget*> reachable(const QWidget& root) {
    QList<QWidget*> all;
    for (QWidget* widget : root.findChildren<QWidget*>()) {
        if (!(widget->focusPolicy() & Qt::TabFocus) || !widget->isVisibleTo(&root) || !widget->isEnabled()) continue;
        if (widget->focusProxy() || widget->objectName().startsWith(QLatin1String("qt_"))) continue;
        all << widget;
    }
    return all;
}

bool sharesGroup(const QWidget* a, const QWidget* b) {
    const auto* x = qobject_cast<const QAbstractButton*>(a);
    const auto* y = qobject_cast<const QAbstractButton*>(b);
    return x && y && x->group() && x->group() == y->group();
}

struct Key {
    QString words, keys;
};

void keysOf(const QList<QAction*>& actions, QList<Key>& keys) {
    for (const QAction* action : actions) {
        if (action->menu()) {
            keysOf(action->menu()->actions(), keys);
            continue;
        }
        for (const QKeySequence& sequence : action->shortcuts())
            keys << Key{action->text(), sequence.toString(QKeySequence::PortableText)};
    }
}

QChar accessKey(const QString& words) {
    const QString plain = QString(words).replace(QLatin1String("&&"), QString());
    const qsizetype at = plain.indexOf(QLatin1Char('&'));
    return at >= 0 && at + 1 < plain.size() ? plain[at + 1].toLower() : QChar();
}

// Letters that stand twice among `actions`, and rows without words.
QStringList doubled(const QString& menu, const QList<QAction*>& actions) {
    QStringList found;
    QHash<QChar, QString> seen;
    for (const QAction* action : actions) {
        if (action->isSeparator() || !action->isVisible()) continue;
        if (action->text().isEmpty()) found << menu + QStringLiteral(": a row without words");
        const QChar key = accessKey(action->text());
        if (!key.isNull() && seen.contains(key))
            found << QStringLiteral("%1: “%2” and “%3”").arg(menu, seen[key], action->text());
        if (!key.isNull()) seen[key] = action->text();
    }
    return found;
}

// Labels of forms that do not say what they belong to.
QStringList withoutBuddy(const QWidget& root) {
    QStringList found;
    for (const QFormLayout* form : root.findChildren<QFormLayout*>())
        for (int row = 0; row < form->rowCount(); ++row) {
            const QLayoutItem* label = form->itemAt(row, QFormLayout::LabelRole);
            const QLayoutItem* field = form->itemAt(row, QFormLayout::FieldRole);
            const auto* words = label ? qobject_cast<const QLabel*>(label->widget()) : nullptr;
            if (!words || words->buddy() || !field || !field->widget()) continue;
            const bool inside = !field->widget()->findChildren<QWidget*>().isEmpty();
            if (!inside && field->widget()->accessibleName().isEmpty()) found << words->text();
        }
    return found;
}

}  // namespace

class AccessTest : public QObject {
    Q_OBJECT

    static void eachScene() {
        QTest::addColumn<QString>("scene");
        for (const char* scene : kScenes) QTest::newRow(scene) << QString::fromLatin1(scene);
    }

  private Q_SLOTS:
    void everyControlHasAName_data() { eachScene(); }
    void everyControlHasAName() {
        QFETCH(QString, scene);
        const auto stage = staged(scene);
        QVERIFY(stage);
        QCOMPARE(withoutAccessibleName(*stage->window).join(u'|'), QString());
        QCOMPARE(withoutBuddy(*stage->window).join(u'|'), QString());
    }

    void tabReachesEverythingAndComesRound_data() { eachScene(); }
    void tabReachesEverythingAndComesRound() {
        QFETCH(QString, scene);
        const auto stage = staged(scene);
        QVERIFY(stage);
        MainWindow& window = *stage->window;
        QVERIFY(waitFor([&] { return window.isActiveWindow(); }, 5000));
        const QList<QWidget*> wanted = reachable(window);
        QList<QWidget*> met;
        for (int i = 0; i < 4 * wanted.size() + 20; ++i) {
            QWidget* focus = QApplication::focusWidget();
            QTest::keyClick(focus ? focus : &window, Qt::Key_Tab);
            QWidget* now = QApplication::focusWidget();
            QVERIFY2(now != nullptr, "The focus is lost.");
            QVERIFY2(now != focus || wanted.size() < 2, qPrintable(called(now) + QStringLiteral(" keeps the Tab key")));
            if (!met.contains(now)) met << now;
        }
        QStringList missed;
        for (const QWidget* widget : wanted) {
            const bool found = std::any_of(met.begin(), met.end(), [&](const QWidget* one) {
                return one == widget || widget->isAncestorOf(one) || sharesGroup(one, widget);
            });
            if (!found) missed << called(widget);
        }
        QCOMPARE(missed.join(u'|'), QString());
        // And back.
        QWidget* here = QApplication::focusWidget();
        QTest::keyClick(here, Qt::Key_Tab, Qt::ShiftModifier);
        QVERIFY(QApplication::focusWidget() != here);
    }

    void focusIsSeen_data() { eachScene(); }
    void focusIsSeen() {
        QFETCH(QString, scene);
        const auto stage = staged(scene);
        QVERIFY(stage);
        MainWindow& window = *stage->window;
        QVERIFY(waitFor([&] { return window.isActiveWindow(); }, 5000));
        QApplication::setCursorFlashTime(0);
        window.setAttribute(Qt::WA_KeyboardFocusChange);  // as after the first press of Tab
        QStringList unseen;
        for (QWidget* widget : reachable(window)) {
            if (!widget->isVisible() || widget->visibleRegion().isEmpty()) continue;
            // With what is around it: some frames are drawn by the parent.
            QWidget* around = widget->parentWidget() ? widget->parentWidget() : widget;
            if (QWidget* focus = QApplication::focusWidget()) focus->clearFocus();
            QCoreApplication::processEvents();
            const QImage before = around->grab().toImage();
            widget->setFocus(Qt::TabFocusReason);
            QCoreApplication::processEvents();
            if (!widget->hasFocus()) continue;
            if (around->grab().toImage() == before) unseen << called(widget);
        }
        QCOMPARE(unseen.join(u'|'), QString());
    }

    void dialogsToo_data() {
        QTest::addColumn<int>("which");
        QTest::newRow("settings") << 0;
        QTest::newRow("new project") << 1;
        QTest::newRow("text") << 2;
    }
    void dialogsToo() {
        QFETCH(int, which);
        Bench bench;
        std::unique_ptr<QDialog> dialog;
        if (which == 0) dialog = std::make_unique<SettingsDialog>(bench.session().settings(), bench.session().cards());
        if (which == 1) dialog = std::make_unique<NewProjectDialog>(bench.folder());
        if (which == 2) dialog = std::make_unique<TextDialog>(QStringLiteral("Log"), QStringLiteral("A line"), true);
        dialog->setAttribute(Qt::WA_DeleteOnClose, false);
        const char* const names[] = {"window-settings", "window-new-project", "window-text"};
        photograph(*dialog, QString::fromLatin1(names[which]), dialog->sizeHint().expandedTo(dialog->size()));
        QCOMPARE(withoutAccessibleName(*dialog).join(u'|'), QString());
        QCOMPARE(withoutBuddy(*dialog).join(u'|'), QString());
        QCOMPARE(clippedTexts(*dialog).join(u'|'), QString());
        QVERIFY(!dialog->windowTitle().isEmpty());
        QTest::keyClick(dialog.get(), Qt::Key_Escape);
        QVERIFY(!dialog->isVisible());
    }

    void noKeyMeansTwoThings() {
        const auto stage = staged(QStringLiteral("data-list"));
        QVERIFY(stage);
        MainWindow& window = *stage->window;
        QStringList faults;
        for (int i = 0; i < 6; ++i) {
            const auto id = static_cast<PageId>(i);
            window.showPage(id);
            stage->settle();
            QList<Key> keys;
            for (const QAction* top : window.menuBar()->actions())
                if (top->menu()) keysOf(top->menu()->actions(), keys);
            for (qsizetype a = 0; a < keys.size(); ++a)
                for (qsizetype b = a + 1; b < keys.size(); ++b)
                    if (keys[a].keys == keys[b].keys)
                        faults << QStringLiteral("%1: %2 is “%3” and “%4”")
                                      .arg(pageTitle(id), keys[a].keys, keys[a].words, keys[b].words);
            for (const QAction* action : window.page(id).pageActions())
                if (action->text().isEmpty()) faults << pageTitle(id) + QStringLiteral(": an action without words");
            faults << doubled(QStringLiteral("menu bar on ") + pageTitle(id), window.menuBar()->actions());
            for (const QAction* top : window.menuBar()->actions())
                if (top->menu()) faults << doubled(pageTitle(id) + u' ' + top->text(), top->menu()->actions());
        }
        faults.removeDuplicates();
        QCOMPARE(faults.join(u'\n'), QString());
    }

    void helpAndEscapeOnEveryPage() {
        const auto stage = staged(QStringLiteral("data-list"));
        QVERIFY(stage);
        MainWindow& window = *stage->window;
        QVERIFY(waitFor([&] { return window.isActiveWindow(); }, 5000));
        for (int i = 0; i < 6; ++i) {
            const auto id = static_cast<PageId>(i);
            window.showPage(id);
            stage->settle();
            QWidget* focus = QApplication::focusWidget();
            QVERIFY2(focus, qPrintable(pageTitle(id)));
            QTest::keyClick(focus, Qt::Key_F1);
            QPointer<TextDialog> help;
            QVERIFY2(waitFor([&] { return (help = window.findChild<TextDialog*>()) != nullptr; }, 2000),
                     qPrintable(pageTitle(id)));
            QCOMPARE(help->windowTitle(), pageTitle(id));
            const auto* words = help->findChild<QPlainTextEdit*>();
            QVERIFY(words && words->toPlainText().size() > 80);
            QTest::keyClick(help.data(), Qt::Key_Escape);
            QVERIFY2(waitFor([&] { return !help || !help->isVisible(); }, 2000), qPrintable(pageTitle(id)));
            window.activateWindow();
            QVERIFY(waitFor([&] { return window.isActiveWindow(); }, 2000));
            // A message goes with Esc, wherever the focus is.
            stage->session().messages().info(QStringLiteral("m"), QStringLiteral("A sentence."));
            QCoreApplication::processEvents();
            for (int presses = 0; presses < 4 && !stage->session().messages().shown().isEmpty(); ++presses) {
                focus = QApplication::focusWidget();
                QTest::keyClick(focus ? focus : &window, Qt::Key_Escape);
            }
            QVERIFY2(stage->session().messages().shown().isEmpty(), qPrintable(pageTitle(id)));
        }
    }

    void textIsLegibleInBothThemes_data() { eachScene(); }
    void textIsLegibleInBothThemes() {
        QFETCH(QString, scene);
        const auto stage = staged(scene);
        QVERIFY(stage);
        for (const ThemeChoice theme : {ThemeChoice::Dark, ThemeChoice::Light}) {
            applyTheme(theme);
            for (int i = 0; i < 4; ++i) QCoreApplication::processEvents();
            QStringList faint;
            for (const QLabel* label : stage->window->findChildren<QLabel*>()) {
                if (!label->isVisible() || label->text().isEmpty()) continue;
                const QPalette::ColorGroup group = label->isEnabled() ? QPalette::Active : QPalette::Disabled;
                const QColor ink = label->palette().color(group, label->foregroundRole());
                const double worst =
                    std::min(contrast(ink, colour(Hue::Window, label)), contrast(ink, colour(Hue::Surface, label)));
                if (worst < 4.5) faint << QStringLiteral("%1 (%2)").arg(label->text()).arg(worst);
            }
            for (const Hue ink : {Hue::Text, Hue::Secondary, Hue::Faint, Hue::Accent, Hue::Good, Hue::Careful, Hue::Bad,
                                  Hue::Prompter, Hue::Assistant, Hue::Base, Hue::Adapted})
                for (const Hue ground : {Hue::Window, Hue::Surface})
                    if (contrast(colour(ink, stage->window.get()), colour(ground, stage->window.get())) < 4.5)
                        faint << QStringLiteral("hue %1 on %2").arg(int(ink)).arg(int(ground));
            for (const auto& [ink, ground] : {std::pair{Hue::Text, Hue::GoodWash},
                                              {Hue::Text, Hue::CarefulWash},
                                              {Hue::Text, Hue::BadWash},
                                              {Hue::Text, Hue::AccentWash},
                                              {Hue::Accent, Hue::AccentWash},
                                              {Hue::Accent, Hue::BadWash},
                                              {Hue::Secondary, Hue::AccentWash},
                                              {Hue::Secondary, Hue::Chip},
                                              {Hue::OnAccent, Hue::Accent}})
                if (contrast(colour(ink, stage->window.get()), colour(ground, stage->window.get())) < 4.5)
                    faint << QStringLiteral("hue %1 on %2").arg(int(ink)).arg(int(ground));
            applyTheme(ThemeChoice::Light);
            QCOMPARE(faint.join(u'|'), QString());
        }
    }
};

STUDIO_WIDGET_TEST(AccessTest)
#include "access_test.moc"
