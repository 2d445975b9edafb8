#include "project/run_folder.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <set>

#include "io/file.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::project;
using namespace studio::test;
namespace fs = std::filesystem;

class RunFolderTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path base_, run_;

    static io::Json details() { return {{"recipe", {{"learning_rate", 1e-5}}}, {"threads", 2}}; }
    Result<Run> create() { return Run::create(io::realFileOps(), run_, "a run", details()); }

    // A process that creates the run, brings it to `state` and is killed there.
    void dieInState(const std::vector<RunEvent>& events) {
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            auto run = create();
            char answer = run ? 'y' : 'n';
            for (const RunEvent event : events)
                if (!run || !run->apply(event)) answer = 'n';
            if (::write(ready[1], &answer, 1) == 1)
                for (;;) ::pause();
            ::_exit(1);
        }
        char answer = 0;
        QCOMPARE(::read(ready[0], &answer, 1), ssize_t{1});
        QCOMPARE(answer, 'y');
        const auto seen = readRun(run_);
        EXPECT_OK(seen);
        QVERIFY(isAtWork(seen->state));  // alive: as recorded
        EXPECT_ERROR(Run::open(io::realFileOps(), run_), "process " + std::to_string(child));
        QCOMPARE(::kill(child, SIGKILL), 0);
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        ::close(ready[0]);
        ::close(ready[1]);
    }

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>();
        base_ = directory_->path().toStdString();
        run_ = base_ / "runs" / "one";
    }

    void aRunIsRecordedFromItsFirstMoment() {
        auto run = create();
        EXPECT_OK(run);
        QVERIFY(isRunFolder(run_));
        const auto json = io::readJson(run_ / "run.json");
        EXPECT_OK(json);
        QCOMPARE((*json)["schema_version"].get<int>(), 1);
        QCOMPARE((*json)["state"].get<std::string>(), std::string("queued"));
        QCOMPARE((*json)["recipe"]["learning_rate"].get<double>(), 1e-5);
        QCOMPARE((*json)["threads"].get<int>(), 2);
        EXPECT_OK(run->apply(RunEvent::Start));
        EXPECT_OK(run->apply(RunEvent::Ready));
        auto info = readRun(run_);
        EXPECT_OK(info);
        QCOMPARE(info->state, RunState::Running);
        QCOMPARE(info->name, std::string("a run"));
        QVERIFY(info->details == details());
        QVERIFY(info->created.size() == 20 && info->created.ends_with("Z") && info->started.size() == 20);
        QVERIFY(info->finished.empty());
        EXPECT_OK(run->apply(RunEvent::Fail, "The loss is not finite."));
        info = readRun(run_);
        QCOMPARE(info->state, RunState::Failed);
        QCOMPARE(info->failure, std::string("The loss is not finite."));
        QVERIFY(!info->finished.empty());
        EXPECT_OK(run->apply(RunEvent::Start));  // again
        info = readRun(run_);
        QVERIFY(info->failure.empty() && info->finished.empty());
    }

    void anImpossibleEventChangesNothing() {
        auto run = create();
        EXPECT_OK(run);
        const std::string before = slurp(run_ / "run.json");
        EXPECT_ERROR(run->apply(RunEvent::StepsDone), "queued");
        QCOMPARE(slurp(run_ / "run.json"), before);
        QCOMPARE(run->info().state, RunState::Queued);
    }

    void whoeverDiesAtWorkLeavesAnInterruptedRun_data() {
        using E = RunEvent;
        QTest::addColumn<QList<int>>("events");
        QTest::newRow("preparing") << QList<int>{int(E::Start)};
        QTest::newRow("running") << QList<int>{int(E::Start), int(E::Ready)};
        QTest::newRow("paused") << QList<int>{int(E::Start), int(E::Ready), int(E::Pause)};
        QTest::newRow("stopping") << QList<int>{int(E::Start), int(E::Ready), int(E::Stop)};
    }
    void whoeverDiesAtWorkLeavesAnInterruptedRun() {
        QFETCH(QList<int>, events);
        std::vector<RunEvent> list;
        for (const int event : events) list.push_back(static_cast<RunEvent>(event));
        dieInState(list);
        const auto info = readRun(run_);
        EXPECT_OK(info);
        QCOMPARE(info->state, RunState::Interrupted);
        auto run = Run::open(io::realFileOps(), run_);
        EXPECT_OK(run);
        QCOMPARE(run->info().state, RunState::Interrupted);
        EXPECT_OK(run->apply(RunEvent::Start));
        QCOMPARE(readRun(run_)->state, RunState::Preparing);
    }

    void whatEndedProperlyStaysAsItIs() {
        {
            auto run = create();
            EXPECT_OK(run);
            for (const RunEvent event : {RunEvent::Start, RunEvent::Ready, RunEvent::StepsDone})
                EXPECT_OK(run->apply(event));
        }
        QCOMPARE(readRun(run_)->state, RunState::Finished);
        auto run = Run::open(io::realFileOps(), run_);
        EXPECT_OK(run);
        EXPECT_ERROR(run->apply(RunEvent::Start), "A finished run is complete");
    }

    void onlyOneProcessWorksOnARun() {
        auto run = create();
        EXPECT_OK(run);
        EXPECT_ERROR(Run::open(io::realFileOps(), run_), "in use by process");
        EXPECT_ERROR(create(), "already holds a run");
    }

    void foldersWithOtherThingsAreRefused() {
        fs::create_directories(run_);
        put(run_ / "thesis.tex", "precious");
        EXPECT_ERROR(create(), "belong to no run");
        fs::remove(run_ / "thesis.tex");
        put(run_ / "run.lock", "123");  // left by somebody who died before the record was written
        put(run_ / "run.json.tmp-123", "{");
        EXPECT_OK(create());
        put(base_ / "file", "");
        EXPECT_ERROR(Run::create(io::realFileOps(), base_ / "file", "x", {}), "is a file");
        EXPECT_ERROR(Run::create(io::realFileOps(), base_ / "file" / "x", "x", {}), "cannot be created");
        EXPECT_ERROR(Run::open(io::realFileOps(), base_), "no run.json");
    }

    void detailsKeepOffTheRecordsOwnKeys() {
        EXPECT_ERROR(Run::create(io::realFileOps(), run_, "x", {{"state", "finished"}}), "reserved key");
        auto run = create();
        EXPECT_OK(run);
        EXPECT_ERROR(run->setDetails({{"name", 1}}), "reserved key");
        EXPECT_OK(run->setDetails({{"result", {{"steps", 5}}}}));
        QCOMPARE(readRun(run_)->details["result"]["steps"].get<int>(), 5);
    }

    void badRecordsAreRefused_data() {
        QTest::addColumn<QString>("record");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("empty") << ""
                               << "run.json: line 1";
        QTest::newRow("no object") << "[]"
                                   << "not the record of a run";
        QTest::newRow("other JSON") << "{\"a\": 1}"
                                    << "not the record of a run";
        QTest::newRow("version is a text") << "{\"schema_version\": \"1\"}"
                                           << "not the record of a run";
        QTest::newRow("newer") << "{\"schema_version\": 2, \"state\": \"dreaming\"}"
                               << "newer version";
        QTest::newRow("unknown state") << "{\"schema_version\": 1, \"state\": \"dreaming\"}"
                                       << "no state of a run";
        QTest::newRow("no state") << "{\"schema_version\": 1}"
                                  << "no state of a run";
        QTest::newRow("name is a number") << "{\"schema_version\": 1, \"name\": 5, \"state\": \"queued\"}"
                                          << "\"name\" is not a text";
    }
    void badRecordsAreRefused() {
        QFETCH(QString, record);
        QFETCH(QString, phrase);
        fs::create_directories(run_);
        put(run_ / "run.json", record.toStdString());
        EXPECT_ERROR(readRun(run_), phrase.toStdString());
        EXPECT_ERROR(Run::open(io::realFileOps(), run_), phrase.toStdString());
        std::vector<std::string> notes;
        QVERIFY(listRuns(base_ / "runs", &notes).empty());
        QCOMPARE(notes.size(), std::size_t{1});
        QVERIFY(notes[0].find(phrase.toStdString()) != std::string::npos);
    }

    void aFullDiskLeavesTheRecordAsItWas() {
        {
            auto run = create();
            EXPECT_OK(run);
        }
        auto ops = io::faultyFileOps("ENOSPC:once:2");
        auto run = Run::open(*ops, run_);
        EXPECT_OK(run);
        EXPECT_ERROR(run->apply(RunEvent::Start), "no space left");
        QCOMPARE(run->info().state, RunState::Queued);
        QCOMPARE(readRun(run_)->state, RunState::Queued);
        EXPECT_OK(run->apply(RunEvent::Start));
        QCOMPARE(readRun(run_)->state, RunState::Preparing);
    }

    void everyDeathDuringAChangeLeavesAReadableRecord() {
        EXPECT_OK(create());
        std::set<RunState> seen;
        for (int n = 1; n <= 6; ++n) {
            const pid_t child = ::fork();
            if (child == 0) {
                auto ops = io::faultyFileOps("kill:during:" + std::to_string(n));
                auto run = Run::open(*ops, run_);
                if (run) static_cast<void>(run->apply(RunEvent::Start));
                ::_exit(1);
            }
            int status = 0;
            QCOMPARE(::waitpid(child, &status, 0), child);
            QVERIFY(WIFSIGNALED(status));
            const auto info = readRun(run_);
            EXPECT_OK(info);
            QVERIFY(info->details == details());
            seen.insert(info->state);
            auto run = Run::open(io::realFileOps(), run_);
            EXPECT_OK(run);
        }
        QCOMPARE(seen, (std::set<RunState>{RunState::Queued, RunState::Interrupted}));
    }

    void runsAreListedNewestFirst() {
        for (const char* name : {"b", "a", "c"}) EXPECT_OK(Run::create(io::realFileOps(), base_ / name, name, {}));
        fs::create_directory(base_ / "other");
        const auto set_created = [&](const char* name, const char* time) {
            auto json = *io::readJson(base_ / name / "run.json");
            json["created"] = time;
            put(base_ / name / "run.json", json.dump());
        };
        set_created("b", "2026-03-01T00:00:00Z");
        set_created("a", "2026-01-01T00:00:00Z");
        set_created("c", "2026-02-01T00:00:00Z");
        const auto runs = listRuns(base_);
        QCOMPARE(runs.size(), std::size_t{3});
        QCOMPARE(runs[0].info.name, std::string("b"));
        QCOMPARE(runs[1].info.name, std::string("c"));
        QCOMPARE(runs[2].info.name, std::string("a"));
        std::vector<std::string> notes;
        QVERIFY(listRuns(base_ / "absent", &notes).empty());
        QCOMPARE(notes.size(), std::size_t{1});
    }

    void titlesBecomeFolderNames_data() {
        QTest::addColumn<QString>("title");
        QTest::addColumn<QString>("folder");
        QTest::newRow("plain") << "guanaco_2.1"
                               << "guanaco_2.1";
        QTest::newRow("spaces") << "my  first run!"
                                << "my-first-run";
        QTest::newRow("newline and path") << "../../etc\npasswd"
                                          << "etc-passwd";
        QTest::newRow("dots") << ".."
                              << "run";
        QTest::newRow("nothing") << ""
                                 << "run";
        QTest::newRow("other letters") << QString::fromUtf8("Ünï run/1") << "n-run-1";
        QTest::newRow("long") << QString(300, 'x') << QString(80, 'x');
    }
    void titlesBecomeFolderNames() {
        QFETCH(QString, title);
        QFETCH(QString, folder);
        QCOMPARE(QString::fromStdString(folderName(title.toStdString())), folder);
    }
};

QTEST_APPLESS_MAIN(RunFolderTest)
#include "run_folder_test.moc"
