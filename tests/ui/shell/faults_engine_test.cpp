// What goes wrong around the engine, as the window meets it: no library, a broken one, models, adapters and checkpoints
// that are gone or damaged, a disk that is full while training.
#include <sys/resource.h>

#include <QPushButton>
#include <QSignalSpy>
#include <csignal>

#include "jobs/places.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"
#include "ui/chat/chat_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/models/models_page.h"
#include "ui/runs/runs_page.h"
#include "ui/shell/kill_recipe.h"
#include "ui/shell/program.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace fs = std::filesystem;

class FaultsEngineTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    int number_ = 0;

    QString project(int trees = 12) {
        return pathText(makeProject(home_, QStringLiteral("engine-%1").arg(++number_), trees));
    }

    static std::optional<RunEnd> waitForEnd(Program& p, const std::function<Result<void>()>& begin) {
        std::optional<RunEnd> end;
        QObject context;
        connect(&p.session.runs(), &RunService::ended, &context, [&](const RunEnd& e) { end = e; });
        const auto begun = begin();
        if (!begun) {
            qWarning("%s", begun.error().text().c_str());
            return std::nullopt;
        }
        waitFor([&] { return end.has_value(); }, 60000);
        return end;
    }

    // The reply to a question asked on the Chat page.
    static project::ChatReply ask(Program& p) {
        p.window.showPage(PageId::Chat);
        ChatPresenter& chat = p.page<ChatPage>(PageId::Chat).presenter();
        chat.send(QStringLiteral("Who are you?"));
        waitFor([&] { return !chat.answering(); }, 60000);
        p.window.grab();
        return chat.chat()->nodes.back().replies.at(0);
    }

    static void useModel(Program& p, const project::ChatModel& model) {
        ChatPresenter& chat = p.page<ChatPage>(PageId::Chat).presenter();
        project::ChatSettings s = chat.settings();
        s.model = model;
        s.max_new_tokens = 8;
        chat.setSettings(s);
    }

    static void expectError(const std::string& error, const QString& names) {
        qInfo().noquote() << "   " << ui::text(error);
        QVERIFY2(ui::text(error).contains(names), error.c_str());
        QVERIFY2(ui::text(error).count(QLatin1Char('.')) >= 2, error.c_str());  // what happened, and what to do
    }

    static bool withEngine() { return QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")); }

  private Q_SLOTS:
    void cleanup() { qunsetenv("STUDIO_ENGINE"); }

    void withoutAnEngineTheRestWorks_data() {
        QTest::addColumn<QByteArray>("library");
        QTest::addColumn<QString>("names");
        const fs::path text = path(home_.path()) / "text.so";
        writeText(text, "no library");
        QTest::newRow("missing") << QByteArray("/nowhere/libstudio_engine.so") << QStringLiteral("/nowhere");
        QTest::newRow("broken") << QByteArray::fromStdString(text.string()) << QStringLiteral("text.so");
        QTest::newRow("another") << QByteArray("/lib/x86_64-linux-gnu/libm.so.6") << QStringLiteral("libm.so");
    }
    void withoutAnEngineTheRestWorks() {
        QFETCH(QByteArray, library);
        QFETCH(QString, names);
        if (library.startsWith("/lib/") && !QFile::exists(QString::fromLatin1(library))) QSKIP("no such library here");
        qputenv("STUDIO_ENGINE", library);
        Program p;
        p.window.openProject(project());
        p.lookAtAllPages();
        // Training: a banner, and the run's own page.
        const auto end = waitForEnd(p, [&] {
            return p.session.runs().start(killRecipe(p.session), QStringLiteral("no-engine"),
                                          p.session.recipe().configFile());
        });
        QVERIFY(end && end->error);
        QVERIFY(p.banner(QStringLiteral("run-ended")));
        expectTold(*p.banner(QStringLiteral("run-ended")), names);
        QVERIFY(!p.banner(QStringLiteral("run-ended"))->to_do.isEmpty());
        // Chatting.
        ChatPresenter& chat = p.page<ChatPage>(PageId::Chat).presenter();
        QVERIFY(waitFor([&] { return chat.model() && chat.chat(); }));
        const project::ChatReply reply = ask(p);
        QCOMPARE(reply.end, project::ChatEnd::Failed);
        expectError(reply.error, names);
        QVERIFY(waitFor([&] { return p.session.engine().busyWith().isEmpty(); }));
        p.lookAtAllPages();
    }

    void aModelThatIsGoneOrDamagedIsNamed() {
        if (!withEngine()) QSKIP("built without the engine");
        const fs::path model = path(home_.path()) / "my-model";
        fs::copy(jobs::builtInModels() / "model", model, fs::copy_options::recursive);
        Program p;
        p.settings.setModelFolders({pathText(model)});
        p.window.openProject(project(3));
        p.window.showPage(PageId::Chat);
        ChatPresenter& chat = p.page<ChatPage>(PageId::Chat).presenter();
        QVERIFY(waitFor([&] { return chat.model() && chat.chat(); }));
        project::ChatModel key;
        key.base = model.string();
        useModel(p, key);
        QVERIFY(chat.model());
        QCOMPARE(ask(p).error, std::string());
        p.session.engine().unload();
        const fs::path weights = model / "model.safetensors";
        const std::string bytes = readText(weights);
        writeText(weights, std::string_view(bytes).substr(0, bytes.size() / 2));
        expectError(ask(p).error, QStringLiteral("model.safetensors"));
        writeText(weights, bytes);
        fs::remove_all(model);
        expectError(ask(p).error, QStringLiteral("my-model"));
        const Result<void> started = p.session.recipe().set("model_name_or_path", model.string());
        QVERIFY(started);
        const auto end = waitForEnd(p, [&] {
            return p.session.runs().start(p.session.recipe().recipe(), QStringLiteral("gone"),
                                          p.session.recipe().configFile());
        });
        QVERIFY(end && end->error);
        expectTold(*p.banner(QStringLiteral("run-ended")), QStringLiteral("my-model"));
        p.page<ModelsPage>(PageId::Models).addFolder(pathText(model));
        QVERIFY(p.waitForBanner(QStringLiteral("model-folder")));
        expectTold(*p.banner(QStringLiteral("model-folder")), QStringLiteral("my-model"));
        p.lookAtAllPages();
    }

    void adaptersAndCheckpointsThatAreGoneOrDamaged() {
        if (!withEngine()) QSKIP("built without the engine");
        Program p;
        p.window.openProject(project());
        config::Recipe recipe = killRecipe(p.session);
        recipe.training.max_steps = 400;
        const auto end = waitForEnd(p, [&]() -> Result<void> {
            STUDIO_CHECK(p.session.runs().start(recipe, QStringLiteral("mine"), p.session.recipe().configFile()));
            waitFor([&] { return p.session.runs().live() && p.session.runs().live()->step >= 7; }, 60000);
            p.session.runs().stopAfterStep();
            return {};
        });
        QVERIFY(end && end->summary && end->summary->stopped);
        const fs::path run = p.session.paths().runs() / "mine";
        const auto newest = project::newestCheckpoint(run).newest;
        QVERIFY(newest);

        // A flipped bit in the newest: the one before is used, and said so.
        std::string adapter = readText(newest->folder / "adapter_model.safetensors");
        adapter[adapter.size() - 9] = static_cast<char>(adapter[adapter.size() - 9] ^ 4);
        writeText(newest->folder / "adapter_model.safetensors", adapter);
        QStringList notices;
        qint64 first = -1;
        connect(&p.session.runs(), &RunService::notice, this, [&](const QString& n) { notices << n; });
        connect(&p.session.runs(), &RunService::stateChanged, this, [&] {
            if (const auto& live = p.session.runs().live(); live && live->first_step > 0) first = live->first_step;
        });
        const auto resumed = waitForEnd(p, [&]() -> Result<void> {
            STUDIO_CHECK(p.session.runs().resume(run));
            waitFor([&] { return first > 0 || !p.session.runs().active(); }, 60000);
            p.session.runs().stopAfterStep();
            return {};
        });
        QVERIFY(resumed);
        QVERIFY(first > 0 && first < newest->step);
        qInfo().noquote() << "   " << notices;
        QVERIFY(notices.join(QLatin1Char(' ')).contains(pathText(newest->folder.filename())));

        // Chatting with the run after its folder went away.
        p.window.showPage(PageId::Chat);
        ChatPresenter& chat = p.page<ChatPage>(PageId::Chat).presenter();
        QVERIFY(waitFor([&] { return chat.model() && chat.chat(); }));
        project::ChatModel key;
        key.run = "mine";
        useModel(p, key);
        QVERIFY(waitFor([&] { return chat.model() != nullptr; }));
        for (const auto& found : project::listCheckpoints(run)) fs::remove_all(found.folder);
        expectError(ask(p).error, QStringLiteral("mine"));
        // Without a checkpoint it cannot go on either.
        first = -1;
        const auto without = waitForEnd(p, [&]() -> Result<void> {
            STUDIO_CHECK(p.session.runs().resume(run));
            waitFor([&] { return !p.session.runs().active() || p.session.runs().live()->step > 0; }, 60000);
            p.session.runs().stopAfterStep();
            return {};
        });
        QVERIFY(without);
        if (without->error && !without->error->cancelled())
            expectTold(*p.banner(QStringLiteral("run-ended")), QStringLiteral("mine"));
        else
            QCOMPARE(first, qint64{-1});  // begun again from its first step
        fs::remove_all(run);
        const auto gone = p.session.runs().resume(run);
        QVERIFY(!gone);
        expectError(gone.error().text(), QStringLiteral("mine"));
        p.lookAtAllPages();
    }

    void aFullDiskWhileTrainingAsks() {
        if (!withEngine()) QSKIP("built without the engine");
        std::signal(SIGXFSZ, SIG_IGN);
        Program p;
        p.window.openProject(project());
        p.window.showPage(PageId::Runs);
        config::Recipe recipe = killRecipe(p.session);
        recipe.training.max_steps = 9;
        rlimit before{};
        getrlimit(RLIMIT_FSIZE, &before);
        const auto end = waitForEnd(p, [&]() -> Result<void> {
            STUDIO_CHECK(p.session.runs().start(recipe, QStringLiteral("full"), p.session.recipe().configFile()));
            waitFor([&] { return p.session.runs().stepping(); }, 60000);
            const rlimit small{20000, before.rlim_max};  // metrics go on, a checkpoint does not fit
            setrlimit(RLIMIT_FSIZE, &small);
            waitFor([&] { return !p.session.runs().live() || !p.session.runs().live()->save_error.isEmpty(); }, 60000);
            const bool asked = p.session.runs().live() && !p.session.runs().live()->save_error.isEmpty();
            if (asked) {
                qInfo().noquote() << "   " << p.session.runs().live()->save_error;
                p.window.grab();
                // The page offers to try again.
                QStringList buttons;
                for (const auto* button : p.window.findChildren<QPushButton*>())
                    if (button->isVisible()) buttons << button->text();
                if (!buttons.join(QLatin1Char('|')).contains(QStringLiteral("again"), Qt::CaseInsensitive))
                    qWarning().noquote() << buttons;
            }
            setrlimit(RLIMIT_FSIZE, &before);
            if (!asked) return fail(ErrorCode::Internal, "Nobody was asked.", "");
            p.session.runs().retrySave();
            return {};
        });
        setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY(end);
        QVERIFY2(end->summary, end->error ? end->error->text().c_str() : "");
        QCOMPARE(end->summary->steps, std::int64_t{9});
        QVERIFY(project::verifyCheckpoint(p.session.paths().runs() / "full" / "checkpoint-9"));
    }
};

STUDIO_WIDGET_TEST(FaultsEngineTest)
#include "faults_engine_test.moc"
