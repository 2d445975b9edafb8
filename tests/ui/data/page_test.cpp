#include "ui/data/data_page.h"

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QFile>
#include <QFileDialog>
#include <QListView>
#include <QScrollBar>
#include <QSignalSpy>
#include <fstream>
#include <future>

#include "ui/look/format.h"
#include "ui/look/type.h"
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
        photograph(desk.page, q("data-list"), {1440, 830});
        QVERIFY2(clippedTexts(desk.page).isEmpty(), qPrintable(clippedTexts(desk.page).join(q("; "))));
        desk.page.reader()->view()->setFocus();
        for (int i = 0; i < 3; ++i) QTest::keyClick(desk.page.reader()->view(), Qt::Key_Down);
        QTest::keyClick(desk.page.reader()->view(), Qt::Key_Right);
        photograph(desk.page, q("data-reader"), {1440, 830});
        photograph(desk.page, q("data-narrow"), {1024, 560});
        desk.page.listPane()->facetsButton()->setChecked(true);
        photograph(desk.page, q("data-drawer"), {1200, 640});
        QVERIFY(desk.page.escape());
        // In a window made wide again they stand beside the list; a person may hide them.
        const auto* facets = desk.page.findChild<FacetPanel*>();
        desk.page.resize(1920, 1000);
        QCoreApplication::processEvents();
        QVERIFY(facets->isVisibleTo(&desk.page));
        QVERIFY(desk.page.listPane()->width() >= 50 * characterWidth(desk.page.font()));  // they take none of it
        for (QAction* action : desk.page.pageActions())
            if (action->text().contains(q("Languages"))) action->trigger();
        desk.page.resize(1900, 1000);
        QCoreApplication::processEvents();
        QVERIFY(!facets->isVisibleTo(&desk.page));
        desk.page.reader()->mapButton()->setChecked(true);
        photograph(desk.page, q("data-tree"), {1024, 560});
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

    void theFilterIsTypedWithTheKeyboardAlone() {
        Desk desk(20);
        desk.page.focusSearch();
        FilterBox* box = desk.page.listPane()->filterBox();
        QSignalSpy settled(&desk.page, &DataPage::settled);
        QTest::keyClicks(box, q("qual"));
        QVERIFY(box->completing());
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClicks(box, q("re"));
        QTest::keyClick(box, Qt::Key_Down);
        auto* offered = box->findChild<QListView*>();
        QVERIFY(offered);
        photograph(*offered, q("data-completion"), offered->size());
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClick(box, Qt::Key_Backspace);
        QTest::keyClicks(box, q("qual"));
        QTest::keyClick(box, Qt::Key_Down);
        QTest::keyClick(box, Qt::Key_Return);
        QCOMPARE(box->filter(), q("quality>="));
        QTest::keyClicks(box, q("0.2 lan"));
        QVERIFY(box->completing());
        QVERIFY(desk.page.escape());  // the words first
        QVERIFY(!box->completing());
        QTest::keyClick(box, Qt::Key_Return);
        QVERIFY(waitFor([&] { return settled.count() > 0 && !desk.page.library().busy(); }));
        QVERIFY(desk.ask([&] { QVERIFY(desk.page.escape()); }));  // then the filter
        QCOMPARE(box->filter(), QString());
        QTest::keyClick(box, Qt::Key_Up);
        QCOMPARE(box->filter(), q("quality>=0.2 lan"));
        QTest::keyClick(box, Qt::Key_Down);
        QCOMPARE(box->filter(), QString());
    }

    void facetsWriteTheFilterAndReadItBack() {
        Desk desk(20);
        auto* language = desk.page.findChild<LanguageRow*>();
        QVERIFY(language);
        QVERIFY(desk.ask([&] { QTest::keyClick(language, Qt::Key_Space); }));
        QCOMPARE(desk.page.filter(), q("lang:en"));
        QVERIFY(language->isChecked());
        QVERIFY(desk.filter("quality>=0.5"));
        QVERIFY(!language->isChecked());
        const auto histograms = desk.page.findChildren<Histogram*>();
        QCOMPARE(histograms.size(), 2);
        QVERIFY(desk.filter(""));
        QTest::keyClick(histograms[1], Qt::Key_Home);
        QTest::keyClick(histograms[1], Qt::Key_Right);
        QVERIFY(desk.ask([&] { QTest::keyClick(histograms[1], Qt::Key_Space); }));
        QCOMPARE(desk.page.filter(), q("tree_turns:2"));
        const Listing& listing = *desk.page.library().listing();
        QCOMPARE(listing.countOf(Scope::Trainable), listing.facets.turns[1].chosen);
        for (const std::int32_t tree : listing.rows)
            QCOMPARE(int(listing.catalogue->trees()[std::size_t(tree)].turns), 2);
    }

    void trainingTakesTheFilterThatIsShown() {
        Desk desk(20);
        QSignalSpy filters(&desk.bench.session().go(), &Navigator::trainOn);
        QSignalSpy pages(&desk.bench.session().go(), &Navigator::showPage);
        QVERIFY(desk.filter("(role:prompter OR quality>=0.8)"));
        for (QAction* action : desk.page.pageActions())
            if (action->shortcut() == QKeySequence(Qt::CTRL | Qt::Key_T)) action->trigger();
        QCOMPARE(filters.count(), 1);
        QCOMPARE(filters[0][0].toString(), q("(role:prompter OR quality>=0.8)"));
        QCOMPARE(pages.count(), 1);
    }

    void aMessageIsOpenedWhereverItStands() {
        Desk desk(20);
        const auto& reading = desk.page.reader()->reading();
        const int last = int(reading.conversation().messages.size()) - 1;
        const QString id = ui::text(reading.message(last).message_id);
        QVERIFY(desk.filter("tree_turns<=2 -deleted"));
        Q_EMIT desk.bench.session().go().openConversation(id);
        QVERIFY(waitFor([&] { return reading.currentId() == id && !desk.page.library().busy(); }));
        QVERIFY(reading.placeOnPath(reading.current()) >= 0);
        Q_EMIT desk.bench.session().go().openConversation(q("no-such-message"));
        QVERIFY(waitFor([&] { return !desk.bench.session().messages().shown().isEmpty(); }));
    }

    void everythingIsAsItWasTheNextDay() {
        Bench bench(20);
        QJsonObject state;
        QString message, branch;
        int scroll = 0;
        {
            DataPage page(bench.session());
            page.resize(1440, 500);
            page.show();
            page.activated();
            QVERIFY(waitFor([&] { return !page.reader()->reading().empty(); }));
            page.setFilter(q("tree_turns>=3"));
            QVERIFY(
                waitFor([&] { return page.library().listing()->filter == page.filter() && !page.library().busy(); }));
            QSignalSpy read(&page.reader()->reading(), &Reading::conversationChanged);
            page.listPane()->list()->setCurrentIndex(page.listPane()->model()->index(3));
            QVERIFY(waitFor([&] { return read.count() > 0; }));
            Reading& reading = page.reader()->reading();
            reading.setCurrent(int(reading.conversation().messages.size()) - 1);
            reading.setCurrent(0);
            page.reader()->view()->zoom(2);
            state = page.saveState();
            message = reading.currentId();
            branch = reading.endId();
            scroll = page.listPane()->list()->verticalScrollBar()->value();
        }
        DataPage page(bench.session());
        page.resize(1440, 500);
        page.show();
        page.restoreState(state);
        QCOMPARE(page.saveState()[q("branch")], state[q("branch")]);  // before it was ever looked at
        page.activated();
        QVERIFY(waitFor([&] { return page.reader()->reading().currentId() == message; }));
        QCOMPARE(page.reader()->reading().endId(), branch);
        QCOMPARE(page.filter(), q("tree_turns>=3"));
        QVERIFY(waitFor([&] { return page.listPane()->list()->verticalScrollBar()->value() == scroll; }));
        QCOMPARE(page.listPane()->list()->currentIndex().row(), 3);
        QCOMPARE(page.reader()->view()->zoomSteps(), 2);
    }

    void aBrokenStoreHasItsSentence() {
        Bench bench(0);
        write(pathText(bench.session().paths().corpus()), std::string(8192, 'x'));
        DataPage page(bench.session());
        page.resize(1024, 600);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return !bench.session().messages().shown().isEmpty(); }));
        photograph(page, q("data-broken"), {1024, 600});
    }

    void theDialogLetsChooseParquetAndEveryFile() {
        Desk desk(0);
        desk.page.chooseFiles();
        auto* dialog = desk.page.findChild<QFileDialog*>();
        QVERIFY(dialog);
        QVERIFY(dialog->nameFilters().value(0).contains(q("*.parquet")));
        QVERIFY(dialog->nameFilters().contains(q("All files (*)")));
        dialog->close();
    }

    // An end token that is only read has no frame: learning it would be another recipe.
    void onlyLearnedEndTokensAreFramed() {
        jobs::ProofToken token;
        token.kind = text::SpanKind::PrompterEnd;
        QVERIFY(!learnedEnd(token));
        token.kind = text::SpanKind::AssistantEnd;
        QVERIFY(!learnedEnd(token));
        token.supervised = true;
        QVERIFY(learnedEnd(token));
        token.kind = text::SpanKind::AssistantText;
        QVERIFY(!learnedEnd(token));
    }

    void aFileThatBreaksOffIsKeptOnlyWhenAsked() {
        Desk desk(0);
        const QString file = desk.bench.folder() + q("/cut.jsonl.gz");
        QFile whole(pathText(Session::sampleFile()));
        QVERIFY(whole.open(QIODevice::ReadOnly));
        write(file, whole.read(whole.size() / 2).toStdString());
        const QString other = desk.bench.folder() + q("/other.jsonl");
        QVERIFY(writeFirstTrees(path(other), 2));
        QVERIFY(desk.import({file, other}));
        QVERIFY(!desk.page.importTask().outcomes()[0].report);
        QVERIFY(desk.page.importTask().outcomes()[0].breaks_off);
        photograph(desk.page, q("data-cut"), {1024, 560});
        QPushButton* keep = nullptr;
        for (auto* button : desk.page.findChildren<QPushButton*>())
            if (button->text() == q("Keep the readable part")) keep = button;
        QVERIFY(keep);
        QSignalSpy finished(&desk.page.importTask(), &ImportTask::finished);
        keep->click();
        QVERIFY(waitFor([&] { return finished.count() > 0 && desk.page.listPane()->model()->rowCount() > 0; }));
        // What was said of the other file stays.
        const auto& outcomes = desk.page.importTask().outcomes();
        QCOMPARE(outcomes.size(), std::size_t(2));
        QCOMPARE(outcomes[0].file, file);
        QVERIFY(outcomes[0].report->truncated);
        QCOMPARE(outcomes[1].file, other);
        QVERIFY(outcomes[1].report && outcomes[1].report->trees == 2);
    }

    void aCancelledImportLeavesNothing() {
        Desk desk(0);
        const QString sample = pathText(Session::sampleFile());
        QSignalSpy finished(&desk.page.importTask(), &ImportTask::finished);
        std::promise<void> go;  // the import begins when this is kept
        desk.bench.session().imports().post([ready = go.get_future().share()] { ready.wait(); });
        desk.page.importFiles({sample, sample});
        QVERIFY(desk.page.importTask().running());
        photograph(desk.page, q("data-importing"), {1024, 560});
        desk.page.importTask().cancel();
        go.set_value();
        QVERIFY(waitFor([&] { return finished.count() > 0; }));
        QCOMPARE(desk.page.importTask().outcomes().size(), 1u);
        QVERIFY(!desk.page.importTask().outcomes()[0].report);
        QVERIFY(waitFor([&] { return !desk.page.library().busy(); }));
        QCOMPARE(desk.page.listPane()->model()->rowCount(), 0);
    }

    void hostileTextIsShownAsText() {
        Desk desk(0);
        const QString file = desk.bench.folder() + q("/hostile.jsonl");
        std::string huge;
        for (int i = 0; i < 9000; ++i) huge += "word ";
        write(file,
              "{\"messages\":[{\"role\":\"user\",\"content\":\"<b>bold</b> <img src=x> \\u0000 \\u202Egnp.exe\\u202C "
              "%1 %2 &amp; "
              "\\u001b[31mred\\u001b[0m\"},{\"role\":\"assistant\",\"content\":\"" +
                  huge +
                  "\"}]}\n"
                  "{\"messages\":[{\"role\":\"user\",\"content\":\"مرحبا بالعالم، كيف "
                  "حالك؟\"},{\"role\":\"assistant\",\"content\":\"أنا بخير\"}]}\n");
        QVERIFY(desk.import({file}));
        desk.page.escape();
        QVERIFY(waitFor([&] { return !desk.page.reader()->reading().empty(); }));
        QAbstractItemModelTester tester(desk.page.listPane()->model());
        photograph(desk.page, q("data-hostile"), {1440, 700});
        QVERIFY(desk.filter("lang:none OR contains:\"word\" OR role:prompter"));
    }

    void aLongChatIsLaidOutAsItIsLookedAt() {
        Desk desk(0);
        std::string turns;
        for (int i = 0; i < 400; ++i)
            turns += std::string(i > 0 ? "," : "") + "{\"role\":\"" + (i % 2 ? "assistant" : "user") +
                     "\",\"content\":\"turn " + std::to_string(i) + std::string(std::size_t(i % 7) * 90, 'x') + "\"}";
        const QString file = desk.bench.folder() + q("/long.jsonl");
        write(file, "{\"messages\":[" + turns + "]}\n");
        QVERIFY(desk.import({file}));
        desk.page.escape();
        Reading& reading = desk.page.reader()->reading();
        QVERIFY(waitFor([&] { return !reading.empty(); }));
        QCOMPARE(reading.path().size(), 400u);
        ConversationView* view = desk.page.reader()->view();
        view->setFocus();
        QTest::keyClick(view, Qt::Key_End);
        QCOMPARE(reading.current(), reading.path().back());
        QScrollBar* bar = view->verticalScrollBar();
        QCOMPARE(bar->value(), bar->maximum());
        for (int i = 0; i < 60; ++i) QTest::keyClick(view, Qt::Key_PageUp);
        QTest::keyClick(view, Qt::Key_Home);
        QVERIFY(bar->value() < 20);
        QCOMPARE(reading.current(), reading.path().front());
    }

    void theTextOfAMessageIsCopiedAsItWas() {
        Desk desk(0);
        const QString file = desk.bench.folder() + q("/lines.jsonl");
        std::string text = "first \\u0000 line";
        for (int i = 0; i < 3000; ++i) text += "\\n" + std::to_string(i);
        write(file, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + text +
                        "\"},{\"role\":\"assistant\",\"content\":\"yes\"}]}\n");
        QVERIFY(desk.import({file}));
        desk.page.escape();
        QVERIFY(waitFor([&] { return !desk.page.reader()->reading().empty(); }));
        ConversationView* view = desk.page.reader()->view();
        QTest::keyClick(view, Qt::Key_C, Qt::ControlModifier);
        const QString copied = QApplication::clipboard()->text();
        QVERIFY(copied.startsWith(QString::fromUtf16(u"first \0 line\n0\n", 15)));
        QVERIFY(copied.endsWith(q("\n2999")));
        QTest::keyClick(view, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClick(view, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), copied + q("\n\nyes"));
        desk.page.reader()->copyMarkdown();
        QVERIFY(QApplication::clipboard()->text().endsWith(q("**Assistant**\n\nyes\n")));
        // A press on the text chooses its words, not the whole.
        QTest::mouseDClick(view->viewport(), Qt::LeftButton, {}, QPoint(45, 50));
        QTest::keyClick(view, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), q("first"));
    }

    void largeTypeClipsNothing() {
        const QFont before = QApplication::font();
        QFont large = before;
        large.setPointSize(14);
        QApplication::setFont(large);
        {
            Desk desk(20);
            photograph(desk.page, q("data-14pt"), {1440, 830});
            QVERIFY2(clippedTexts(desk.page).isEmpty(), qPrintable(clippedTexts(desk.page).join(q("; "))));
            photograph(desk.page, q("data-14pt-narrow"), {1024, 560});
            QVERIFY2(clippedTexts(desk.page).isEmpty(), qPrintable(clippedTexts(desk.page).join(q("; "))));
        }
        QApplication::setFont(before);
    }
};

STUDIO_WIDGET_TEST(PageTest)
#include "page_test.moc"
