// The pointer's wheel over any control of any page changes no value.
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QLineEdit>
#include <QListWidget>
#include <QScrollBar>
#include <QSlider>
#include <QWheelEvent>

#include "ui/evaluate/evaluate_page.h"
#include "ui/runs/run_folders.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/program.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

using Values = std::vector<std::pair<QString, QVariant>>;

// What every control holds, in the order of the tree.
Values valuesOf(const QWidget& root) {
    Values values;
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (qobject_cast<const QScrollBar*>(widget)) continue;
        const QString name =
            QStringLiteral("%1 “%2”").arg(QLatin1String(widget->metaObject()->className()), widget->accessibleName());
        if (const auto* spin = qobject_cast<const QAbstractSpinBox*>(widget))
            values.emplace_back(name, spin->text());
        else if (const auto* combo = qobject_cast<const QComboBox*>(widget))
            values.emplace_back(name, combo->currentIndex());
        else if (const auto* slider = qobject_cast<const QAbstractSlider*>(widget))
            values.emplace_back(name, slider->value());
        else if (const auto* button = qobject_cast<const QAbstractButton*>(widget))
            values.emplace_back(name, button->isChecked());
        else if (const auto* edit = qobject_cast<const QLineEdit*>(widget))
            values.emplace_back(name, edit->text());
        else if (const auto* view = qobject_cast<const QAbstractItemView*>(widget))
            values.emplace_back(name, view->currentIndex().row());
    }
    return values;
}

void scrollOverAll(QWidget& root) {
    for (QWidget* widget : root.findChildren<QWidget*>()) {
        if (!widget->isVisible() || qobject_cast<QScrollBar*>(widget)) continue;
        for (const int delta : {120, -120, -120, 120}) {
            const QPointF middle = QPointF(widget->rect().center());
            QWheelEvent wheel(middle, widget->mapToGlobal(middle), {}, {0, delta}, Qt::NoButton, Qt::NoModifier,
                              Qt::NoScrollPhase, false);
            QCoreApplication::sendEvent(widget, &wheel);
        }
    }
}

}  // namespace

class WheelTest : public QObject {
    Q_OBJECT

    PrivateHome home_;

    static void expectSame(const Values& before, const Values& after) {
        for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i)
            QVERIFY2(before[i] == after[i],
                     qPrintable(QStringLiteral("%1: %2 → %3")
                                    .arg(before[i].first, before[i].second.toString(), after[i].second.toString())));
        QCOMPARE(after.size(), before.size());
    }

  private Q_SLOTS:
    void overEveryPage() {
        const auto folder = makeProject(home_, QStringLiteral("wheel"), 20);
        makeRun(folder / "runs", {.name = "first"});
        makeRun(folder / "runs", {.name = "second", .state = project::RunState::Failed, .steps = 90});
        Program p;
        p.window.openProject(pathText(folder));
        p.lookAtAllPages();
        p.page<EvaluatePage>(PageId::Evaluate).showForm();
        for (int i = 0; i < 6; ++i) {
            const auto id = static_cast<PageId>(i);
            p.window.showPage(id);
            waitFor([&] { return p.session.files().idle() && p.session.queries().idle(); });
            waitFor([] { return false; }, 300);  // forms that are filled when the answer is there
            Page& page = p.window.page(id);
            if (QWidget* focus = QApplication::focusWidget()) focus->clearFocus();
            const Values before = valuesOf(page);
            QVERIFY2(!before.empty(), qPrintable(page.objectName()));
            int changeable = 0;
            for (const QWidget* widget : page.findChildren<QWidget*>())
                changeable += widget->isVisible() &&
                              (qobject_cast<const QAbstractSpinBox*>(widget) ||
                               qobject_cast<const QComboBox*>(widget) || qobject_cast<const QSlider*>(widget));
            qInfo() << "    page" << i << before.size() << "controls," << changeable << "that a wheel could change";
            scrollOverAll(page);
            QCoreApplication::processEvents();
            expectSame(before, valuesOf(page));
        }
        QVERIFY(!p.session.recipe().undoStack()->canUndo());
    }

    void overTheSettings() {
        Settings settings;
        CardWatch cards;
        SettingsDialog dialog(settings, cards);
        dialog.show();
        QCoreApplication::processEvents();
        if (QWidget* focus = QApplication::focusWidget()) focus->clearFocus();
        const Values before = valuesOf(dialog);
        const QString device = settings.device();
        scrollOverAll(dialog);
        expectSame(before, valuesOf(dialog));
        QCOMPARE(settings.device(), device);
    }
};

STUDIO_WIDGET_TEST(WheelTest)
#include "wheel_test.moc"
