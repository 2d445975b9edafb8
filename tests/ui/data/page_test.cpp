#include "ui/data/data_page.h"

#include <QListView>
#include <QSignalSpy>
#include <fstream>

#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

QString q(const char* words) {
    return QString::fromUtf8(words);
}

void write(const QString& file, const std::string& bytes) {
    std::ofstream(path(file), std::ios::binary) << bytes;
}

// A page on the bundled conversations (or none), shown and answered.
struct Desk {
    explicit Desk(int sample) : bench(sample), page(bench.session()) {
        page.resize(1440, 830);
        page.show();
        ask([&] { page.activated(); });
    }
    // Does `act` and waits until its answer is shown.
    bool ask(const std::function<void()>& act) {
        QSignalSpy settled(&page, &DataPage::settled);
        act();
        return waitFor([&] { return settled.count() > 0 && !page.library().busy(); }) && read();
    }
    bool read() {
        return waitFor([&] {
            return page.listPane()->selected() < 0 ||
                   (!page.reader()->reading().empty() && page.reader()->tree() == page.listPane()->selected());
        });
    }
    bool filter(const char* text) {
        if (page.filter() == q(text)) return true;
        return ask([&] { page.setFilter(q(text)); });
    }
    bool import(const QStringList& files) {
        QSignalSpy finished(&page.importTask(), &ImportTask::finished);
        page.importFiles(files);
        return waitFor([&] { return finished.count() > 0 && !page.library().busy() && page.library().listing(); });
    }
    Bench bench;
    DataPage page;
};

}  // namespace

class PageTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theListCountsWhatIsTrainedOn() {
        Desk desk(-1);
        QCOMPARE(desk.page.listPane()->model()->rowCount(), 136);
        QCOMPARE(desk.page.library().listing()->catalogue->trees().size(), 137u);
        QVERIFY(desk.page.status().startsWith(q("137 conversations · 1,489 messages")));
        QVERIFY(!desk.page.reader()->reading().empty());
        QVERIFY2(withoutAccessibleName(desk.page).isEmpty(),
                 qPrintable(withoutAccessibleName(desk.page).join(q("; "))));
        QVERIFY2(clippedTexts(desk.page).isEmpty(), qPrintable(clippedTexts(desk.page).join(q("; "))));
        photograph(desk.page, q("data-list"), {1440, 830});
        desk.page.reader()->view()->setFocus();
        for (int i = 0; i < 3; ++i) QTest::keyClick(desk.page.reader()->view(), Qt::Key_Down);
        QTest::keyClick(desk.page.reader()->view(), Qt::Key_Right);
        photograph(desk.page, q("data-reader"), {1440, 830});
        photograph(desk.page, q("data-narrow"), {1024, 560});
    }

    void aWrongFilterIsExplainedAndKeepsTheList() {
        Desk desk(20);
        const int rows = desk.page.listPane()->model()->rowCount();
        QVERIFY(rows > 0);
        desk.page.setFilter(q("lang:en qualty>=0.5"));
        QCOMPARE(desk.page.listPane()->model()->rowCount(), rows);
        photograph(desk.page, q("data-filter-error"), {1440, 830});
        QVERIFY(desk.filter("(role:prompter OR quality>=0.8)"));
        photograph(desk.page, q("data-filter"), {1440, 830});
    }

    void nothingMatchesSaysWhatToDo() {
        Desk desk(20);
        QVERIFY(desk.filter("zzzzqqq"));
        QCOMPARE(desk.page.listPane()->model()->rowCount(), 0);
        photograph(desk.page, q("data-no-match"), {1440, 830});
        QVERIFY(desk.filter("role:assistant quality>=0.6"));
        QCOMPARE(desk.page.listPane()->model()->rowCount(), 0);
        photograph(desk.page, q("data-no-prompts"), {1440, 830});
    }

    void anImportReportsEveryRejectedLine() {
        Desk desk(0);
        photograph(desk.page, q("data-empty"), {1440, 830});
        const QString file = desk.bench.folder() + q("/mixed.jsonl");
        write(file,
              "{\"message_id\":\"1\",\"parent_id\":null,\"text\":\"Hello "
              "<b>there</b>\",\"role\":\"prompter\",\"lang\":\"en\"}\n"
              "{\"message_id\":\"2\",\"parent_id\":\"1\",\"text\":\"Hi\",\"role\":\"assistant\",\"lang\":\"en\","
              "\"rank\":-1}\n"
              "not json\n"
              "{\"message_id\":\"3\",\"parent_id\":\"gone\",\"text\":\"Lost\",\"role\":\"assistant\",\"lang\":\"en\"}\n"
              "{\"message_id\":\"4\",\"parent_id\":\"1\",\"text\":\"x\",\"role\":\"wizard\"}\n");
        const QString parquet = desk.bench.folder() + q("/train.parquet");
        write(parquet, "PAR1 and so on PAR1");
        QVERIFY(desk.import({file, parquet, pathText(Session::sampleFile())}));
        QCOMPARE(desk.page.importTask().outcomes().size(), 3u);
        const QString report = reportText(desk.page.importTask().outcomes());
        QVERIFY2(report.contains(q("2023-04-12_oasst_ready.messages.jsonl.gz")), qPrintable(report));
        photograph(desk.page, q("data-report"), {1440, 830});
    }

    void theProofSheetShowsTheTrainersTokens() {
        Desk desk(8);
        desk.page.reader()->setProof(true);
        QVERIFY(waitFor([&] { return desk.page.reader()->proof()->sheet() != nullptr; }));
        photograph(desk.page, q("data-proof"), {1440, 830});
    }
};

STUDIO_WIDGET_TEST(PageTest)
#include "page_test.moc"
