// adapter_config.json: PEFT's bytes, PEFT's meaning, refusals with their reason. Golden files:
// tests/reference/peft_config.py.
#include "config/adapter_config.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "support.h"

using namespace studio;
using namespace studio::config;

class AdapterConfigTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void bytesArePefts_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"list", "regex", "dotted", "exclude_regex", "layers", "full_name_ignores_layers",
                                 "rank_pattern", "rslora", "unicode"})
            QTest::newRow(name) << name;
    }
    void bytesArePefts() {
        QFETCH(QString, name);
        const std::string text = test::read(test::golden("adapter_" + name.toStdString() + ".json"));
        GET(const AdapterConfig config, parseAdapterConfig(text, "adapter_config.json"));
        QVERIFY(config.warnings.empty());
        QCOMPARE(test::bytes(formatAdapterConfig(config)), test::bytes(text));
    }

    void resolvedNamesAreWritten() {
        // PEFT writes the modules it found; the files of these two still say what was asked for.
        for (const auto& [name, modules] :
             {std::pair("default", "[\n    \"q_proj\",\n    \"v_proj\",\n    \"fc1\",\n    \"fc2\"\n  ]"),
              std::pair("all_linear",
                        "[\n    \"q_proj\",\n    \"k_proj\",\n    \"v_proj\",\n    \"dense\",\n    \"fc1\",\n    "
                        "\"fc2\"\n  ]")}) {
            const std::string text = test::read(test::golden(std::string("adapter_") + name + ".json"));
            GET(const AdapterConfig config, parseAdapterConfig(text, "adapter_config.json"));
            const std::string written = formatAdapterConfig(config);
            QVERIFY2(written.find(std::string("\"target_modules\": ") + modules) != written.npos, written.c_str());
        }
    }

    void valuesAreRead() {
        GET(const AdapterConfig c, parseAdapterConfig(test::read(test::golden("adapter_rank_pattern.json")), "a.json"));
        QCOMPARE(c.lora.r, 8);
        QCOMPARE(c.lora.lora_alpha, 16.0);
        QCOMPARE(c.lora.rank_pattern.size(), 3u);
        QCOMPARE(*c.task_type, std::string("CAUSAL_LM"));
        QVERIFY(c.inference_mode);
        GET(const AdapterConfig u, parseAdapterConfig(test::read(test::golden("adapter_unicode.json")), "a.json"));
        QCOMPARE(*u.base_model_name_or_path, std::string("/modèles/phi-2 \"ß\" 😀"));
        QCOMPARE(*u.revision, std::string("main"));
        GET(const AdapterConfig least, parseAdapterConfig(R"({"peft_type": "LORA"})", "a.json"));
        QCOMPARE(least.lora.r, 8);  // LoraConfig's defaults
        QVERIFY(!least.task_type && !least.inference_mode);
        // A number where PEFT writes one, a list where it writes a list.
        GET(const AdapterConfig one,
            parseAdapterConfig(R"({"peft_type": "LORA", "layers_to_transform": 5, "layers_pattern": ["layers"],
            "lora_alpha": 16.5, "target_modules": "all-linear"})",
                               "a.json"));
        QCOMPARE(one.lora.layers_to_transform, std::vector<std::int64_t>{5});
        QVERIFY(formatAdapterConfig(one).find("\"lora_alpha\": 16.5,") != std::string::npos);
    }

    void unknownKeysAreAWarning() {
        GET(const AdapterConfig c,
            parseAdapterConfig(
                R"({"peft_type": "LORA", "brand_new": 1, "learning_rate": 2, "bnb_4bit_quant_type": "nf4"})",
                "a.json"));
        QCOMPARE(c.warnings.size(), 3u);
        QVERIFY(c.warnings[0].find("brand_new") != std::string::npos);
    }

    void whatCannotBeHonouredIsRefused_data() {
        QTest::addColumn<QString>("entry");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* entry, const char* said) { QTest::newRow(entry) << entry << said; };
        row(R"("use_dora": true)", "DoRA");
        row(R"("fan_in_fan_out": true)", "transposed");
        row(R"("modules_to_save": ["lm_head"])", "Whole modules");
        row(R"("lora_bias": true)", "bias to the adapter's B");
        row(R"("bias": "lora_only")", "Biases");
        row(R"("layer_replication": [[0, 4]])", "deeper model");
        row(R"("init_lora_weights": "pissa")", "init_lora_weights");
        row(R"("trainable_token_indices": [1])", "Embeddings");
        row(R"("target_parameters": ["w"])", "parameters");
        row(R"("use_qalora": true)", "use_qalora");
        row(R"("alora_invocation_tokens": [5])", "middle of a text");
        row(R"("megatron_config": {"a": 1})", "Megatron");
        row(R"("task_type": "SEQ_CLS")", "CAUSAL_LM");
        row(R"("r": 0)", "r is 0");
        row(R"("r": -4)", "r is -4");
        row(R"("r": 2.5)", "whole number");
        row(R"("lora_alpha": 0)", "above 0");
        row(R"("lora_alpha": "16")", "needs a number");
        row(R"("lora_dropout": 1.5)", "below 1");
        row(R"("target_modules": [1, {"a": 2}])", "needs one text");
        row(R"("rank_pattern": {"q_proj": "x"})", "whole number");
        row(R"("base_model_name_or_path": 5)", "no text");
    }
    void whatCannotBeHonouredIsRefused() {
        QFETCH(QString, entry);
        QFETCH(QString, said);
        const auto config =
            parseAdapterConfig("{\"peft_type\": \"LORA\", " + entry.toStdString() + "}", "my_adapter.json");
        QVERIFY(!config);
        const QString text = test::q(config.error().text());
        QVERIFY2(text.contains(said) && text.contains("my_adapter.json"), qPrintable(text));
        QVERIFY(!config.error().hint.empty());
    }

    void otherFilesAreRefused() {
        for (const char* text : {"", "{}", "[]", "null", R"({"peft_type": null})", R"({"peft_type": "IA3"})",
                                 R"({"peft_type": "LORA", "peft_type": "LORA"})", R"({"r": 8})"}) {
            const auto config = parseAdapterConfig(text, "a.json");
            QVERIFY2(!config && !config.error().hint.empty(), text);
        }
    }

    void foldersAreChecked() {
        QTemporaryDir folder;
        const std::filesystem::path path = folder.path().toStdString();
        QVERIFY(readAdapterConfig(path).error().message.find("adapter_config.json") != std::string::npos);
        std::ofstream(path / "adapter_config.json") << R"({"peft_type": "LORA"})";
        QVERIFY(readAdapterConfig(path));
        std::ofstream(path / "adapter_model.bin") << "x";
        QVERIFY(readAdapterConfig(path).error().message.find("pickle") != std::string::npos);
        std::ofstream(path / "adapter_model.safetensors") << "x";
        QVERIFY(readAdapterConfig(path));
    }
};

QTEST_GUILESS_MAIN(AdapterConfigTest)
#include "adapter_config_test.moc"
