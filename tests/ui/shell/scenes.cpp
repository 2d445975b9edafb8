#include "ui/shell/scenes.h"

#include <QAbstractButton>
#include <QAction>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <cmath>

#include "jobs/evaluate_run.h"
#include "jobs/model_search.h"
#include "project/chat_file.h"
#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluation_form.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/look/format.h"
#include "ui/models/models_page.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/recipe_page.h"
#include "ui/runs/run_folders.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/widgets/basics.h"

namespace studio::ui::testing {
namespace {

using project::RunState;

QString q(const char* words) {
    return QString::fromUtf8(words);
}

void write(const QString& name, const QByteArray& bytes) {
    QFile file(name);
    if (!file.open(QIODevice::WriteOnly)) qFatal("%s", qPrintable(file.errorString()));
    file.write(bytes);
}

void someRuns(Stage& stage) {
    makeRun(stage.runs(), {.name = "guanaco-r64", .rate = 1e-4, .r = 64, .final_loss = 1.59});
    makeRun(stage.runs(),
            {.name = "lr-4e-4", .state = RunState::Stopped, .steps = 210, .rate = 4e-4, .final_loss = 1.68});
    makeRun(stage.runs(), {.name = "notebook",
                           .state = RunState::Failed,
                           .steps = 88,
                           .eval_every = 0,
                           .save_every = 0,
                           .failure = "The loss was not finite in 20 steps in a row. Lower learning_rate, or raise "
                                      "warmup_steps.",
                           .rate = 1e-3,
                           .final_loss = 2.2});
}

bool showRun(Stage& stage, const std::filesystem::path& folder) {
    auto& runs = stage.page<RunsPage>(PageId::Runs).presenter();
    const std::size_t count = entriesOf(stage.runs()).size();
    if (!waitFor([&] { return runs.listed() && runs.runs().size() == count; })) return false;
    runs.select(folder);
    return waitFor([&] { return runs.data() || !runs.readError().isEmpty(); });
}

LiveRun live(const std::filesystem::path& folder, RunState state, int step, int total) {
    LiveRun run;
    run.name = q("studio-r16");
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
    run.device = q("8 × AMD EPYC");
    return run;
}

// The run at work in `state`; the engine has no part in it.
Scene runAtWork(const char* name, RunState state, QStringList shows, const QString& save_error = {}) {
    return {q(name), PageId::Runs, 4, std::move(shows), someRuns, [state, save_error](Stage& stage) {
                const bool preparing = state == RunState::Preparing;
                const auto folder = makeRun(
                    stage.runs(),
                    {.state = RunState::Running, .steps = preparing ? 0 : 420, .total = 1500, .samples = !preparing});
                stage.session().runs().refresh();
                if (!showRun(stage, folder)) return false;
                LiveRun run = live(folder, state, preparing ? 0 : 420, 1500);
                if (preparing) {
                    run.phase = q("Loading weights");
                    run.done = 3'100'000'000;
                    run.total_units = 5'560'000'000;
                    run.checkpoint_step = -1;
                    run.seconds_left.reset();
                }
                run.save_error = save_error;
                stage.page<RunsPage>(PageId::Runs).presenter().setLive(run);
                return true;
            }};
}

Scene keptRun(const char* name, RunOptions options, QStringList shows) {
    return {q(name),
            PageId::Runs,
            4,
            std::move(shows),
            [options](Stage& stage) {
                someRuns(stage);
                makeRun(stage.runs(), options);
            },
            [options](Stage& stage) { return showRun(stage, stage.runs() / options.name); }};
}

jobs::EvaluationRecord evaluation(const std::filesystem::path& run) {
    const char* prompts[] = {"Why do we need AI assistants?", "Who made Berlin",
                             "What do Wyoming statutes have to say about the ownership of a dog?",
                             "How would you explain recursion to a child?"};
    constexpr double kGain = 0.1421;
    jobs::EvaluationRecord r;
    r.run_name = "studio-r16";
    r.run = run;
    r.checkpoint = run / "checkpoint-400";
    r.step = 400;
    r.base_name = "phi-2";
    r.time = "2026-11-24T14:02:11Z";
    r.seconds = 9.1;
    r.device = "8 × AMD EPYC";
    r.template_name = "openassistant";
    r.data = {"oasst1-en.jsonl.gz"};
    r.trees = 443;
    r.tokens = 49837;
    r.base = jobs::SideResult{1.7442, 0.02, std::exp(1.7442)};
    r.model = {1.7442 - kGain, 0.02, std::exp(1.7442 - kGain)};
    r.difference = jobs::Difference{{-kGain, 0.01, -kGain - 0.02, -kGain + 0.02}, {-0.13, 0.01, -0.15, -0.11}};
    for (int i = 0; i < 36; ++i) {
        jobs::EvaluatedConversation c;
        c.last_message_id = "message-" + std::to_string(i);
        c.prompt = prompts[i % 4];
        c.tokens = 40 + 37 * i % 700;
        c.base = 3.1 - 0.04 * i;
        c.loss = *c.base - kGain * 6 * std::cos(i * 0.09) + 0.05;
        r.each.push_back(c);
    }
    jobs::AnswerStatistics answers;
    answers.base.emplace();
    for (int i = 0; i < 4; ++i) {
        answers.request.prompts.push_back(prompts[i]);
        answers.model.text.push_back("The largest ocean in the world is the Pacific Ocean.");
        answers.model.end.push_back("stopped by itself");
        answers.model.tokens.push_back(41);
        answers.base->text.push_back("The Pacific Ocean.\nExercise 2:\nWhat is the smallest ocean in the world?");
        answers.base->end.push_back("cut at 128 tokens");
        answers.base->tokens.push_back(128);
    }
    answers.model.by_itself = 4;
    answers.base->by_itself = 0;
    answers.model.share = jobs::shareOf(4, 4);
    answers.base->share = jobs::shareOf(0, 4);
    answers.model.mean_tokens = 41;
    answers.base->mean_tokens = 128;
    r.answers = answers;
    return r;
}

void keepEvaluation(Stage& stage) {
    const auto run = makeRun(stage.runs(), {});
    const auto saved = jobs::saveEvaluation(*io::realFileOps(), stage.session().paths().evaluations(), evaluation(run));
    if (!saved) qFatal("%s", saved.error().text().c_str());
}

bool evaluationListed(Stage& stage) {
    auto& page = stage.page<EvaluatePage>(PageId::Evaluate);
    return waitFor([&] { return page.presenter().listed(); });
}

project::Chat chat(const std::string& answer, bool compare, const std::string& error = {}) {
    project::Chat chat;
    chat.id = "20260301-101500-0000000a";
    chat.created = chat.changed = "2026-03-01T10:15:00Z";
    chat.settings.compare = compare;
    chat.settings.model.base = (jobs::builtInModels() / "model").string();
    project::ChatNode prompt;
    prompt.prompt = "What are some words to express love and affection in Tolkien’s Quenya?";
    const int asked = chat.add(-1, prompt);
    project::ChatNode node;
    node.answer = true;
    for (const bool base : {false, true}) {
        if (base && !compare) break;
        project::ChatReply reply;
        reply.label = base ? "phi-2, base" : "studio-r16 @ 420";
        reply.base = base;
        reply.text = answer;
        reply.error = error;
        reply.end = !error.empty() ? project::ChatEnd::Failed
                    : base         ? project::ChatEnd::MaxTokens
                                   : project::ChatEnd::ByItself;
        reply.new_tokens = error.empty() ? 96 : 0;
        reply.seconds = 0.106;
        node.replies.push_back(reply);
    }
    chat.add(asked, node);
    return chat;
}

Scene keptChat(const char* name, const project::Chat& chat, QStringList shows) {
    return {q(name),
            PageId::Chat,
            4,
            std::move(shows),
            [chat](Stage& stage) {
                if (!project::saveChat(stage.session().paths().chats(), chat)) qFatal("The chat could not be saved.");
            },
            [](Stage& stage) {
                auto& page = stage.page<ChatPage>(PageId::Chat);
                return waitFor([&] { return page.presenter().chat() != nullptr; });
            }};
}

bool filtered(Stage& stage, const char* filter, bool right = true) {
    auto& page = stage.page<DataPage>(PageId::Data);
    bool settled = false;
    const auto told = QObject::connect(&page, &DataPage::settled, &page, [&] { settled = true; });
    page.setFilter(q(filter));
    const bool done = !right || waitFor([&] { return settled; });
    QObject::disconnect(told);
    return done;
}

bool imported(Stage& stage, const QString& name, const QByteArray& bytes) {
    const QString file = stage.bench.folder() + QLatin1Char('/') + name;
    if (!bytes.isNull()) write(file, bytes);
    auto& page = stage.page<DataPage>(PageId::Data);
    page.importFiles({file});
    return waitFor([&] { return !page.importTask().running(); });
}

Scene dataScene(const char* name, int sample, QStringList shows, std::function<bool(Stage&)> arrange = {}) {
    return {q(name), PageId::Data, sample, std::move(shows), {}, std::move(arrange)};
}

bool recipeReady(Stage& stage) {
    auto& page = stage.page<RecipePage>(PageId::Recipe);
    return waitFor([&] { return page.consequences().preview() && !page.consequences().stale(); });
}

void addData(std::vector<Scene>& all) {
    all.push_back({q("no-project"), PageId::Data, 0, {q("No project is open")}, {}, [](Stage& stage) {
                       stage.session().close();
                       return true;
                   }});
    all.push_back(dataScene("data-empty", 0, {q("Import")}));
    all.push_back(dataScene("data-list", -1, {q("137 conversations")}));
    all.push_back(dataScene("data-no-match", 12, {q("No ")}, [](Stage& s) { return filtered(s, "zzzzqqq"); }));
    all.push_back(dataScene("data-filter-error", 12, {q("qualty")},
                            [](Stage& s) { return filtered(s, "lang:en qualty>=0.5", false); }));
    all.push_back(dataScene("data-report", 12, {q("2 rejected lines")}, [](Stage& s) {
        return imported(s, q("mixed.jsonl"),
                        "{\"message_id\":\"1\",\"parent_id\":null,\"text\":\"Hello\",\"role\":\"prompter\",\"lang\":"
                        "\"en\"}\nnot json\n{\"message_id\":\"3\",\"parent_id\":\"gone\",\"text\":\"Lost\",\"role\":"
                        "\"assistant\",\"lang\":\"en\"}\n");
    }));
    all.push_back(dataScene("data-file-gone", 12, {}, [](Stage& s) { return imported(s, q("gone.jsonl"), {}); }));
    all.push_back(dataScene("data-long-text", 0, {}, [](Stage& s) {
        QByteArray huge;
        for (int i = 0; i < 3000; ++i) huge += "word ";
        const bool done = imported(s, q("long.jsonl"),
                                   "{\"messages\":[{\"role\":\"user\",\"content\":\"<b>bold</b> %1 %2 "
                                   "averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword\"},{"
                                   "\"role\":\"assistant\",\"content\":\"" +
                                       huge + "\"}]}\n");
        s.page<DataPage>(PageId::Data).escape();
        return done;
    }));
    all.push_back(dataScene("data-proof", 8, {}, [](Stage& s) {
        auto* reader = s.page<DataPage>(PageId::Data).reader();
        reader->setProof(true);
        return waitFor([reader] { return reader->proof()->sheet() != nullptr; });
    }));
}

void addRecipe(std::vector<Scene>& all) {
    all.push_back({q("recipe-fresh"), PageId::Recipe, -1, {}, {}, recipeReady});
    all.push_back({q("recipe-changes"), PageId::Recipe, -1, {}, {}, [](Stage& s) {
                       RecipeDocument& recipe = s.session().recipe();
                       return recipe.set("learning_rate", "2e-4") && recipe.set("filter", "quality>=0.3") &&
                              recipeReady(s);
                   }});
    all.push_back({q("recipe-error"), PageId::Recipe, 12, {}, {}, [](Stage& s) {
                       auto& page = s.page<RecipePage>(PageId::Recipe);
                       auto* rate = qobject_cast<QLineEdit*>(page.form()->row("learning_rate")->control()->entry());
                       rate->setText({});
                       QTest::keyClicks(rate, q("-3"));
                       return recipeReady(s);
                   }});
    all.push_back({q("recipe-model-missing"), PageId::Recipe, 12, {q("phi-nowhere")}, {}, [](Stage& s) {
                       return s.session().recipe().set("model_name_or_path", "microsoft/phi-nowhere") && recipeReady(s);
                   }});
    all.push_back({q("recipe-no-conversations"), PageId::Recipe, 0, {}, {}, recipeReady});
    all.push_back({q("recipe-text"), PageId::Recipe, 4, {}, {}, [](Stage& s) {
                       s.window->page(PageId::Recipe).restoreState({{q("text"), true}});
                       return recipeReady(s);
                   }});
}

void addRuns(std::vector<Scene>& all) {
    all.push_back({q("runs-empty"), PageId::Runs, 4, {q("Open Recipe")}});
    all.push_back(runAtWork("runs-preparing", RunState::Preparing, {q("Loading weights")}));
    all.push_back(runAtWork("runs-running", RunState::Running, {}));
    all.push_back(runAtWork("runs-paused", RunState::Paused, {q("Paused after step 420 of 1,500.")}));
    all.push_back(runAtWork("runs-stopping", RunState::Stopping, {q("Stopping after this step…")}));
    all.push_back(runAtWork("runs-disk-full", RunState::Running, {q("No space left on the disk")},
                            q("No space left on the disk that holds runs/studio-r16.")));
    all.push_back({q("runs-failed"), PageId::Runs, 4, {q("The loss was not finite")}, someRuns, [](Stage& s) {
                       return showRun(s, s.runs() / "notebook");
                   }});
    all.push_back(keptRun("runs-finished", {}, {q("Validation loss 3.0400 →")}));
    all.push_back(keptRun("runs-interrupted", {.state = RunState::Interrupted, .steps = 315, .total = 1500},
                          {q("Resume goes on from the checkpoint of step 300."), q("was interrupted at step")}));
    all.push_back(
        keptRun("runs-long-name",
                {.name = "a-run-with-a-name-that-goes-on-and-on-beyond-every-column-of-every-list-there-is",
                 .filter = "lang = en and rank = 0 and (text contains \"recursion\" or label.quality >= 0.6)"},
                {}));
    all.push_back({q("runs-table"), PageId::Runs, 4, {}, someRuns, [](Stage& s) {
                       s.page<RunsPage>(PageId::Runs).showTable(true);
                       return true;
                   }});
}

void addEvaluateChatModels(std::vector<Scene>& all) {
    all.push_back({q("evaluate-empty"), PageId::Evaluate, 4, {}, {}, evaluationListed});
    all.push_back({q("evaluate-result"), PageId::Evaluate, 4, {}, keepEvaluation, evaluationListed});
    all.push_back({q("evaluate-base-gone"),
                   PageId::Evaluate,
                   4,
                   {q("no longer at")},
                   [](Stage& s) { makeRun(s.runs(), {}); },
                   [](Stage& s) {
                       auto& page = s.page<EvaluatePage>(PageId::Evaluate);
                       s.session().runs().refresh();
                       if (!waitFor([&] { return s.session().runs().entries().size() == 1; })) return false;
                       page.showForm(s.runs() / "studio-r16", s.runs() / "studio-r16" / "checkpoint-300");
                       return waitFor([&] { return page.form().sentence().contains(q("no longer at")); });
                   }});
    all.push_back({q("evaluate-running"), PageId::Evaluate, 4, {}, keepEvaluation, [](Stage& s) {
                       if (!evaluationListed(s)) return false;
                       auto& presenter = s.page<EvaluatePage>(PageId::Evaluate).presenter();
                       jobs::EvaluateRunRequest request;
                       request.run = s.runs() / "nowhere";
                       presenter.run(request, q("studio-r16 @ 400"));
                       presenter.progress({"Loading weights", 5'560'000'000, 5'560'000'000, "bytes"});
                       presenter.progress({"Loss with the adapter", 18210, 49837, "tokens"});
                       return true;
                   }});
    all.push_back({q("chat-empty"), PageId::Chat, 40, {q("Message")}, {}, [](Stage& s) {
                       auto& page = s.page<ChatPage>(PageId::Chat);
                       return waitFor([&] {
                           for (auto* card : page.findChildren<PromptCard*>())
                               if (card->isVisible()) return true;
                           return false;
                       });
                   }});
    const std::string words =
        "Quenya has several words for love. **Melmë** means love in general.\n\n- *melmë*: love\n- *melda*: "
        "beloved\n\n```python\ndef twice(x):\n    return 2 * x\n```\n";
    all.push_back(keptChat("chat-compare", chat(words, true), {}));
    std::string longer = words;
    for (int i = 0; i < 60; ++i) longer += "A long answer goes on and on, with more and more words in every line. ";
    all.push_back(keptChat("chat-long-text", chat(longer, false), {}));
    all.push_back(keptChat("chat-file-gone",
                           chat({}, false,
                                "The model's file model.safetensors is cut off at 4,096 of 17,583,256 bytes. Download "
                                "the model again, or choose another one."),
                           {}));
    all.push_back({q("models"), PageId::Models, 4, {q("phi-2")}});
    all.push_back({q("models-broken"), PageId::Models, 4, {q("config.json")}, [](Stage& s) {
                       QDir().mkpath(s.bench.folder() + q("/models/phi-2"));
                       write(s.bench.folder() + q("/models/phi-2/config.json"), "{\"model_type\":\"phi\"");
                       s.session().settings().setModelFolders({s.bench.folder() + q("/models")});
                   }});
    all.push_back({q("banners"), PageId::Data, 12, {q("The corpus could not be read.")}, {}, [](Stage& s) {
                       Messages& say = s.session().messages();
                       say.show({Message::Kind::Good,
                                 q("g"),
                                 q("“studio-r16” is finished."),
                                 q("Validation loss 3.0400 → 1.5951."),
                                 q("Show Run"),
                                 [] {},
                                 {},
                                 {}});
                       say.show({Message::Kind::Careful,
                                 q("c"),
                                 q("The run “studio-r16” was interrupted at step 315 of 1,500."),
                                 q("It can go on from its last checkpoint."),
                                 q("Resume"),
                                 [] {},
                                 {},
                                 {}});
                       say.show({Message::Kind::Bad,
                                 q("b"),
                                 q("The corpus could not be read."),
                                 q("Another program holds the file /a/folder/with/a/long/name/and/another/one/and/"
                                   "corpus.sqlite3; close it and try again, or copy the project to another place."),
                                 q("Try Again"),
                                 [] {},
                                 q("SQLITE_BUSY (5) in a statement"),
                                 {}});
                       return true;
                   }});
    all.push_back({q("banner-info"), PageId::Recipe, 4, {q("Stopping after this step…")}, {}, [](Stage& s) {
                       s.session().messages().info(q("i"), q("Stopping after this step…"),
                                                   q("The window closes when the checkpoint is on the disk."));
                       return recipeReady(s);
                   }});
    all.push_back({q("engine-missing"),
                   PageId::Chat,
                   4,
                   {},
                   [](Stage&) { qputenv("STUDIO_ENGINE", "/nowhere"); },
                   [](Stage& s) {
                       auto& page = s.page<ChatPage>(PageId::Chat);
                       if (!waitFor([&] { return page.presenter().model() != nullptr; })) return false;
                       page.presenter().startNew();
                       page.presenter().send(q("What is the sky?"));
                       const bool done = waitFor([&] { return !page.presenter().answering(); });
                       qunsetenv("STUDIO_ENGINE");
                       return done;
                   }});
    all.push_back({q("no-gpu"),
                   PageId::Chat,
                   4,
                   {},
                   [](Stage& s) { s.session().settings().setDevice(q("cuda")); },
                   [](Stage& s) {
                       auto& page = s.page<ChatPage>(PageId::Chat);
                       if (!waitFor([&] { return page.presenter().model() != nullptr; })) return false;
                       page.presenter().startNew();
                       page.presenter().send(q("What is the sky?"));
                       return waitFor([&] { return !page.presenter().answering(); });
                   }});
}

}  // namespace

bool Stage::settle() {
    const bool idle = waitFor(
        [this] { return session().files().idle() && session().surveys().idle() && session().queries().idle(); });
    for (int i = 0; i < 4; ++i) QCoreApplication::processEvents();
    return idle;
}

std::vector<Scene> scenes() {
    std::vector<Scene> all;
    addData(all);
    addRecipe(all);
    addRuns(all);
    addEvaluateChatModels(all);
    return all;
}

std::unique_ptr<Stage> stageOf(const Scene& scene, const QSize& size) {
    auto stage = std::make_unique<Stage>(scene.sample);
    if (scene.before) scene.before(*stage);
    stage->window = std::make_unique<MainWindow>(stage->session());
    stage->window->resize(size);
    stage->window->show();
    stage->window->activateWindow();
    stage->window->showPage(scene.page);
    stage->settle();
    if (scene.arrange && !scene.arrange(*stage)) return nullptr;
    stage->settle();
    return stage;
}

QString readable(const QWidget& root) {
    QStringList words{root.windowTitle()};
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&root)) continue;
        words << widget->accessibleName() << widget->accessibleDescription();
        if (const auto* label = qobject_cast<const QLabel*>(widget)) words << label->text();
        if (const auto* elided = qobject_cast<const ElidedText*>(widget)) words << elided->text();
        if (const auto* button = qobject_cast<const QAbstractButton*>(widget)) words << button->text();
    }
    words.removeAll(QString());
    return words.join(QLatin1Char('\n'));
}

}  // namespace studio::ui::testing
