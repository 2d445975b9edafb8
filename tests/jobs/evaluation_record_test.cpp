// Evaluations as files, and shares with their interval.
#include "jobs/evaluation_record.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <fstream>

#include "io/file.h"

using namespace studio;
using namespace studio::jobs;

namespace {

EvaluationRecord record() {
    EvaluationRecord r;
    r.run_name = "studio r16/1";
    r.run = "/runs/studio";
    r.checkpoint = "/runs/studio/checkpoint-400";
    r.step = 400;
    r.base_name = "phi-2";
    r.time = "2026-11-24T14:02:11Z";
    r.seconds = 9.25;
    r.device = "cpu";
    r.template_name = "openassistant";
    r.data = {"a.jsonl.gz"};
    r.trees = 2;
    r.tokens = 30;
    r.model = {1.5, 0.1, std::exp(1.5)};
    r.base = SideResult{1.7, 0.1, std::exp(1.7)};
    r.difference = Difference{{-0.2, 0, -0.3, -0.1}, {-0.1, 0, -0.2, 0.1}};
    r.each = {{"m1", "=HYPERLINK(\"x\")", 10, 1.25, 1.5}, {"m2", "two", 20, 1.6, std::nullopt}};
    AnswerStatistics answers;
    answers.request.prompts = {"Hello"};
    answers.model.text = {"Hi"};
    answers.model.end = {"stopped by itself"};
    answers.model.tokens = {2};
    answers.model.by_itself = 1;
    answers.model.share = shareOf(1, 1);
    answers.model.mean_tokens = 2;
    r.answers = answers;
    return r;
}

}  // namespace

class EvaluationRecordTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void wilsonsIntervalIsThatOfTheBooks() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        const Estimate some = shareOf(81, 263), none = shareOf(0, 20);
        QVERIFY(std::abs(some.low - 0.2553) < 5e-5 && std::abs(some.high - 0.3662) < 5e-5);
        QCOMPARE(none.low, 0.0);
        QVERIFY(std::abs(none.high - 0.1611) < 5e-5);
        QCOMPARE(shareOf(0, 0).mean, 0.0);
    }

    void whatIsSavedIsReadBack() {
        const QTemporaryDir folder;
        const std::filesystem::path place = folder.path().toStdString() + "/evaluations";
        const auto file = saveEvaluation(*io::realFileOps(), place, record());
        QVERIFY(file.has_value());
        QCOMPARE(file->filename().string(), std::string("20261124T140211Z-studio-r16-1-400.json"));
        EvaluationRecord older = record();
        older.time = "2026-11-23T14:02:11Z";
        QVERIFY(saveEvaluation(*io::realFileOps(), place, older).has_value());
        std::ofstream(place / "damaged.json") << "{\"schema\": 1}";
        std::ofstream(place / "newer.json") << "{\"schema\": 99}";
        std::vector<std::string> notes;
        const auto listed = listEvaluations(place, &notes);
        QCOMPARE(listed.size(), std::size_t(2));
        QCOMPARE(listed[0].record.time, record().time);
        QCOMPARE(toJson(listed[0].record).dump(), toJson(record()).dump());
        QCOMPARE(notes.size(), std::size_t(2));
        for (const std::string& note : notes)
            QVERIFY(note.starts_with("damaged.json") || note.starts_with("newer.json"));
        QVERIFY(listEvaluations(place / "nowhere", nullptr).empty());
    }

    void oneTreeAloneHasNoIntervalAlsoAfterReading() {
        EvaluationRecord r = record();
        r.difference->all.low = -INFINITY;
        r.difference->all.high = INFINITY;
        const auto again = evaluationRecord(io::Json::parse(toJson(r).dump()), "x");
        QVERIFY(again.has_value());
        QVERIFY(!std::isfinite(again->difference->all.high) && !std::isfinite(again->difference->all.low));
    }

    void aPromptIsNoFormulaInTheTable() {
        const std::string csv = toCsv(record());
        QVERIFY(csv.find("\"m1\",\"'=HYPERLINK(\"\"x\"\")\",10,1.5,1.25,-0.25\n") != std::string::npos);
        QVERIFY(csv.find("\"m2\",\"two\",20,,1.6,\n") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(EvaluationRecordTest)
#include "evaluation_record_test.moc"
