// Wrong files: each gives a sentence that names the key and the cure, with its place in the file.
#include <QTest>

#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;

namespace {

constexpr const char* kGoodTraining = "model_name_or_path: phi\ndata_path: x.jsonl\n";
constexpr const char* kGoodQlora = R"({"load_in_4bit": true, "bnb_4bit_quant_type": "nf4")";

ReadRecipe readAll(const std::string& training, const std::string& qlora) {
    ReadRecipe read;
    const auto t = parseTrainingConfig(training, "training_config.yaml", read);
    const auto l = parseQloraConfig(qlora, "qlora_config.json", read);
    for (const auto& result : {t, l})
        if (!result)
            read.issues.push_back({"", Severity::Error, result.error().message, result.error().hint, {}, 0, 0});
    checkRead(read);
    return read;
}

}  // namespace

class WrongFilesTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void wrongFilesSayKeyAndCure_data() {
        QTest::addColumn<QString>("training");  // added to a good file
        QTest::addColumn<QString>("qlora");
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("cure");
        const auto training = [](const char* line, const char* key, const char* said, const char* cure) {
            QTest::newRow(line) << QString(line) << QString() << QString(key) << QString(said) << QString(cure);
        };
        const auto qlora = [](const char* entry, const char* key, const char* said, const char* cure) {
            QTest::newRow(entry) << QString() << QString(entry) << QString(key) << QString(said) << QString(cure);
        };
        // unknown keys
        training("learning_rat: 1e-4", "learning_rat", "is no known key", "nearest known key is learning_rate");
        training("Learning-Rate: 1e-4", "Learning-Rate", "is no known key", "learning_rate");
        training("num_train_epoch: 1", "num_train_epoch", "is no known key", "num_train_epochs");
        training("evaluation_stratgy: steps", "evaluation_stratgy", "is no known key", "evaluation_strategy");
        training("zzz: 1", "zzz", "is no known key", "nearest known key");
        training("lr: 1e-4", "lr", "is no known key", "called learning_rate here");
        training("dataset: oasst1", "dataset", "is no known key", "called data_path here");
        training("lora_r: 64", "lora_r", "is no known key", "called r here. Its file is qlora_config.json");
        training("r: 64", "r", "belongs in qlora_config.json", "Move the line");
        training("use_dora: false", "use_dora", "belongs in qlora_config.json", "Move the line");
        qlora(R"("learning_rate": 1e-4)", "learning_rate", "belongs in training_config.yaml", "Move the line");
        qlora(R"("lora_aplha": 16)", "lora_aplha", "is no known key", "lora_alpha");
        qlora(R"("use_nested_quant": false)", "use_nested_quant", "is no known key", "bnb_4bit_use_double_quant");
        // wrong types
        training("learning_rate: fast", "learning_rate", "needs a number, and fast is none", "2.0e-4");
        training("learning_rate: \"2e-4\"", "learning_rate", "needs a number, and \"2e-4\" is none", "unquoted");
        training("learning_rate: 0,001", "learning_rate", "needs a number", "write 0.001");
        training("learning_rate: [1e-4, 2e-4]", "learning_rate", "needs a number, and [1e-4, 2e-4] is none",
                 "one number");
        training("learning_rate:", "learning_rate", "has no value", "leave the line out");
        training("learning_rate: null", "learning_rate", "has no value", "leave the line out");
        training("max_steps: 1e3", "max_steps", "needs a whole number, and 1e3 is none", "Write 1000");
        training("max_steps: 100.5", "max_steps", "needs a whole number", "plain digits");
        training("max_steps: 010", "max_steps", "octal", "without the leading zero");
        training("seed: 0x10", "seed", "needs a whole number", "plain digits");
        training("seed: 99999999999999999999", "seed", "too large", "smaller number");
        training("packing: maybe", "packing", "needs true or false, and maybe is neither", "true or false");
        training("packing: 1", "packing", "needs true or false", "true or false");
        training("packing: \"true\"", "packing", "needs true or false", "unquoted");
        training("output_dir: [a, b]", "output_dir", "needs one text", "one text");
        training("data_path: {a: b}", "data_path", "needs one text", "one text");
        training("lr_scheduler_kwargs: 0.1", "lr_scheduler_kwargs", "needs a map", "min_lr");
        training("lr_scheduler_kwargs: {num_cycles: 3}", "lr_scheduler_kwargs", "num_cycles: 3, which is not offered",
                 "min_lr");
        training("lr_scheduler_kwargs: {min_lr: much}", "lr_scheduler_kwargs", "needs a number", "2.0e-4");
        qlora(R"("r": "16")", "r", "needs a whole number, and \"16\" is none", "unquoted");
        qlora(R"("r": 16.5)", "r", "needs a whole number", "plain digits");
        qlora(R"("target_modules": 5.0, "lora_dropout": true)", "lora_dropout", "needs a number", "number");
        qlora(R"("rank_pattern": ["q_proj"])", "rank_pattern", "needs a map", "{\"pattern\": number}");
        qlora(R"("rank_pattern": {"q_proj": 0})", "rank_pattern", "must be at least 1", "at least 1");
        qlora(R"("layers_to_transform": [1, -2])", "layers_to_transform", "is -2", "at least 0");
        // out of range
        training("learning_rate: 0", "learning_rate", "is 0; it must be above 0", "above 0 and at most 1");
        training("learning_rate: -1e-4", "learning_rate", "must be above 0", "above 0");
        training("learning_rate: 1e9", "learning_rate", "at most 1", "at most 1");
        training("learning_rate: .nan", "learning_rate", "finite", "finite");
        training("learning_rate: .inf", "learning_rate", "finite", "finite");
        training("learning_rate: 1e999", "learning_rate", "too large", "fits");
        training("per_device_train_batch_size: 0", "per_device_train_batch_size", "must be at least 1", "at least 1");
        training("gradient_accumulation_steps: 0", "gradient_accumulation_steps", "must be at least 1", "at least 1");
        training("max_seq_length: 1000000", "max_seq_length", "at most 131072", "at most 131072");
        training("max_seq_length: 0", "max_seq_length", "at least 8", "at least 8");
        training("max_steps: 0", "max_steps", "at least 1", "or -1");
        training("max_steps: -2", "max_steps", "at least 1", "or -1");
        training("num_train_epochs: 0", "num_train_epochs", "above 0", "above 0");
        training("validation_fraction: 1", "validation_fraction", "below 1", "below 1");
        training("adam_beta1: 1.0", "adam_beta1", "below 1", "below 1");
        training("warmup_ratio: 1.5", "warmup_ratio", "at most 1", "at most 1");
        training("save_total_limit: 0", "save_total_limit", "at least 1", "at least 1");
        training("weight_decay: -0.1", "weight_decay", "at least 0", "at least 0");
        qlora(R"("r": 0)", "r", "must be at least 1", "at least 1");
        qlora(R"("lora_alpha": 0)", "lora_alpha", "above 0", "above 0");
        qlora(R"("lora_dropout": 1.0)", "lora_dropout", "below 1", "below 1");
        // none of the choices, or refused ones
        training("paths: bests", "paths", "none of its values", "Did you mean best?");
        training("template: openasistant", "template", "none of its values", "openassistant");
        training("train_on: prompter", "train_on", "none of its values", "assistant and all");
        training("device: gpu", "device", "none of its values", "cuda:0");
        training("device: cuda:x", "device", "none of its values", "auto, cpu, cuda");
        training("lr_scheduler_type: polynomial", "lr_scheduler_type", "refused", "Use linear, constant");
        training("lr_scheduler_type: cosin", "lr_scheduler_type", "none of its values", "Did you mean cosine?");
        training("optim: paged_adamw_8bit", "optim", "refused: it keeps the moments in fewer bits", "adamw_torch");
        training("optim: lion_32bit", "optim", "another optimizer", "adamw_torch");
        training("optim: adam", "optim", "none of its values", "Did you mean");
        training("eval_strategy: sometimes", "eval_strategy", "none of its values", "no, steps and epoch");
        training("save_strategy: best", "save_strategy", "refused", "no, steps or epoch");
        training("label_smoothing_factor: 0.1", "label_smoothing_factor", "refused", "Write 0.0 or leave");
        training("neftune_noise_alpha: 5", "neftune_noise_alpha", "refused", "NEFTune");
        training("dataloader_drop_last: true", "dataloader_drop_last", "refused", "last smaller step");
        training("adafactor: true", "adafactor", "refused", "Only AdamW");
        training("train_sampling_strategy: sorted", "train_sampling_strategy", "none of its values",
                 "random, sequential");
        training("use_cpu: perhaps", "use_cpu", "none of its values", "true and false");
        qlora(R"("use_dora": true)", "use_dora", "refused", "DoRA");
        qlora(R"("bias": "all")", "bias", "refused", "Biases");
        qlora(R"("modules_to_save": ["lm_head"])", "modules_to_save", "refused", "Whole modules");
        qlora(R"("init_lora_weights": "gaussian")", "init_lora_weights", "refused", "uniformly");
        qlora(R"("task_type": "SEQ_CLS")", "task_type", "refused", "CAUSAL_LM");
        qlora(R"("load_in_8bit": true)", "load_in_8bit", "refused", "load_in_4bit");
        qlora(R"("llm_int8_skip_modules": ["fc1"])", "llm_int8_skip_modules", "refused", "lm_head");
        qlora(R"("bnb_4bit_compute_dtype": "float8")", "bnb_4bit_compute_dtype", "none of its values",
              "Did you mean float");
        qlora(R"("target_modules": "*q_proj")", "target_modules", "no regular expression", "Correct the expression");
        qlora(R"("target_modules": [])", "target_modules", "empty list", "all-linear");
        qlora(R"("target_modules": "all-linear", "layers_to_transform": [1])", "layers_to_transform",
              "cannot be combined", "as a list");
        qlora(R"("layers_pattern": "layers")", "layers_pattern", "layers_to_transform is not", "layers to adapt");
        // what fields say together
        training("max_steps: 100\nwarmup_steps: 200\nlr_scheduler_type: cosine", "warmup_steps",
                 "longer than the run of 100 steps", "fewer");
        training("bf16: true\nfp16: true", "fp16", "both true", "Keep one");
        training("lr_scheduler_type: cosine_with_min_lr", "lr_scheduler_kwargs", "needs the rate it ends at",
                 "min_lr: 1.0e-5");
        training("lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 1e-5, min_lr_rate: 0.1}",
                 "lr_scheduler_kwargs", "both min_lr and min_lr_rate", "Keep one");
        training("lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 0.5}", "lr_scheduler_kwargs",
                 "above learning_rate", "smaller min_lr");
        training("eval_strategy: epoch\nevaluation_strategy: steps", "evaluation_strategy", "a second time",
                 "Keep one");
        training("output_dir: \"\"", "output_dir", "names no folder", "Write a folder");
    }
    void wrongFilesSayKeyAndCure() {
        QFETCH(QString, training);
        QFETCH(QString, qlora);
        QFETCH(QString, key);
        QFETCH(QString, said);
        QFETCH(QString, cure);
        std::string good = kGoodTraining;
        if (training.startsWith("data_path")) good = "model_name_or_path: phi\n";
        const ReadRecipe read =
            readAll(good + training.toStdString() + "\n",
                    std::string(kGoodQlora) + (qlora.isEmpty() ? "" : ", " + qlora.toStdString()) + "}");
        QStringList texts;
        const FieldIssue* found = nullptr;
        for (const FieldIssue& issue : read.issues) {
            texts << test::q(issue.text());
            if (issue.severity == Severity::Error && test::q(issue.message).contains(said)) found = &issue;
        }
        QVERIFY2(found, qPrintable(texts.join("\n")));
        QVERIFY2(test::q(found->text()).contains(key), found->text().c_str());
        QVERIFY2(test::q(found->hint).contains(cure), found->text().c_str());
        QVERIFY2(found->line > 0 && found->column > 0, found->text().c_str());
        QVERIFY2(found->message.ends_with('.') && found->hint.ends_with('.'), found->text().c_str());
        QVERIFY(!requireValid(read));
        QVERIFY(test::q(requireValid(read).error().text()).contains(said));
    }

    void missingKeysSayTheCure() {
        ReadRecipe read = readAll("", R"({"r": 8})");
        const QString text = test::q(requireValid(read).error().text());
        for (const char* said : {"bnb_4bit_quant_type is missing, which means fp4", "\"bnb_4bit_quant_type\": \"nf4\"",
                                 "model_name_or_path names no base model", "data_path names no data"})
            QVERIFY2(text.contains(said), qPrintable(text));

        ReadRecipe explicit_fp4 = readAll(kGoodTraining, R"({"load_in_4bit": true, "bnb_4bit_quant_type": "fp4"})");
        QVERIFY(test::q(requireValid(explicit_fp4).error().text()).contains("fp4 is not offered"));
        ReadRecipe unquantised = readAll(kGoodTraining, R"({"load_in_4bit": false})");
        QVERIFY(requireValid(unquantised));
        ReadRecipe unsaid = readAll(kGoodTraining, R"({"bnb_4bit_quant_type": "nf4"})");
        QVERIFY(requireValid(unsaid) && unsaid.recipe.qlora.load_in_4bit);
        QCOMPARE(unsaid.issues.size(), 1u);
        QCOMPARE(unsaid.issues[0].key, std::string("load_in_4bit"));
    }

    void allErrorsAreTold() {
        const ReadRecipe read = readAll("learning_rate: 0\nseed: x\nfoo: 1\nbf16: true\nfp16: true\n", R"({"r": 0})");
        int errors = 0;
        for (const FieldIssue& issue : read.issues) errors += issue.severity == Severity::Error ? 1 : 0;
        QCOMPARE(errors, 8);  // the five lines' four, r, quant type, model, data
        const std::string text = requireValid(read).error().text();
        QCOMPARE(std::count(text.begin(), text.end(), '\n'), 7);
        QVERIFY(text.starts_with("training_config.yaml, line 1, column 16: learning_rate is 0;"));
    }

    void doubtfulFilesAreTakenWithAWord_data() {
        QTest::addColumn<QString>("line");
        QTest::addColumn<int>("severity");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* line, Severity severity, const char* said) {
            QTest::newRow(line) << line << static_cast<int>(severity) << said;
        };
        row("group_by_length: true", Severity::Notice, "no effect");
        row("report_to: wandb", Severity::Notice, "report_to has no effect");
        row("push_to_hub: true", Severity::Notice, "nothing leaves the machine");
        row("deepspeed: ds.json", Severity::Notice, "one device");
        row("optim: paged_adamw_32bit", Severity::Notice, "AdamW");
        row("load_best_model_at_end: true", Severity::Notice, "best checkpoint");
        row("lr_scheduler_type: constant\nwarmup_ratio: 0.03", Severity::Notice, "constant_with_warmup");
        row("lr_scheduler_kwargs: {min_lr: 1e-6}", Severity::Warning, "no effect with linear");
        row("learning_rate: 0.1", Severity::Warning, "unusually high");
        row("validation_fraction: 0.8", Severity::Warning, "more is held out");
        row("eval_strategy: steps\nvalidation_fraction: 0", Severity::Warning, "nothing is held out");
        row("fp16: true", Severity::Warning, "bnb_4bit_compute_dtype is bfloat16");
    }
    void doubtfulFilesAreTakenWithAWord() {
        QFETCH(QString, line);
        QFETCH(int, severity);
        QFETCH(QString, said);
        const ReadRecipe read = readAll(kGoodTraining + line.toStdString() + "\n",
                                        std::string(kGoodQlora) + R"(, "bnb_4bit_compute_dtype": "bfloat16"})");
        QVERIFY(requireValid(read));
        QCOMPARE(read.issues.size(), 1u);
        QCOMPARE(static_cast<int>(read.issues[0].severity), severity);
        QVERIFY2(test::q(read.issues[0].text()).contains(said), read.issues[0].text().c_str());
    }

    void typesDecideWhatPlainWordsMean() {
        // PyYAML and yaml-cpp make false of these; the field's type knows better.
        const ReadRecipe read = readAll(std::string(kGoodTraining) +
                                            "eval_strategy: no\nrun_name: no\npacking: yes\nshuffle: off\n"
                                            "learning_rate: 1E-4\nwarmup_steps: 1e2\n",
                                        std::string(kGoodQlora) + "}");
        QVERIFY(requireValid(read));
        QCOMPARE(read.recipe.training.eval_strategy, std::string("no"));
        QCOMPARE(*read.recipe.training.run_name, std::string("no"));
        QVERIFY(read.recipe.training.packing && !read.recipe.training.shuffle);
        QCOMPARE(read.recipe.training.learning_rate, 1e-4);
        QCOMPARE(read.recipe.training.warmup_steps, 100.0);
    }

    void unreadableFilesAreSaid() {
        for (const char* path : {"/nonexistent/training_config.yaml", STUDIO_SOURCE_DIR, "/dev/zero"}) {
            const auto read = readRecipe(path, {});
            QVERIFY2(!read && !read.error().message.empty(), path);
        }
        QVERIFY(!loadQloraConfig("/nonexistent/q.json"));
    }
};

QTEST_GUILESS_MAIN(WrongFilesTest)
#include "wrong_files_test.moc"
