#include "ui/data/data_page.h"

#include <QListView>
#include <QSignalSpy>

#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class PageTest : public QObject {
    Q_OBJECT

    // The page's answer to what was just done.
    static bool settle(DataPage& page, const std::function<void()>& act) {
        QSignalSpy settled(&page, &DataPage::settled);
        act();
        return waitFor([&] { return settled.count() > 0 && !page.library().busy(); });
    }

  private Q_SLOTS:
    void photographs() {
        Bench bench(-1);
        DataPage page(bench.session());
        page.resize(1440, 830);
        page.show();
        QSignalSpy settled(&page, &DataPage::settled);
        page.activated();
        QVERIFY(waitFor([&] { return settled.count() > 0 && !page.reader()->reading().empty(); }));
        photograph(page, QStringLiteral("data-list"), {1440, 830});
    }
};

STUDIO_WIDGET_TEST(PageTest)
#include "page_test.moc"
