// The journey through the window, by keyboard alone: new project, import, filter, train on the filter, pause, chat,
// resume, finish, evaluate, chat, quit, start again.
#include <QAction>
#include <QComboBox>
#include <QDialog>
#include <QFileDialog>
#include <QJsonDocument>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QTimer>

#include "io/sha256.h"
#include "project/run_folder.h"
#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluation_form.h"
#include "ui/look/format.h"
#include "ui/recipe/recipe_page.h"
#include "ui/session/run_service.h"
#include "ui/shell/main_window.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

constexpr const char* kFilter = "quality>=0.3";

// One start of the program: its session and its window.
struct Program {
    Settings settings;
    Session session{settings, makeNullLogger()};
    MainWindow window{session};

    Program() {
        window.resize(1280, 800);
        window.show();
        window.activateWindow();
        waitFor([this] { return window.isActiveWindow(); }, 5000);
    }
    template <class P>
    P& page(PageId id) {
        return static_cast<P&>(window.page(id));
    }
    void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        // No window manager gives the keyboard back when a dialog has closed.
        if (!QApplication::activeModalWidget() && !window.isActiveWindow()) {
            window.activateWindow();
            waitFor([this] { return window.isActiveWindow(); }, 2000);
        }
        QWidget* focus = QApplication::focusWidget();
        QTest::keyClick(focus ? focus : &window, key, modifiers);
        QCoreApplication::processEvents();
    }
    void type(const QString& text) { QTest::keyClicks(QApplication::focusWidget(), text); }
    // The next modal dialog gets these keys.
    static void inDialog(std::function<void(QDialog*)> act) {
        auto* timer = new QTimer(qApp);
        QObject::connect(timer, &QTimer::timeout, timer, [timer, act = std::move(act)] {
            auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget());
            if (!dialog || !dialog->isVisible()) return;
            if (!dialog->isActiveWindow()) return dialog->activateWindow();
            timer->stop();
            timer->deleteLater();
            act(dialog);
        });
        timer->start(20);
    }
    // A field of the recipe, found by its key and typed over.
    void setField(const QString& key, const QString& value) {
        press(Qt::Key_F, Qt::ControlModifier);
        type(key);
        press(Qt::Key_Return);
        if (auto* edit = qobject_cast<QLineEdit*>(QApplication::focusWidget())) edit->selectAll();
        type(value);
        press(Qt::Key_Tab);
    }
};

struct Shown {
    QString subject;
    QJsonObject state;
};

}  // namespace

class JourneyTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    QString project_;
    QString file_;

    static Shown shown(Program& p, PageId id) { return {p.window.page(id).subject(), p.window.page(id).saveState()}; }

  private Q_SLOTS:
    void initTestCase() {
        file_ = home_.path() + QStringLiteral("/conversations.jsonl");
        QVERIFY(writeFirstTrees(path(file_), 24));
        project_ = home_.path() + QStringLiteral("/mine");
    }

    void fromNothingToAnAdapterAndBack() {
        std::map<PageId, Shown> before;
        QString run_folder, adapter_hash;
        {
            Program p;
            RunService& runs = p.session.runs();
            // A new project.
            Program::inDialog([this](QDialog* dialog) {
                QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("Mine"));
                QTest::keyClick(dialog, Qt::Key_F, Qt::AltModifier);
                auto* folder = qobject_cast<QLineEdit*>(QApplication::focusWidget());
                QVERIFY(folder);
                folder->selectAll();
                QTest::keyClicks(folder, project_);
                QTest::keyClick(folder, Qt::Key_Return);
            });
            p.press(Qt::Key_N, Qt::ControlModifier | Qt::ShiftModifier);
            QVERIFY(waitFor([&] { return p.session.hasProject(); }));
            QCOMPARE(p.session.title(), QStringLiteral("Mine"));

            // Its conversations.
            Program::inDialog([this](QDialog* dialog) {
                auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"));
                QVERIFY(name);
                name->setCompleter(nullptr);  // its list would take the Return key
                name->selectAll();
                QTest::keyClicks(name, file_);
                QCOMPARE(name->text(), file_);
                QTest::keyClick(name, Qt::Key_Return);
            });
            p.press(Qt::Key_I, Qt::ControlModifier);
            auto& data = p.page<DataPage>(PageId::Data);
            QVERIFY2(
                waitFor([&] { return data.status().contains(QStringLiteral("24")); }),
                qPrintable(QStringLiteral("%1 %2").arg(
                    data.status(),
                    QApplication::activeModalWidget() ? QApplication::activeModalWidget()->windowTitle() : QString())));
            p.press(Qt::Key_Escape);  // the report

            // Narrowed, and handed over.
            p.press(Qt::Key_F, Qt::ControlModifier);
            p.type(QLatin1String(kFilter));
            QVERIFY(waitFor([&] {
                const auto listing = data.library().listing();
                return listing && listing->filter == QLatin1String(kFilter);
            }));
            p.press(Qt::Key_T, Qt::ControlModifier);
            QCOMPARE(p.window.current(), PageId::Recipe);
            QCOMPARE(ui::text(p.session.recipe().recipe().training.filter), QLatin1String(kFilter));

            // A short recipe.
            for (const auto& [key, value] :
                 {std::pair{"max_steps", "10"}, std::pair{"max_seq_length", "96"}, std::pair{"save_steps", "5"},
                  std::pair{"per_device_train_batch_size", "1"}, std::pair{"threads", "1"}})
                p.setField(QLatin1String(key), QLatin1String(value));
            const auto& training = p.session.recipe().recipe().training;
            QCOMPARE(training.max_steps, std::int64_t{10});
            QCOMPARE(training.max_seq_length, std::optional<std::int64_t>(96));
            QCOMPARE(training.threads, std::int64_t{1});
            auto& recipe_page = p.page<RecipePage>(PageId::Recipe);
            QVERIFY(waitFor([&] { return recipe_page.blocked().isEmpty(); }));

            // Start, pause, chat with the live adapter, resume, finish.
            QString ended;
            std::optional<jobs::TrainSummary> summary;
            connect(&runs, &RunService::ended, this, [&](const RunEnd& end) {
                ended = end.folder;
                summary = end.summary;
            });
            p.press(Qt::Key_R, Qt::ControlModifier);
            QVERIFY(waitFor([&] { return runs.active() || !ended.isEmpty(); }));
            QCOMPARE(p.window.current(), PageId::Runs);
            QVERIFY(waitFor([&] { return runs.stepping(); }, 120000));
            p.press(Qt::Key_Period, Qt::ControlModifier);
            QVERIFY(waitFor([&] { return runs.live()->state == project::RunState::Paused; }, 60000));
            ask(p, QStringLiteral("What is the sky?"), true);
            p.press(Qt::Key_Period, Qt::ControlModifier | Qt::ShiftModifier);
            QVERIFY(waitFor([&] { return !ended.isEmpty(); }, 240000));
            QVERIFY(summary.has_value());
            QCOMPARE(summary->steps, std::int64_t{10});
            run_folder = ended;

            // Evaluate.
            p.press(Qt::Key_4, Qt::ControlModifier);
            p.press(Qt::Key_N, Qt::ControlModifier);
            auto& evaluate = p.page<EvaluatePage>(PageId::Evaluate);
            QVERIFY(startEvaluation(p, evaluate));
            QVERIFY(waitFor([&] { return !std::filesystem::is_empty(p.session.paths().evaluations()); }, 240000));

            // Chat with what came out.
            ask(p, QStringLiteral("Who are you?"), false);
            adapter_hash = ui::text(hashOf(path(run_folder) / "checkpoint-10"));

            for (int i = 0; i < 6; ++i) {
                p.press(static_cast<Qt::Key>(Qt::Key_1 + i), Qt::ControlModifier);
                waitFor([&] { return p.session.engine().busyWith().isEmpty(); });
            }
            p.press(Qt::Key_3, Qt::ControlModifier);
            settle();
            for (int i = 0; i < 6; ++i) before[static_cast<PageId>(i)] = shown(p, static_cast<PageId>(i));
            p.press(Qt::Key_Q, Qt::ControlModifier);
            QVERIFY(waitFor([&] { return !p.window.isVisible(); }));
        }
        {
            Program p;
            p.window.openProject(p.settings.recentProjects().value(0));
            QVERIFY(p.session.hasProject());
            QCOMPARE(p.window.current(), PageId::Runs);
            for (int i = 0; i < 6; ++i) p.press(static_cast<Qt::Key>(Qt::Key_1 + i), Qt::ControlModifier);
            for (int i = 0; i < 6; ++i) {
                const auto id = static_cast<PageId>(i);
                const bool same = waitFor([&] {
                    const Shown now = shown(p, id);
                    return now.subject == before[id].subject && now.state == before[id].state;
                });
                QVERIFY2(same, qPrintable(QStringLiteral("page %1: %2 / %3, was %4 / %5")
                                              .arg(QString::number(i), shown(p, id).subject,
                                                   QString::fromUtf8(QJsonDocument(shown(p, id).state).toJson()),
                                                   before[id].subject,
                                                   QString::fromUtf8(QJsonDocument(before[id].state).toJson()))));
            }
            QCOMPARE(p.page<DataPage>(PageId::Data).filter(), QLatin1String(kFilter));
        }

        // The recipe that the window saved gives the same adapter on the command line.
        QProcess train;
        const QString out = home_.path() + QStringLiteral("/again");
        train.start(QStringLiteral(STUDIO_BINARY_DIR "/bin/qlora-studio"),
                    {QStringLiteral("train"), QStringLiteral("--config"),
                     project_ + QStringLiteral("/recipe/training_config.yaml"), QStringLiteral("--qlora_config"),
                     project_ + QStringLiteral("/recipe/qlora_config.json"), QStringLiteral("--output_dir"), out});
        QVERIFY(train.waitForFinished(240000));
        QVERIFY2(train.exitCode() == 0, train.readAllStandardError().constData());
        QCOMPARE(ui::text(hashOf(path(out) / "checkpoint-10")), adapter_hash);
    }

  private:
    static std::string hashOf(const std::filesystem::path& checkpoint) {
        return io::sha256File(checkpoint / "adapter_model.safetensors").value_or("missing");
    }

    static void settle() {
        waitFor([] { return false; }, 500);
    }

    // A prompt in a new chat; waits for the whole answer.
    void ask(Program& p, const QString& prompt, bool live) {
        p.press(Qt::Key_5, Qt::ControlModifier);
        auto& chat = p.page<ChatPage>(PageId::Chat);
        if (!live) p.press(Qt::Key_N, Qt::ControlModifier);
        QPlainTextEdit* composer = nullptr;
        for (auto* edit : chat.findChildren<QPlainTextEdit*>())
            if (edit->accessibleName() == QLatin1String("Message")) composer = edit;
        QVERIFY(composer);
        for (int i = 0; i < 40 && !composer->hasFocus(); ++i) p.press(Qt::Key_Tab);
        QVERIFY(composer->hasFocus());
        p.type(prompt);
        QVERIFY(waitFor([&] {
            const auto buttons = chat.findChildren<QPushButton*>();
            return std::any_of(buttons.begin(), buttons.end(), [](const QPushButton* b) {
                return b->text() == QLatin1String("Send") && b->isVisible() && b->isEnabled();
            });
        }));
        p.press(Qt::Key_Return, Qt::ControlModifier);
        const auto answered = [&] {
            const project::Chat* shown = chat.presenter().chat();
            if (!shown || chat.presenter().answering() || shown->nodes.size() < 2) return false;
            const project::ChatNode& last = shown->nodes.back();
            return last.answer && !last.replies.empty() && last.replies[0].end != project::ChatEnd::Growing;
        };
        QVERIFY2(waitFor(answered, 120000), qPrintable(composer->toPlainText()));
        const project::ChatNode& last = chat.presenter().chat()->nodes.back();
        QCOMPARE(ui::text(chat.presenter().chat()->nodes[static_cast<std::size_t>(last.parent)].prompt), prompt);
        QCOMPARE(ui::text(last.replies[0].error), QString());
        QVERIFY(last.replies[0].new_tokens > 0);
    }

    static bool startEvaluation(Program& p, EvaluatePage& page) {
        auto* form = page.findChild<EvaluationForm*>();
        if (!form) return false;
        QPushButton* start = form->startButton();
        if (!waitFor([&] { return start->isVisible() && start->isEnabled(); })) return false;
        for (int i = 0; i < 40 && !start->hasFocus(); ++i) p.press(Qt::Key_Tab);
        p.press(Qt::Key_Space);
        return start->hasFocus() || !start->isVisible();
    }
};

STUDIO_WIDGET_TEST(JourneyTest)
#include "journey_test.moc"
