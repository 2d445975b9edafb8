// The figures before a run are those the run records; projects are data like files.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "config/presets.h"
#include "config/recipe_file.h"
#include "corpus/importer.h"
#include "corpus/sqlite.h"
#include "engine/api/schedule.h"
#include "jobs/conversations.h"
#include "jobs/places.h"
#include "jobs/preview.h"
#include "project/project.h"

using namespace studio;
namespace fs = std::filesystem;

namespace {

// Remembers what it was asked to plan.
class PlanningEngine final : public engine::api::Engine {
  public:
    PlanningEngine() { plan->parts = {{"weights", 12345}}, plan->peak_bytes = 12345; }
    engine::api::DeviceInfo device() const noexcept override { return {}; }
    std::string_view buildInfo() const noexcept override { return {}; }
    Result<engine::api::MemoryUse> planMemory(const engine::api::ModelSource& source, const engine::api::LoraSpec& spec,
                                              const engine::api::BatchSize& size,
                                              const engine::api::TrainPlan&) noexcept override {
        device_words = source.device;
        modules = spec.modules.size();
        batch = size;
        return plan;
    }
    Result<std::unique_ptr<engine::api::Model>> load(const engine::api::ModelSource&,
                                                     const JobContext&) noexcept override {
        return fail(ErrorCode::Unsupported, "It only plans.", "");
    }
    Result<engine::api::MemoryUse> plan = engine::api::MemoryUse{};
    std::string device_words;
    std::size_t modules = 0;
    engine::api::BatchSize batch;
};

}  // namespace

class PreviewTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        QVERIFY(folder_.isValid());
        project_ = fs::path(folder_.path().toStdString()) / "project";
        auto made = project::Project::create(project_);
        QVERIFY(made);
        auto store = corpus::Store::openFile(project::projectPaths(project_).corpus());
        QVERIFY(store);
        QVERIFY(corpus::importFile(*store, sample(), {}, {}));
    }

    void aProjectGivesTheExamplesOfItsFile_data() {
        QTest::addColumn<QString>("paths");
        QTest::addColumn<QString>("filter");
        for (const char* paths : {"best", "tree", "replies"}) QTest::newRow(paths) << paths << "";
        QTest::newRow("filtered") << "tree"
                                  << "lang:en quality>=0.3";
        QTest::newRow("words") << "best"
                               << "\"the\"";
    }
    void aProjectGivesTheExamplesOfItsFile() {
        QFETCH(QString, paths);
        QFETCH(QString, filter);
        config::Recipe recipe = demo();
        recipe.training.paths = paths.toStdString();
        recipe.training.filter = filter.toStdString();
        recipe.training.data_path = {sample().string()};
        const auto of_file = load(recipe);
        recipe.training.data_path = {project_.string()};
        const auto of_project = load(recipe);
        QVERIFY2(of_file && of_project, of_project ? "" : of_project.error().message.c_str());
        QCOMPARE(of_project->examples->tokens, of_file->examples->tokens);
        QCOMPARE(of_project->examples->supervised, of_file->examples->supervised);
        QCOMPARE(of_project->examples->tree_ids, of_file->examples->tree_ids);
        QCOMPARE(of_project->examples->message_ids, of_file->examples->message_ids);
        QVERIFY(of_project->examples->split == of_file->examples->split);
        QVERIFY(of_project->examples->statistics == of_file->examples->statistics);
        QVERIFY(of_project->provenance == of_file->provenance);
    }

    void aChangeInTheProjectChangesItsHash() {
        config::Recipe recipe = demo();
        recipe.training.data_path = {project_.string()};
        const auto before = load(recipe);
        {
            auto store = corpus::Store::openFile(project::projectPaths(project_).corpus());
            QVERIFY(store->database().execute(
                "INSERT INTO curation(message, review, changed_at) VALUES (3, 0, '2026-01-01')"));
        }
        const auto after = load(recipe);
        QVERIFY(before && after);
        QVERIFY(!(before->provenance == after->provenance));
        auto store = corpus::Store::openFile(project::projectPaths(project_).corpus());
        QVERIFY(store->database().execute("DELETE FROM curation"));
        QVERIFY(load(recipe)->provenance == before->provenance);
    }

    void aProjectStandsAlone() {
        config::Recipe recipe = demo();
        recipe.training.data_path = {project_.string(), sample().string()};
        QVERIFY(!load(recipe));
        recipe.training.data_path = {project_.string()};
        recipe.training.view = "mine";
        QVERIFY(!load(recipe));
    }

    void theFiguresAreThoseOfTheSetup_data() {
        QTest::addColumn<QStringList>("changes");
        QTest::newRow("demo") << QStringList{};
        QTest::newRow("best, packed") << QStringList{"paths=best", "packing=true", "num_train_epochs=2.5"};
        QTest::newRow("replies, some layers")
            << QStringList{"paths=replies", "max_steps=31", "target_modules=[q_proj, fc2]", "layers_to_transform=[1]"};
        QTest::newRow("saving") << QStringList{"save_strategy=steps", "save_steps=0.2", "save_total_limit=2"};
    }
    void theFiguresAreThoseOfTheSetup() {
        QFETCH(QStringList, changes);
        config::Recipe recipe = demo();
        recipe.training.data_path = {project_.string()};
        for (const QString& change : changes) {
            const auto at = change.indexOf(u'=');
            if (change.startsWith(QStringLiteral("layers")))
                recipe.qlora.target_modules = std::vector<std::string>{"q_proj", "fc2"};
            const auto set =
                config::setFromText(recipe, change.left(at).toStdString(), change.mid(at + 1).toStdString());
            QVERIFY2(set, set ? "" : set.error().message.c_str());
        }
        jobs::PreviewCache cache;
        const auto preview = jobs::preview(recipe, {}, cache, {});
        QVERIFY(preview && preview->model && preview->run);

        jobs::TrainRequest request;
        request.recipe = recipe;
        auto planned = jobs::planModel(request, {});
        QVERIFY(planned);
        const auto ready = jobs::planTraining(request, *planned, jobs::loadData, {});
        QVERIFY(ready);
        const jobs::TrainSetup& setup = ready->setup;
        QCOMPARE(preview->run->steps, setup.record.total_steps);
        QCOMPARE(preview->run->examples, setup.record.train_examples);
        QCOMPARE(preview->run->held_out_examples, setup.record.validation_examples);
        QCOMPARE(preview->model->trainable_parameters, setup.record.trainable_parameters);
        QCOMPARE(preview->run->tokens, setup.tokens_per_epoch);
        QCOMPARE(preview->run->supervised_tokens, setup.supervised_per_epoch);
        QCOMPARE(preview->run->warmup_steps, setup.plan.warmup_steps);
        std::int64_t parameters = 0;
        int modules = 0;
        for (const jobs::ModuleCount& module : preview->model->modules)
            parameters += module.parameters_total, modules += module.modules;
        QCOMPARE(parameters, setup.record.trainable_parameters);
        QCOMPARE(modules, static_cast<int>(setup.targets.size()));
        const auto schedule =
            engine::api::Schedule::create({setup.plan.lr_scheduler, setup.plan.learning_rate, setup.plan.total_steps,
                                           setup.plan.warmup_steps, setup.plan.min_lr});
        QCOMPARE(preview->run->rates.front().step, 1);
        QCOMPARE(preview->run->rates.back().step, setup.plan.total_steps);
        for (const jobs::RatePoint& point : preview->run->rates) QCOMPARE(point.rate, schedule->at(point.step));
    }

    void theMemoryIsPlannedForTheLongestBatch() {
        PlanningEngine engine;
        jobs::PreviewCache cache;
        config::Recipe recipe = demo();
        recipe.training.device = "cuda:1";
        const auto preview = jobs::preview(recipe, {}, cache, {}, &engine);
        QVERIFY(preview && preview->memory);
        QCOMPARE(preview->memory->peak_bytes, std::uint64_t{12345});
        jobs::TrainRequest request;
        request.recipe = recipe;
        const auto ready = jobs::planTraining(request, *jobs::planModel(request, {}), jobs::loadData, {});
        const auto longest = ready->stream->longestMicroBatch(0);
        QCOMPARE(engine.batch.rows, longest->rows());
        QCOMPARE(engine.batch.targets, static_cast<int>(longest->targets.size()));
        QCOMPARE(engine.device_words, std::string("cuda:1"));
        QCOMPARE(engine.modules, ready->setup.targets.size());

        engine.plan = fail(ErrorCode::Device, "There is no such card.", "Choose another.");
        const auto without = jobs::preview(recipe, {}, cache, {}, &engine);
        QVERIFY(without->run && !without->memory);
        QCOMPARE(without->memory_error->message, std::string("There is no such card."));
        engine.plan = engine::api::MemoryUse{};  // a processor plans nothing
        QVERIFY(!jobs::preview(recipe, {}, cache, {}, &engine)->memory);
    }

    void whatIsMissingIsSaidAndTheRestIsThere() {
        config::Recipe recipe = demo();
        recipe.training.data_path = {"/nowhere/at/all"};
        jobs::PreviewCache cache;
        const auto without_data = jobs::preview(recipe, {}, cache, {});
        QVERIFY(without_data && without_data->model && !without_data->run && without_data->run_error);
        recipe.training.model_name_or_path = "microsoft/phi-nowhere";
        const auto without_model = jobs::preview(recipe, {}, cache, {});
        QVERIFY(without_model && !without_model->model && without_model->model_error);
    }

    void aBaseIsFoundByTheNameOfItsRepository() {
        const fs::path cache = fs::path(folder_.path().toStdString()) / "hub";
        const fs::path snapshot = cache / "models--someone--tiny" / "snapshots" / "abc123";
        fs::create_directories(snapshot);
        fs::create_directories(cache / "models--someone--tiny" / "refs");
        std::ofstream(cache / "models--someone--tiny" / "refs" / "main") << "abc123";
        for (const auto& file : fs::directory_iterator(jobs::resourceFolder() / "demo/model"))
            fs::create_symlink(fs::canonical(file.path()), snapshot / file.path().filename());
        qputenv("HF_HUB_CACHE", cache.string().c_str());
        config::Recipe recipe = demo();
        recipe.training.model_name_or_path = "someone/tiny";
        jobs::PreviewCache cached;
        const auto found = jobs::preview(recipe, {}, cached, {});
        QVERIFY(found && found->model);
        QCOMPARE(found->model->base, snapshot);
        recipe.training.model_name_or_path = "someone/else";
        const auto missing = jobs::preview(recipe, {}, cached, {});
        QVERIFY(missing->model_error);
        QCOMPARE(missing->model_error->message, std::string("The base model someone/else is not on this machine."));
    }

    void theCacheSeesANewImport() {
        const fs::path folder = fs::path(folder_.path().toStdString()) / "growing";
        QVERIFY(project::Project::create(folder));
        config::Recipe recipe = demo();
        recipe.training.data_path = {folder.string()};
        jobs::PreviewCache cache;
        const auto empty = jobs::preview(recipe, {}, cache, {});
        QVERIFY(empty && empty->run_error);
        {
            auto store = corpus::Store::openFile(project::projectPaths(folder).corpus());
            QVERIFY(corpus::importFile(*store, sample(), {}, {}));
        }
        const auto full = jobs::preview(recipe, {}, cache, {});
        QVERIFY(full && full->run);
        const auto again = jobs::preview(recipe, {}, cache, {});
        QCOMPARE(again->run->tokens, full->run->tokens);
    }

    void onlyWhatShapesAStepChangesTheKeyOfAMeasurement() {
        const config::Recipe recipe = demo();
        config::Recipe other = recipe;
        other.training.learning_rate = 1e-5;
        other.training.max_steps = 3;
        other.qlora.lora_alpha = 1;
        QCOMPARE(jobs::measurementKey(other), jobs::measurementKey(recipe));
        other.qlora.r = 2;
        QVERIFY(jobs::measurementKey(other) != jobs::measurementKey(recipe));
    }

  private:
    static fs::path sample() {
        return fs::path(STUDIO_SOURCE_DIR) / "resources/demo/sample/oasst1-en-validation.messages.jsonl.gz";
    }
    static config::Recipe demo() {
        qputenv("STUDIO_RESOURCES", STUDIO_SOURCE_DIR "/resources");
        return *config::loadPreset(jobs::resourceFolder(), "demo");
    }
    static Result<jobs::LoadedData> load(const config::Recipe& recipe) {
        return jobs::loadData(jobs::dataRequest(recipe, {}, jobs::resourceFolder() / "demo/model", 1024), {});
    }

    QTemporaryDir folder_;
    fs::path project_;
};

QTEST_GUILESS_MAIN(PreviewTest)
#include "preview_test.moc"
