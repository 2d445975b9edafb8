// What the page counts and shows is what training gets from the same project.
#include <QTest>

#include "config/presets.h"
#include "jobs/load_data.h"
#include "jobs/places.h"
#include "jobs/proof_sheet.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui::testing;

class TrainingTest : public QObject {
    Q_OBJECT

    static jobs::DataRequest request(const config::Recipe& recipe, ui::Session& session) {
        const auto base = config::resolveDataPath(recipe.training.model_name_or_path, session.recipe().configFile(),
                                                  jobs::resourceFolder());
        jobs::DataRequest request = jobs::dataRequest(recipe, session.recipe().configFile(), *base, 512);
        request.data_path = {session.paths().folder.string()};
        return request;
    }

  private Q_SLOTS:
    void theCountIsThatOfTheTrainer_data() {
        QTest::addColumn<QByteArray>("filter");
        for (const char* filter : {"", "(role:prompter OR quality>=0.6)", "tree_turns:2", "-spam>=0.5 -review:rejected",
                                   "(deleted OR -deleted)", "turns<=2", "lang:en length<2000"})
            QTest::newRow(filter) << QByteArray(filter);
    }
    void theCountIsThatOfTheTrainer() {
        QFETCH(QByteArray, filter);
        Bench bench(60);
        auto store = corpus::Store::openFile(bench.session().paths().corpus());
        const auto catalogue = corpus::Catalogue::load(*store);
        const auto selection = corpus::select(*store, *catalogue, *corpus::Filter::parse(filter.toStdString()));
        config::Recipe recipe = bench.session().recipe().recipe();
        recipe.training.filter = filter.toStdString();
        const auto data = jobs::loadData(request(recipe, bench.session()), {});
        QVERIFY2(data.has_value(), data ? "" : data.error().text().c_str());
        QCOMPARE(selection->trainable_conversations, std::int64_t(data->examples->tree_ids.size()));
    }

    void theProofSheetHasTheTrainersTokens_data() {
        QTest::addColumn<QByteArray>("paths");
        for (const char* paths : {"best", "leaves", "replies", "tree"}) QTest::newRow(paths) << QByteArray(paths);
    }
    void theProofSheetHasTheTrainersTokens() {
        QFETCH(QByteArray, paths);
        Bench bench(12);
        config::Recipe recipe = bench.session().recipe().recipe();
        recipe.training.paths = paths.toStdString();
        recipe.training.max_seq_length = 200;
        recipe.training.filter = "(role:prompter OR quality>=0.3)";
        const auto data = jobs::loadData(request(recipe, bench.session()), {});
        QVERIFY2(data.has_value(), data ? "" : data.error().text().c_str());
        auto store = corpus::Store::openFile(bench.session().paths().corpus());
        const auto catalogue = corpus::Catalogue::load(*store);
        jobs::TokenizerCache cache;
        int at = 0;
        for (std::int32_t tree = 0; tree < std::int32_t(catalogue->trees().size()); ++tree) {
            const auto sheet =
                jobs::proofSheet(*store, *catalogue, tree, recipe, bench.session().recipe().configFile(), cache, {});
            QVERIFY2(sheet.has_value(), sheet ? "" : sheet.error().text().c_str());
            QCOMPARE(sheet->examples.empty(), !sheet->left_out.empty());
            for (const jobs::ProofExample& proof : sheet->examples) {
                QVERIFY(at < data->examples->size());
                const dataset::Example example = (*data->examples)[at++];
                QCOMPARE(proof.tokens.size(), example.tokens.size());
                for (std::size_t i = 0; i < proof.tokens.size(); ++i) {
                    QCOMPARE(proof.tokens[i].id, example.tokens[i]);
                    QCOMPARE(proof.tokens[i].supervised, example.supervised[i] != 0);
                }
            }
        }
        QCOMPARE(at, data->examples->size());
    }

    void aMissingBaseModelIsNamed() {
        Bench bench(3);
        config::Recipe recipe = bench.session().recipe().recipe();
        recipe.training.model_name_or_path = "no/such-model";
        auto store = corpus::Store::openFile(bench.session().paths().corpus());
        const auto catalogue = corpus::Catalogue::load(*store);
        jobs::TokenizerCache cache;
        const auto sheet =
            jobs::proofSheet(*store, *catalogue, 0, recipe, bench.session().recipe().configFile(), cache, {});
        QVERIFY(!sheet);
        QVERIFY(sheet.error().message.find("no/such-model") != std::string::npos);
        QVERIFY(!sheet.error().hint.empty());
    }
};

STUDIO_WIDGET_TEST(TrainingTest)
#include "training_test.moc"
