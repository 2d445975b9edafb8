// file -> fields -> file, byte for byte.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "config/presets.h"
#include "config/recipe_file.h"
#include "random_recipe.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

class RecipeRoundTripTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void randomRecipesSurvive() {
        QTemporaryDir folder;
        const std::filesystem::path training = folder.filePath("training_config.yaml").toStdString();
        const std::filesystem::path qlora = folder.filePath("qlora_config.json").toStdString();
        test::RandomRecipe random(20240117);
        int with_minimum = 0, with_patterns = 0, lists = 0;
        for (int i = 0; i < 200; ++i) {
            const Recipe recipe = random.draw();
            if (i < 5) {
                QVERIFY(writeRecipe(recipe, training, qlora));
            } else {  // the same bytes without waiting for the disk
                std::ofstream(training) << formatTrainingConfig(recipe);
                std::ofstream(qlora) << formatQloraConfig(recipe.qlora);
            }
            const std::string training_text = test::read(training), qlora_text = test::read(qlora);
            ReadRecipe said;
            GET(const Recipe back, loadRecipe(training, qlora, {}, &said));
            for (const FieldIssue& issue : said.issues)
                QVERIFY2(issue.severity != Severity::Error, issue.text().c_str());
            QVERIFY2(back == recipe, training_text.c_str());
            QCOMPARE(test::bytes(formatTrainingConfig(back)), test::bytes(training_text));
            QCOMPARE(test::bytes(formatQloraConfig(back.qlora)), test::bytes(qlora_text));

            // The other notation says the same.
            ReadRecipe yaml;
            QVERIFY(parseQloraConfig(qlora_text, "qlora.yaml", yaml));
            QVERIFY(yaml.recipe.qlora == recipe.qlora);
            with_minimum += back.training.lr_scheduler_kwargs.min_lr ? 1 : 0;
            with_patterns += back.qlora.rank_pattern.empty() ? 0 : 1;
            lists += back.training.data_path.size() > 1 ? 1 : 0;
        }
        QVERIFY(with_minimum > 10 && with_patterns > 10 && lists > 10);
    }

    void valuesSurviveAsAssignments() {
        test::RandomRecipe random(99);
        for (int i = 0; i < 50; ++i) {
            const Recipe recipe = random.draw();
            Recipe copy;
            copy.description = recipe.description;
            for (const Field& field : fields()) {
                GET(const std::string text, valueText(recipe, field.key));
                auto set = setFromText(copy, field.key, text);
                QVERIFY2(set, (std::string(field.key) + "=" + text + (set ? "" : ": " + set.error().text())).c_str());
            }
            for (const Field& field : fields()) QCOMPARE(*valueText(copy, field.key), *valueText(recipe, field.key));
            QVERIFY(copy == recipe);
        }
    }

    void defaultsAreThoseOfAnEmptyFile() {
        ReadRecipe read;
        QVERIFY(parseTrainingConfig("", "x.yaml", read));
        QVERIFY(read.recipe.training == TrainingConfig{});
        QVERIFY(read.issues.empty());
    }
};

QTEST_GUILESS_MAIN(RecipeRoundTripTest)
#include "recipe_round_trip_test.moc"
