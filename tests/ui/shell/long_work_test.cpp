// Imports and evaluations as the whole window knows them: other pages stay true, the strip tells, closing asks.
#include <QMessageBox>
#include <QPushButton>
#include <QStackedWidget>
#include <QTimer>
#include <future>

#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/runs/run_folders.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/program.h"
#include "ui/shell/single_instance.h"
#include "ui/shell/strip.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

// Something long on the thread of imports, for as long as this lives.
class Held {
  public:
    explicit Held(TaskThread& thread) {
        thread.post([held = end_.get_future().share()] { held.wait(); });
    }
    ~Held() { end_.set_value(); }

  private:
    std::promise<void> end_;
};

QStringList shownTexts(const QWidget& root) {
    QStringList texts;
    for (const QLabel* label : root.findChildren<QLabel*>())
        if (label->isVisible()) texts << label->text();
    return texts;
}

LongWork pretended(const QString& name, PageId page, std::function<void()> stop) {
    return {QStringLiteral("x"), page, name, QStringLiteral("a third"), 1.0 / 3, QStringLiteral("Nothing stays."),
            std::move(stop)};
}

}  // namespace

class LongWorkTest : public QObject {
    Q_OBJECT

    PrivateHome home_;

    static void answer(const QString& words, QStringList* said) {
        auto* timer = new QTimer(qApp);
        connect(timer, &QTimer::timeout, timer, [timer, words, said] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box || !box->isVisible()) return;
            timer->stop();
            timer->deleteLater();
            *said << box->text() << box->informativeText();
            for (QAbstractButton* button : box->buttons())
                if (button->text().remove(QLatin1Char('&')) == words) return button->click();
            box->reject();
        });
        timer->start(5);
    }

  private Q_SLOTS:
    void listsAreReadWhileAnImportIsAtWork() {
        const auto folder = makeProject(home_, QStringLiteral("lists"), 3);
        makeRun(folder / "runs", {.name = "kept"});
        Program p;
        p.window.openProject(pathText(folder));
        const Held held(p.session.imports());
        p.window.showPage(PageId::Data);
        p.page<DataPage>(PageId::Data).importFiles({pathText(Session::sampleFile())});
        QVERIFY(p.page<DataPage>(PageId::Data).importTask().running());
        auto& runs = p.page<RunsPage>(PageId::Runs).presenter();
        p.window.showPage(PageId::Runs);
        QVERIFY(waitFor([&] { return runs.listed() && runs.runs().size() == 1; }));
        p.window.showPage(PageId::Evaluate);
        auto& evaluations = p.page<EvaluatePage>(PageId::Evaluate).presenter();
        QVERIFY(waitFor([&] { return evaluations.listed(); }));
        p.window.showPage(PageId::Chat);
        auto& chat = p.page<ChatPage>(PageId::Chat);
        QVERIFY(waitFor([&] { return chat.presenter().chat() != nullptr; }));
        QVERIFY(p.page<DataPage>(PageId::Data).importTask().running());
    }

    void beforeAListIsReadNothingIsSaidToBeMissing() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("unread"), 3)));
        waitFor([&] { return p.session.files().idle(); });
        {
            const Held held(p.session.files());
            for (const PageId page : {PageId::Runs, PageId::Evaluate, PageId::Chat}) {
                p.window.showPage(page);
                QCoreApplication::processEvents();
                const QString texts = shownTexts(p.window.page(page)).join(QLatin1Char('\n'));
                for (const char* words : {"No runs yet", "Nothing evaluated yet", "Open a project first"})
                    QVERIFY2(!texts.contains(QLatin1String(words)), qPrintable(texts));
            }
        }
        p.window.showPage(PageId::Runs);
        QVERIFY(
            waitFor([&] { return shownTexts(p.window.page(PageId::Runs)).contains(QStringLiteral("No runs yet")); }));
        p.window.showPage(PageId::Evaluate);
        QVERIFY(waitFor([&] {
            return shownTexts(p.window.page(PageId::Evaluate)).contains(QStringLiteral("Nothing evaluated yet"));
        }));
    }

    void theStripTellsAnImportOnEveryPageAndLeadsToIt() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("strip"), 0)));
        auto* pill = p.window.findChild<RunPill*>();
        QVERIFY(!pill->isVisible());
        auto held = std::make_unique<Held>(p.session.imports());
        p.page<DataPage>(PageId::Data).importFiles({pathText(Session::sampleFile())});
        p.window.showPage(PageId::Recipe);
        QVERIFY(pill->isVisible());
        QVERIFY2(pill->accessibleName().contains(QStringLiteral("oasst1")), qPrintable(pill->accessibleName()));
        QTest::mouseClick(pill, Qt::LeftButton);
        QCOMPARE(p.window.current(), PageId::Data);
        // Another project would end it.
        const auto other = makeProject(home_, QStringLiteral("other"), 0);
        p.window.openProject(pathText(other));
        QVERIFY(p.banner(QStringLiteral("open")));
        QVERIFY(!p.banner(QStringLiteral("open"))->to_do.contains(QStringLiteral("window")));
        QCOMPARE(p.session.title(), QStringLiteral("strip"));
        held.reset();
        QVERIFY(waitFor([&] { return !pill->isVisible(); }));
    }

    void theStripTellsAnEvaluation() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("evaluation"), 3)));
        auto* pill = p.window.findChild<RunPill*>();
        auto& presenter = p.page<EvaluatePage>(PageId::Evaluate).presenter();
        p.window.showPage(PageId::Chat);
        jobs::EvaluateRunRequest request;
        request.run = path(home_.path()) / "nowhere";
        presenter.run(request, QStringLiteral("first @ 4"));
        QVERIFY(pill->isVisible());
        QVERIFY(pill->accessibleName().contains(QStringLiteral("first @ 4")));
        presenter.progress({"Loss of the base", 3, 12, "conversations"});
        QVERIFY2(pill->accessibleName().contains(QStringLiteral("25")), qPrintable(pill->accessibleName()));
        photograph(p.window, QStringLiteral("window-evaluation-at-work"));
        QTest::keyClick(pill, Qt::Key_Return);
        QCOMPARE(p.window.current(), PageId::Evaluate);
        presenter.cancel();
        QVERIFY(!pill->isVisible());
    }

    void closingAsksAboutLongWork() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("closing"), 3)));
        bool stopped = false;
        const auto begin = [&] {
            p.session.work().tell(pretended(QStringLiteral("Evaluating one"), PageId::Evaluate, [&] {
                stopped = true;
                p.session.work().end(QStringLiteral("x"));
            }));
        };
        begin();
        QStringList said;
        answer(QStringLiteral("Cancel"), &said);
        p.window.close();
        QVERIFY(p.window.isVisible() && !p.window.isMinimized() && !stopped);
        QVERIFY(said.value(0).contains(QStringLiteral("Evaluating one")));
        QVERIFY(said.value(1).contains(QStringLiteral("Nothing stays.")));
        answer(QStringLiteral("Keep Running"), &said);
        p.window.close();
        QVERIFY(p.window.isVisible() && p.window.isMinimized() && !stopped);
        answer(QStringLiteral("Stop and Quit"), &said);
        p.window.close();
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }));
        QVERIFY(stopped);
    }

    void aSignalAsksNothing() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("signal"), 0)));
        bool stopped = false;
        p.session.work().tell(pretended(QStringLiteral("Importing a"), PageId::Data, [&] { stopped = true; }));
        p.window.quitGently();
        QVERIFY(!p.window.isVisible());
        QVERIFY(stopped);
    }

    void aSecondStartNamesItsFilesFromTheRoot() {
        const QString name = QStringLiteral("qlora-studio-paths-%1").arg(QCoreApplication::applicationPid());
        SingleInstance first(name);
        first.listen();
        QStringList got;
        connect(&first, &SingleInstance::started, this, [&](const QStringList& paths) { got = paths; });
        const QString wanted = QDir::current().absoluteFilePath(QStringLiteral("mine.jsonl"));
        std::thread other([&] { SingleInstance(name).handOver({QStringLiteral("mine.jsonl")}); });
        QVERIFY(waitFor([&] { return !got.isEmpty(); }));
        other.join();
        QCOMPARE(got, QStringList{wanted});
    }

    void aPausedRunIsCalledPaused() {
        LiveRun live;
        live.name = QStringLiteral("one");
        live.total = 9;
        live.state = project::RunState::Paused;
        QStringList said;
        answer(QStringLiteral("Resume and Keep Training"), &said);
        QWidget parent;
        QCOMPARE(askClose(live, {}, &parent), CloseChoice::Keep);
        QVERIFY(said.value(0).contains(QStringLiteral("is paused")));
        live.state = project::RunState::Running;
        said.clear();
        answer(QStringLiteral("Keep Training"), &said);
        QCOMPARE(askClose(live, {pretended(QStringLiteral("Importing a"), PageId::Data, {})}, &parent),
                 CloseChoice::Keep);
        QVERIFY(said.value(0).contains(QStringLiteral("is training")));
        QVERIFY(said.value(1).contains(QStringLiteral("Importing a")));
    }

    void theOfferToResumeGoesWithItsRun() {
        const auto folder = makeProject(home_, QStringLiteral("resume"), 3);
        makeRun(folder / "runs", {.name = "cut", .state = project::RunState::Interrupted, .steps = 40});
        Program p;
        p.window.openProject(pathText(folder));
        QVERIFY(p.waitForBanner(QStringLiteral("interrupted")));
        QVERIFY(p.session.runs().remove(folder / "runs" / "cut"));
        QVERIFY(waitFor([&] { return !p.banner(QStringLiteral("interrupted")); }));
    }

    void theFirstWindowFitsTheScreen() {
        Settings settings;
        {
            Session session(settings, makeNullLogger());
            MainWindow window(session);
            QVERIFY(window.width() <= window.screen()->availableGeometry().width());
            QVERIFY(window.height() <= window.screen()->availableGeometry().height());
            window.resize(3000, 2000);  // of a larger screen, remembered
            settings.setLayout(QStringLiteral("window"), window.saveGeometry());
        }
        Session session(settings, makeNullLogger());
        MainWindow window(session);
        QVERIFY(window.width() <= window.screen()->availableGeometry().width());
        QVERIFY(window.height() <= window.screen()->availableGeometry().height());
        settings.setLayout(QStringLiteral("window"), {});
    }
};

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    useTestFont();
    applyTheme(ThemeChoice::Light);
    LongWorkTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "long_work_test.moc"
