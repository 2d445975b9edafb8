#include "project/run_log.h"

#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <clocale>
#include <cmath>

#include "io/file.h"
#include "project/event_file.h"
#include "project/metrics_line.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::project;
using namespace studio::test;
namespace fs = std::filesystem;

class RunLogTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path run_;

    static StepRecord stepRecord(std::int64_t step) {
        return {step, static_cast<double>(step) / 7, 3.0 / static_cast<double>(step), 2e-4, 0.5, 512, 128, 0.25, false};
    }
    // Writes steps (after, last] as a run does: the step, every second one an evaluation and a sample.
    static Result<void> work(RunLog& log, std::int64_t after, std::int64_t last) {
        for (std::int64_t step = after + 1; step <= last; ++step) {
            STUDIO_CHECK(log.step(stepRecord(step)));
            if (step % 2) continue;
            STUDIO_CHECK(log.evaluation({step, 1.0 / static_cast<double>(step)}));
            STUDIO_CHECK(log.sample({step, "Why?", "Because.\n\"ä\"", "stop token"}));
        }
        return log.sync();
    }
    Result<RunLog> open(std::optional<std::int64_t> keep, const std::string& plan = "count") {
        STUDIO_TRY(auto ops, io::faultyFileOps(plan));
        return RunLog::open(ops, run_, keep);
    }
    fs::path eventFile() {
        for (const auto& entry : fs::directory_iterator(run_))
            if (entry.path().filename().string().starts_with(kEventFilePrefix)) return entry.path();
        return {};
    }
    // The event file without its times: every record's wall time zeroed and its checksum left out.
    std::string timelessEvents() {
        const std::string bytes = slurp(eventFile());
        std::string out;
        for (std::size_t at = 0; at + 16 <= bytes.size();) {
            const auto length = static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8;
            out += bytes.substr(at + 12 + 9, static_cast<std::size_t>(length) - 9);
            at += 16 + static_cast<std::size_t>(length);
        }
        return out;
    }

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>(fastTemporary());
        run_ = directory_->path().toStdString();
    }

    void aLineHasExactlyTheKeysOfTheContract() {
        std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed, the decimal point becomes a comma
        const std::string line =
            formatLine(StepRecord{3, 1.5, 2.3333333333333335, 1e-5, 3.3333e-5, 512, 100, 0.1, false});
        const std::string eval = formatLine(EvalRecord{3, 0.1});
        std::setlocale(LC_ALL, "C");
        QCOMPARE(line,
                 std::string("{\"step\":3,\"epoch\":1.5,\"loss\":2.3333333333333335,\"learning_rate\":1e-05,"
                             "\"grad_norm\":3.3333e-05,\"tokens\":512,\"supervised_tokens\":100,\"seconds\":0.1}\n"));
        QCOMPARE(eval, std::string("{\"step\":3,\"eval_loss\":0.1}\n"));
        QCOMPARE(formatLine(SampleRecord{3, "a\n", "\xFF", "end"}),
                 std::string("{\"step\":3,\"prompt\":\"a\\n\",\"text\":\"\xEF\xBF\xBD\",\"stop\":\"end\"}\n"));
    }

    void numbersThatAreNotFiniteAreNullAndTheStepIsMarked() {
        StepRecord record = stepRecord(1);
        record.loss = std::nan("");
        record.grad_norm = HUGE_VAL;
        const std::string line = formatLine(record);
        QVERIFY(line.find("\"loss\":null") != std::string::npos &&
                line.find("\"grad_norm\":null") != std::string::npos);
        QVERIFY(line.ends_with(",\"skipped\":true}\n"));
        const auto read = parseMetricsLine(line, "line 1");
        EXPECT_OK(read);
        QVERIFY(read->step->skipped && std::isnan(read->step->loss) && read->step->tokens == 512);
        record = stepRecord(1);
        record.skipped = true;
        QVERIFY(formatLine(record).find("\"skipped\":true") != std::string::npos);
    }

    void aSkippedStepNamesItsConversations() {
        StepRecord record = stepRecord(1);
        record.skipped = true;
        record.suspects = {{"tree-1", "message-1"}, {"tree \"2\"", "message-2"}};
        std::string line = formatLine(record);
        QVERIFY2(line.ends_with("\"skipped\":true,\"conversations\":[{\"tree_id\":\"tree-1\",\"last_message_id\":"
                                "\"message-1\"},{\"tree_id\":\"tree \\\"2\\\"\",\"last_message_id\":"
                                "\"message-2\"}]}\n"),
                 line.c_str());
        const auto read = parseMetricsLine(line, "line 1");
        EXPECT_OK(read);
        QVERIFY(read->step->suspects == record.suspects);
        line.replace(line.find("\"tree-1\""), 8, "3");
        QVERIFY(!parseMetricsLine(line, "line 1"));
    }

    void everyNumberReadsBackExactly() {
        std::uint64_t bits = 88172645463325252ull;
        for (int i = 0; i < 20000; ++i) {
            bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
            double value = 0;
            std::memcpy(&value, &bits, sizeof value);
            if (!std::isfinite(value)) continue;
            StepRecord record = stepRecord(1);
            record.loss = value;
            const auto read = parseMetricsLine(formatLine(record), "line");
            EXPECT_OK(read);
            QCOMPARE(read->step->loss, value);
        }
    }

    void whatWasLoggedIsRead() {
        {
            auto log = open(std::nullopt);
            EXPECT_OK(log);
            EXPECT_OK(log->evaluation({0, 3.5}));
            EXPECT_OK(work(*log, 0, 4));
        }
        const auto metrics = readMetrics(run_);
        EXPECT_OK(metrics);
        QCOMPARE(metrics->steps.size(), std::size_t{4});
        QCOMPARE(metrics->evaluations.size(), std::size_t{3});
        QCOMPARE(metrics->steps[2].loss, 1.0);
        const auto samples = readSamples(run_);
        EXPECT_OK(samples);
        QCOMPARE(samples->size(), std::size_t{2});
        QCOMPARE((*samples)[1].text, std::string("Because.\n\"ä\""));
        QCOMPARE(eventBytesUpTo(slurp(eventFile()), 4), fs::file_size(eventFile()));
        EXPECT_ERROR(open(std::nullopt), "there already");
    }

    void nothingLoggedReadsAsNothing() {
        QVERIFY(readMetrics(run_)->steps.empty());
        QVERIFY(readSamples(run_)->empty());
    }

    // Cut back to any step and continued, the files are those of a run that was never stopped.
    void aRunCutBackContinuesByteForByte_data() {
        QTest::addColumn<int>("logged");
        QTest::addColumn<int>("keep");
        QTest::addColumn<QString>("torn");
        for (const int keep : {-1, 0, 1, 2, 5, 6, 7})
            for (const char* torn : {"", "{\"step\":8,\"epo", "{\"step\":8,\"eval_loss\":1}"})
                QTest::addRow("keep %d, torn %d", keep, static_cast<int>(std::strlen(torn))) << 7 << keep << torn;
    }
    void aRunCutBackContinuesByteForByte() {
        QFETCH(int, logged);
        QFETCH(int, keep);
        QFETCH(QString, torn);
        {
            auto straight = open(std::nullopt);
            EXPECT_OK(straight);
            if (keep >= 0) EXPECT_OK(straight->evaluation({0, 3.5}));
            EXPECT_OK(work(*straight, 0, 10));
        }
        const std::string metrics = slurp(run_ / "metrics.jsonl"), samples = slurp(run_ / "samples.jsonl");
        const std::string events = timelessEvents();
        init();
        {
            auto killed = open(std::nullopt);
            EXPECT_OK(killed);
            EXPECT_OK(killed->evaluation({0, 3.5}));
            EXPECT_OK(work(*killed, 0, logged));
        }
        for (const fs::path& file : {run_ / "metrics.jsonl", run_ / "samples.jsonl", eventFile()})
            put(file, slurp(file) + torn.toStdString());
        {
            auto resumed = open(keep);
            EXPECT_OK(resumed);
            EXPECT_OK(work(*resumed, std::max(keep, 0), 10));
            QVERIFY2(resumed->notes().empty(), resumed->notes().empty() ? "" : resumed->notes()[0].c_str());
        }
        QCOMPARE(QString::fromStdString(slurp(run_ / "metrics.jsonl")), QString::fromStdString(metrics));
        QCOMPARE(QString::fromStdString(slurp(run_ / "samples.jsonl")), QString::fromStdString(samples));
        QCOMPARE(timelessEvents(), events);
        QCOMPARE(eventBytesUpTo(slurp(eventFile()), 10), fs::file_size(eventFile()));
    }

    void lostStepsAndDamagedLinesAreSaid() {
        put(run_ / "metrics.jsonl", formatLine(stepRecord(1)) + "garbage\n" + formatLine(stepRecord(2)));
        auto log = open(5);
        EXPECT_OK(log);
        QCOMPARE(log->notes().size(), std::size_t{2});
        QVERIFY(log->notes()[0].find("line 2") != std::string::npos);
        QVERIFY(log->notes()[1].find("ends at step 2") != std::string::npos);
    }

    void anEventFileWithoutAVersionIsBegunAgain() {
        put(run_ / (std::string(kEventFilePrefix) + "1.host"), "torn");
        auto log = open(std::nullopt);
        EXPECT_OK(log);
        EXPECT_OK(log->step(stepRecord(1)));
        QCOMPARE(eventBytesUpTo(slurp(eventFile()), 1), fs::file_size(eventFile()));
    }

    void badLinesAreErrorsForReaders_data() {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("no JSON") << "step 1"
                                 << "line 2";
        QTest::newRow("list") << "[1]"
                              << "no JSON object";
        QTest::newRow("no step") << "{\"eval_loss\": 1}"
                                 << "\"step\" is missing";
        QTest::newRow("loss is a text") << "{\"step\":1,\"epoch\":1,\"loss\":\"x\"}"
                                        << "\"loss\" is no number";
        QTest::newRow("loss is missing") << "{\"step\":1,\"epoch\":1}"
                                         << "\"loss\" is missing";
    }
    void badLinesAreErrorsForReaders() {
        QFETCH(QString, line);
        QFETCH(QString, phrase);
        put(run_ / "metrics.jsonl", formatLine(stepRecord(1)) + line.toStdString() + "\n" + formatLine(stepRecord(2)));
        EXPECT_ERROR(readMetrics(run_), phrase.toStdString());
        EXPECT_ERROR(readMetrics(run_), "line 2");
    }

    // Whatever fails, when the disk has room again the log is whole.
    void everyFailingCallCanBeTriedAgain_data() {
        QTest::addColumn<QString>("fault");
        for (const char* fault : {"ENOSPC:once:", "EIO:once:", "short:once:"}) QTest::newRow(fault) << fault;
    }
    void everyFailingCallCanBeTriedAgain() {
        QFETCH(QString, fault);
        for (int n = 1; n <= 24; ++n) {
            init();
            const std::string plan = fault.toStdString() + std::to_string(n);
            auto log = open(-1, plan);
            if (!log) log = open(-1);
            EXPECT_OK(log);
            std::string expected;
            for (int step = 1; step <= 4; ++step) {
                const auto once = log->step(stepRecord(step));
                expected += formatLine(stepRecord(step));
                if (once) continue;
                // What an engine does that could not log a step: the run stops and resumes after the last step it
                // saved.
                log = open(step - 1);
                EXPECT_OK(log);
                EXPECT_OK(log->step(stepRecord(step)));
            }
            QCOMPARE(slurp(run_ / "metrics.jsonl"), expected);
            QCOMPARE(eventBytesUpTo(slurp(eventFile()), 4), fs::file_size(eventFile()));
        }
    }

    // Fault 40 for the log: killed at any call, also in the middle of a write, it continues byte for byte.
    void everyDeathLeavesALogThatContinues() {
        {
            auto log = open(std::nullopt);
            EXPECT_OK(log);
            EXPECT_OK(work(*log, 0, 6));
        }
        const std::string metrics = slurp(run_ / "metrics.jsonl"), samples = slurp(run_ / "samples.jsonl");
        const std::string events = timelessEvents();
        int deaths = 0;
        for (const char* when : {"before", "during", "after"}) {
            for (int n = 1; n < 100; ++n) {
                init();
                const pid_t child = ::fork();
                if (child == 0) {
                    auto log = open(std::nullopt, "kill:" + std::string(when) + ":" + std::to_string(n));
                    ::_exit(log && work(*log, 0, 6) ? 0 : 1);
                }
                int status = 0;
                QCOMPARE(::waitpid(child, &status, 0), child);
                if (WIFEXITED(status)) {
                    QCOMPARE(WEXITSTATUS(status), 0);
                    break;
                }
                ++deaths;
                // The last step whose line is whole stands for the last checkpoint.
                const auto logged = readMetrics(run_);
                EXPECT_OK(logged);
                const auto last = static_cast<std::int64_t>(logged->steps.size());
                const std::int64_t keep = std::max<std::int64_t>(last - 1, 0);
                auto log = open(keep);
                EXPECT_OK(log);
                EXPECT_OK(work(*log, keep, 6));
                QCOMPARE(slurp(run_ / "metrics.jsonl"), metrics);
                QCOMPARE(slurp(run_ / "samples.jsonl"), samples);
                QCOMPARE(timelessEvents(), events);
            }
        }
        QVERIFY(deaths > 60);
    }
};

QTEST_APPLESS_MAIN(RunLogTest)
#include "run_log_test.moc"
