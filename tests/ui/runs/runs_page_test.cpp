// The Runs page in each state it can have.
#include <QAbstractItemModelTester>
#include <QPushButton>
#include <QSignalSpy>
#include <QTimer>

#include "ui/look/format.h"
#include "ui/runs/run_banner.h"
#include "ui/runs/run_folders.h"
#include "ui/runs/run_list.h"
#include "ui/runs/run_plots.h"
#include "ui/runs/run_side.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/runs/runs_table.h"
#include "ui/support/fixture.h"
#include "ui/widgets/basics.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;
using project::RunState;

class RunsPageTest : public QObject {
    Q_OBJECT

    struct Shown {
        Bench bench;
        RunsPage page{bench.session()};
        std::filesystem::path runs = bench.session().paths().runs();

        void show(const std::filesystem::path& select = {}) {
            page.resize(1280, 800);
            page.show();
            page.activated();
            for (auto* model : page.findChildren<QAbstractItemModel*>()) new QAbstractItemModelTester(model, model);
            page.presenter().start();
            const std::size_t count = entriesOf(runs).size();
            QVERIFY(waitFor([&] { return page.presenter().listed() && page.presenter().runs().size() == count; }));
            if (!select.empty()) page.presenter().select(select);
            QVERIFY(waitFor([this] {
                return page.presenter().selected().empty() || page.presenter().data() ||
                       !page.presenter().readError().isEmpty();
            }));
        }
        // A few runs as a project collects them.
        void others() {
            makeRun(runs, {.name = "guanaco-r64", .rate = 1e-4, .r = 64, .final_loss = 1.59});
            makeRun(runs,
                    {.name = "lr-4e-4", .state = RunState::Stopped, .steps = 210, .rate = 4e-4, .final_loss = 1.68});
            makeRun(runs, {.name = "notebook",
                           .state = RunState::Failed,
                           .steps = 88,
                           .eval_every = 0,
                           .save_every = 0,
                           .failure = "The loss was not finite in 20 steps in a row. Lower learning_rate, or raise "
                                      "warmup_steps.",
                           .rate = 1e-3,
                           .final_loss = 2.2});
        }
        LiveRun live(const std::filesystem::path& folder, RunState state, int step, int total) {
            LiveRun run;
            run.name = QStringLiteral("studio-r16");
            run.folder = pathText(folder);
            run.state = state;
            run.step = step;
            run.total = total;
            run.epoch = 0.84 * step / total;
            run.elapsed = step * 0.098;
            run.seconds_left = (total - step) * 0.098;
            run.tokens_per_s = 41870;
            run.eval_loss = 1.6021;
            run.checkpoint_step = step / 100 * 100;
            run.since_checkpoint.start();
            run.device = QStringLiteral("8 × AMD EPYC");
            return run;
        }
    };

  private Q_SLOTS:
    void withoutRunsItLeadsToTheRecipe() {
        Shown shown;
        shown.show();
        QSignalSpy pages(&shown.bench.session().go(), &Navigator::showPage);
        QPushButton* button = nullptr;
        for (auto* one : shown.page.findChildren<QPushButton*>())
            if (one->text() == QStringLiteral("Open Recipe")) button = one;
        QVERIFY(button);
        QVERIFY(waitFor([&] { return button->isVisible(); }));  // once the runs' folder was looked through
        photograph(shown.page, QStringLiteral("runs-empty"));
        button->click();
        QCOMPARE(pages.size(), 1);
        QCOMPARE(pages[0][0].value<PageId>(), PageId::Recipe);
    }

    void aFinishedRunSaysBeforeAndAfterAndOffersWhatComesNext() {
        Shown shown;
        shown.others();
        const auto folder = makeRun(shown.runs, {});
        shown.show(folder);
        const RunNotice& notice = shown.page.banner().notice();
        QVERIFY2(notice.hint.startsWith(QStringLiteral("Validation loss 3.0400 → 1.59")), qPrintable(notice.hint));
        QSignalSpy evaluations(&shown.bench.session().go(), &Navigator::evaluate);
        QSignalSpy chats(&shown.bench.session().go(), &Navigator::chatWith);
        QSignalSpy recipes(&shown.bench.session().go(), &Navigator::newRunFrom);
        shown.page.banner().button(RunAct::Evaluate)->click();
        shown.page.banner().button(RunAct::ChatBest)->click();
        shown.page.banner().button(RunAct::NewFromThis)->click();
        QCOMPARE(evaluations.size(), 1);
        QCOMPARE(recipes.size(), 1);
        QVERIFY(chats[0][1].toString().endsWith(QStringLiteral("checkpoint-420")));
        photograph(shown.page, QStringLiteral("runs-finished"));
        photograph(shown.page, QStringLiteral("runs-narrow"), {976, 560});
        QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
        QCOMPARE(withoutAccessibleName(shown.page).join(u'|'), QString());
    }

    void aRunAtWorkGrowsAsItsStepsCome() {
        Shown shown;
        shown.others();
        const RunOptions options{.state = RunState::Running, .steps = 400, .total = 1500};
        const auto folder = makeRun(shown.runs, options);
        shown.show(folder);
        shown.page.presenter().setLive(shown.live(folder, RunState::Running, 420, 1500));
        QVERIFY(waitFor([&] { return shown.bench.session().files().idle(); }));
        shown.page.presenter().appendSteps(stepRecords(options, 401, 420));
        shown.page.presenter().appendSteps(stepRecords(options, 401, 420));  // told twice, shown once
        shown.page.presenter().appendEvaluation({420, evalLoss(options, 420)});
        QVERIFY(waitFor([&] { return shown.page.presenter().data()->metrics.steps.size() == 420; }));
        QCOMPARE(shown.page.plots().loss().series()[0].points.size(), std::size_t(420));
        QCOMPARE(shown.page.plots().loss().series()[1].points.back().step, 420.0);
        QVERIFY(!shown.page.banner().isVisible());
        shown.page.plots().group().setCursor(390);
        QVERIFY(shown.page.plots().loss().readOut().value(0).startsWith(QStringLiteral("Step 390 · epoch")));
        photograph(shown.page, QStringLiteral("runs-running"));
        QVERIFY(shown.page.escape());
        QVERIFY(!shown.page.escape());
    }

    void eachLiveStateHasItsSentenceAndButtons_data() {
        QTest::addColumn<int>("state");
        QTest::addColumn<QString>("sentence");
        QTest::addColumn<QString>("picture");
        QTest::newRow("preparing") << int(RunState::Preparing) << QStringLiteral("Preparing: Loading weights")
                                   << QStringLiteral("runs-preparing");
        QTest::newRow("paused") << int(RunState::Paused) << QStringLiteral("Paused after step 420 of 1,500.")
                                << QStringLiteral("runs-paused");
        QTest::newRow("in trouble") << int(RunState::Paused)
                                    << QStringLiteral("Paused by itself after step 420 of 1,500: ")
                                    << QStringLiteral("runs-trouble");
        QTest::newRow("stopping") << int(RunState::Stopping) << QStringLiteral("Stopping after this step…")
                                  << QStringLiteral("runs-stopping");
        QTest::newRow("save failed") << int(RunState::Running) << QStringLiteral("The checkpoint could not be saved")
                                     << QStringLiteral("runs-disk-full");
    }
    void eachLiveStateHasItsSentenceAndButtons() {
        QFETCH(int, state);
        QFETCH(QString, sentence);
        QFETCH(QString, picture);
        Shown shown;
        shown.others();
        const bool preparing = RunState(state) == RunState::Preparing;
        const RunOptions options{
            .state = RunState::Running, .steps = preparing ? 0 : 420, .total = 1500, .samples = !preparing};
        const auto folder = makeRun(shown.runs, options);
        shown.show(folder);
        LiveRun live = shown.live(folder, RunState(state), preparing ? 0 : 420, 1500);
        if (preparing) {
            live.phase = QStringLiteral("Loading weights");
            live.done = 3'100'000'000;
            live.total_units = 5'560'000'000;
            live.checkpoint_step = -1;
            live.seconds_left.reset();
        }
        if (RunState(state) == RunState::Running)
            live.save_error = QStringLiteral("No space left on the disk that holds runs/studio-r16.");
        const bool trouble = picture == QStringLiteral("runs-trouble");
        if (trouble) {
            live.trouble = QStringLiteral("Loss or gradient was not a finite number in 5 steps in a row.");
            live.trouble_hint = QStringLiteral("The last checkpoint is of step 400.");
            live.trouble_trees = {QStringLiteral("8d3cf9a1"), QStringLiteral("a \"b\"")};
        }
        shown.page.presenter().setLive(live);
        QVERIFY(waitFor([&] { return shown.page.presenter().data() != nullptr; }));
        if (trouble) {
            // What can be done: look at the conversations, go on, or stop with what is good.
            QSignalSpy filters(&shown.bench.session().go(), &Navigator::showInData);
            shown.page.banner().button(RunAct::ShowConversations)->click();
            QCOMPARE(filters.value(0).value(0).toString(), QStringLiteral("tree:\"8d3cf9a1\",\"a b\""));
            QVERIFY(shown.page.banner().button(RunAct::Resume) && shown.page.banner().button(RunAct::StopAfterStep));
            QVERIFY(shown.page.banner().notice().hint.contains(QStringLiteral("step 400")));
        }
        QVERIFY2(shown.page.banner().notice().sentence.startsWith(sentence),
                 qPrintable(shown.page.banner().notice().sentence));
        if (RunState(state) == RunState::Stopping)
            QVERIFY(shown.page.banner()
                        .button(RunAct::StopNow)
                        ->text()
                        .startsWith(QStringLiteral("Stop Now, Lose 21 Step")));
        if (preparing) QVERIFY(shown.page.banner().button(RunAct::Cancel));
        photograph(shown.page, picture);
    }

    void aFailedRunNamesTheCauseAndTheField() {
        Shown shown;
        shown.others();
        shown.show(shown.runs / "notebook");
        const RunNotice& notice = shown.page.banner().notice();
        QVERIFY(notice.hint.contains(QStringLiteral("not finite")));
        QCOMPARE(notice.field, QStringLiteral("learning_rate"));
        QSignalSpy fields(&shown.bench.session().go(), &Navigator::showField);
        shown.page.banner().button(RunAct::ShowField)->click();
        QCOMPARE(fields[0][0].toString(), QStringLiteral("learning_rate"));
        photograph(shown.page, QStringLiteral("runs-failed"));
    }

    void memoryThatRanOutOffersWhatFits() {
        const auto noticeOf = [](const char* failure) {
            RunData data;
            data.info.state = RunState::Failed;
            data.info.failure = std::string("Not enough memory for a training step. ") + failure;
            return runNotice(data, nullptr);
        };
        const RunNotice again = noticeOf(
            "By the memory plan it fits with gradient_checkpointing true, with per_device_train_batch_size 4 or with "
            "max_seq_length 512.");
        QCOMPARE(again.acts.front().first, RunAct::WithLess);
        QCOMPARE(again.acts.front().second, QStringLiteral("Start Again With “Gradient checkpointing”"));
        QVERIFY(again.change == (RunChange{"gradient_checkpointing", "true"}));
        const RunNotice other = noticeOf("By the memory plan it fits with per_device_train_batch_size 4.");
        QCOMPARE(other.acts.front().second, QStringLiteral("New Run With “Batch size” 4"));
        QVERIFY(other.change == (RunChange{"per_device_train_batch_size", "4"}));
        const RunNotice none = noticeOf(
            "By the memory plan neither a batch of one nor short conversations fit: lower r, close other programs that "
            "use the GPU, or choose the device cpu.");
        QVERIFY(!none.change);
        QVERIFY(none.acts.front().first != RunAct::WithLess);
    }

    void skippedUpdatesAreCountedAndLeaveAGap() {
        Shown shown;
        const RunOptions options{.state = RunState::Running, .steps = 40, .total = 100};
        const auto folder = makeRun(shown.runs, options);
        shown.show(folder);
        shown.page.presenter().setLive(shown.live(folder, RunState::Running, 40, 100));
        QVERIFY(waitFor([&] { return shown.bench.session().files().idle(); }));
        auto steps = stepRecords(options, 41, 50);
        for (std::size_t i = 2; i < 5; ++i) {
            steps[i].loss = std::nan("");
            steps[i].grad_norm = INFINITY;
            steps[i].skipped = true;
            steps[i].suspects = {{"tree", "message"}};
        }
        const auto highest = [&] {
            double most = 0;
            for (const PlotPoint& p : shown.page.plots().loss().series()[0].points)
                if (std::isfinite(p.value)) most = std::max(most, p.value);
            return most;
        };
        const double before = highest();
        shown.page.presenter().appendSteps(steps);
        QVERIFY(waitFor([&] { return shown.page.presenter().data()->metrics.steps.size() == 50; }));
        const auto& points = shown.page.plots().loss().series()[0].points;
        QCOMPARE(points.size(), std::size_t(50));
        for (std::size_t i = 0; i < 50; ++i) QCOMPARE(std::isfinite(points[i].value), i < 42 || i > 44);
        QVERIFY(highest() < before + 1);  // the axes keep their range
        QCOMPARE(shown.page.presenter().data()->skippedUpdates(), qint64{3});
        // Good steps came after: none ends the run.
        QVERIFY(shown.page.presenter().data()->suspectTrees().isEmpty());
        shown.page.presenter().setLive(shown.live(folder, RunState::Running, 50, 100));  // as after every step
        QString shown_count;
        for (auto* facts : shown.page.findChildren<FactList*>())
            if (const QString value = facts->valueOf(QStringLiteral("Skipped updates")); !value.isEmpty())
                shown_count = value;
        QCOMPARE(shown_count, QStringLiteral("3"));
        photograph(shown.page, QStringLiteral("runs-skipped"));
    }

    void aRunWhoseProcessIsGoneCanBeResumed() {
        Shown shown;
        shown.others();
        const auto folder = makeRun(shown.runs, {.state = RunState::Interrupted, .steps = 315, .total = 1500});
        shown.show(folder);
        QCOMPARE(shown.page.presenter().data()->info.state, RunState::Interrupted);
        QCOMPARE(shown.page.banner().notice().hint, QStringLiteral("Resume goes on from the checkpoint of step 300."));
        QVERIFY(shown.page.banner().button(RunAct::Resume));
        photograph(shown.page, QStringLiteral("runs-interrupted"));
    }

    void aStoppedRunCanBeResumed() {
        Shown shown;
        shown.others();
        shown.show(shown.runs / "lr-4e-4");
        QVERIFY(shown.page.banner().button(RunAct::Resume));
        photograph(shown.page, QStringLiteral("runs-stopped"));
    }

    void theTableSortsAbsentValuesLast() {
        Shown shown;
        shown.others();
        makeRun(shown.runs, {});
        shown.show();
        shown.page.showTable(true);
        auto* table = shown.page.findChild<RunsTable*>();
        photograph(shown.page, QStringLiteral("runs-table"));
        for (const auto order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
            table->sortByColumn(RunsTableModel::Best, order);
            const auto last = table->model()->index(table->model()->rowCount() - 1, RunsTableModel::Name);
            // Without evaluations but the one before the first step, the worst is that one.
            if (order == Qt::AscendingOrder) QCOMPARE(last.data().toString(), QStringLiteral("notebook"));
        }
        QVERIFY(shown.page.escape());
    }

    void largeTypeAndLongNamesFit() {
        const QFont before = QApplication::font();
        QFont large = before;
        large.setPointSize(14);
        QApplication::setFont(large);
        {
            Shown shown;
            shown.others();
            const auto folder =
                makeRun(shown.runs,
                        {.name = "a-run-with-a-name-that-goes-on-and-on-beyond-every-column-of-every-list-there-is",
                         .filter = "lang = en and rank = 0 and (text contains \"recursion\" or label.quality >= 0.6)"});
            shown.show(folder);
            photograph(shown.page, QStringLiteral("runs-14pt"), {1280, 800});
            QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
            photograph(shown.page, QStringLiteral("runs-14pt-narrow"), {976, 560});
            QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
        }
        QApplication::setFont(before);
    }

    void aRunMovedToTheTrashComesBackWithUndo() {
        Shown shown;
        shown.others();
        makeRun(shown.runs, {.name = "lr-4e"});  // its name begins like another's
        shown.show(shown.runs / "lr-4e");
        for (QAction* action : shown.page.pageActions())
            if (action->text() == QStringLiteral("Move Run to Trash"))
                action->trigger();  // Undo is offered, nothing is asked
        QVERIFY(waitFor([&] { return shown.page.presenter().runs().size() == 3; }));
        QVERIFY(!std::filesystem::exists(shown.runs / "lr-4e"));
        const Message message = shown.bench.session().messages().shown().last();
        QCOMPARE(message.action, QStringLiteral("Undo"));
        message.act();
        QVERIFY(waitFor([&] { return shown.page.presenter().runs().size() == 4; }));
        QVERIFY(std::filesystem::exists(shown.runs / "lr-4e" / "run.json"));
    }

    // The age of the last checkpoint goes on where nothing else happens: one clock for the pane and the status line.
    void whilePausedTheAgeOfTheCheckpointGoesOn() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {.state = RunState::Paused, .steps = 220});
        shown.show(folder);
        shown.page.presenter().setLive(shown.live(folder, RunState::Paused, 220, 420));
        const auto age = [&] {
            return shown.page.findChild<RunSide*>()->facts().valueOf(QStringLiteral("Last checkpoint"));
        };
        const QString first = age();
        QVERIFY(!first.isEmpty());
        QVERIFY(waitFor([&] { return age() != first; }));
        QVERIFY2(shown.page.status().endsWith(age()), qPrintable(shown.page.status()));
    }

    void whatWasShownComesBack() {
        Shown shown;
        shown.others();
        shown.show(shown.runs / "lr-4e-4");
        const QJsonObject state = shown.page.saveState();
        RunsPage again(shown.bench.session());
        again.restoreState(state);
        again.presenter().start();
        QVERIFY(waitFor([&] { return again.presenter().selected() == shown.runs / "lr-4e-4"; }));
    }

    void aDamagedFileHasItsSentence() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {});
        QFile metrics(pathText(folder / "metrics.jsonl"));
        QVERIFY(metrics.open(QIODevice::ReadWrite));
        metrics.write("{\"step\": \"one\"}\n");
        metrics.close();
        shown.show(folder);
        QVERIFY(!shown.page.presenter().readError().isEmpty());
        photograph(shown.page, QStringLiteral("runs-unreadable"));
    }
};

STUDIO_WIDGET_TEST(RunsPageTest)
#include "runs_page_test.moc"
