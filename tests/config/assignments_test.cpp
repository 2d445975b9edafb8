// --set key=value
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

class AssignmentsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void valuesAreSet_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("value");  // as valueText gives it
        const auto row = [](const char* key, const char* text, const char* value) {
            QTest::addRow("%s=%s", key, text) << key << text << value;
        };
        row("learning_rate", "2e-4", "2.0e-4");
        row("learning-rate", "3.3333e-5", "3.3333e-5");
        row("seed", "7", "7");
        row("device", "cpu", "cpu");
        row("device", "cuda:1", "cuda:1");
        row("device", "cuda:GPU-3f2a81bc-4e1d-40a2-8f00-0123456789ab", "cuda:GPU-3f2a81bc-4e1d-40a2-8f00-0123456789ab");
        row("packing", "yes", "true");
        row("eval_strategy", "no", "no");
        row("evaluation_strategy", "epoch", "epoch");
        row("output_dir", "a b: c # d", "a b: c # d");
        row("filter", "lang:en -deleted \"x\"", "lang:en -deleted \"x\"");
        row("run_name", "null", "null");
        row("max_seq_length", "null", "null");
        row("max_seq_length", "512", "512");
        row("data_path", "a.jsonl, b.jsonl", "[a.jsonl, b.jsonl]");
        row("data_path", "one.jsonl", "[one.jsonl]");
        row("data_path", "[\"a, b.jsonl\"]", "[\"a, b.jsonl\"]");
        row("target_modules", "q_proj,v_proj", "[q_proj, v_proj]");
        row("target_modules", "dense", "[dense]");
        row("target_modules", "all-linear", "all-linear");
        row("target_modules", ".*\\.fc[12]", "\".*\\\\.fc[12]\"");
        row("target_modules", "null", "null");
        row("layers_to_transform", "0,1,5", "[0, 1, 5]");
        row("layers_to_transform", "3", "[3]");
        row("rank_pattern", "{q_proj: 4, \"fc1\": 2}", "{\"q_proj\": 4, \"fc1\": 2}");
        row("lr_scheduler_kwargs", "{min_lr: 1e-5}", "{min_lr: 1.0e-5}");
        row("optim", "paged_adamw_32bit", "paged_adamw_32bit");
    }
    void valuesAreSet() {
        QFETCH(QString, key);
        QFETCH(QString, text);
        QFETCH(QString, value);
        Recipe recipe;
        const auto set = setFromText(recipe, key.toStdString(), text.toStdString());
        QVERIFY2(set, set ? "" : set.error().text().c_str());
        QString field = key;
        field.replace('-', '_');
        if (field == "evaluation_strategy") field = "eval_strategy";
        GET(const std::string now, valueText(recipe, field.toStdString()));
        QCOMPARE(test::q(now), value);
    }

    void wrongValuesLeaveTheRecipeAlone_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* key, const char* text, const char* said) {
            QTest::addRow("%s=%s", key, said) << key << QByteArray(text) << said;
        };
        row("learning_rat", "1", "nearest known key is learning_rate");
        row("learning_rate", "0", "must be above 0");
        row("learning_rate", "[1", "cannot be set");
        row("learning_rate", "1\nseed: 2", "cannot be set");
        row("learning_rate", "", "has no value");
        row("seed", "010", "octal");
        row("template", "chatml", "none of its values");
        row("use_dora", "true", "refused");
        row("run_name", "\xff\xfe", "not UTF-8");
        row("max_seq_length", "&x 5", "anchors");
    }
    void wrongValuesLeaveTheRecipeAlone() {
        QFETCH(QString, key);
        QFETCH(QByteArray, text);
        QFETCH(QString, said);
        Recipe recipe;
        recipe.training.seed = 5;
        const Recipe before = recipe;
        const auto set = setFromText(recipe, key.toStdString(), text.toStdString());
        QVERIFY(!set);
        QVERIFY2(test::q(set.error().text()).contains(said), set.error().text().c_str());
        QVERIFY2(test::q(set.error().text()).contains(key), set.error().text().c_str());
        QVERIFY(recipe == before);
    }

    void assignmentsCorrectTheFiles() {
        QTemporaryDir folder;
        const std::filesystem::path training = folder.filePath("t.yaml").toStdString();
        const std::filesystem::path qlora = folder.filePath("q.json").toStdString();
        std::ofstream(training) << "model_name_or_path: phi\ndata_path: x.jsonl\nlearning_rate: 5\nreport_to: wandb\n";
        std::ofstream(qlora) << "{\"r\": 16}";
        QVERIFY(!loadRecipe(training, qlora, {}));
        ReadRecipe said;
        GET(const Recipe recipe,
            loadRecipe(training, qlora,
                       {"learning_rate=1e-4", "learning_rate=2e-4", "bnb_4bit_quant_type=nf4", "lora-alpha=32"},
                       &said));
        QCOMPARE(recipe.training.learning_rate, 2e-4);
        QCOMPARE(recipe.qlora.lora_alpha, 32.0);
        QCOMPARE(said.without_effect, std::vector<std::string>{"report_to"});
        for (const char* bad : {"learning_rate", "=1", ""}) {
            const auto refused = loadRecipe(training, qlora, {bad});
            QVERIFY(!refused && refused.error().hint.find("--set key=value") != std::string::npos);
        }
        // Without a qlora_config the base is NF4 with double quantisation.
        GET(const Recipe plain, loadRecipe(training, {}, {"learning_rate=1e-4"}));
        QVERIFY(plain.qlora == defaultQuantisation());
    }
};

QTEST_GUILESS_MAIN(AssignmentsTest)
#include "assignments_test.moc"
