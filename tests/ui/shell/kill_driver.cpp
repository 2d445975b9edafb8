// A process for kill_test to kill: the session and pages of the window on a project, doing one thing, telling each step
// on its standard output. KIND PROJECT [FILE]
#include <QApplication>
#include <QTimer>
#include <chrono>
#include <cstdio>

#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/shell/kill_recipe.h"
#include "ui/shell/main_window.h"

using namespace studio;
using namespace studio::ui;

namespace {

void tell(const QString& line) {
    std::puts(line.toUtf8().constData());
    std::fflush(stdout);
}

qint64 now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// An edit every so often, of the two files in turn.
void editFor(Session& session, QObject* owner) {
    auto* timer = new QTimer(owner);
    auto* n = new int(0);
    QObject::connect(timer, &QTimer::timeout, owner, [&session, n] {
        ++*n;
        (void)session.recipe().set(*n % 2 ? "max_steps" : "lora_alpha", std::to_string(*n));
        tell(QStringLiteral("edit %1").arg(*n));
    });
    timer->start(70);
}

void import(MainWindow& window, const QString& file) {
    auto& data = static_cast<DataPage&>(window.page(PageId::Data));
    QObject::connect(&data.importTask(), &ImportTask::changed, &window,
                     [&data] { tell(QStringLiteral("import %1").arg(data.importTask().progress().done)); });
    QObject::connect(&data.importTask(), &ImportTask::finished, &window, [] { tell(QStringLiteral("imported")); });
    window.importFiles({file});
}

void train(Session& session, QObject* owner) {
    RunService& runs = session.runs();
    QObject::connect(&runs, &RunService::stateChanged, owner, [&runs] {
        if (!runs.live()) return;
        tell(runs.stepping() || runs.live()->step > 0 ? QStringLiteral("step %1").arg(runs.live()->step)
                                                      : QStringLiteral("preparing ") + runs.live()->phase);
    });
    QObject::connect(&runs, &RunService::ended, owner, [](const RunEnd& end) {
        tell(end.error ? QStringLiteral("failed ") + QString::fromStdString(end.error->text())
                       : QStringLiteral("finished"));
    });
    const auto started =
        runs.start(testing::killRecipe(session), QStringLiteral("killed"), session.recipe().configFile());
    tell(started ? QStringLiteral("started") : QString::fromStdString(started.error().text()));
}

// Asks again and again; tells how long the answer is and when.
void chat(MainWindow& window) {
    window.showPage(PageId::Chat);
    ChatPresenter& presenter = static_cast<ChatPage&>(window.page(PageId::Chat)).presenter();
    auto* count = new int(0);
    auto* timer = new QTimer(&window);
    QObject::connect(timer, &QTimer::timeout, &window, [&presenter, count] {
        if (!presenter.model() || !presenter.chat() || presenter.answering()) return;
        project::ChatSettings s = presenter.settings();
        s.max_new_tokens = 900;
        s.temperature = 1.3;
        presenter.setSettings(s);
        ++*count;
        presenter.send(QStringLiteral("Question %1").arg(*count));
        tell(QStringLiteral("asked %1 %2").arg(*count).arg(now()));
    });
    timer->start(30);
    QObject::connect(&presenter, &ChatPresenter::turnChanged, &window, [&presenter](int node) {
        const project::ChatNode& n = presenter.chat()->nodes[static_cast<std::size_t>(node)];
        if (n.answer && !n.replies[0].text.empty())
            tell(QStringLiteral("answer %1 %2 %3").arg(node).arg(n.replies[0].text.size()).arg(now()));
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    QApplication application(argc, argv);
    applyTheme(ThemeChoice::Light);
    Settings settings;
    Session session(settings, makeNullLogger());
    MainWindow window(session);
    window.show();
    window.openProject(QString::fromLocal8Bit(argv[2]));
    if (!session.hasProject()) return 3;
    tell(QStringLiteral("open"));
    const QByteArray kind = argv[1];
    if (kind == "edit") editFor(session, &window);
    if (kind == "import") import(window, QString::fromLocal8Bit(argv[3]));
    if (kind == "train") train(session, &window);
    if (kind == "chat") chat(window);
    return QApplication::exec();
}
