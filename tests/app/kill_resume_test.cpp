// A run killed at twenty moments gives, resumed, the same bytes as one that was never killed.
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QtTest>

#include "app/run_program.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"

using namespace studio;
using test::Outcome;

namespace {

constexpr int kSteps = 8;
constexpr int kRandomKills = 10, kSaveKills = 10;

QByteArray content(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("cannot read " + path.toUtf8());
}

// metrics.jsonl without what only measures time.
QByteArray timeless(const QString& run) {
    QByteArray text;
    for (const QByteArray& line : content(run + "/metrics.jsonl").split('\n')) {
        QJsonObject object = QJsonDocument::fromJson(line).object();
        object.remove("seconds");
        text += QJsonDocument(object).toJson(QJsonDocument::Compact) + "\n";
    }
    return text;
}

}  // namespace

class KillResumeTest : public QObject {
    Q_OBJECT
    QTemporaryDir home_;
    QProcessEnvironment env_;
    QString config_, qlora_;
    QStringList saves_;  // operations inside a save: "12 write manifest.json"
    qint64 duration_ms_ = 0;
    int number_ = 0;

    void write(const QString& path, const QByteArray& bytes) {
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(bytes), qint64(bytes.size()));
    }

    Outcome train(const QString& run, const QString& fault = {}, int kill_after_ms = -1, const QString& trace = {}) {
        QProcessEnvironment env = env_;
        if (!fault.isEmpty()) env.insert("STUDIO_FILE_FAULT", fault);
        if (!trace.isEmpty()) env.insert("STUDIO_FILE_TRACE", trace);
        QStringList arguments{"train", "--config", config_, "--qlora_config", qlora_, "--output_dir", run};
        if (project::isRunFolder(run.toStdString()))
            arguments << "--resume_from_checkpoint"
                      << "latest";
        return test::run(arguments, env, {}, kill_after_ms);
    }

    QString newRun() { return home_.filePath("run-" + QString::number(++number_)); }

    void expectInterrupted(const QString& run) {
        if (!project::isRunFolder(run.toStdString())) return;  // killed before there was one
        const auto info = project::readRun(run.toStdString());
        QVERIFY2(info.has_value(), info ? "" : info.error().text().c_str());
        if (info->state == project::RunState::Finished) return;
        // Killed between its making and its start a run is still queued: nothing had begun.
        if (info->state == project::RunState::Queued) return;
        QCOMPARE(QByteArray(project::name(info->state).data()), QByteArray("interrupted"));
        const auto found = project::newestCheckpoint(run.toStdString());
        if (found.newest) QVERIFY(project::verifyCheckpoint(found.newest->folder).has_value());
    }

    void expectSameAsReference(const QString& run) {
        const QString reference = home_.filePath("reference"), last = QString("/checkpoint-%1/").arg(kSteps);
        for (const char* file : {"adapter_model.safetensors", "optimizer.safetensors", "adapter_config.json"})
            QVERIFY2(content(run + last + file) == content(reference + last + file), file);
        QCOMPARE(timeless(run), timeless(reference));
        QCOMPARE(content(run + "/samples.jsonl"), content(reference + "/samples.jsonl"));
    }

    void resumeAndCompare(const QString& run) {
        const Outcome resumed = train(run);
        QVERIFY2(resumed.code == 0, resumed.err.constData());
        expectSameAsReference(run);
        QDir(run).removeRecursively();
    }

  private Q_SLOTS:
    void initTestCase() {
        env_ = test::environment(home_.path());
        if (!QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")))
            QSKIP("built without the engine");
        QByteArray data;
        for (int i = 0; i < 24; ++i) {
            const QByteArray n = QByteArray::number(i);
            data += "{\"prompt\":\"What is " + n + " and " + n + "?\",\"response\":\"It is " +
                    QByteArray::number(2 * i) + ", and you can check it by counting.\"}\n";
        }
        write(home_.filePath("data.jsonl"), data);
        config_ = home_.filePath("training_config.yaml");
        qlora_ = home_.filePath("qlora_config.json");
        write(config_, QString("model_name_or_path: %1/resources/demo/model\n"
                               "data_path: [%2]\n"
                               "max_seq_length: 64\nvalidation_fraction: 0.2\nmax_steps: %3\n"
                               "per_device_train_batch_size: 2\ngradient_accumulation_steps: 2\n"
                               "learning_rate: 0.001\nlr_scheduler_type: cosine\nwarmup_steps: 2\nmax_grad_norm: 0.5\n"
                               "save_strategy: steps\nsave_steps: 3\neval_strategy: steps\neval_steps: 4\n"
                               "logging_steps: 1\nsample_prompts: [\"What is 5 and 5?\"]\nsample_max_new_tokens: 8\n")
                           .arg(STUDIO_SOURCE_DIR, home_.filePath("data.jsonl"))
                           .arg(kSteps)
                           .toUtf8());
        write(qlora_,
              "{\"load_in_4bit\":true,\"bnb_4bit_quant_type\":\"nf4\",\"bnb_4bit_use_double_quant\":true,"
              "\"r\":4,\"lora_alpha\":8,\"lora_dropout\":0.1,\"target_modules\":\"all-linear\"}");

        // Never killed; its file operations are the places to kill the others at.
        const QString trace = home_.filePath("trace");
        QElapsedTimer timer;
        timer.start();
        const Outcome reference = train(home_.filePath("reference"), "kill:before:1000000", -1, trace);
        duration_ms_ = timer.elapsed();
        QVERIFY2(reference.code == 0, reference.err.constData());
        // A save goes from the making of checkpoint-N.tmp to the sync of the run's folder after the last rename.
        bool saving = false, renamed = false;
        for (const QByteArray& line : content(trace).split('\n')) {
            if (line.contains("mkdir checkpoint-")) saving = true;
            if (saving) saves_ << QString::fromUtf8(line);
            if (line.contains("rename checkpoint-")) renamed = true;
            if (renamed && line.contains("fsync")) saving = renamed = false;
        }
        QVERIFY2(saves_.size() >= 3 * 8, content(trace).constData());
    }

    void killedInsideASave() {
        // Every kind of call, spread over all saves, before and after it in turn.
        QStringList points;
        for (const char* kind : {" write ", " fsync ", " rename "}) {
            const QStringList of_kind = saves_.filter(kind);
            QVERIFY2(!of_kind.isEmpty(), kind);
            const int wanted = kind == std::string(" write ") ? 4 : 3;
            for (int i = 0; i < wanted; ++i) points << of_kind[i * (of_kind.size() - 1) / std::max(wanted - 1, 1)];
        }
        QCOMPARE(points.size(), kSaveKills);
        for (int i = 0; i < points.size(); ++i) {
            const QString call = points[i].section(' ', 0, 0);
            const QString fault = QString("kill:%1:%2").arg(i % 2 ? "after" : "before", call);
            const QString run = newRun();
            const Outcome outcome = train(run, fault);
            QVERIFY2(outcome.killed, outcome.err.constData());
            qInfo().noquote() << "killed" << (i % 2 ? "after" : "before") << points[i];
            expectInterrupted(run);
            if (i == 4) {  // and once more on the way back
                const Outcome again = train(run, "kill:after:9");
                QVERIFY(again.killed);
                qInfo() << "   and again after the 9th call of the resumed run";
                expectInterrupted(run);
            }
            resumeAndCompare(run);
            if (QTest::currentTestFailed()) return;
        }
    }

    void killedAtRandomMoments() {
        QRandomGenerator random(20231105);
        for (int i = 0; i < kRandomKills; ++i) {
            const int moment = static_cast<int>(random.bounded(duration_ms_));
            const QString run = newRun();
            const Outcome outcome = train(run, {}, moment);
            const auto found = project::newestCheckpoint(run.toStdString());
            qInfo().noquote() << QString("killed after %1 of %2 ms: %3, newest checkpoint %4")
                                     .arg(moment)
                                     .arg(duration_ms_)
                                     .arg(outcome.killed ? "at work" : "already done")
                                     .arg(found.newest ? QString::number(found.newest->step) : "none");
            expectInterrupted(run);
            resumeAndCompare(run);
            if (QTest::currentTestFailed()) return;
        }
    }
};

QTEST_GUILESS_MAIN(KillResumeTest)
#include "kill_resume_test.moc"
