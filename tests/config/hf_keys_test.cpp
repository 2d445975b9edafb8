// Every key of TrainingArguments, LoraConfig and BitsAndBytesConfig is known, with its default; whole files of them
// load. The tables come from tests/reference/hf_keys.py.
#include <QTest>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/known_keys.h"
#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;
using Json = nlohmann::ordered_json;

namespace {

// Fields whose default differs from the library's, and why.
const std::map<std::string, const char*> kOwnDefaults{
    {"load_in_4bit", "a QLoRA file means 4 bits"},
    {"bnb_4bit_quant_type", "fp4 is not offered; a file must say nf4"},
};

std::string parseOne(File file, const std::string& key, const Json& value, ReadRecipe& read) {
    const std::string text = Json{{key, value}}.dump();
    const auto done =
        file == File::Training ? parseTrainingConfig(text, "t.json", read) : parseQloraConfig(text, "q.json", read);
    if (!done) return done.error().text();
    for (const FieldIssue& issue : read.issues)
        if (issue.severity == Severity::Error && issue.key != "bnb_4bit_quant_type") return issue.text();
    return {};
}

}  // namespace

class HfKeysTest : public QObject {
    Q_OBJECT

    Json tables_ = Json::parse(test::read(test::golden("hf_keys.json")));

  private Q_SLOTS:
    void everyKeyIsKnownWithItsDefault_data() {
        QTest::addColumn<QString>("table");
        for (const auto& [name, table] : tables_.items())
            if (table.is_object()) QTest::newRow(name.c_str()) << test::q(name);
        QVERIFY(tables_.size() >= 5);
    }
    void everyKeyIsKnownWithItsDefault() {
        QFETCH(QString, table);
        const bool training = table.startsWith("TrainingArguments");
        const bool current = table == "TrainingArguments" || !training;
        for (const auto& [key, value] : tables_[table.toStdString()].items()) {
            if (key == "bnb_4bit_quant_type") continue;
            if (!current && value.is_null() && findField(key)) continue;  // its default is no literal in the source
            ReadRecipe read;
            const std::string wrong = parseOne(training ? File::Training : File::Qlora, key, value, read);
            QVERIFY2(wrong.empty(), wrong.c_str());
            for (const FieldIssue& issue : read.issues)
                QVERIFY2(issue.key != key || !current || value.is_null() || issue.severity != Severity::Notice ||
                             key == "_load_in_4bit",
                         issue.text().c_str());  // the library's default needs no word
            if (const auto field = findField(key);
                field && current && !value.is_null() && !kOwnDefaults.contains(key)) {
                Recipe left, right;
                QCOMPARE(test::q(*valueText(read.recipe, key)), test::q(*valueText(Recipe{}, key)));
            }
        }
    }

    void theTablesHoldNothingElse() {
        for (const KnownKey& known : trainingKeys())
            QVERIFY2(tables_["TrainingArguments"].contains(known.key), known.key.data());
        for (const KnownKey& known : loraKeys())
            QVERIFY2(tables_["LoraConfig"].contains(known.key) || tables_["BitsAndBytesConfig"].contains(known.key),
                     known.key.data());
        for (const KnownKey& known : olderTrainingKeys()) {
            const std::string key(known.key);
            QVERIFY2(!tables_["TrainingArguments"].contains(key), key.c_str());
            QVERIFY2(tables_["TrainingArguments 4.31.0"].contains(key) ||
                         tables_["TrainingArguments 4.46.3"].contains(key) ||
                         tables_["TrainingArguments 4.57.1"].contains(key),
                     key.c_str());
        }
        QCOMPARE(tables_["TrainingArguments"].size(), trainingKeys().size() + 32);  // honoured ones
    }

    void dispositionsAreWhatTheySay() {
        for (const auto keys : {loraKeys(), trainingKeys(), olderTrainingKeys()}) {
            for (const KnownKey& known : keys) {
                if (known.disposition == Disposition::Alias) {
                    QVERIFY2(findField(known.reason), known.key.data());
                    continue;
                }
                ReadRecipe read;
                const std::string said = parseOne(known.file, std::string(known.key), "some other value", read);
                if (known.disposition == Disposition::OnlyDefault) {
                    QVERIFY2(said.find("refused") != said.npos && said.find(known.reason) != said.npos, said.c_str());
                } else {
                    QVERIFY2(said.empty(), said.c_str());
                    QVERIFY2(std::count(read.without_effect.begin(), read.without_effect.end(), known.key) == 1,
                             known.key.data());
                    QVERIFY2(known.reason.ends_with('.'), known.key.data());
                }
            }
        }
    }

    void aRealProjectsArgumentsLoad_data() {
        QTest::addColumn<QString>("file");
        for (const char* name : {"training_args.json", "training_args.yaml"}) QTest::newRow(name) << name;
    }
    void aRealProjectsArgumentsLoad() {
        QFETCH(QString, file);
        ReadRecipe said;
        GET(const Recipe recipe,
            loadRecipe(test::golden(file.toStdString()), test::golden("lora_and_bitsandbytes.json"),
                       {"model_name_or_path=phi-2", "data_path=x.jsonl"}, &said));
        const TrainingConfig& t = recipe.training;
        QCOMPARE(t.learning_rate, 3.3333e-5);
        QCOMPARE(*t.lr_scheduler_kwargs.min_lr, 1e-5);
        QCOMPARE(t.lr_scheduler_type, std::string("cosine_with_min_lr"));
        QCOMPARE(t.optim, std::string("paged_adamw_32bit"));
        QCOMPARE(t.weight_decay, 0.001);
        QCOMPARE(warmupSteps(t, 1000), 30);
        QCOMPARE(t.seed, 7);
        QVERIFY(t.gradient_checkpointing && t.shuffle);
        QCOMPARE(*t.save_total_limit, 3);
        QCOMPARE(t.device, std::string("cpu"));  // use_cpu
        QCOMPARE(recipe.qlora.r, 16);
        QCOMPARE(recipe.qlora.bnb_4bit_compute_dtype, std::string("bfloat16"));

        // What has no effect is named: all of it as a list, what the project had set with a sentence.
        for (const char* key :
             {"report_to", "hub_token", "ddp_backend", "fsdp", "accelerator_config", "dataloader_num_workers"})
            QVERIFY2(std::count(said.without_effect.begin(), said.without_effect.end(), key) == 1, key);
        QStringList notices;
        for (const FieldIssue& issue : said.issues) {
            QVERIFY2(issue.severity == Severity::Notice, issue.text().c_str());
            notices << test::q(issue.key);
        }
        for (const char* key : {"report_to", "hub_model_id", "dataloader_num_workers", "load_best_model_at_end"})
            QVERIFY2(notices.contains(key), key);
        for (const char* key : {"hub_token", "debug", "ddp_backend", "skip_memory_metrics", "push_to_hub"})
            QVERIFY2(!notices.contains(key), key);
    }

    void olderSpellingsAreRead() {
        ReadRecipe read;
        QVERIFY(parseTrainingConfig(
            "evaluation_strategy: steps\neval_steps: 5\nper_gpu_train_batch_size: 3\nno_cuda: true\n"
            "group_by_length: true\nlogging_dir: logs\n_n_gpu: 1\npush_to_hub_token: <PUSH_TO_HUB_TOKEN>\n",
            "old.yaml", read));
        QVERIFY(!hasErrors(read.issues));
        QCOMPARE(read.recipe.training.eval_strategy, std::string("steps"));
        QCOMPARE(read.recipe.training.per_device_train_batch_size, 3);
        QCOMPARE(read.recipe.training.device, std::string("cpu"));
        QVERIFY(read.recipe.training.group_by_length);
        ReadRecipe sequential;
        QVERIFY(parseTrainingConfig("train_sampling_strategy: sequential\n", "new.yaml", sequential));
        QVERIFY(!sequential.recipe.training.shuffle);
    }
};

QTEST_GUILESS_MAIN(HfKeysTest)
#include "hf_keys_test.moc"
