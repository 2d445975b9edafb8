#include "project/checkpoint.h"

#include <QTemporaryDir>
#include <QtTest>
#include <set>

#include "checkpoint_support.h"
#include "io/json.h"
#include "io/sha256.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::project;
using namespace studio::test;
namespace fs = std::filesystem;

class CheckpointTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path run_;
    io::FileOps ops_;

    std::set<std::string> names(const fs::path& folder) {
        std::set<std::string> all;
        for (const auto& entry : fs::directory_iterator(folder)) all.insert(entry.path().filename().string());
        return all;
    }
    void saveAll(std::initializer_list<std::int64_t> steps) {
        for (const auto step : steps) EXPECT_OK(save(ops_, run_, step));
    }
    std::int64_t newest() {
        const auto search = newestCheckpoint(run_);
        return search.newest ? search.newest->step : -1;
    }
    bool noted(const std::string& phrase) {
        for (const auto& note : newestCheckpoint(run_).notes)
            if (note.find(phrase) != std::string::npos && note.ends_with('.')) return true;
        return false;
    }

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>();
        run_ = directory_->path().toStdString();
    }

    void aCheckpointHoldsWhatWasGiven() {
        const Sample sample(120);
        CheckpointContent content = sample.content();
        content.about = R"({"base": "microsoft/phi-2", "build": "1.0"})";
        const auto written = writeCheckpoint(ops_, run_, content, {});
        EXPECT_OK(written);
        QCOMPARE(*written, run_ / "checkpoint-120");
        QCOMPARE(names(*written),
                 (std::set<std::string>{"adapter_model.safetensors", "adapter_config.json", "manifest.json",
                                        "optimizer.safetensors", "trainer_state.json"}));
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-120"}));
        EXPECT_OK(verifyCheckpoint(*written));
        EXPECT_OK(verifyCheckpoint(*written / ""));
        const auto found = newestCheckpoint(run_);
        QVERIFY(found.newest && found.notes.empty());
        const auto value = loadSample(*found.newest);
        EXPECT_OK(value);
        QCOMPARE(*value, 120.0f);
        const auto adapter = io::SafetensorsFile::open(*written / "adapter_model.safetensors");
        EXPECT_OK(adapter);
        QCOMPARE(adapter->metadata().at("format"), std::string("pt"));
        const auto manifest = io::readJson(*written / "manifest.json");
        EXPECT_OK(manifest);
        QCOMPARE((*manifest)["schema_version"].get<int>(), 1);
        QCOMPARE((*manifest)["about"]["base"].get<std::string>(), std::string("microsoft/phi-2"));
        QCOMPARE((*manifest)["files"]["trainer_state.json"]["sha256"].get<std::string>(),
                 io::sha256("{\"step\": 120}\n"));
        QCOMPARE((*manifest)["files"]["trainer_state.json"]["size"].get<int>(), 14);
    }

    void theNewestIsThatOfTheHighestStep() {
        saveAll({1000, 20, 3});
        // Fault 45: times say nothing.
        fs::last_write_time(run_ / "checkpoint-1000", fs::file_time_type::clock::now() - std::chrono::hours(1000));
        QCOMPARE(newest(), std::int64_t{1000});
        const auto all = listCheckpoints(run_);
        QCOMPARE(all.size(), std::size_t{3});
        QVERIFY(all[0].step == 3 && all[1].step == 20 && all[2].step == 1000);
    }

    void otherNamesAreNoCheckpoints() {
        saveAll({5});
        for (const char* name :
             {"checkpoint-007", "checkpoint--8", "checkpoint-", "checkpoint-9x", "checkpoint-99999999999999999999",
              "checkpoint-10.backup", "Checkpoint-11", "xcheckpoint-12"})
            fs::copy(run_ / "checkpoint-5", run_ / name);
        put(run_ / "checkpoint-13", "a file");
        QCOMPARE(listCheckpoints(run_).size(), std::size_t{1});
        QCOMPARE(newest(), std::int64_t{5});
        QVERIFY(!newestCheckpoint(run_ / "absent").newest);
    }

    // Fault 42: one flipped bit, anywhere in any file.
    void aFlippedBitMeansTheOneBefore_data() {
        QTest::addColumn<QString>("file");
        for (const char* name : {"adapter_model.safetensors", "adapter_config.json", "optimizer.safetensors",
                                 "trainer_state.json", "manifest.json"})
            QTest::newRow(name) << name;
    }
    void aFlippedBitMeansTheOneBefore() {
        QFETCH(QString, file);
        saveAll({10, 20});
        const fs::path path = run_ / "checkpoint-20" / file.toStdString();
        const std::string sound = slurp(path);
        const std::size_t stride = sound.size() > 2000 ? 97 : 1;
        for (std::size_t at = 0; at < sound.size(); at += stride) {
            std::string damaged = sound;
            damaged[at] ^= static_cast<char>(1 << at % 8);
            put(path, damaged);
            QVERIFY2(!verifyCheckpoint(run_ / "checkpoint-20"), std::to_string(at).c_str());
            if (at % 13 == 0) QCOMPARE(newest(), std::int64_t{10});
        }
        QVERIFY(noted("checkpoint-20"));
        QVERIFY(noted("checkpoint-10 is used instead"));
        put(path, sound);
        QCOMPARE(newest(), std::int64_t{20});
    }

    // Fault 44.
    void incompleteOnesAreSkippedAndSaid_data() {
        QTest::addColumn<QString>("missing");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("files without manifest") << "manifest.json"
                                                << "is incomplete: it has no manifest.json";
        QTest::newRow("no adapter") << "adapter_model.safetensors"
                                    << "adapter_model.safetensors cannot be read: it does not exist";
        QTest::newRow("no optimizer") << "optimizer.safetensors"
                                      << "optimizer.safetensors cannot be read";
        QTest::newRow("no state") << "trainer_state.json"
                                  << "trainer_state.json cannot be read";
        QTest::newRow("manifest without files") << "*"
                                                << "is incomplete";
        QTest::newRow("empty folder") << "**"
                                      << "has no manifest.json";
    }
    void incompleteOnesAreSkippedAndSaid() {
        QFETCH(QString, missing);
        QFETCH(QString, phrase);
        saveAll({10, 20});
        for (const auto& name : names(run_ / "checkpoint-20")) {
            const bool gone =
                missing == "**" || (missing == "*" && name != "manifest.json") || missing.toStdString() == name;
            if (gone) fs::remove(run_ / "checkpoint-20" / name);
        }
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-20"), phrase.toStdString());
        QCOMPARE(newest(), std::int64_t{10});
        QVERIFY(noted(phrase.toStdString()));
    }

    void truncatedFilesAreNoticed() {
        saveAll({10});
        fs::resize_file(run_ / "checkpoint-10" / "optimizer.safetensors", 100);
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-10"), "has another size");
    }

    void manifestsOfOtherKindsAreRefused() {
        saveAll({10, 20});
        const fs::path path = run_ / "checkpoint-20" / "manifest.json";
        auto json = *io::readJson(path);
        const auto sealed = [](io::Json value) {
            value.erase("manifest_sha256");
            value["manifest_sha256"] = io::sha256(value.dump());
            return value.dump();
        };
        auto newer = json;
        newer["schema_version"] = 2;
        put(path, sealed(newer));
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-20"), "newer version");
        QVERIFY(noted("newer version"));
        auto fewer = json;
        fewer["files"].erase("optimizer.safetensors");
        put(path, sealed(fewer));
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-20"), "is not in its manifest");
        auto outside = json;
        outside["files"]["../../run.json"] = json["files"]["trainer_state.json"];
        put(path, sealed(outside));
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-20"), "in a way that cannot be used");
        put(path, "{}");
        EXPECT_ERROR(verifyCheckpoint(run_ / "checkpoint-20"), "is no manifest");
        put(path, sealed(json));
        EXPECT_OK(verifyCheckpoint(run_ / "checkpoint-20"));
        fs::rename(run_ / "checkpoint-20", run_ / "checkpoint-30");
        QCOMPARE(newest(), std::int64_t{10});
        QVERIFY(noted("holds the checkpoint of step 20"));
        fs::rename(run_ / "checkpoint-30", run_ / "my-copy");
        EXPECT_OK(verifyCheckpoint(run_ / "my-copy"));
        EXPECT_ERROR(verifyCheckpoint(run_ / "absent"), "no checkpoint folder");
    }

    void theSameStepTwice() {
        saveAll({10});
        const auto before = fs::last_write_time(run_ / "checkpoint-10" / "manifest.json");
        EXPECT_OK(save(ops_, run_, 10));  // equal bytes: the one that stands there stays
        QVERIFY(fs::last_write_time(run_ / "checkpoint-10" / "manifest.json") == before);
        EXPECT_OK(save(ops_, run_, 10, 0.5f));  // other bytes: replaced
        QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), 10.5f);
        fs::resize_file(run_ / "checkpoint-10" / "optimizer.safetensors", 100);  // damaged: replaced
        EXPECT_OK(save(ops_, run_, 10));
        QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), 10.0f);
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-10"}));
    }

    void oldOnesGoByTheLimit_data() {
        QTest::addColumn<int>("limit");
        QTest::addColumn<int>("best");
        QTest::addColumn<QString>("left");
        QTest::newRow("no limit") << -1 << -1 << "1 2 3 4 5";
        QTest::newRow("limit 3") << 3 << -1 << "3 4 5";
        QTest::newRow("limit 3, best 1") << 3 << 1 << "1 3 4 5";
        QTest::newRow("limit 3, best 4") << 3 << 4 << "3 4 5";
        QTest::newRow("limit 1 keeps two") << 1 << -1 << "4 5";
        QTest::newRow("limit 0 keeps two") << 0 << -1 << "4 5";
        QTest::newRow("limit 1, best 2") << 1 << 2 << "2 4 5";
        QTest::newRow("limit above") << 9 << -1 << "1 2 3 4 5";
    }
    void oldOnesGoByTheLimit() {
        QFETCH(int, limit);
        QFETCH(int, best);
        QFETCH(QString, left);
        saveAll({1, 2, 3, 4});
        Retention retention;
        if (limit >= 0) retention.total_limit = limit;
        retention.best_step = best;
        EXPECT_OK(save(ops_, run_, 5, 0, retention));
        QStringList found;
        for (const auto& checkpoint : listCheckpoints(run_)) found << QString::number(checkpoint.step);
        QCOMPARE(found.join(' '), left);
        QCOMPARE(names(run_).size(), static_cast<std::size_t>(found.size()));  // and nothing half deleted
    }

    void theLastTwoSoundOnesAreNeverDeleted() {
        saveAll({1, 2, 3, 4});
        for (const char* damaged : {"checkpoint-3", "checkpoint-4"})
            fs::resize_file(run_ / damaged / "optimizer.safetensors", 8);
        EXPECT_OK(save(ops_, run_, 5, 0, {.total_limit = 2}));
        EXPECT_OK(verifyCheckpoint(run_ / "checkpoint-2"));
        EXPECT_OK(verifyCheckpoint(run_ / "checkpoint-5"));
        QVERIFY(!fs::exists(run_ / "checkpoint-1"));
    }

    void leftoversGoOnlyWhenAsked() {
        saveAll({10});
        fs::copy(run_ / "checkpoint-10", run_ / "checkpoint-20.tmp");
        fs::copy(run_ / "checkpoint-10", run_ / "checkpoint-5.deleted");
        fs::copy(run_ / "checkpoint-10", run_ / "checkpoint-10.old");
        QCOMPARE(newest(), std::int64_t{10});
        QVERIFY(noted("checkpoint-20.tmp was not finished"));
        QCOMPARE(names(run_).size(), std::size_t{4});
        removeUnfinished(run_);
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-10"}));
        QVERIFY(newestCheckpoint(run_).notes.empty());
    }

    void aCheckpointWhoseReplacementWasCutOffComesBack() {
        saveAll({5, 10});
        fs::rename(run_ / "checkpoint-10", run_ / "checkpoint-10.old");
        QCOMPARE(newest(), std::int64_t{10});
        removeUnfinished(run_);
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-10", "checkpoint-5"}));
        QCOMPARE(newest(), std::int64_t{10});
    }

    void laterOnesAreDiscardedWhenAnOlderOneIsContinued() {
        saveAll({5, 10, 15, 20});
        EXPECT_OK(discardCheckpointsAfter(ops_, run_, 10));
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-10", "checkpoint-5"}));
    }

    void linksInsideALeftoverAreRemovedNotFollowed() {
        fs::create_directories(run_ / "precious");
        put(run_ / "precious" / "file", "x");
        fs::create_directories(run_ / "checkpoint-5.tmp");
        fs::create_directory_symlink(run_ / "precious", run_ / "checkpoint-5.tmp" / "link");
        removeUnfinished(run_);
        QVERIFY(!fs::exists(run_ / "checkpoint-5.tmp"));
        QVERIFY(fs::exists(run_ / "precious" / "file"));
    }

    // Fault 43.
    void aFolderThatIsGoneIsAnError() {
        EXPECT_ERROR(save(ops_, run_ / "deleted", 1), "cannot be created: it does not exist");
    }

    void badContentIsRefusedBeforeAnythingChanges() {
        saveAll({1});
        const Sample sample(2);
        CheckpointContent content = sample.content();
        content.about = "{not json";
        EXPECT_ERROR(writeCheckpoint(ops_, run_, content, {}), "about the checkpoint");
        QCOMPARE(names(run_), (std::set<std::string>{"checkpoint-1"}));
    }
};

QTEST_APPLESS_MAIN(CheckpointTest)
#include "checkpoint_test.moc"
