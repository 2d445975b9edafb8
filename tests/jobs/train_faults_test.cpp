// Part E of the faults as a run meets them: what its folder holds afterwards, what it says, how it goes on.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

#include "config/recipe_file.h"
#include "engine/border/engine.h"
#include "engine/faulty_phi.h"
#include "io/file.h"
#include "jobs/train.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"
#include "project/run_log.h"
#include "support/tiny_phi.h"

using namespace studio;
using test::Faults;
namespace fs = std::filesystem;

namespace {

struct Listener final : jobs::TrainListener {
    bool onUpdatesSkipped(const Error& error, const std::vector<project::Conversation>& which) override {
        causes.push_back(error);
        conversations = which;
        return watches;
    }
    void onPaused(bool paused) override {
        if (!paused || mailbox == nullptr) return;
        ++pauses;
        mailbox->resume();
    }
    void onNotice(const std::string& sentence) override { notices.push_back(sentence); }

    bool watches = false;
    int pauses = 0;
    engine::api::Mailbox* mailbox = nullptr;
    std::vector<Error> causes;
    std::vector<project::Conversation> conversations;
    std::vector<std::string> notices;
};

std::string bytesOf(const fs::path& file) {
    const auto bytes = io::readFile(file, 64u << 20);
    return bytes ? *bytes : std::string("none");
}

}  // namespace

class TrainFaultsTest : public QObject {
    Q_OBJECT
    QTemporaryDir home_;
    std::shared_ptr<Logger> log_ = makeNullLogger();
    int runs_ = 0;
    fs::path whole_;  // of a run without faults

    fs::path home() const { return home_.path().toStdString(); }

    config::Recipe recipe() const {
        config::Recipe recipe;
        auto& t = recipe.training;
        t.model_name_or_path = (home() / "model").string();
        t.data_path = {(home() / "data.jsonl").string()};
        t.max_seq_length = 64;
        t.validation_fraction = 0.2;
        t.max_steps = 12;
        t.per_device_train_batch_size = 2;
        t.gradient_accumulation_steps = 2;
        t.per_device_eval_batch_size = 2;
        t.learning_rate = 1e-3;
        t.save_strategy = "steps";
        t.save_steps = 3;
        t.eval_strategy = "steps";
        t.eval_steps = 4;
        t.threads = 1;  // other tests run beside this one
        recipe.qlora.r = 4;
        recipe.qlora.lora_alpha = 8;
        recipe.qlora.lora_dropout = 0.1;
        return recipe;
    }

    struct Ended {
        fs::path folder;
        Result<jobs::TrainSummary> result;
        project::RunInfo info;
        project::Metrics metrics;
        std::optional<std::int64_t> newest;
    };

    Ended run(const char* plan, const config::Recipe& recipe, Listener& listener, int megabytes = 0,
              const fs::path& resume = {}) {
        engine::LocalEngine engine({}, test::faultyMakers(std::make_shared<Faults>(plan), megabytes));
        return run(engine, recipe, listener, resume);
    }
    Ended run(engine::LocalEngine& engine, const config::Recipe& recipe, Listener& listener,
              const fs::path& resume = {}) {
        jobs::TrainRequest request;
        request.recipe = recipe;
        request.output_dir = resume.empty() ? home() / ("run-" + std::to_string(++runs_)) : resume;
        if (!resume.empty()) request.resume_from_checkpoint = "latest";
        engine::api::Mailbox mailbox;
        listener.mailbox = &mailbox;
        Ended ended{request.output_dir, jobs::train(engine, request, listener, mailbox, log_, {}), {}, {}, {}};
        listener.mailbox = nullptr;
        if (const auto info = project::readRun(request.output_dir)) ended.info = *info;
        if (const auto metrics = project::readMetrics(request.output_dir)) ended.metrics = *metrics;
        if (const auto found = project::newestCheckpoint(request.output_dir); found.newest) {
            ended.newest = found.newest->step;
            if (!found.notes.empty()) qWarning("%s", found.notes.front().c_str());
        }
        return ended;
    }

    static QString why(const Ended& ended) {
        return ended.result ? QStringLiteral("it ended well") : QString::fromStdString(ended.result.error().text());
    }

    // Nothing half written: no temporary folder, every checkpoint whole.
    static void expectWhole(const fs::path& folder) {
        for (const auto& entry : fs::directory_iterator(folder))
            QVERIFY2(entry.path().extension() != ".tmp", entry.path().c_str());
        for (const auto& found : project::listCheckpoints(folder)) QVERIFY(project::verifyCheckpoint(found.folder));
    }

  private Q_SLOTS:
    void initTestCase() {
        QFile data(home_.filePath("data.jsonl"));
        QVERIFY(data.open(QIODevice::WriteOnly));
        for (int i = 0; i < 24; ++i) {
            const QByteArray n = QByteArray::number(i);
            data.write("{\"prompt\":\"What is " + n + " and " + n + "?\",\"response\":\"It is " +
                       QByteArray::number(2 * i) + ", and you can check it by counting.\"}\n");
        }
        data.close();
        // The demonstration's tokenizer before a model whose steps take milliseconds.
        fs::create_directory(home() / "model");
        for (const auto& entry : fs::directory_iterator(STUDIO_SOURCE_DIR "/resources/demo/model"))
            if (const auto name = entry.path().filename(); name != "config.json" && name != "model.safetensors")
                fs::copy_file(entry.path(), home() / "model" / name);
        test::TinyPhi tiny;
        tiny.vocab = 4096;
        tiny.hidden = 64;
        tiny.intermediate = 128;
        QVERIFY(test::writeTinyPhi(home() / "model", tiny));

        const auto faults = std::make_shared<Faults>("");
        engine::LocalEngine engine({}, test::faultyMakers(faults));
        Listener listener;
        const Ended whole = run(engine, recipe(), listener);
        QVERIFY2(whole.result, qPrintable(why(whole)));
        whole_ = whole.folder;
        // Room was made for the largest micro-batch of its epochs, once.
        QCOMPARE(faults->calls("reserve"), 1);
        QVERIFY(faults->reserved.rows > 0);
        QCOMPARE(faults->beyond, 0);
    }

    void aRunThatMemoryEndsCanBeResumedWithLess_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::addColumn<int>("newest");  // −1: none
        QTest::addColumn<QString>("names");
        QTest::newRow("at load") << QByteArray("load 1x2 memory") << -1 << QStringLiteral("Close other programs");
        QTest::newRow("before the first step")
            << QByteArray("evaluate 1x9 memory") << -1 << QStringLiteral("per_device_eval_batch_size");
        QTest::newRow("for the largest batch")
            << QByteArray("reserve 1x2 memory") << -1 << QStringLiteral("gradient_checkpointing true");
        QTest::newRow("in the first step")
            << QByteArray("backward 1x9 memory") << -1 << QStringLiteral("gradient_checkpointing true");
        QTest::newRow("late") << QByteArray("forward 20x9 throw") << 9 << QStringLiteral("gradient_checkpointing true");
        QTest::newRow("in an evaluation")
            << QByteArray("evaluate 5x9 memory") << 8 << QStringLiteral("per_device_eval_batch_size");
    }
    void aRunThatMemoryEndsCanBeResumedWithLess() {
        QFETCH(QByteArray, plan);
        QFETCH(int, newest);
        QFETCH(QString, names);
        Listener listener;
        const Ended ended = run(plan.constData(), recipe(), listener, 100);
        QVERIFY(!ended.result);
        const Error& error = ended.result.error();
        QVERIFY2(error.code == ErrorCode::OutOfMemory, qPrintable(why(ended)));
        QVERIFY2(QString::fromStdString(error.hint).contains(names), qPrintable(why(ended)));
        if (!plan.endsWith("throw")) QVERIFY(error.message.find("79000 MB are held") != std::string::npos);
        QCOMPARE(ended.info.state, project::RunState::Failed);
        QCOMPARE(ended.info.failure, error.text());
        QCOMPARE(ended.newest ? int(*ended.newest) : -1, newest);
        expectWhole(ended.folder);

        // With less memory a step or an evaluation, as the sentence says: the same numbers.
        config::Recipe smaller = recipe();
        smaller.training.gradient_checkpointing = true;
        smaller.training.per_device_eval_batch_size = 1;
        const Ended rest = run("", smaller, listener, 100, ended.folder);
        QVERIFY2(rest.result, qPrintable(why(rest)));
        QCOMPARE(rest.info.state, project::RunState::Finished);
        const fs::path adapter = fs::path("checkpoint-12") / "adapter_model.safetensors";
        QVERIFY(bytesOf(rest.folder / adapter) == bytesOf(whole_ / adapter));
        QCOMPARE(rest.metrics.steps.size(), std::size_t{12});
    }

    void settingsThatFitAreNamed_data() {
        QTest::addColumn<int>("megabytes");
        QTest::addColumn<QString>("named");
        // The longest batch has some 60 rows of 1 MB: all of them, half of them with recompute, one conversation, …
        QTest::newRow("recompute") << 45
                                   << QStringLiteral(
                                          "gradient_checkpointing true or with "
                                          "per_device_train_batch_size 1");
        QTest::newRow("nothing") << 1 << QStringLiteral("neither a batch of one");
        QTest::newRow("no planner") << 0 << QStringLiteral("gradient_checkpointing");
    }
    void settingsThatFitAreNamed() {
        QFETCH(int, megabytes);
        QFETCH(QString, named);
        Listener listener;
        const Ended ended = run("forward 1x9 memory", recipe(), listener, megabytes);
        QVERIFY2(why(ended).contains(named), qPrintable(why(ended)));
    }

    void aLostDeviceFailsTheRunAndSavesNothing() {
        engine::LocalEngine engine({}, test::faultyMakers(std::make_shared<Faults>("backward 10 lost")));
        Listener listener;
        const Ended ended = run(engine, recipe(), listener);
        QVERIFY(!ended.result);
        QVERIFY(ended.result.error().code == ErrorCode::DeviceLost);
        QVERIFY(ended.result.error().hint.starts_with("Restart the program."));
        QCOMPARE(ended.info.state, project::RunState::Failed);
        QCOMPARE(ended.info.failure, ended.result.error().text());
        QCOMPARE(ended.newest.value_or(-1), std::int64_t{3});
        QVERIFY(ended.metrics.steps.size() > 3);  // steps were made after it, and they are given up
        expectWhole(ended.folder);
        // In the same process nothing starts any more; the run stays as it is.
        const Ended again = run(engine, recipe(), listener, ended.folder);
        QVERIFY(!again.result);
        QCOMPARE(again.result.error().text(), ended.result.error().text());
        QCOMPARE(again.newest.value_or(-1), std::int64_t{3});
        const Ended other = run(engine, recipe(), listener);
        QCOMPARE(other.result.error().text(), ended.result.error().text());
        // After a restart it goes on as if nothing had been.
        const Ended rest = run("", recipe(), listener, 0, ended.folder);
        QVERIFY2(rest.result, qPrintable(why(rest)));
        const fs::path adapter = fs::path("checkpoint-12") / "adapter_model.safetensors";
        QVERIFY(bytesOf(rest.folder / adapter) == bytesOf(whole_ / adapter));
    }

    void skippedUpdatesNameTheirConversations_data() {
        QTest::addColumn<QByteArray>("plan");
        QTest::newRow("loss") << QByteArray("forward 9x8 nan");
        QTest::newRow("gradient") << QByteArray("backward 9x8 inf");
    }
    void skippedUpdatesNameTheirConversations() {
        QFETCH(QByteArray, plan);
        config::Recipe one = recipe();
        one.training.gradient_accumulation_steps = 1;
        one.training.max_steps = 20;
        Listener alone, watched;
        watched.watches = true;

        // Nobody watches: it ends, the last good checkpoint is named, and so are the conversations.
        const Ended ended = run(plan.constData(), one, alone);
        QVERIFY(!ended.result);
        QCOMPARE(ended.info.state, project::RunState::Failed);
        QCOMPARE(ended.newest.value_or(-1), std::int64_t{6});
        const std::string text = ended.result.error().text();
        QVERIFY2(text.find("5 steps in a row, up to step 13") != std::string::npos, text.c_str());
        QVERIFY(text.find("checkpoint is of step 6") != std::string::npos);
        QVERIFY(!alone.conversations.empty());
        const auto& first = alone.conversations.front();
        QVERIFY2(text.find("message " + first.last_message + " of tree " + first.tree) != std::string::npos,
                 text.c_str());
        QVERIFY(text.find("the filter -tree:" + first.tree) != std::string::npos);
        int skipped = 0;
        for (const auto& step : ended.metrics.steps) {
            QCOMPARE(step.skipped, step.step >= 9);
            skipped += step.skipped;
            QCOMPARE(!step.suspects.empty(), step.skipped);
            for (const auto& suspect : step.suspects)
                QVERIFY(std::find(alone.conversations.begin(), alone.conversations.end(), suspect) !=
                        alone.conversations.end());
        }
        QCOMPARE(skipped, 5);

        // Somebody does: it pauses with the cause, goes on, and skips three more.
        const Ended paused = run(plan.constData(), one, watched);
        QVERIFY2(paused.result, qPrintable(why(paused)));
        QCOMPARE(watched.pauses, 1);
        QCOMPARE(watched.causes.size(), std::size_t{1});
        QCOMPARE(watched.causes[0].text(), text);
        QVERIFY(watched.conversations == alone.conversations);
        QCOMPARE(paused.result->skipped_updates, std::int64_t{8});
        QCOMPARE(paused.info.state, project::RunState::Finished);
        QCOMPARE(paused.metrics.steps.size(), std::size_t{20});

        // Resumed past the fault from the last good checkpoint, the skipped steps are made and none is skipped.
        const Ended rest = run("", one, alone, 0, ended.folder);
        QVERIFY2(rest.result, qPrintable(why(rest)));
        QCOMPARE(rest.result->skipped_updates, std::int64_t{0});
        for (const auto& step : rest.metrics.steps) QVERIFY(!step.skipped && step.suspects.empty());
    }
};

QTEST_GUILESS_MAIN(TrainFaultsTest)
#include "train_faults_test.moc"
