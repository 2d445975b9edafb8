// The commands as a script uses them: exit codes, one JSON object on stdout, sentences on stderr.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "app/run_program.h"

using namespace studio;
using test::Outcome;

namespace {

const QString kSample =
    QStringLiteral(STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz");
const QString kModel = QStringLiteral(STUDIO_SOURCE_DIR "/resources/demo/model");
const QString kDemo = QStringLiteral(STUDIO_SOURCE_DIR "/resources/config/demo/");

QJsonObject json(const Outcome& outcome) {
    QJsonParseError error{};
    const auto document = QJsonDocument::fromJson(outcome.out, &error);
    return error.error == QJsonParseError::NoError ? document.object()
                                                   : QJsonObject{{"unreadable", QString(outcome.out)}};
}

}  // namespace

class CommandsTest : public QObject {
    Q_OBJECT
    QTemporaryDir home_;
    QProcessEnvironment env_;

    Outcome run(const QStringList& arguments) { return test::run(arguments, env_, home_.path()); }
    static bool hasEngine() { return QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")); }

  private Q_SLOTS:
    void initTestCase() { env_ = test::environment(home_.path()); }

    void theSampleIsCountedAsItIs() {
        const Outcome o = run({"query", "--data", kSample, "--filter", "", "--json"});
        QCOMPARE(o.code, 0);
        const QJsonObject q = json(o);
        QCOMPARE(q["messages"].toInt(), 1489);
        QCOMPARE(q["conversations"].toInt(), 137);
        QCOMPARE(q["roots"].toInt(), 136);
        QCOMPARE(q["orphans"].toInt(), 1);
        QCOMPARE(q["message_ids"].toArray().size(), 1489);
    }

    void aWrongFilterIsASentenceWithItsPlace() {
        const Outcome o = run({"query", "--data", kSample, "--filter", "qualty>=0.6"});
        QCOMPARE(o.code, 2);
        QVERIFY2(o.err.contains("qualty") && o.err.contains("quality"), o.err.constData());
        QVERIFY(o.out.isEmpty());
    }

    void wrongUsageIsTwo_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("unknown command") << QStringList{"frobnicate"};
        QTest::newRow("missing option") << QStringList{"query"};
        QTest::newRow("unknown option") << QStringList{"query", "--data", kSample, "--nonsense"};
        QTest::newRow("dump without dry_run")
            << QStringList{"train", "--config", "a", "--qlora_config", "b", "--dump", "c"};
        QTest::newRow("unknown paths") << QStringList{"prepare", "--data", kSample, "--out", "x", "--paths", "bogus"};
        QTest::newRow("unknown key") << QStringList{
            "train", "--config",      kDemo + "training_config.yaml", "--qlora_config", kDemo + "qlora_config.json",
            "--set", "learning_rte=1"};
        QTest::newRow("no penalty") << QStringList{"chat", "--model_path", kModel, "--repetition_penalty", "0"};
        QTest::newRow("a rank without end") << QStringList{"bench", "train", "--r", "100000"};
        QTest::newRow("no rank") << QStringList{"bench", "train", "--r", "0"};
        QTest::newRow("a number that is none") << QStringList{"chat", "--model_path", kModel, "--temperature", "nan"};
        QTest::newRow("not a number") << QStringList{"chat", "--model_path", kModel, "--max_new_tokens", "many"};
    }
    void wrongUsageIsTwo() {
        QFETCH(QStringList, arguments);
        QCOMPARE(run(arguments).code, 2);
    }

    void limitsAreSaidInWords() {
        const Outcome o = run({"chat", "--model_path", kModel, "--top_k", "-1"});
        QCOMPARE(o.code, 2);
        QVERIFY2(o.err.contains("-1 is no number of 0 or more"), o.err.constData());
    }

    // With a card or without, before anything is made.
    void aBenchmarkAsksForItsCardFirst() {
        const QTemporaryDir temporary;
        QProcessEnvironment env = env_;
        env.insert("TMPDIR", temporary.path());
        if (!hasEngine()) QSKIP("built without the engine");
        const Outcome o = test::run({"bench", "load", "--device", "cuda:GPU-00000000-0000-0000-0000-000000000000"}, env,
                                    home_.path());
        QCOMPARE(o.code, 1);
        QVERIFY2(o.err.contains("GPU"), o.err.constData());
        QVERIFY(QDir(temporary.path()).isEmpty());
    }

    void everyCommandHasHelp() {
        for (const char* command : {"prepare", "train", "evaluate", "chat", "query", "tokenize", "inspect", "bench"}) {
            const Outcome o = run({command, "--help"});
            QCOMPARE(o.code, 0);
            QVERIFY2(!o.out.isEmpty(), command);
        }
    }

    void hyphensAndUnderscoresAreTheSame() {
        const Outcome a =
            run({"prepare", "--data", kSample, "--out", home_.filePath("p1"), "--max-seq-length", "64", "--json"});
        const Outcome b =
            run({"prepare", "--data", kSample, "--out", home_.filePath("p2"), "--max_seq_length=64", "--json"});
        QCOMPARE(a.code, 0);
        QCOMPARE(json(a), json(b));
        for (const char* key :
             {"conversations", "examples", "tokens", "supervised_tokens", "repetition", "cut_tokens", "left_out"})
            QVERIFY2(json(a).contains(key), key);
    }

    void idsAreThoseOfTheText() {
        QFile file(home_.filePath("texts.jsonl"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("\"Hello\"\n{\"text\":\"Hello\"}\n");
        file.close();
        const Outcome one = run({"tokenize", "--tokenizer", kModel, "--text", "Hello", "--json"});
        const Outcome lines = run({"tokenize", "--tokenizer", kModel, "--file", file.fileName(), "--json"});
        QCOMPARE(one.code, 0);
        QCOMPARE(lines.out, one.out + one.out);
    }

    void withoutTheEngineTheRestWorks() {
        QProcessEnvironment env = env_;
        env.insert("STUDIO_ENGINE", home_.filePath("absent.so"));
        QCOMPARE(test::run({"query", "--data", kSample, "--filter", ""}, env).code, 0);
        QCOMPARE(test::run({"inspect", kModel}, env).code, 0);
        QCOMPARE(test::run({"tokenize", "--tokenizer", kModel, "--text", "x"}, env).code, 0);
        QCOMPARE(test::run({"prepare", "--data", kSample, "--out", home_.filePath("p3")}, env).code, 0);
        const QStringList train{"train",
                                "--config",
                                kDemo + "training_config.yaml",
                                "--qlora_config",
                                kDemo + "qlora_config.json",
                                "--output_dir",
                                home_.filePath("no-engine")};
        const Outcome absent = test::run(train, env);
        QCOMPARE(absent.code, 1);
        QVERIFY2(absent.err.contains("engine library") && absent.err.contains("make build"), absent.err.constData());

        QFile broken(home_.filePath("broken.so"));
        QVERIFY(broken.open(QIODevice::WriteOnly));
        broken.write("no library");
        broken.close();
        env.insert("STUDIO_ENGINE", broken.fileName());
        const Outcome damaged = test::run(train, env);
        QCOMPARE(damaged.code, 1);
        QVERIFY2(damaged.err.contains("cannot be opened") && damaged.err.contains("make setup"),
                 damaged.err.constData());
        QVERIFY(!QFile::exists(home_.filePath("no-engine")));
    }

    void inspectTellsDamage() {
        QVERIFY(QDir().mkpath(home_.filePath("damaged")));
        for (const char* file : {"config.json", "tokenizer.model", "tokenizer_config.json"})
            QVERIFY(QFile::copy(kModel + "/" + file, home_.filePath(QString("damaged/") + file)));
        QFile weights(home_.filePath("damaged/model.safetensors"));
        QVERIFY(weights.open(QIODevice::WriteOnly));
        weights.write("12345678 not a header");
        weights.close();
        const Outcome o = run({"inspect", home_.filePath("damaged"), "--json"});
        QCOMPARE(o.code, 1);
        QCOMPARE(json(o)["sound"].toBool(true), false);
        QVERIFY(!json(o)["problems"].toArray().isEmpty());
    }

    void aRepetitionPenaltyChangesTheAnswer() {
        if (!hasEngine()) QSKIP("built without the engine");
        QStringList chat{"chat",   "--model_path",     kModel, "--prompt",      "Tell me about the sea, the sea.",
                         "--json", "--max_new_tokens", "24",   "--temperature", "0"};
        const QString plain = json(run(chat))["answer"].toString();
        const QString penalised = json(run(chat << "--repetition_penalty"
                                                << "3"))["answer"]
                                      .toString();
        QVERIFY(!plain.isEmpty() && !penalised.isEmpty());
        QVERIFY2(plain != penalised, qPrintable(plain));
    }

    void aDryRunWritesOnlyItsDump() {
        if (!hasEngine()) QSKIP("built without the engine");
        const QString run_folder = home_.filePath("dry"), dump = home_.filePath("dump");
        const Outcome o =
            run({"train", "--config", kDemo + "training_config.yaml", "--qlora_config", kDemo + "qlora_config.json",
                 "--output_dir", run_folder, "--dry_run", "--dump", dump, "--set", "max_seq_length=64", "--json"});
        QVERIFY2(o.code == 0, o.err.constData());
        QVERIFY(json(o)["steps"].toInt() > 0);
        QVERIFY(!QFile::exists(run_folder));
        QCOMPARE(QDir(dump).entryList(QDir::Files), (QStringList{"batch.json", "dump.safetensors"}));
    }

    void anotherEvaluationOfARunGivesItsOwnFigures() {
        if (!hasEngine()) QSKIP("built without the engine");
        const QString folder = home_.filePath("short");
        const QStringList train{"train",
                                "--config",
                                kDemo + "training_config.yaml",
                                "--qlora_config",
                                kDemo + "qlora_config.json",
                                "--output_dir",
                                folder,
                                "--set",
                                "max_steps=3",
                                "--set",
                                "max_seq_length=96",
                                "--set",
                                "validation_fraction=0.1",
                                "--json"};
        const Outcome trained = run(train);
        QVERIFY2(trained.code == 0, trained.err.constData());
        const Outcome evaluated = run({"evaluate", "--model_path", folder, "--data_path", kSample, "--json"});
        QVERIFY2(evaluated.code == 0, evaluated.err.constData());
        QCOMPARE(json(evaluated)["loss"], json(trained)["eval_loss"]);
        QCOMPARE(json(evaluated)["base_loss"], json(trained)["eval_loss_before"]);
        QCOMPARE(json(evaluated)["difference"], json(trained)["difference"]);

        const Outcome again = run(train);
        QCOMPARE(again.code, 1);
        QVERIFY2(again.err.contains("already holds a run"), again.err.constData());
        const Outcome resumed = run(train + QStringList{"--resume_from_checkpoint", "latest"});
        QCOMPARE(resumed.code, 0);
        QVERIFY2(resumed.err.contains("already complete"), resumed.err.constData());
    }

    void aChatAnswersInOneObject() {
        if (!hasEngine()) QSKIP("built without the engine");
        const QStringList chat{"chat", "--model_path", kModel, "--prompt", "Hello", "--max_new_tokens",
                               "5",    "--seed",       "3",    "--json"};
        const Outcome a = run(chat), b = run(chat);
        QVERIFY2(a.code == 0, a.err.constData());
        QCOMPARE(json(a)["answer"], json(b)["answer"]);
        QVERIFY(json(a)["new_tokens"].toInt() <= 5);
    }

    void missingThingsAreNamed_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("word");
        QTest::newRow("model") << QStringList{"chat", "--model_path", "nowhere", "--prompt", "x"}
                               << QByteArray("nowhere");
        QTest::newRow("data") << QStringList{"query", "--data", "nothing.jsonl", "--filter", ""}
                              << QByteArray("nothing.jsonl");
        QTest::newRow("config") << QStringList{"train", "--config", "no.yaml", "--qlora_config",
                                               kDemo + "qlora_config.json"}
                                << QByteArray("no.yaml");
        QTest::newRow("run") << QStringList{"train",
                                            "--config",
                                            kDemo + "training_config.yaml",
                                            "--qlora_config",
                                            kDemo + "qlora_config.json",
                                            "--output_dir",
                                            "none",
                                            "--resume_from_checkpoint",
                                            "latest"}
                             << QByteArray("none");
    }
    void missingThingsAreNamed() {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, word);
        const Outcome o = run(arguments);
        QCOMPARE(o.code, 1);
        QVERIFY2(o.err.contains(word) && o.err.contains("error: "), o.err.constData());
    }
};

QTEST_GUILESS_MAIN(CommandsTest)
#include "commands_test.moc"
