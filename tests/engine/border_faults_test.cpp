// Part E of the faults at the engine's border: memory that runs out at each moment, a device that is lost.
#include <QTemporaryDir>
#include <QtTest>

#include "engine/border/engine.h"
#include "engine/conversations.h"
#include "engine/faulty_phi.h"
#include "engine/run_support.h"
#include "support/tiny_phi.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;

namespace {

class Ignore final : public api::LossObserver {
  public:
    Result<void> onBatch(const dataset::Batch&, std::span<const float>) noexcept override { return {}; }
};

// An engine whose models fail as `plan` says.
struct Broken {
    explicit Broken(const char* plan, const std::string& folder)
        : faults(std::make_shared<Faults>(plan)), engine({std::make_shared<ListLogger>()}, faultyMakers(faults)) {
        source.folder = folder;
        source.threads = 1;
    }
    Result<void> load() {
        STUDIO_TRY(model, engine.load(source, {}));
        api::LoraSpec lora;
        for (const char* layer : {"0", "1"})
            for (const char* linear : {"self_attn.q_proj", "self_attn.dense", "mlp.fc1", "mlp.fc2"})
                lora.modules.push_back({std::string("model.layers.") + layer + "." + linear, 4, 2.0});
        lora.seed = 7;
        return model->createAdapter(lora);
    }
    Result<api::TrainResult> train(Record& record, const api::Checkpoint* resume = nullptr, const char* mode = "auto") {
        api::TrainPlan plan;
        plan.total_steps = 6;
        plan.accumulation = 2;
        plan.steps_per_epoch = 3;
        plan.learning_rate = 2e-2;
        plan.lora_dropout = 0.2;
        plan.save_steps = 2;
        plan.eval_steps = 3;
        plan.memory_mode = mode;
        for (const auto& batch : conversations()) {
            plan.largest.rows = std::max(plan.largest.rows, batch.rows());
            plan.largest.targets = std::max(plan.largest.targets, static_cast<int>(batch.targets.size()));
        }
        if (!reserves) plan.largest = {};
        ListSource data(conversations()), evaluation(conversations());
        api::Mailbox mailbox;
        return model->train(plan, data, &evaluation, resume, record, record, mailbox, {});
    }
    Result<void> losses() {
        ListSource data(conversations());
        Ignore ignore;
        return model->losses(data, 1, ignore, {});
    }
    Result<api::GeneratedToken> token() {
        api::GenerateRequest request;
        request.prompt = {1, 2, 3};
        STUDIO_TRY(answer, model->generate(request));
        return answer->next();
    }

    bool reserves = true;
    std::shared_ptr<Faults> faults;
    engine::LocalEngine engine;
    api::ModelSource source;
    std::unique_ptr<api::Model> model;
    std::unique_ptr<api::Generation> answer;
};

}  // namespace

class BorderFaultsTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::string folder() const { return folder_.path().toStdString(); }

  private Q_SLOTS:
    void initTestCase() { QVERIFY(writeTinyPhi(folder(), TinyPhi::mha())); }

    void memoryThatComesBackIsUsed_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::newRow("at load") << QByteArray("load 1 memory");
        QTest::newRow("for the adapter") << QByteArray("adapter 1 memory");
        QTest::newRow("for the adapter, thrown") << QByteArray("adapter 1 throw");
        QTest::newRow("before the first step") << QByteArray("reserve 1 memory");
        QTest::newRow("before the first step, thrown") << QByteArray("reserve 1 throw");
        QTest::newRow("in the first step") << QByteArray("forward 1 memory");
        QTest::newRow("in the first step, thrown") << QByteArray("backward 1 throw");
        QTest::newRow("late") << QByteArray("backward 8 memory");
        QTest::newRow("late, thrown") << QByteArray("forward 9 throw");
        QTest::newRow("in an evaluation") << QByteArray("evaluate 3 memory");
        QTest::newRow("in an evaluation, thrown") << QByteArray("evaluate 7 throw");
    }
    void memoryThatComesBackIsUsed() {
        QFETCH(QByteArray, plan);
        Broken whole("", folder()), broken(plan.constData(), folder());
        Record expected, record;
        QVERIFY(whole.load() && broken.load());
        QVERIFY(whole.train(expected) && broken.train(record));
        QVERIFY(record.at(6)->bytes() == expected.at(6)->bytes());
        QVERIFY(record.metrics == expected.metrics);
        QCOMPARE(broken.faults->freed, plan.startsWith("load") ? 0 : 1);
    }

    // Room for the largest micro-batch is made before the first step, in the run's own mode; the numbers stay the same.
    void aRunLaysOutBeforeItsFirstStep() {
        Broken whole("", folder()), unprepared("", folder());
        unprepared.reserves = false;
        Record expected, record;
        QVERIFY(whole.load() && unprepared.load());
        QVERIFY(whole.train(expected, nullptr, "recompute") && unprepared.train(record));
        QVERIFY(record.at(6)->bytes() == expected.at(6)->bytes());
        QCOMPARE(whole.faults->calls("reserve"), 1);
        const engine::Limits& reserved = whole.faults->reserved;
        QVERIFY(reserved.training && reserved.recompute && reserved.dropout);
        QVERIFY(reserved.memory == engine::MemoryMode::Recompute);
        for (const auto& batch : conversations()) QVERIFY(reserved.rows >= batch.rows());
        QCOMPARE(unprepared.faults->calls("reserve"), 0);
        // Where it is refused, no step was begun.
        Broken broken("reserve 1x2 memory", folder());
        Record none;
        QVERIFY(broken.load());
        const auto result = broken.train(none);
        QVERIFY(!result && result.error().code == ErrorCode::OutOfMemory);
        QCOMPARE(broken.faults->calls("forward") + broken.faults->calls("evaluate"), 0);
        QVERIFY(none.lines.empty());
    }

    void memoryThatIsGoneKeepsWhatIsFinished_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::addColumn<int>("kept");
        QTest::newRow("before the first step") << QByteArray("reserve 1x2 memory") << 0;
        QTest::newRow("in the first step") << QByteArray("forward 1x9 memory") << 0;
        QTest::newRow("late") << QByteArray("backward 8x9 memory") << 4;  // of 2, 2, 1, 2, 2 and 1 micro-batches
        QTest::newRow("late, thrown") << QByteArray("backward 6x9 throw") << 3;
        QTest::newRow("in an evaluation") << QByteArray("evaluate 1x9 memory") << 3;
        QTest::newRow("in an evaluation, thrown") << QByteArray("evaluate 7x9 throw") << 6;
    }
    void memoryThatIsGoneKeepsWhatIsFinished() {
        QFETCH(QByteArray, plan);
        QFETCH(int, kept);
        Broken whole("", folder()), broken(plan.constData(), folder());
        Record expected, record;
        QVERIFY(whole.load() && broken.load());
        QVERIFY(whole.train(expected));
        const auto result = broken.train(record);
        QVERIFY(!result);
        QVERIFY2(result.error().code == ErrorCode::OutOfMemory, result.error().text().c_str());
        QVERIFY(!result.error().hint.empty());
        QCOMPARE(record.checkpoints.empty() ? 0 : int(record.checkpoints.back().view().state.step), kept);
        // The model can still be used, and the run goes on as if nothing had been; also with less memory.
        QVERIFY(broken.token());
        for (const char* mode : {"auto", "recompute"}) {
            Broken again("", folder());
            Record rest;
            QVERIFY(again.load());
            QVERIFY(again.train(rest, kept > 0 ? &record.checkpoints.back().view() : nullptr, mode));
            if (kept < 6) QVERIFY(rest.at(6)->bytes() == expected.at(6)->bytes());
        }
    }

    void memoryThatRunsOutAtLoadSaysWhatToDo() {
        Broken broken("load 1x2 memory", folder());
        const auto loaded = broken.load();
        QVERIFY(!loaded && loaded.error().code == ErrorCode::OutOfMemory);
        QCOMPARE(broken.faults->calls("load"), 2);
        QVERIFY(loaded.error().message.find("79000 MB are held") != std::string::npos);
        QVERIFY(loaded.error().hint.starts_with("Close other programs"));
        QVERIFY(broken.load());  // the third is well
        broken.source.load_in_4bit = false;
        broken.faults = std::make_shared<Faults>("load 1x2 throw");
        engine::LocalEngine other({}, faultyMakers(broken.faults));
        const auto thrown = other.load(broken.source, {});
        QVERIFY(!thrown && thrown.error().code == ErrorCode::OutOfMemory);
        QVERIFY(thrown.error().hint.find("load_in_4bit") != std::string::npos);
    }

    void memoryThatRunsOutInAChatEndsTheAnswerOnly_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::addColumn<bool>("answered");
        QTest::newRow("cache, once") << QByteArray("cache 1 memory") << true;
        QTest::newRow("cache, once, thrown") << QByteArray("cache 1 throw") << true;
        QTest::newRow("cache") << QByteArray("cache 1x2 memory") << false;
        QTest::newRow("token") << QByteArray("decode 1 memory") << false;
        QTest::newRow("token, thrown") << QByteArray("decode 1 throw") << false;
    }
    void memoryThatRunsOutInAChatEndsTheAnswerOnly() {
        QFETCH(QByteArray, plan);
        QFETCH(bool, answered);
        Broken broken(plan.constData(), folder());
        QVERIFY(broken.load());
        const auto token = broken.token();
        QCOMPARE(token.has_value(), answered);
        if (!answered) {
            QVERIFY2(token.error().code == ErrorCode::OutOfMemory, token.error().text().c_str());
            QVERIFY(!token.error().hint.empty());
            // The same answer can go on, and so can everything else.
            if (plan.startsWith("decode")) QVERIFY(broken.answer->next());
        }
        Record record;
        QVERIFY(broken.token() && broken.losses() && broken.train(record));
    }

    void aLostDeviceRefusesEverythingInTheSameWords_data() {
        QTest::addColumn<QByteArray>("plan");
        for (const char* plan : {"load 2 lost", "adapter 2 lost", "reserve 1 lost", "forward 1 lost", "forward 8 lost",
                                 "backward 8 lost", "evaluate 4 lost", "cache 1 lost", "decode 2 lost"})
            QTest::newRow(plan) << QByteArray(plan);
    }
    void aLostDeviceRefusesEverythingInTheSameWords() {
        QFETCH(QByteArray, plan);
        Broken broken(plan.constData(), folder());
        QVERIFY(broken.load());
        const auto device = broken.engine.device();
        Record record;
        Result<void> first;
        if (plan.startsWith("load") || plan.startsWith("adapter"))
            first = broken.load();
        else if (plan.startsWith("cache") || plan.startsWith("decode"))
            for (auto token = broken.token(); first;) {
                if (!token) first = fail(token.error());
                token = broken.answer ? broken.answer->next() : token;
            }
        else if (const auto trained = broken.train(record); !trained)
            first = fail(trained.error());
        QVERIFY(!first && first.error().code == ErrorCode::DeviceLost);
        QVERIFY(first.error().hint.starts_with("Restart the program."));
        // Checkpoints are those that were complete before; none was made of what cannot be read back.
        for (const auto& kept : record.checkpoints) QCOMPARE(kept.view().state.step % 2, std::int64_t{0});

        const int passes = broken.faults->calls("forward") + broken.faults->calls("evaluate");
        const auto same = [&](const auto& result) { return !result && result.error().text() == first.error().text(); };
        Record none;
        QVERIFY(same(broken.engine.load(broken.source, {})));
        QVERIFY(same(broken.engine.planMemory(broken.source, {}, {}, {})));
        if (broken.model) {
            QVERIFY(same(broken.train(none)));
            QVERIFY(same(broken.losses()));
            QVERIFY(same(broken.token()));
            QVERIFY(same(broken.model->createAdapter({})));
            QVERIFY(same(broken.model->gradients(conversation(5, 1), false)));
        }
        if (broken.answer) QVERIFY(same(broken.answer->next()));
        QVERIFY(none.lines.empty());
        QCOMPARE(broken.faults->calls("forward") + broken.faults->calls("evaluate"), passes);
        QCOMPARE(broken.engine.device().name, device.name);  // what the window shows stays
    }

    // A dry run measures the step after it has computed one batch's loss.
    void gradientsLeaveNoBuffersToTheRunThatFollows() {
        Broken broken("forward 2 memory", folder());
        QVERIFY(broken.load());
        const auto dump = broken.model->gradients(conversation(20, 6), false);
        QVERIFY(dump && dump->target_logits.empty());
        QVERIFY(!broken.faults->keeps_logits);
        QCOMPARE(broken.faults->freed, 1);
        QVERIFY(!broken.model->gradients(conversation(20, 6), true));
        QVERIFY(broken.faults->keeps_logits);
        QCOMPARE(broken.faults->freed, 2);
    }

    void valuesThatAreNotFiniteAreSkippedByTheRealModel_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::newRow("loss") << QByteArray("forward 3 nan");
        QTest::newRow("gradient") << QByteArray("backward 3 inf");
    }
    void valuesThatAreNotFiniteAreSkippedByTheRealModel() {
        QFETCH(QByteArray, plan);
        Broken broken(plan.constData(), folder());
        QVERIFY(broken.load());
        Record record;
        const auto result = broken.train(record);
        QVERIFY(result && result->state.skipped_updates == 1);
        QVERIFY(record.steps[1].skipped);
        QCOMPARE(record.steps[1].suspects,
                 plan.endsWith("nan") ? std::vector<dataset::SampleId>{3} : std::vector<dataset::SampleId>({3, 4}));
        QVERIFY(!record.at(2) && record.at(6));  // no checkpoint between skipped updates
    }
};

QTEST_GUILESS_MAIN(BorderFaultsTest)
#include "border_faults_test.moc"
