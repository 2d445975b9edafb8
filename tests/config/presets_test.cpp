// Every preset loads without error, survives unchanged, and says what its source says.
#include "config/presets.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;
namespace fs = std::filesystem;

class PresetsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void thereAreFive() {
        GET(const auto presets, listPresets(test::resources()));
        QStringList names;
        for (const Preset& preset : presets) names << test::q(preset.name);
        QCOMPARE(names, QStringList({"demo", "guanaco", "litgpt-phi-2", "notebook", "studio"}));
    }

    void presetsSurviveUnchanged_data() {
        QTest::addColumn<QString>("folder");
        for (const char* name : {"demo", "guanaco", "litgpt-phi-2", "notebook", "studio", "."})
            QTest::newRow(name) << test::q((test::resources() / "config" / name).string());
    }
    void presetsSurviveUnchanged() {
        QFETCH(QString, folder);
        const fs::path path(folder.toStdString());
        ReadRecipe said;
        GET(const Recipe recipe, loadRecipe(path / "training_config.yaml", path / "qlora_config.json", {}, &said));
        for (const FieldIssue& issue : said.issues) QVERIFY2(issue.severity == Severity::Notice, issue.text().c_str());
        QCOMPARE(test::bytes(formatTrainingConfig(recipe)), test::bytes(test::read(path / "training_config.yaml")));
        QCOMPARE(test::bytes(formatQloraConfig(recipe.qlora)), test::bytes(test::read(path / "qlora_config.json")));
        QVERIFY(!recipe.description.empty());
        for (const std::string& data : recipe.training.data_path)
            QVERIFY2(resolveDataPath(data, path / "training_config.yaml", test::resources()), data.c_str());
    }

    void theDefaultFilesAreTheNotebooks() {
        for (const char* name : {"training_config.yaml", "qlora_config.json"})
            QCOMPARE(test::bytes(test::read(test::resources() / "config" / name)),
                     test::bytes(test::read(test::resources() / "config/notebook" / name)));
        GET(const Recipe r, loadPreset(test::resources(), "notebook"));
        QCOMPARE(r.qlora.r, 64);
        QCOMPARE(r.qlora.lora_alpha, 16.0);
        QCOMPARE(r.qlora.lora_dropout, 0.1);
        QVERIFY(r.qlora.load_in_4bit && !r.qlora.bnb_4bit_use_double_quant);
        QCOMPARE(r.qlora.bnb_4bit_compute_dtype, std::string("float16"));
        QVERIFY(r.qlora.target_modules == ModuleSelection(std::vector<std::string>{"q_proj", "v_proj", "fc1", "fc2"}));
        QCOMPARE(r.training.num_train_epochs, 1.0);
        QCOMPARE(r.training.per_device_train_batch_size, 4);
        QCOMPARE(r.training.gradient_accumulation_steps, 1);
        QCOMPARE(r.training.max_grad_norm, 0.3);
        QCOMPARE(r.training.learning_rate, 2e-4);
        QCOMPARE(r.training.weight_decay, 0.001);
        QCOMPARE(r.training.optim, std::string("paged_adamw_32bit"));
        QCOMPARE(r.training.lr_scheduler_type, std::string("constant"));
        QCOMPARE(r.training.warmup_ratio, 0.03);
        QCOMPARE(r.training.save_steps, 25.0);
        QCOMPARE(r.training.logging_steps, 5.0);
        QCOMPARE(*r.training.eval_steps, 5.0);
        QVERIFY(r.training.group_by_length && !r.training.packing && !r.training.max_seq_length);
    }

    void guanacoAndLitgptHaveTheirSourcesValues() {
        GET(const Recipe g, loadPreset(test::resources(), "guanaco"));
        QCOMPARE(g.training.max_steps, 1875);
        QCOMPARE(g.training.per_device_train_batch_size * g.training.gradient_accumulation_steps, 16);
        QCOMPARE(*g.training.max_seq_length, 512);
        QVERIFY(g.qlora.bnb_4bit_use_double_quant);
        QVERIFY(g.qlora.target_modules == ModuleSelection(std::string("all-linear")));
        GET(const Recipe l, loadPreset(test::resources(), "litgpt-phi-2"));
        QCOMPARE(l.qlora.r, 8);
        QCOMPARE(minLearningRate(l.training), 6e-5);
        QCOMPARE(warmupSteps(l.training, 1000), 10);
        QCOMPARE(l.training.adam_beta2, 0.95);
        QCOMPARE(l.training.max_grad_norm, 0.0);
    }

    void anUnknownPresetNamesTheOthers() {
        const auto missing = loadPreset(test::resources(), "nothing");
        QVERIFY(!missing);
        QVERIFY(missing.error().hint.find("notebook and studio") != std::string::npos);
        QVERIFY(!listPresets("/nonexistent"));
    }

    void dataPathsAreFound() {
        QTemporaryDir folder;
        const fs::path root = fs::canonical(folder.path().toStdString());
        fs::create_directories(root / "project/recipes/deep");
        fs::create_directories(root / "share/demo");
        fs::create_directories(root / "here");
        const auto touch = [](const fs::path& path) { std::ofstream(path) << "x"; };
        touch(root / "project/data.jsonl");
        touch(root / "share/demo/sample.jsonl");
        touch(root / "here/data.jsonl");
        const fs::path config = root / "project/recipes/deep/t.yaml", share = root / "share";
        const QString before = QDir::currentPath();

        QDir::setCurrent(test::q((root / "project/recipes").string()));
        QCOMPARE(resolveDataPath("data.jsonl", config, share)->string(), (root / "project/data.jsonl").string());
        QCOMPARE(resolveDataPath("../data.jsonl", {}, {})->string(), (root / "project/data.jsonl").string());
        QCOMPARE(resolveDataPath("demo/sample.jsonl", config, share)->string(),
                 (root / "share/demo/sample.jsonl").string());
        // Installed, the resources folder has another name.
        QCOMPARE(resolveDataPath("resources/demo/sample.jsonl", {}, share)->string(),
                 (root / "share/demo/sample.jsonl").string());
        QCOMPARE(resolveDataPath((root / "project").string(), {}, {})->string(), (root / "project").string());
        QDir::setCurrent(test::q((root / "here").string()));
        QCOMPARE(resolveDataPath("data.jsonl", config, share)->string(), (root / "here/data.jsonl").string());

        for (const char* missing : {"none.jsonl", "", "/nonexistent/x"}) {
            const auto path = resolveDataPath(missing, config, share);
            QVERIFY2(!path && !path.error().hint.empty(), missing);
        }
        QVERIFY(resolveDataPath("none.jsonl", config, share).error().message.find("t.yaml") != std::string::npos);
        QDir::setCurrent(before);
    }
};

QTEST_GUILESS_MAIN(PresetsTest)
#include "presets_test.moc"
