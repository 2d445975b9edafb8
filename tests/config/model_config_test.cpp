// config.json of phi models: today's, yesterday's, tomorrow's, and wrong ones.
#include "config/model_config.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "support.h"

using namespace studio;
using namespace studio::config;

namespace {

const std::string kPhi2 =
    R"({"_name_or_path":"microsoft/phi-2","architectures":["PhiForCausalLM"],"attention_dropout":0.0,"bos_token_id":50256,)"
    R"("embd_pdrop":0.0,"eos_token_id":50256,"hidden_act":"gelu_new","hidden_size":2560,"initializer_range":0.02,)"
    R"("intermediate_size":10240,"layer_norm_eps":1e-05,"max_position_embeddings":2048,"model_type":"phi",)"
    R"("num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":32,"partial_rotary_factor":0.4,)"
    R"("qk_layernorm":false,"resid_pdrop":0.1,"rope_scaling":null,"rope_theta":10000.0,"tie_word_embeddings":false,)"
    R"("torch_dtype":"float16","transformers_version":"4.37.0","use_cache":true,"vocab_size":51200})";

std::string with(const std::string& entries) {
    return R"({"model_type": "phi", )" + entries + "}";
}
std::string replaced(std::string from, std::string to) {
    std::string text = kPhi2;
    const std::size_t at = text.find(from);
    return at == text.npos ? std::string() : text.replace(at, from.size(), to);
}

}  // namespace

class ModelConfigTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void phi2IsRead() {
        GET(const PhiConfig c, parsePhiConfig(kPhi2, "config.json"));
        QCOMPARE(c.vocab_size, 51200);
        QCOMPARE(c.hidden_size, 2560);
        QCOMPARE(c.intermediate_size, 10240);
        QCOMPARE(c.num_hidden_layers, 32);
        QCOMPARE(c.head_dim, 80);
        QCOMPARE(c.rotary_dim, 32);
        QCOMPARE(c.kvDim(), 2560);
        QCOMPARE(c.resid_pdrop, 0.1);
        QCOMPARE(c.eos_token_ids, std::vector<int>{50256});
        QCOMPARE(c.dtype, std::string("float16"));
        QVERIFY(c.warnings.empty() && !c.quantisation && !c.tie_word_embeddings);
        QCOMPARE(parameterCount(c), std::int64_t{2779683840});  // 5,559,367,680 bytes in float16
    }

    void linearsAreNamedAndShaped() {
        GET(PhiConfig c, parsePhiConfig(kPhi2, "config.json"));
        const auto all = linears(c);
        QCOMPARE(all.size(), 32u * 6);
        QVERIFY((all[0] == LinearShape{"model.layers.0.self_attn.q_proj", 2560, 2560}));
        QVERIFY((all[4] == LinearShape{"model.layers.0.mlp.fc1", 2560, 10240}));
        QVERIFY((all[5] == LinearShape{"model.layers.0.mlp.fc2", 10240, 2560}));
        QVERIFY((all[191] == LinearShape{"model.layers.31.mlp.fc2", 10240, 2560}));
        std::int64_t weights = 0;
        for (const LinearShape& linear : all) weights += std::int64_t{linear.in} * linear.out;
        QCOMPARE(weights, std::int64_t{2516582400});

        GET(const PhiConfig grouped,
            parsePhiConfig(replaced("\"num_key_value_heads\":32", "\"num_key_value_heads\":8"), "c.json"));
        QVERIFY((linears(grouped)[1] == LinearShape{"model.layers.0.self_attn.k_proj", 2560, 640}));
        QVERIFY((linears(grouped)[3] == LinearShape{"model.layers.0.self_attn.dense", 2560, 2560}));
        QCOMPARE(parameterCount(c) - parameterCount(grouped), std::int64_t{32} * 2 * (2560 * 1920 + 1920));
    }

    void missingKeysHaveTheClassDefaults() {
        GET(const PhiConfig c, parsePhiConfig(R"({"model_type": "phi"})", "config.json"));
        PhiConfig expected;
        expected.bos_token_ids = {1};
        expected.eos_token_ids = {2};
        QVERIFY(c == expected);
        QCOMPARE(c.rotary_dim, 32);
        GET(const PhiConfig named, parsePhiConfig(R"({"architectures": ["PhiForCausalLM"]})", "config.json"));
        QCOMPARE(named.hidden_size, 2048);
    }

    void variantsAreRead_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<double>("factor");
        QTest::addColumn<double>("theta");
        const auto row = [](const char* name, const std::string& text, double factor, double theta) {
            QTest::newRow(name) << test::q(text) << factor << theta;
        };
        // As transformers resolves them (5.17).
        row("beside", with(R"("partial_rotary_factor": 0.25, "rope_theta": 7)"), 0.25, 7);
        row("rope_parameters",
            with(R"("rope_parameters": {"partial_rotary_factor": 0.25, "rope_theta": 5000.0, "rope_type": "default"})"),
            0.25, 5000);
        row("both",
            with(
                R"("rope_parameters": {"partial_rotary_factor": 0.25, "rope_theta": 5000.0, "rope_type": "default"}, "partial_rotary_factor": 0.5, "rope_theta": 7)"),
            0.25, 5000);
        row("factor beside",
            with(R"("rope_parameters": {"rope_theta": 5000.0, "rope_type": "default"}, "partial_rotary_factor": 0.25)"),
            0.25, 5000);
        row("only theta", with(R"("rope_parameters": {"rope_theta": 5000.0, "rope_type": "default"})"), 0.5, 5000);
        row("default scaling", with(R"("rope_scaling": {"rope_type": "default", "partial_rotary_factor": 0.25})"), 0.25,
            10000);
        row("whole numbers", with(R"("rope_theta": 10000, "partial_rotary_factor": 1)"), 1, 10000);
        row("auto_map",
            with(
                R"("auto_map": {"AutoConfig": "configuration_phi.PhiConfig"}, "bos_token_id": null, "eos_token_id": null)"),
            0.5, 10000);
        row("dtype", with(R"("dtype": "bfloat16", "pad_token_id": null)"), 0.5, 10000);
    }
    void variantsAreRead() {
        QFETCH(QString, text);
        QFETCH(double, factor);
        QFETCH(double, theta);
        GET(const PhiConfig c, parsePhiConfig(text.toStdString(), "config.json"));
        QCOMPARE(c.partial_rotary_factor, factor);
        QCOMPARE(c.rope_theta, theta);
        QVERIFY(c.warnings.empty());
    }

    void tokensAndTypesAreRead() {
        GET(const PhiConfig c,
            parsePhiConfig(
                with(R"("eos_token_id": [5, 7], "bos_token_id": null, "torch_dtype": "float16", "dtype": "bfloat16")"),
                "c.json"));
        QCOMPARE(c.eos_token_ids, (std::vector<int>{5, 7}));
        QVERIFY(c.bos_token_ids.empty());
        QCOMPARE(c.dtype, std::string("bfloat16"));
        GET(const PhiConfig tied, parsePhiConfig(with(R"("tie_word_embeddings": true)"), "c.json"));
        PhiConfig free = tied;
        free.tie_word_embeddings = false;
        QCOMPARE(parameterCount(free) - parameterCount(tied), std::int64_t{51200} * 2048);
    }

    void storedQuantisationIsRecognised() {
        GET(const PhiConfig c,
            parsePhiConfig(
                with(
                    R"("quantization_config": {"_load_in_4bit": true, "_load_in_8bit": false, "bnb_4bit_compute_dtype": "bfloat16", "bnb_4bit_quant_storage": "uint8",)"
                    R"("bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": true, "load_in_4bit": true, "load_in_8bit": false, "quant_method": "bitsandbytes"})"),
                "c.json"));
        QVERIFY((c.quantisation == StoredQuantisation{"nf4", true, "bfloat16"}));
        for (
            const char* refused :
            {R"("quantization_config": {"quant_method": "gptq", "bits": 4})",
             R"("quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true})",
             R"("quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": true, "bnb_4bit_quant_type": "nf4"})",
             R"("quantization_config": 5)"})
            QVERIFY2(!parsePhiConfig(with(refused), "c.json"), refused);
    }

    void unknownKeysAreAWarning() {
        GET(const PhiConfig c, parsePhiConfig(with(R"("attention_bias": true, "sliding_window": 4096)"), "c.json"));
        QCOMPARE(c.warnings.size(), 2u);
        QVERIFY(c.warnings[0].find("attention_bias") != std::string::npos);
    }

    void wrongModelsAreRefused_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("said");
        const auto raw = [](const char* text, const char* said) { QTest::newRow(text) << text << said; };
        const auto row = [](const char* entries, const char* said) {
            QTest::newRow(entries) << test::q(with(entries)) << said;
        };
        raw("{}", "model_type is missing");
        raw("[]", "no JSON object");
        raw("", "line 1");
        raw(R"({"model_type": "llama"})", "model_type is \"llama\"");
        raw(R"({"model_type": "phi3"})", "model_type is \"phi3\"");
        raw(R"({"model_type": "phi-msft", "n_embd": 2560})", "phi-msft");
        raw(R"({"model_type": "phi", "n_layer": 32})", "first published");
        raw(R"({"model_type": "mixformer-sequential"})", "mixformer-sequential");
        raw(R"({"model_type": 5})", "model_type is 5");
        raw(R"({"model_type": "phi", "architectures": ["PhiForSequenceClassification"]})", "no language model head");
        row(R"("num_hidden_layers": 1000000000)", "at most 1024");
        row(R"("num_hidden_layers": 0)", "at least 1");
        row(R"("num_hidden_layers": -1)", "at least 1");
        row(R"("num_hidden_layers": 99999999999999999999)", "num_hidden_layers");
        row(R"("num_hidden_layers": "32")", "is \"32\", which is no whole number");
        row(R"("num_hidden_layers": 3.5)", "whole number");
        row(R"("num_hidden_layers": [1])", "no whole number");
        row(R"("hidden_size": 0)", "hidden_size is 0");
        row(R"("hidden_size": 2050)", "no multiple of num_attention_heads");
        row(R"("num_key_value_heads": 5)", "no multiple of num_key_value_heads");
        row(R"("num_key_value_heads": 64)", "no multiple of num_key_value_heads");
        row(R"("head_dim": 128)", "head_dim is 128");
        row(R"("partial_rotary_factor": 0)", "above 0");
        row(R"("partial_rotary_factor": 1.5)", "at most 1");
        row(R"("partial_rotary_factor": 0.05)", "gives 3 rotated dimensions");
        row(R"("partial_rotary_factor": 0.01)", "gives 0 rotated dimensions");
        row(R"("rope_theta": -1)", "above 0");
        row(R"("rope_theta": "x")", "no number");
        row(R"("rope_scaling": {"type": "linear", "factor": 2.0})", "type \"linear\"");
        row(R"("rope_scaling": "yarn")", "no map");
        row(R"("rope_parameters": {"rope_type": "yarn"})", "type \"yarn\"");
        row(R"("qk_layernorm": true)", "qk_layernorm");
        row(R"("qk_layernorm": "no")", "neither true nor false");
        row(R"("hidden_act": "gelu")", "only gelu_new");
        row(R"("layer_norm_eps": 0)", "above 0");
        row(R"("layer_norm_eps": 1e999)", "line 1");
        row(R"("resid_pdrop": -0.1)", "at least 0");
        row(R"("vocab_size": 0)", "at least 1");
        row(R"("eos_token_id": 51200)", "from 0 to vocab_size - 1 = 51199");
        row(R"("eos_token_id": [1, "x"])", "token ids");
        row(R"("bos_token_id": -1)", "token ids");
        row(R"("max_position_embeddings": 0)", "at least 1");
        row(R"("vocab_size": 100, "vocab_size": 100)", "twice");
    }
    void wrongModelsAreRefused() {
        QFETCH(QString, text);
        QFETCH(QString, said);
        const auto config = parsePhiConfig(text.toStdString(), "my/config.json");
        QVERIFY(!config);
        const QString error = test::q(config.error().text());
        QVERIFY2(error.contains(said), qPrintable(error));
        QVERIFY2(error.contains("my/config.json"), qPrintable(error));
        QVERIFY(!config.error().hint.empty());
    }

    void foldersAreChecked() {
        QTemporaryDir folder;
        const std::filesystem::path path = folder.path().toStdString();
        QVERIFY(readPhiConfig(path).error().message.find("no config.json") != std::string::npos);
        std::ofstream(path / "config.json") << kPhi2;
        QCOMPARE(readPhiConfig(path)->hidden_size, 2560);
        std::filesystem::remove(path / "config.json");
        std::filesystem::create_directory(path / "config.json");
        QVERIFY(!readPhiConfig(path));
    }
};

QTEST_GUILESS_MAIN(ModelConfigTest)
#include "model_config_test.moc"
