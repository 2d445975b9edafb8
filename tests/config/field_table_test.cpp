// The table of fields itself: every member once, every default inside its own range, sensible text.
#include "config/field.h"

#include <QTest>
#include <set>

#include "config/codec.h"
#include "config/known_keys.h"
#include "config/nearest.h"
#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

class FieldTableTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void keysAreDeclaredOnce() {
        std::set<std::string_view> seen;
        for (const std::string_view key : allKeys()) {
            const bool translated = key == "use_cpu" || key == "no_cuda" || key == "train_sampling_strategy";
            QVERIFY2(seen.insert(key).second || translated, std::string(key).c_str());
        }
        QVERIFY(seen.size() > 150);
    }

    void everyMemberHasAField() {
        // Change every field of a recipe; no member may be left that is not written.
        std::set<const void*> members;
        Recipe recipe;
        for (const Field& field : fields())
            std::visit([&](auto member) { members.insert(&member(recipe)); }, field.binding);
        QCOMPARE(members.size(), fields().size());
        std::size_t bytes = 0;
        for (const Field& field : fields())
            bytes += std::visit([&](auto member) { return sizeof(member(recipe)); }, field.binding);
        // What is not bound is padding: at most 7 bytes before each larger member.
        QVERIFY(sizeof(QloraConfig) + sizeof(TrainingConfig) - bytes < 8 * 16);
    }

    void defaultsAreValid() {
        const Recipe recipe;
        for (const Field& field : fields()) {
            const auto ok = checkField(field, recipe);
            QVERIFY2(ok, std::string(field.key).c_str());
            QVERIFY(!typeText(field).empty() && !defaultText(field).empty());
        }
    }

    void helpIsPlainSentences() {
        for (const Field& field : fields()) {
            QVERIFY2(field.help.size() > 20 && field.help.ends_with('.'), std::string(field.key).c_str());
            QVERIFY2(field.help.find('\n') == field.help.npos, std::string(field.key).c_str());
        }
        const std::string help = fieldHelp();
        for (const Field& field : fields())
            QVERIFY2(help.find("  " + std::string(field.key) + " = ") != help.npos, std::string(field.key).c_str());
    }

    void rangesAreInWords() {
        QCOMPARE(findField("learning_rate")->range.text(), std::string("above 0 and at most 1"));
        QCOMPARE(findField("max_steps")->range.text(), std::string("at least 1 and at most 1000000000, or -1"));
        QCOMPARE(typeText(*findField("save_total_limit")),
                 std::string("whole number or null at least 1 and at most 100000"));
        QVERIFY(!findField("nothing"));
        const Range range{.low = 0, .high = 1, .low_open = true};
        QVERIFY(!range.contains(0) && range.contains(1e-300) && range.contains(1) && !range.contains(1.0000001));
    }

    void nearestWordsAreFound() {
        const std::vector<std::string_view> keys = allKeys();
        for (const auto& [word, meant] :
             {std::pair("learning_rat", "learning_rate"), std::pair("LEARNING-RATE", "learning_rate"),
              std::pair("laerning_rate", "learning_rate"), std::pair("lora_dropuot", "lora_dropout"),
              std::pair("warmup_step", "warmup_steps"), std::pair("targetmodules", "target_modules")})
            QCOMPARE(nearest(word, keys), std::string_view(meant));
        QCOMPARE(editDistance("", "abc"), 3);
        QCOMPARE(editDistance("kitten", "sitting"), 3);
        QCOMPARE(editDistance("ab", "ba"), 1);
        QCOMPARE(editDistance("a-b", "A_B"), 0);
        QVERIFY(editDistance(std::string(5000, 'x'), std::string(5000, 'y')) > 0);
        QVERIFY(nearest("x", {}).empty());
    }

    void derivedNumbersAreTransformers() {
        TrainingConfig t;
        t.warmup_ratio = 0.03;
        QCOMPARE(warmupSteps(t, 100), 3);
        QCOMPARE(warmupSteps(t, 101), 4);  // ceil
        t.warmup_steps = 7;
        QCOMPARE(warmupSteps(t, 100), 7);
        t.warmup_steps = 0.5;
        QCOMPARE(warmupSteps(t, 101), 51);
        t.lr_scheduler_type = "constant";
        QCOMPARE(warmupSteps(t, 100), 0);
        QCOMPARE(stepInterval(0.1, 95), 10);
        QCOMPARE(stepInterval(25, 95), 25);
        QCOMPARE(stepInterval(0.0001, 95), 1);
        t.learning_rate = 2e-4;
        t.lr_scheduler_kwargs.min_lr_rate = 0.1;
        QCOMPARE(minLearningRate(t), 0.0);
        t.lr_scheduler_type = "cosine_with_min_lr";
        QCOMPARE(minLearningRate(t), 2e-4 * 0.1);
        t.lr_scheduler_kwargs = {6e-5, {}};
        QCOMPARE(minLearningRate(t), 6e-5);
    }

    void computeTypeFollowsTheKeys() {
        Recipe r;
        QCOMPARE(computeDtype(r), std::string("float32"));
        r.training.bf16 = true;
        QCOMPARE(computeDtype(r), std::string("bfloat16"));
        r.qlora.bnb_4bit_compute_dtype = "float16";
        QCOMPARE(computeDtype(r), std::string("float16"));
        r.qlora.load_in_4bit = false;
        QCOMPARE(computeDtype(r), std::string("bfloat16"));
        QVERIFY(defaultQuantisation().load_in_4bit && defaultQuantisation().bnb_4bit_use_double_quant);
        QCOMPARE(defaultQuantisation().bnb_4bit_quant_type, std::string("nf4"));
    }
};

QTEST_GUILESS_MAIN(FieldTableTest)
#include "field_table_test.moc"
