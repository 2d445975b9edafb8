// Which modules are adapted: PEFT's answer on the same model, and an error for every name that matches nothing.
#include "config/target_modules.h"

#include <QElapsedTimer>
#include <QTest>
#include <nlohmann/json.hpp>

#include "config/adapter_config.h"
#include "config/model_config.h"
#include "config/recipe_file.h"
#include "support.h"

using namespace studio;
using namespace studio::config;
using Json = nlohmann::json;

namespace {

const std::vector<std::string>& phi() {
    static const std::vector<std::string> names = [] {
        PhiConfig config;
        config.num_hidden_layers = 12;
        return linearNames(config);
    }();
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

class TargetModulesTest : public QObject {
    Q_OBJECT

    Json golden_ = Json::parse(test::read(test::golden("peft_modules.json")));

  private Q_SLOTS:
    void theModelsNamesAreTransformers() { QCOMPARE(golden_["linears"].get<Names>(), phi()); }

    void modulesArePefts_data() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, modules] : golden_["cases"].items()) QTest::newRow(name.c_str()) << test::q(name);
    }
    void modulesArePefts() {
        QFETCH(QString, name);
        const std::string key = name.toStdString();
        GET(const AdapterConfig config,
            parseAdapterConfig(test::read(test::golden("adapter_" + key + ".json")), "a.json"));
        GET(const auto targets, matchTargets(config.lora, phi()));
        const Json& expected = golden_["cases"][key];
        QCOMPARE(targets.size(), expected.size());
        for (std::size_t i = 0; i < targets.size(); ++i) {
            QCOMPARE(test::q(targets[i].name), test::q(expected[i][0].get<std::string>()));
            QCOMPARE(targets[i].r, expected[i][1].get<std::int64_t>());
            QCOMPARE(targets[i].scaling, expected[i][2].get<double>());
        }
        // What is written adapts the same modules.
        GET(const AdapterConfig again, parseAdapterConfig(formatAdapterConfig(config), "a.json"));
        GET(const auto same, matchTargets(again.lora, phi()));
        QVERIFY(same == targets);
    }

    void namesThatMatchNothingAreErrors_data() {
        QTest::addColumn<QString>("setting");
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("cure");
        const auto row = [](const char* setting, const char* said, const char* cure) {
            QTest::newRow(setting) << setting << said << cure;
        };
        row("target_modules=[q_proj, Wqkv]", "names Wqkv, which matches no linear",
            "called q_proj, k_proj and v_proj here");
        row("target_modules=[q_prj]", "names q_prj", "Did you mean q_proj?");
        row("target_modules=[self_atn.q_proj]", "names self_atn.q_proj", "Did you mean self_attn.q_proj?");
        row("target_modules=[fc3, fc1]", "names fc3",
            "Did you mean fc1? The model's linears are q_proj, k_proj, v_proj, dense, fc1 and fc2.");
        row("target_modules=[query_key_value, dense_h_to_4h]", "query_key_value", "q_proj, k_proj and v_proj");
        row("target_modules=[o_proj]", "names o_proj", "called dense here");
        row("target_modules=[mlp.down_proj]", "down_proj", "called fc2 here");
        row("target_modules=[q_proj, lm_head]", "lm_head, which is not adapted here", "Take it out");
        row("target_modules=[embed_tokens]", "embed_tokens, which is not adapted", "Take it out");
        row("target_modules=[roj]", "names roj", "Did you mean");  // no ending after a dot
        row("target_modules=\"q_proj\"", "as an expression for the whole name matches no linear", "[\"q_proj\"]");
        row("target_modules=.*layers\\.99\\..*", "matches no linear", "such as .*\\.q_proj");
        row("layers_to_transform=3,12", "names layer 12", "count from 0");
        row("rank_pattern={z_proj: 4}", "rank_pattern names z_proj", "Take it out or correct it");
        row("rank_pattern={k_proj: 4}", "k_proj, which decides for no adapted linear", "linears are");
        row("alpha_pattern={\"fc1|\": 4, fc1: 2}", "alpha_pattern names fc1", "earlier pattern");
        row("exclude_modules=all-linear", "No linear is left", "exclude_modules");
    }
    void namesThatMatchNothingAreErrors() {
        QFETCH(QString, setting);
        QFETCH(QString, said);
        QFETCH(QString, cure);
        Recipe recipe;
        const std::string text = setting.toStdString();
        const auto set = setFromText(recipe, text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
        QVERIFY2(set, set ? "" : set.error().text().c_str());
        const auto targets = matchTargets(recipe.qlora, phi());
        QVERIFY(!targets);
        QVERIFY2(test::q(targets.error().message).contains(said), targets.error().text().c_str());
        QVERIFY2(test::q(targets.error().hint).contains(cure), targets.error().text().c_str());
    }

    void scalingFollowsRankAndAlpha() {
        QloraConfig lora;
        lora.r = 16;
        lora.lora_alpha = 8;
        QCOMPARE((*matchTargets(lora, phi()))[0].scaling, 0.5);
        lora.use_rslora = true;
        QCOMPARE((*matchTargets(lora, phi()))[0].scaling, 2.0);
        QCOMPARE(matchTargets(lora, phi())->size(), 12u * 4);  // PEFT's four for phi
    }

    void hostileExpressionsEnd() {
        QElapsedTimer timer;
        timer.start();
        for (const char* pattern :
             {"(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*x", "((a*)*)*b", "(?R)", "(.+.+)+y", "(?:(?=(.*))\\1)*z"}) {
            QloraConfig lora;
            lora.target_modules = std::string(pattern);
            const auto targets = matchTargets(lora, phi());
            QVERIFY2(!targets && !targets.error().hint.empty(), pattern);
        }
        for (const std::string& pattern : {std::string(100000, 'a'), std::string("("), std::string("\\C"),
                                           "(" + std::string(3000, '(') + "a" + std::string(3000, ')') + ")",
                                           std::string("((((a{1000}){1000}){1000}){1000})")}) {
            QloraConfig lora;
            lora.rank_pattern = {{pattern, 4}};
            QVERIFY2(!matchTargets(lora, phi()), pattern.substr(0, 50).c_str());
        }
        QVERIFY2(timer.elapsed() < 20000, "a bound on matching does not hold");
    }
};

QTEST_GUILESS_MAIN(TargetModulesTest)
#include "target_modules_test.moc"
