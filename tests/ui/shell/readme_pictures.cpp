#include "ui/shell/readme_pictures.h"

#include <QDir>
#include <QFile>
#include <QHash>

#include <algorithm>

#include "corpus/importer.h"
#include "corpus/store.h"
#include "jobs/evaluate_run.h"
#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/look/format.h"
#include "ui/models/models_page.h"
#include "ui/recipe/recipe_page.h"
#include "ui/runs/run_plots.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/shell/main_window.h"
#include "ui/support/fixture.h"

namespace studio::ui::testing {
namespace {

constexpr QSize kSize{1280, 800};
constexpr int kLong = 15 * 60 * 1000;  // ms; a run of the built-in model, an evaluation

QString q(const char* words) {
    return QString::fromUtf8(words);
}

// The 256 colours that are seen most.
QList<QRgb> paletteOf(const QImage& image) {
    QHash<QRgb, int> seen;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x) ++seen[image.pixel(x, y)];
    QList<QRgb> colours = seen.keys();
    std::sort(colours.begin(), colours.end(), [&](QRgb a, QRgb b) { return seen[a] > seen[b]; });
    return colours.mid(0, 256);
}

// In full colour, as small as PNG makes it: fewer colours would change the very palette that is shown.
bool keep(QWidget& window, const QString& name) {
    for (int i = 0; i < 6; ++i) QCoreApplication::processEvents();
    const QString folder = QStringLiteral(STUDIO_SOURCE_DIR "/docs/pictures");
    QDir().mkpath(folder);
    const QString file = folder + QLatin1Char('/') + name + QStringLiteral(".png");
    return window.grab().toImage().convertToFormat(QImage::Format_RGB32).save(file, "PNG", 0) &&
           QFile(file).size() <= 400'000;
}

struct Program {
    Settings settings;
    Session session{settings, makeNullLogger()};
    std::unique_ptr<MainWindow> window;

    template <class P>
    P& show(PageId id) {
        window->showPage(id);
        waitFor([&] { return session.files().idle() && session.queries().idle(); });
        return static_cast<P&>(window->page(id));
    }
};

bool train(Session& session, const char* name, const char* rate, const char* steps, QString* fault) {
    RecipeDocument& recipe = session.recipe();
    if (!recipe.usePreset(q("demo"))) return false;
    for (const auto& [key, value] : {std::pair{"learning_rate", rate},
                                     {"max_steps", steps},
                                     {"eval_strategy", "steps"},
                                     {"eval_steps", "30"},
                                     {"save_strategy", "steps"},
                                     {"save_steps", "60"},
                                     {"logging_steps", "5"},
                                     {"sample_prompts", "[\"What is the largest ocean in the world?\"]"}})
        if (const auto set = recipe.set(key, value); !set) {
            *fault = text(set.error().text());
            return false;
        }
    bool ended = false;
    const auto told = QObject::connect(&session.runs(), &RunService::ended, &session, [&](const RunEnd& end) {
        ended = true;
        if (end.error) *fault = text(end.error->text());
    });
    const auto started = session.runs().start(recipe.recipe(), q(name), {});
    if (!started) *fault = text(started.error().text());
    const bool done = started && waitFor([&] { return ended; }, kLong) && fault->isEmpty();
    QObject::disconnect(told);
    return done;
}

bool evaluate(Program& p, QString* fault) {
    auto& page = p.show<EvaluatePage>(PageId::Evaluate);
    if (!waitFor([&] { return page.presenter().listed(); })) return false;
    if (!page.presenter().kept().empty()) return true;
    jobs::EvaluateRunRequest request;
    request.run = p.session.paths().runs() / "demo-1";
    request.answers = 12;
    request.max_new_tokens = 96;
    page.presenter().run(request, q("demo-1"));
    const bool done = waitFor([&] { return !page.presenter().running() && !page.presenter().kept().empty(); }, kLong);
    if (!done) *fault = q("The evaluation did not end.");
    return done;
}

bool converse(Program& p, QString* fault) {
    auto& page = p.show<ChatPage>(PageId::Chat);
    if (!waitFor([&] { return page.presenter().model() != nullptr; })) return false;
    if (page.presenter().chat() && page.presenter().turns().size() >= 4) return true;
    Q_EMIT p.session.go().chatWith(pathText(p.session.paths().runs() / "demo-1"), {});
    if (!waitFor([&] { return page.presenter().chat() && page.presenter().canCompare(); })) return false;
    project::ChatSettings settings = page.presenter().settings();
    settings.compare = true;
    settings.temperature = 0.8;
    settings.repetition = 1.15;
    settings.max_new_tokens = 96;
    page.presenter().setSettings(settings);
    for (const char* prompt : {"How can I learn to cook?", "Write a short story about a dog."}) {
        page.presenter().send(q(prompt));
        if (!waitFor([&] { return page.presenter().answering(); })) return false;
        if (!waitFor([&] { return !page.presenter().answering(); }, kLong)) {
            *fault = q("The answer did not end.");
            return false;
        }
    }
    return true;
}

bool photographAll(Program& p, QString* fault) {
    QStringList large;
    const auto take = [&](const char* name) {
        if (!keep(*p.window, q(name))) large << q(name);
    };
    auto& data = p.show<DataPage>(PageId::Data);
    waitFor([&] { return data.listPane()->model()->rowCount() > 0 && !data.reader()->reading().empty(); });
    take("data");
    (void)p.session.recipe().usePreset(q("demo"));
    auto& recipe = p.show<RecipePage>(PageId::Recipe);
    waitFor([&] { return recipe.consequences().run() && !recipe.consequences().stale(); });
    recipe.consequences().measure();
    waitFor([&] { return recipe.consequences().seconds().has_value(); }, kLong);
    take("recipe");
    auto& runs = p.show<RunsPage>(PageId::Runs);
    waitFor([&] { return runs.presenter().listed(); });
    runs.presenter().select(p.session.paths().runs() / "demo-1");
    waitFor([&] { return runs.presenter().data() != nullptr; });
    take("runs");
    applyTheme(ThemeChoice::Dark);
    take("runs-dark");
    applyTheme(ThemeChoice::Light);
    auto& evaluation = p.show<EvaluatePage>(PageId::Evaluate);
    waitFor([&] { return evaluation.presenter().selected() != nullptr; });
    take("evaluate");
    auto& chat = p.show<ChatPage>(PageId::Chat);
    waitFor([&] { return !chat.statusRight().isEmpty(); });
    take("chat");
    auto& models = p.show<ModelsPage>(PageId::Models);
    waitFor([&] { return !models.searching() && !models.catalogue().bases.empty(); });
    take("models");
    if (!large.isEmpty()) *fault = q("over 150 kB: ") + large.join(QStringLiteral(", "));
    return large.isEmpty();
}

}  // namespace

bool makeReadmePictures(QString* fault) {
    // Folders are seen in the pictures: a home like anybody's.
    const QString home = qEnvironmentVariable("STUDIO_README_HOME", QStringLiteral(STUDIO_BINARY_DIR "/readme"));
    QDir().mkpath(home);
    for (const char* variable : {"HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
        qputenv(variable, home.toUtf8());
    qputenv("HF_HOME", "/home/you/.cache/huggingface");
    QFont font = QApplication::font();
    font.setPointSize(10);
    QApplication::setFont(font);
    Program p;
    const auto folder = path(home) / "oasst1-english";
    if (project::isProjectFolder(folder)) {
        if (!p.session.open(folder)) return false;
    } else {
        if (!p.session.create(folder, q("oasst1-english"))) return false;
        auto store = corpus::Store::openFile(p.session.paths().corpus());
        if (!store || !corpus::importFile(*store, Session::sampleFile(), {}, {})) return false;
        p.session.tellCorpusChanged();
        if (!train(p.session, "demo-1", "1e-3", "-1", fault) || !train(p.session, "demo-2", "3e-4", "50", fault))
            return false;
    }
    p.window = std::make_unique<MainWindow>(p.session);
    p.window->resize(kSize);
    p.window->show();
    return evaluate(p, fault) && converse(p, fault) && photographAll(p, fault);
}

}  // namespace studio::ui::testing
