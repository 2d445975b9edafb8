// SIGKILL at varied moments of editing, importing, training and chatting: the next start shows the project with at most
// the last edit lost, and the run as interrupted with Resume.
#include <QProcess>
#include <QPushButton>

#include "config/recipe_file.h"
#include "io/sha256.h"
#include "project/chat_file.h"
#include "project/run_folder.h"
#include "ui/shell/banners.h"
#include "ui/shell/kill_recipe.h"
#include "ui/shell/program.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace fs = std::filesystem;

class KillTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    int number_ = 0;
    std::string reference_;

    // The lines the driver told until it was killed: `after_ms` after the line that begins with `at`.
    QStringList killed(const QStringList& arguments, const QString& at, int after_ms) {
        QProcess driver;
        driver.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        driver.start(QStringLiteral(STUDIO_BINARY_DIR "/tests/ui_shell_kill_driver"), arguments);
        QStringList lines;
        const auto collect = [&] {
            while (driver.canReadLine()) lines << QString::fromUtf8(driver.readLine()).trimmed();
        };
        const bool reached = waitFor(
            [&] {
                collect();
                return driver.state() == QProcess::NotRunning ||
                       std::any_of(lines.begin(), lines.end(),
                                   [&](const QString& line) { return line.startsWith(at); });
            },
            30000);
        if (!reached) qWarning().noquote() << "never told" << at << lines;
        if (after_ms > 0) waitFor([] { return false; }, after_ms);
        driver.kill();
        driver.waitForFinished();
        collect();
        qInfo().noquote() << "    killed" << after_ms << "ms after" << at
                          << "· last told:" << lines.value(lines.size() - 1);
        return lines;
    }

    QString project(const char* kind, int trees) {
        return pathText(makeProject(home_, QStringLiteral("%1-%2").arg(QLatin1String(kind)).arg(++number_), trees));
    }

  private Q_SLOTS:
    void editing() {
        for (const int after : {5, 90, 160, 333, 480, 700}) {
            const QString folder = project("edit", 0);
            const QStringList told = killed({QStringLiteral("edit"), folder}, QStringLiteral("edit 1"), after);
            const int last = told.last().mid(5).toInt();
            Program p;
            p.window.openProject(folder);
            QVERIFY2(p.session.hasProject(), "the lock is held by nobody any more");
            QVERIFY(!p.banner(QStringLiteral("recipe-load")));
            const config::Recipe& recipe = p.session.recipe().recipe();
            // The last edit that was told is there, or the one before it; one may have been made and not told.
            const auto kept = std::max(recipe.training.max_steps, static_cast<std::int64_t>(recipe.qlora.lora_alpha));
            const auto steps = recipe.training.max_steps;
            QVERIFY2(steps >= last - 2 && steps <= last + 1,
                     qPrintable(QStringLiteral("%1 of %2, alpha %3").arg(steps).arg(last).arg(kept)));
            for (const auto& entry : fs::directory_iterator(p.session.paths().trainingConfig().parent_path()))
                QVERIFY2(entry.path().extension() != ".broken", entry.path().c_str());
            QVERIFY(p.session.recipe().set("max_steps", "500"));
        }
    }

    void importing() {
        const fs::path file = path(home_.path()) / "import.jsonl";
        QVERIFY(writeFirstTrees(file, -2));  // all of them
        std::int64_t all = 0;
        for (const int after : {-1, 0, 10, 20, 35, 55, 200}) {
            const QString folder = project("import", 3);
            const QStringList told =
                after < 0
                    ? killed({QStringLiteral("import"), folder, pathText(file)}, QStringLiteral("imported"), 0)
                    : killed({QStringLiteral("import"), folder, pathText(file)}, QStringLiteral("import "), after);
            Program p;
            p.window.openProject(folder);
            QVERIFY(p.session.hasProject());
            auto store = corpus::Store::openFile(p.session.paths().corpus());
            QVERIFY2(store, store ? "" : store.error().text().c_str());
            const auto sound = store->check({});
            QVERIFY2(sound, sound ? "" : sound.error().text().c_str());
            const std::int64_t trees = store->counts()->trees;
            if (after < 0) all = trees;
            QVERIFY2(trees == 3 || trees == all, qPrintable(QString::number(trees)));
            if (told.contains(QStringLiteral("imported"))) QCOMPARE(trees, all);
            // Once more, and it is whole.
            QVERIFY(corpus::importFile(*store, file, {}, {}));
            QCOMPARE(store->counts()->trees, all);
        }
        QVERIFY(all > 3);
    }

    void training() {
        if (!QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")))
            QSKIP("built without the engine");
        const auto hashOf = [](const fs::path& run) {
            return io::sha256File(run / "checkpoint-10" / "adapter_model.safetensors").value_or("missing");
        };
        {
            Program p;
            p.window.openProject(project("train", 12));
            bool ended = false;
            connect(&p.session.runs(), &RunService::ended, this, [&] { ended = true; });
            QVERIFY(p.session.runs().start(killRecipe(p.session), QStringLiteral("whole"),
                                           p.session.recipe().configFile()));
            QVERIFY(waitFor([&] { return ended; }, 60000));
            reference_ = hashOf(p.session.paths().runs() / "whole");
            QVERIFY(reference_ != "missing");
        }
        for (const auto& [at, after] : {std::pair{"started", 0},
                                        {"preparing", 300},
                                        {"step 0", 0},
                                        {"step 1", 0},
                                        {"step 3", 0},
                                        {"step 3", 25},
                                        {"step 7", 10},
                                        {"step 9", 30}}) {
            const QString folder = project("train", 12);
            const QStringList told = killed({QStringLiteral("train"), folder}, QLatin1String(at), after);
            Program p;
            p.window.openProject(folder);
            QVERIFY(p.session.hasProject());
            waitFor([&] { return p.session.files().idle(); });
            const fs::path run = p.session.paths().runs() / "killed";
            QCoreApplication::processEvents();
            if (!project::isRunFolder(run)) {  // it had not begun: there is nothing to resume, and nothing in the way
                QVERIFY(p.session.runs().entries().empty());
                continue;
            }
            QVERIFY(waitFor([&] { return !p.session.runs().entries().empty(); }));
            const project::RunState state = p.session.runs().entries()[0].info.state;
            if (state != project::RunState::Finished) {
                QCOMPARE(state, project::RunState::Interrupted);
                QVERIFY(p.waitForBanner(QStringLiteral("interrupted")));
                const Message banner = *p.banner(QStringLiteral("interrupted"));
                expectTold(banner, QStringLiteral("killed"));
                QCOMPARE(banner.action, QStringLiteral("Resume"));
                std::optional<RunEnd> end;
                connect(&p.session.runs(), &RunService::ended, this, [&](const RunEnd& e) { end = e; });
                // Through the button that stands there.
                QPushButton* resume = nullptr;
                QVERIFY(waitFor([&] {
                    for (auto* button : p.window.findChild<Banners*>()->findChildren<QPushButton*>())
                        if (button->text() == banner.action) resume = button;
                    return resume && resume->isVisible();
                }));
                resume->click();
                QVERIFY(p.session.runs().active());
                QVERIFY(waitFor([&] { return end.has_value(); }, 60000));
                QVERIFY2(end->summary, end->error ? end->error->text().c_str() : "");
            }
            QCOMPARE(hashOf(run), reference_);
        }
    }

    void chatting() {
        if (!QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")))
            QSKIP("built without the engine");
        for (const auto& [at, after] :
             {std::pair{"asked 1", 0}, {"asked 1", 400}, {"answer", 0}, {"answer", 1700}, {"answer", 3600}}) {
            const QString folder = project("chat", 3);
            const QStringList told = killed({QStringLiteral("chat"), folder}, QLatin1String(at), after);
            const auto chats = project::listChats(project::projectPaths(path(folder)).chats());
            QVERIFY2(chats.notes.empty(), chats.notes.empty() ? "" : chats.notes[0].c_str());
            qint64 end = 0;
            for (const QString& line : told) end = std::max(end, line.section(QLatin1Char(' '), -1).toLongLong());
            // What was told three seconds before the end is on the disk.
            for (const QString& line : told) {
                const QStringList words = line.split(QLatin1Char(' '));
                if (words.last().toLongLong() > end - 3000) continue;
                if (words[0] == QLatin1String("asked")) {
                    QCOMPARE(chats.chats.size(), std::size_t{1});
                    const auto& nodes = chats.chats[0].nodes;
                    const bool there = std::any_of(nodes.begin(), nodes.end(), [&](const project::ChatNode& n) {
                        return n.prompt == "Question " + utf8(words[1]);
                    });
                    QVERIFY2(there, qPrintable(line));
                }
                if (words[0] == QLatin1String("answer")) {
                    const auto& node = chats.chats.at(0).nodes.at(words[1].toULong());
                    QVERIFY2(node.replies.at(0).text.size() >= words[2].toULong(), qPrintable(line));
                }
            }
            // And what was being written reads as stopped.
            if (after >= 3000) QVERIFY(!chats.chats.empty());
            for (const project::Chat& chat : chats.chats)
                for (const project::ChatNode& node : chat.nodes)
                    for (const project::ChatReply& reply : node.replies)
                        QVERIFY(reply.end != project::ChatEnd::Growing);
            Program p;
            p.window.openProject(folder);
            QVERIFY(p.session.hasProject());
            p.lookAtAllPages();
            QVERIFY(!p.banner(QStringLiteral("chats-unread")));
        }
    }
};

STUDIO_WIDGET_TEST(KillTest)
#include "kill_test.moc"
