// Saving under fire: at every system call the process dies, the call fails, or the power goes. Afterwards the newest
// sound checkpoint is the one before or the new one, whole.
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>

#include "checkpoint_support.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::project;
using namespace studio::test;
namespace fs = std::filesystem;

namespace {

// A machine that loses its power at the n-th call: nothing happens after it, and of what was not synced some is lost.
class PowerLoss final : public io::FileOps {
  public:
    explicit PowerLoss(int at) : at_(at) {}
    bool lost() const { return calls_ >= at_; }

    int open(const char* path, int flags, int mode) override {
        if (off()) return -1;
        const int fd = FileOps::open(path, flags, mode);
        if (fd >= 0) open_[fd] = path;
        return fd;
    }
    ssize_t write(int fd, const void* data, std::size_t size) override {
        if (off()) return -1;
        unsynced_.insert(open_[fd]);
        return FileOps::write(fd, data, size);
    }
    int fsync(int fd) override {
        if (off()) return -1;
        const std::string path = open_[fd];
        unsynced_.erase(path);
        std::erase_if(renamed_, [&](auto& r) { return fs::path(r.second).parent_path() == path; });
        return FileOps::fsync(fd);
    }
    int rename(const char* from, const char* to) override {
        if (off()) return -1;
        const int result = FileOps::rename(from, to);
        if (result != 0) return result;
        std::set<std::string> moved;  // the names of what lies below change too
        for (const std::string& path : unsynced_)
            moved.insert(path == from || path.starts_with(from + std::string("/")) ? to + path.substr(std::strlen(from))
                                                                                   : path);
        unsynced_ = moved;
        renamed_.emplace_back(from, to);
        return result;
    }
    int mkdir(const char* path, int mode) override { return off() ? -1 : FileOps::mkdir(path, mode); }
    int ftruncate(int fd, off_t size) override { return off() ? -1 : FileOps::ftruncate(fd, size); }
    int remove(const char* path) override { return off() ? -1 : FileOps::remove(path); }

    // What the disk holds when the power is back. Renames come undone from the last on, any number of them.
    void restart(std::mt19937& random) {
        const auto undo = renamed_.empty() ? 0 : random() % (renamed_.size() + 1);
        for (std::size_t i = 0; i < undo; ++i) {
            const auto& [from, to] = renamed_[renamed_.size() - 1 - i];
            std::error_code ignored;
            if (!fs::exists(from)) fs::rename(to, from, ignored);
        }
        for (const std::string& path : unsynced_) {
            std::error_code ignored;
            const auto size = fs::file_size(path, ignored);
            if (ignored) continue;
            if (random() % 2)
                fs::resize_file(path, size / 2, ignored);
            else
                put(path, std::string(size, '\0'));  // the length arrived, the data did not
        }
    }

  private:
    bool off() {
        if (++calls_ < at_) return false;
        errno = EIO;
        return true;
    }

    const int at_;
    int calls_ = 0;
    std::map<int, std::string> open_;
    std::set<std::string> unsynced_;
    std::vector<std::pair<std::string, std::string>> renamed_;
};

}  // namespace

class CheckpointFaultsTest : public QObject {
    Q_OBJECT
    QTemporaryDir stock_{fastTemporary()};  // checkpoints to set scenes with, each made once
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path run_;
    io::FileOps ops_;

    // What stands before each save, and what is saved.
    struct Scene {
        std::vector<std::int64_t> before;
        std::int64_t step;
        float flavour;
        Retention retention;
    };
    static Scene scene(const QString& name) {
        if (name == "first") return {{}, 10, 0, {}};
        if (name == "next") return {{10}, 20, 0, {}};
        if (name == "with retention") return {{1, 2, 3, 4}, 5, 0, {.total_limit = 2, .best_step = 1}};
        return {{10, 20}, 20, 0.5f, {}};  // the same step again, with other bytes
    }
    void setTheScene(const Scene& s) {
        directory_ = std::make_unique<QTemporaryDir>(fastTemporary());
        run_ = directory_->path().toStdString();
        for (const auto step : s.before) {
            const fs::path made = stock_.path().toStdString();
            if (!fs::exists(made / fmt::format("checkpoint-{}", step))) EXPECT_OK(save(ops_, made, step));
            fs::copy(made / fmt::format("checkpoint-{}", step), run_ / fmt::format("checkpoint-{}", step));
        }
    }
    // The newest sound checkpoint, whole: the last one before or the new one. Then the next save works.
    void checkOldOrNew(const Scene& s, std::set<float>& outcomes) {
        for (const bool tidied : {false, true}) {
            if (tidied) removeUnfinished(run_);
            const auto found = newestCheckpoint(run_);
            const float old_value = s.before.empty() ? -1 : static_cast<float>(s.before.back());
            const float new_value = static_cast<float>(s.step) + s.flavour;
            if (!found.newest) {
                QVERIFY(s.before.empty());
                outcomes.insert(-1);
                continue;
            }
            const auto value = loadSample(*found.newest);
            EXPECT_OK(value);
            QVERIFY2(*value == old_value || *value == new_value, std::to_string(*value).c_str());
            outcomes.insert(*value);
        }
        for (const auto& entry : fs::directory_iterator(run_))
            QVERIFY2(entry.path().extension().empty(), entry.path().c_str());  // no leftovers
        EXPECT_OK(save(ops_, run_, s.step, s.flavour, s.retention));
        QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), static_cast<float>(s.step) + s.flavour);
        int sound = 0;
        for (const auto& checkpoint : listCheckpoints(run_)) sound += verifyCheckpoint(checkpoint.folder).has_value();
        QVERIFY(sound >= static_cast<int>(std::min<std::size_t>(
                             2, s.before.size() + (s.before.empty() || s.before.back() != s.step))));
    }
    static void scenes() {
        QTest::addColumn<QString>("fault");
        for (const char* name : {"first", "next", "with retention", "same step again"})
            for (const char* fault : {"a", "b", "c"}) QTest::addRow("%s, %s", name, fault) << fault;
    }
    static QString sceneName() { return QString(QTest::currentDataTag()).section(", ", 0, 0); }

  private Q_SLOTS:
    // Fault 40: killed before, in the middle of, and after each of the N calls of a save.
    void everyDeathLeavesTheOldOrTheNew_data() { scenes(); }
    void everyDeathLeavesTheOldOrTheNew() {
        QFETCH(QString, fault);
        const Scene s = scene(sceneName());
        const char* when = fault == "a" ? "before" : fault == "b" ? "during" : "after";
        std::set<float> outcomes;
        int points = 0;
        for (int n = 1;; ++n) {
            setTheScene(s);
            const pid_t child = ::fork();
            if (child == 0) {
                auto ops = io::faultyFileOps(fmt::format("kill:{}:{}", when, n));
                ::_exit(ops && save(**ops, run_, s.step, s.flavour, s.retention) ? 0 : 1);
            }
            int status = 0;
            QCOMPARE(::waitpid(child, &status, 0), child);
            if (WIFEXITED(status)) {
                QCOMPARE(WEXITSTATUS(status), 0);
                break;
            }
            QVERIFY(WTERMSIG(status) == SIGKILL);
            ++points;
            checkOldOrNew(s, outcomes);
        }
        QVERIFY2(points >= 28, std::to_string(points).c_str());
        QCOMPARE(outcomes.size(), std::size_t{2});  // deaths before and after the moment it counts
    }

    // Fault 41: the n-th call fails, once and for ever.
    void everyFailureLeavesTheOldAndIsSaid_data() { scenes(); }
    void everyFailureLeavesTheOldAndIsSaid() {
        QFETCH(QString, fault);
        const Scene s = scene(sceneName());
        const char* plan = fault == "a" ? "ENOSPC:once" : fault == "b" ? "ENOSPC:always" : "EIO:once";
        std::set<float> outcomes;
        int failures = 0;
        for (int n = 1;; ++n) {
            setTheScene(s);
            const fs::path trace = run_ / "trace";
            auto ops = io::faultyFileOps(fmt::format("{}:{}", plan, n), trace);
            EXPECT_OK(ops);
            const auto saved = save(**ops, run_, s.step, s.flavour, s.retention);
            const std::string calls = slurp(trace);
            fs::remove(trace);
            const bool reached = std::count(calls.begin(), calls.end(), '\n') >= n;
            if (!saved) {
                ++failures;
                QVERIFY(saved.error().message.ends_with('.') && !saved.error().hint.empty());
            } else {
                QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), static_cast<float>(s.step) + s.flavour);
            }
            checkOldOrNew(s, outcomes);
            if (!reached) break;
        }
        QVERIFY2(failures >= 26, std::to_string(failures).c_str());
    }

    // Fault 50: the power goes at the n-th call, and what was not synced is lost, torn or undone.
    void everyPowerLossLeavesTheOldOrTheNew_data() {
        QTest::addColumn<int>("seed");
        for (const char* name : {"first", "next", "with retention", "same step again"}) QTest::newRow(name) << 1;
    }
    void everyPowerLossLeavesTheOldOrTheNew() {
        QFETCH(int, seed);
        const Scene s = scene(sceneName());
        std::mt19937 random(static_cast<unsigned>(seed));
        std::set<float> outcomes;
        bool lost = true;
        for (int n = 1; lost; ++n) {
            for (int chance = 0; lost && chance < 4; ++chance) {
                setTheScene(s);
                PowerLoss machine(n);
                const auto saved = save(machine, run_, s.step, s.flavour, s.retention);
                lost = machine.lost();
                if (lost) machine.restart(random);
                // What was reported as saved is there after any restart.
                if (saved)
                    QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), static_cast<float>(s.step) + s.flavour);
                checkOldOrNew(s, outcomes);
            }
        }
        QCOMPARE(outcomes.size(), std::size_t{2});
    }

    // Fault 41, as training meets it: the disk is full, the person frees space, the same state is saved.
    void afterAFullDiskTheSameSaveSucceeds() {
        setTheScene(scene("next"));
        auto full = io::faultyFileOps("ENOSPC:always:4");
        EXPECT_ERROR(save(**full, run_, 20), "no space left on the disk");
        QCOMPARE(newestCheckpoint(run_).newest->step, std::int64_t{10});
        EXPECT_OK(save(ops_, run_, 20));
        QCOMPARE(*loadSample(*newestCheckpoint(run_).newest), 20.0f);
    }

    // Two deaths in one run, the second while the leftovers of the first are being tidied up.
    void aDeathWhileTidyingUpIsNoWorse() {
        for (int first : {3, 9, 15, 21}) {
            for (int second = 1; second < 30; ++second) {
                const Scene s = scene("same step again");
                setTheScene(s);
                bool tidied = false;
                for (const bool saving : {true, false}) {
                    const pid_t child = ::fork();
                    if (child == 0) {
                        auto ops = io::faultyFileOps(fmt::format("kill:after:{}", saving ? first : second));
                        if (saving)
                            static_cast<void>(save(**ops, run_, s.step, s.flavour));
                        else
                            removeUnfinished(**ops, run_);
                        ::_exit(0);
                    }
                    int status = 0;
                    QCOMPARE(::waitpid(child, &status, 0), child);
                    if (!saving) tidied = WIFEXITED(status);
                }
                std::set<float> outcomes;
                checkOldOrNew(s, outcomes);
                if (tidied) break;
            }
        }
    }
};

QTEST_APPLESS_MAIN(CheckpointFaultsTest)
#include "checkpoint_faults_test.moc"
