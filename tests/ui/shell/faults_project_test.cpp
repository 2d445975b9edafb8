// What goes wrong inside a project and around the window: damaged files, hostile texts, clocks, screens, a second
// start.
#include <QPushButton>
#include <QScreen>
#include <QSignalSpy>

#include "jobs/evaluation_record.h"
#include "project/chat_file.h"
#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/recipe/recipe_page.h"
#include "ui/runs/run_folders.h"
#include "ui/runs/runs_page.h"
#include "ui/shell/banners.h"
#include "ui/shell/desktop.h"
#include "ui/shell/program.h"
#include "ui/shell/single_instance.h"
#include "ui/shell/system_report.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace fs = std::filesystem;

namespace {

constexpr const char* kHostile =
    "<img src=file:///etc/passwd><a href=\"javascript:x\">b</a> %1 %2 \u202Egnp.exe\u202C \u200B\x1b[31m "
    "\U0001F468\u200D\U0001F469 =cmd()";

project::Chat chatNamed(const std::string& id, const std::string& text) {
    project::Chat chat;
    chat.id = id;
    chat.created = chat.changed = "2026-03-01T10:15:00Z";
    chat.title = text;
    chat.draft = text;
    chat.settings.system = text;
    project::ChatNode prompt;
    prompt.prompt = text;
    const int asked = chat.add(-1, prompt);
    project::ChatNode answer;
    answer.answer = true;
    project::ChatReply reply;
    reply.label = text;
    reply.text =
        text + "\n```html\n" + text + "\n```\n![x](file:///etc/passwd) [y](javascript:z)\n" + std::string(20000, '[');
    reply.end = project::ChatEnd::ByItself;
    answer.replies = {reply};
    chat.add(asked, answer);
    return chat;
}

}  // namespace

class FaultsProjectTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    int number_ = 0;

    QString next(const char* name) { return QStringLiteral("%1-%2").arg(QLatin1String(name)).arg(++number_); }

    static fs::path recipeFile(const fs::path& folder, bool training) {
        const auto paths = project::projectPaths(folder);
        return training ? paths.trainingConfig() : paths.qloraConfig();
    }

  private Q_SLOTS:
    void aDamagedRecipeIsKeptAndTold_data() {
        QTest::addColumn<bool>("training");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<bool>("kept");
        QTest::newRow("yaml cut") << true << QByteArray("max_steps: 5\nlearning_rate: [1, ") << true;
        QTest::newRow("yaml binary") << true << QByteArray("\x00\xff\xfe\x01\x02", 5) << true;
        QTest::newRow("yaml bomb") << true << QByteArray("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n") << true;
        QTest::newRow("yaml deep") << true << QByteArray(200000, '[') << true;
        QTest::newRow("yaml huge") << true << QByteArray(3 << 20, 'a') << true;
        QTest::newRow("json cut") << false << QByteArray("{\"r\": 8, ") << true;
        QTest::newRow("json list") << false << QByteArray("[1, 2]") << true;
        QTest::newRow("wrong type") << true << QByteArray("max_steps: many\nlearning_rate: 1e-5\n") << true;
        QTest::newRow("octal") << true << QByteArray("max_steps: 010\n") << true;
        QTest::newRow("out of range") << false << QByteArray("{\"r\": -4}") << true;
        QTest::newRow("not a number") << true << QByteArray("learning_rate: .nan\n") << true;
    }
    void aDamagedRecipeIsKeptAndTold() {
        QFETCH(bool, training);
        QFETCH(QByteArray, bytes);
        const fs::path folder = makeProject(home_, next("recipe"));
        {
            Program p;  // writes both files
            p.window.openProject(pathText(folder));
        }
        const fs::path file = recipeFile(folder, training);
        QVERIFY(fs::exists(file));
        writeText(file, bytes.toStdString());
        Program p;
        p.window.openProject(pathText(folder));
        const auto banner = p.banner(QStringLiteral("recipe-load"));
        p.window.showPage(PageId::Recipe);
        p.window.grab();
        auto& page = p.page<RecipePage>(PageId::Recipe);
        if (banner) {
            expectTold(*banner, pathText(file.filename()));
            QVERIFY(readText(file.string() + ".broken") == bytes.toStdString());
        } else {
            // Read, but what it says cannot be used: the field says so and Start stays off.
            QVERIFY(!page.blocked().isEmpty());
        }
    }

    void unknownKeysOfARecipeAreNamedAndLeftOut() {
        const fs::path folder = makeProject(home_, next("unknown"));
        {
            Program p;
            p.window.openProject(pathText(folder));
        }
        const fs::path file = recipeFile(folder, true);
        writeText(file, readText(file) + "\nlearning_rat: 0.5\nfp17: true\n");
        Program p;
        p.window.openProject(pathText(folder));
        p.window.showPage(PageId::Recipe);
        QVERIFY(p.session.recipe().recipe().training.learning_rate != 0.5);
        const auto banner = p.banner(QStringLiteral("recipe-load"));
        QVERIFY(banner);
        expectTold(*banner, QStringLiteral("training_config.yaml"));
        p.window.grab();
    }

    void damagedChatsEvaluationsAndRunsAreToldAndKept() {
        const fs::path folder = makeProject(home_, next("damaged"));
        const auto paths = project::projectPaths(folder);
        QVERIFY(project::saveChat(paths.chats(), chatNamed("20260301-101500-0000000a", "Sound")));
        writeText(paths.chats() / "20260301-101500-0000000b.json", "{\"nodes\": [");
        writeText(paths.evaluations() / "20260301-run-4.json", "no json");
        makeRun(paths.runs(), {.name = "sound", .steps = 20, .total = 20, .eval_every = 10, .save_every = 10});
        makeRun(paths.runs(), {.name = "torn", .steps = 20, .total = 20, .eval_every = 10, .save_every = 10});
        writeText(paths.runs() / "torn" / "run.json", "{\"name\": \"to");
        makeRun(paths.runs(), {.name = "metrics", .steps = 20, .total = 20, .eval_every = 10, .save_every = 10});
        writeText(paths.runs() / "metrics" / "metrics.jsonl", "{\"step\":1,\n\0binary");
        Program p;
        p.window.openProject(pathText(folder));
        QVERIFY(p.waitForBanner(QStringLiteral("runs-unread")));
        expectTold(*p.banner(QStringLiteral("runs-unread")), QStringLiteral("1 run"));
        QVERIFY(p.banner(QStringLiteral("runs-unread"))->to_do.contains(QStringLiteral("torn")));
        p.lookAtAllPages();
        QVERIFY(p.waitForBanner(QStringLiteral("chats-unread")));
        expectTold(*p.banner(QStringLiteral("chats-unread")), QStringLiteral("1 chat"));
        QVERIFY(fs::exists(paths.chats() / "20260301-101500-0000000b.json.broken"));
        auto& evaluate = p.page<EvaluatePage>(PageId::Evaluate);
        QVERIFY(waitFor([&] { return !evaluate.presenter().unreadable().isEmpty(); }));
        QVERIFY(evaluate.presenter().unreadable().front().contains(QStringLiteral("20260301-run-4.json")));
        // The run whose log is damaged is chosen and says so.
        Q_EMIT p.session.go().showRun(pathText(paths.runs() / "metrics"));
        p.window.showPage(PageId::Runs);
        waitFor([&] { return p.session.files().idle(); });
        p.window.grab();
        QVERIFY(waitFor([&] {
            for (const QLabel* label : p.window.findChildren<QLabel*>())
                if (label->isVisible() && label->text().contains(QStringLiteral("metrics.jsonl"))) return true;
            return false;
        }));
        QVERIFY(readText(paths.evaluations() / "20260301-run-4.json") == "no json");
    }

    void textsOfStrangersAreOnlyText() {
        const fs::path folder = makeProject(home_, next("hostile"));
        const auto paths = project::projectPaths(folder);
        QVERIFY(project::saveChat(paths.chats(), chatNamed("20260301-101500-0000000a", kHostile)));
        makeRun(paths.runs(), {.name = "hostile", .steps = 6, .total = 6, .eval_every = 3, .save_every = 3});
        io::Json run = io::Json::parse(readText(paths.runs() / "hostile" / "run.json"));
        run["name"] = kHostile;
        run["failure"] = kHostile;
        run["state"] = "failed";
        writeText(paths.runs() / "hostile" / "run.json", run.dump());
        const fs::path file = path(home_.path()) / "<b>hostile\u202E</b>.jsonl";
        const io::Json message = kHostile;
        writeText(file, "{\"prompt\": " + message.dump() + ", \"response\": " + message.dump() +
                            "}\n{\"prompt\": " + message.dump() + "}\n" + std::string(300, '<') + "\n" +
                            "{\"prompt\": \"long\", \"response\": \"" + std::string(4 << 20, 'm') + "\"}\n");
        Program p;
        p.window.openProject(pathText(folder));
        p.window.importFiles({pathText(file)});
        auto& data = p.page<DataPage>(PageId::Data);
        QVERIFY(waitFor([&] { return !data.importTask().running() && !data.importTask().outcomes().empty(); }));
        QVERIFY(data.importTask().outcomes().back().report);
        p.window.grab();
        QVERIFY2(markup(p.window).isEmpty(), qPrintable(markup(p.window).join(QLatin1Char('\n'))));
        QVERIFY(data.escape());  // the report
        p.lookAtAllPages();
        QVERIFY2(markup(p.window).isEmpty(), qPrintable(markup(p.window).join(QLatin1Char('\n'))));
        // Lists do not make markup of a tip either.
        for (const auto* view : p.window.findChildren<QAbstractItemView*>())
            for (int row = 0; view->model() && row < std::min(view->model()->rowCount(), 5); ++row) {
                const QString tip = view->model()->index(row, 0).data(Qt::ToolTipRole).toString();
                QVERIFY2(!tip.contains(QLatin1String("<img")), qPrintable(tip));
            }
        // What the shell itself says of them.
        p.session.messages().fail(QStringLiteral("x"), {ErrorCode::Io, kHostile, kHostile});
        QCoreApplication::processEvents();
        QVERIFY2(markup(p.window).isEmpty(), qPrintable(markup(p.window).join(QLatin1Char('\n'))));
        QVERIFY(!p.window.windowTitle().contains(QChar(0x202E)));
        QVERIFY(reportOf(p.session.messages().shown().back()).contains(QStringLiteral("%1 %2")));
    }

    void clocksThatJumpChangeNoOrderAndNoFigure() {
        const fs::path folder = makeProject(home_, next("clock"));
        const auto paths = project::projectPaths(folder);
        for (const char* when : {"2999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "yesterday", ""}) {
            project::Chat chat = chatNamed(std::string("20260301-101500-0000000") + std::to_string(number_++), "Hm");
            chat.changed = chat.created = when;
            QVERIFY(project::saveChat(paths.chats(), chat));
            const fs::path run = makeRun(
                paths.runs(),
                {.name = "run-" + std::to_string(number_), .steps = 12, .total = 12, .eval_every = 4, .save_every = 4});
            io::Json json = io::Json::parse(readText(run / "run.json"));
            json["created"] = json["started"] = when;
            json["finished"] = "2001-01-01T00:00:00Z";  // before it began
            writeText(run / "run.json", json.dump());
        }
        Program p;
        p.window.openProject(pathText(folder));
        p.lookAtAllPages();
        QCOMPARE(p.session.runs().entries().size(), std::size_t{4});
        for (const QLabel* label : p.window.findChildren<QLabel*>()) {
            QVERIFY2(!label->text().contains(QLatin1String("-1 ")), qPrintable(label->text()));
            QVERIFY2(!label->text().contains(QStringLiteral("NaN"), Qt::CaseInsensitive) || label->text().size() > 80,
                     qPrintable(label->text()));
        }
    }

    void damagedSettingsAreToldAndKept_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("text") << QByteArray("this is no settings file\nat all\n");
        QTest::newRow("binary") << QByteArray(
            "\x7f"
            "ELF\x00\x01\n\xff\xfe\x00\n[[[",
            14);
    }
    void damagedSettingsAreToldAndKept() {
        QFETCH(QByteArray, bytes);
        const fs::path file = path(home_.path()) / "xdg_config_home" / "qlora-studio" / "qlora-studio.conf";
        const fs::path folder = makeProject(home_, next("settings"));
        writeText(file, bytes.toStdString());
        Program p;
        p.window.openFirst({pathText(folder)});
        QVERIFY(p.banner(QStringLiteral("settings")));
        expectTold(*p.banner(QStringLiteral("settings")), QStringLiteral("qlora-studio.conf"));
        QVERIFY(readText(file.string() + ".broken") == bytes.toStdString());
        QVERIFY(p.session.hasProject());
        p.settings.sync();
        fs::remove(file);
    }

    void settingsThatCannotBeWrittenAreTold() {
        const fs::path file = path(home_.path()) / "xdg_config_home" / "qlora-studio" / "qlora-studio.conf";
        fs::remove_all(file.parent_path());
        writeText(file.parent_path(), "in the way");
        const fs::path folder = makeProject(home_, next("unwritable"));
        {
            Program p;
            p.window.openFirst({pathText(folder)});
            QVERIFY(p.session.hasProject());
            QVERIFY(p.waitForBanner(QStringLiteral("settings")));
            expectTold(*p.banner(QStringLiteral("settings")), QStringLiteral("qlora-studio.conf"));
        }
        fs::remove(file.parent_path());
    }

    void theWindowComesBackOnAScreenThatIsThere() {
        QByteArray far;
        {
            Program p;
            p.window.setGeometry(90000, 90000, 900, 600);
            far = p.window.saveGeometry();
            p.settings.setLayout(QStringLiteral("window"), far);
        }
        const QByteArray broken[] = {far, QByteArray("rubbish"), far.left(20), QByteArray(66, '\xff')};
        for (const QByteArray& state : broken) {
            Settings settings;
            settings.setLayout(QStringLiteral("window"), state);
            Session session(settings, makeNullLogger());
            MainWindow window(session);
            window.show();
            QCoreApplication::processEvents();
            const QRect screen = window.screen()->availableGeometry();
            QVERIFY(screen.intersects(window.frameGeometry()));
            QVERIFY(window.width() >= 400 && window.height() >= 300);
        }
    }

    void twoWindowsOnOneProject() {
        const fs::path folder = makeProject(home_, next("shared"), 2);
        Program first;
        first.window.openProject(pathText(folder));
        Program second;
        second.window.openProject(pathText(folder));
        QVERIFY(!second.session.hasProject());
        QVERIFY(second.banner(QStringLiteral("open")));
        expectTold(*second.banner(QStringLiteral("open")), QStringLiteral("shared"));
        QVERIFY(first.session.recipe().set("max_steps", "9"));
        first.session.close();
        second.window.openProject(pathText(folder));
        QVERIFY(second.session.hasProject());
        QCOMPARE(second.session.recipe().recipe().training.max_steps, std::int64_t{9});
    }

    void aSecondStartHandsOverAndRaisesTheFirst() {
        const QString name = QStringLiteral("qlora-studio-test-%1").arg(QCoreApplication::applicationPid());
        SingleInstance first(name);
        QVERIFY(!first.handOver({QStringLiteral("/a")}));  // nobody is there
        first.listen();
        Program p;
        connect(&first, &SingleInstance::started, &p.window, [&p](const QStringList&) { p.window.raiseWindow(); });
        QSignalSpy started(&first, &SingleInstance::started);
        p.window.showMinimized();
        bool taken = false;
        std::thread other([&] {  // as the other process: it blocks while the first answers
            SingleInstance second(name);
            taken = second.handOver({QStringLiteral("/a b"), QStringLiteral("/ü%1\n")});
        });
        const bool heard = waitFor([&] { return started.count() == 1; }, 10000);
        other.join();
        QVERIFY(heard && taken);
        QCOMPARE(started[0][0].toStringList(), (QStringList{QStringLiteral("/a b"), QStringLiteral("/ü%1\n")}));
        QVERIFY(!p.window.isMinimized() && p.window.isVisible());
    }

    void whatIsLeftOfACrashedInstanceIsInNobodysWay() {
        const QString name = QStringLiteral("qlora-studio-dead-%1").arg(QCoreApplication::applicationPid());
        const fs::path socket = fs::temp_directory_path() / utf8(name);
        writeText(socket, "");
        SingleInstance next(name);
        QVERIFY(!next.handOver({}));
        next.listen();
        bool taken = false;
        std::thread other([&] { taken = SingleInstance(name).handOver({}); });
        QSignalSpy started(&next, &SingleInstance::started);
        const bool heard = waitFor([&] { return started.count() == 1; }, 10000);
        other.join();
        QVERIFY(heard && taken);
    }

    void withoutABusNothingIsHeldAndNothingFails() {
        SleepInhibitor inhibitor;
        inhibitor.set(true, QStringLiteral("A model is being trained"));
        waitFor([&] { return inhibitor.active(); }, 300);
        inhibitor.set(false);
        inhibitor.set(true);
        inhibitor.set(false);
        QVERIFY(!inhibitor.active());
        Notifier notifier;
        notifier.notify(QStringLiteral("<b>x</b>"), QStringLiteral("%1"), true);
        tellTaskBar(0.5);
        tellTaskBar(-1);
        QCoreApplication::processEvents();
    }
};

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/session");
    qputenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system");
    QApplication application(argc, argv);
    useTestFont();
    applyTheme(ThemeChoice::Light);
    FaultsProjectTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "faults_project_test.moc"
