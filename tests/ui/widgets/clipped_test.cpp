// What the other tests of widgets call clipped, and the layout that avoids it.
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>

#include "ui/support/fixture.h"
#include "ui/widgets/flow_layout.h"

using namespace studio::ui;
using namespace studio::ui::testing;

class ClippedTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void aFieldCutByTheAreaThatScrollsItIsClipped() {
        QWidget page;
        QScrollArea area(&page);
        auto* body = new QWidget;
        auto* column = new QVBoxLayout(body);
        auto* field = new QLineEdit(body);
        field->setAccessibleName(QStringLiteral("Base model"));
        column->addWidget(field);
        area.setWidget(body);
        area.setWidgetResizable(true);
        area.setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        area.resize(300, 100);
        page.show();
        QCOMPARE(clippedTexts(page), QStringList());
        field->setMinimumWidth(400);
        QCoreApplication::processEvents();
        QCOMPARE(clippedTexts(page), QStringList(QStringLiteral("at the side: Base model")));
        // With a scroll bar nothing is lost; that it scrolls sideways is another fault.
        area.setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
        QCoreApplication::processEvents();
        QCOMPARE(clippedTexts(page), QStringList());
        QCOMPARE(scrolledSideways(page).size(), 1);
    }

    void whatDoesNotFitInALineGoesIntoTheNext() {
        QWidget box;
        auto* flow = new FlowLayout(8, &box);
        QList<QPushButton*> buttons;
        for (const char* words : {"Use 1,024 Tokens", "Maximum length"}) {
            buttons << new QPushButton(QLatin1String(words), &box);
            flow->addWidget(buttons.back());
        }
        const int both = buttons[0]->sizeHint().width() + 8 + buttons[1]->sizeHint().width();
        box.resize(both, 200);
        box.show();
        QCOMPARE(buttons[1]->y(), buttons[0]->y());
        box.resize(both - 1, 200);
        QCoreApplication::processEvents();
        QVERIFY(buttons[1]->y() >= buttons[0]->geometry().bottom());
        QCOMPARE(clippedTexts(box), QStringList());
        // Those of a line share its width where they are asked to.
        flow->setFilling(true);
        flow->invalidate();
        box.resize(both + 100, 200);
        QCoreApplication::processEvents();
        QCOMPARE(buttons[0]->x(), 0);
        QCOMPARE(buttons[1]->geometry().right(), box.width() - 1);
    }
};

STUDIO_WIDGET_TEST(ClippedTest)
#include "clipped_test.moc"
