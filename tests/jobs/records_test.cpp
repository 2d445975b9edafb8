#include <QtTest>

#include "jobs/run_record.h"
#include "jobs/trainer_state.h"

using namespace studio;

namespace {

jobs::RunRecord record() {
    jobs::RunRecord r;
    r.recipe.training.model_name_or_path = "phi-2";
    r.recipe.training.learning_rate = 3.3333e-5;
    r.recipe.training.data_path = {"a.jsonl"};
    r.recipe.qlora.target_modules = std::string("all-linear");
    r.base_folder = "/models/phi-2";
    r.base_hash = "b";
    r.data = {"/data/a.jsonl"};
    r.provenance.sources = {{"a.jsonl", std::string(64, '0'), 12}};
    r.provenance.chat_template = "openassistant";
    r.total_steps = 7;
    r.train_examples = 20;
    r.build = "0.1.0";
    r.device = {"cpu", "a CPU", "", 1u << 30, 2};
    return r;
}

}  // namespace

class RecordsTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void runRecordSurvivesJson() {
        const jobs::RunRecord before = record();
        const auto after = jobs::runRecord(jobs::toJson(before));
        QVERIFY2(after.has_value(), after ? "" : after.error().text().c_str());
        QVERIFY(after->recipe == before.recipe);
        QVERIFY(after->provenance == before.provenance);
        QCOMPARE(after->total_steps, before.total_steps);
        QCOMPARE(after->device.threads, 2);
        std::vector<std::string> notices;
        QVERIFY(jobs::checkResume(before, *after, notices).has_value());
        QVERIFY(notices.empty());
    }

    void aRecordWithSomethingMissingIsASentence() {
        io::Json json = jobs::toJson(record());
        json.erase("provenance");
        const auto read = jobs::runRecord(json);
        QVERIFY(!read && read.error().code == ErrorCode::Corrupt && !read.error().hint.empty());
    }

    void otherDataIsRefused() {
        jobs::RunRecord now = record();
        now.provenance.sources[0].sha256 = std::string(64, '1');
        std::vector<std::string> notices;
        const auto checked = jobs::checkResume(record(), now, notices);
        QVERIFY(!checked && checked.error().message.find("data") != std::string::npos);
    }

    void anotherRecipeIsRefusedByItsKey() {
        jobs::RunRecord now = record();
        now.recipe.training.learning_rate = 1e-4;
        std::vector<std::string> notices;
        const auto checked = jobs::checkResume(record(), now, notices);
        QVERIFY(!checked);
        QVERIFY2(checked.error().message.find("learning_rate") != std::string::npos, checked.error().message.c_str());
    }

    void whereARunIsWrittenDoesNotMatter() {
        jobs::RunRecord now = record();
        now.recipe.training.output_dir = "elsewhere";
        now.recipe.training.logging_steps = 1;
        now.recipe.training.data_path = {"../a.jsonl"};
        std::vector<std::string> notices;
        QVERIFY(jobs::checkResume(record(), now, notices).has_value());
    }

    void anotherMachineIsOnlyNoticed() {
        jobs::RunRecord now = record();
        now.device.threads = 8;
        now.build = "0.2.0";
        std::vector<std::string> notices;
        QVERIFY(jobs::checkResume(record(), now, notices).has_value());
        QCOMPARE(notices.size(), std::size_t(2));
    }

    void aGpuWithoutFullDeterminismIsNoticed() {
        jobs::RunRecord gpu = record();
        gpu.device = {"cuda", "NVIDIA H200", "GPU-1", std::uint64_t{1} << 37, 2};
        std::vector<std::string> notices;
        QVERIFY(jobs::checkResume(gpu, gpu, notices).has_value());
        QVERIFY(notices.size() == 1 && notices[0].starts_with("full_determinism is false"));
        gpu.recipe.training.full_determinism = true;
        notices.clear();
        QVERIFY(jobs::checkResume(gpu, gpu, notices).has_value());
        QVERIFY(notices.empty());
    }

    void trainerStateSurvivesExactly() {
        engine::api::TrainerState s;
        s.step = 41;
        s.position = {2, 17};
        s.loss_sum = 1.0 / 3.0;
        s.weight_sum = 12345.6789;
        s.last_eval_loss = 2.1e-17;
        s.has_eval_loss = true;
        s.best_step = 40;
        const auto back = jobs::parseTrainerState(jobs::formatTrainerState(s), "trainer_state.json");
        QVERIFY(back.has_value());
        QCOMPARE(back->loss_sum, s.loss_sum);
        QCOMPARE(back->weight_sum, s.weight_sum);
        QCOMPARE(back->last_eval_loss, s.last_eval_loss);
        QVERIFY(back->position == s.position);
        QCOMPARE(jobs::formatTrainerState(*back), jobs::formatTrainerState(s));
    }

    void aDamagedTrainerStateIsASentence() {
        for (const char* text : {"", "{", "[]", "{\"schema\":99}", "{\"schema\":1,\"step\":\"x\"}"}) {
            const auto read = jobs::parseTrainerState(text, "trainer_state.json");
            QVERIFY2(!read && !read.error().message.empty(), text);
        }
    }
};

QTEST_APPLESS_MAIN(RecordsTest)
#include "records_test.moc"
