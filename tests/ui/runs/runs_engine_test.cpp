// A real run seen through the page: prepared, at work, paused, resumed, stopped, resumed to its end, removed.
#include <QPushButton>

#include "jobs/run_record.h"
#include "ui/look/format.h"
#include "ui/runs/run_banner.h"
#include "ui/runs/run_plots.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;
using project::RunState;

class RunsEngineTest : public QObject {
    Q_OBJECT

    static bool eventually(const std::function<bool()>& condition) { return QTest::qWaitFor(condition, 90000); }

    // The page on a project with a few conversations.
    struct Opened {
        Bench bench{8};
        Session& session = bench.session();
        RunsPage page{session};
        Opened() {
            page.resize(1280, 800);
            page.show();
            page.activated();
        }
        bool ready() {
            return eventually([this] { return session.files().idle(); });
        }
    };

  private Q_SLOTS:
    void cleanup() {
        for (const char* name : {"STUDIO_ENGINE", "STUDIO_TEST_FAULTS", "STUDIO_TEST_MEMORY"}) qunsetenv(name);
    }

    void theCourseOfARun() {
        Opened opened;
        Session& session = opened.session;
        RunsPage& page = opened.page;
        QVERIFY(opened.ready());
        config::Recipe recipe = session.recipe().recipe();
        recipe.training.max_steps = 12;
        recipe.training.max_seq_length = 64;
        recipe.training.validation_fraction = 0.4;
        recipe.training.sample_prompts = {"Hello"};
        recipe.training.sample_max_new_tokens = 4;
        recipe.training.threads = 2;
        const auto started = session.runs().start(recipe, QStringLiteral("tiny"), session.recipe().configFile());
        QVERIFY2(started.has_value(), started ? "" : started.error().text().c_str());
        Q_EMIT session.go().showRun(session.runs().live()->folder);
        const auto folder = path(session.runs().live()->folder);
        QVERIFY(eventually([&] { return page.presenter().selected() == folder; }));
        QCOMPARE(page.subject(), QStringLiteral("tiny"));
        const auto live = [&] { return page.presenter().liveSelected(); };
        QVERIFY(eventually([&] { return live() && live()->step >= 1; }));

        session.runs().pause();
        QVERIFY(eventually([&] { return live() && (live()->state == RunState::Paused || !session.runs().active()); }));
        QVERIFY(page.banner().button(RunAct::Resume));
        const auto paused_at = live()->step;
        QVERIFY(
            eventually([&] { return page.presenter().data() && page.presenter().data()->lastStep() == paused_at; }));
        page.banner().button(RunAct::Resume)->click();
        QVERIFY(eventually([&] { return !live() || live()->step > paused_at; }));
        session.runs().stopAfterStep();
        QVERIFY(eventually([&] { return !session.runs().active(); }));
        QVERIFY(eventually(
            [&] { return page.presenter().data() && page.presenter().data()->info.state == RunState::Stopped; }));
        QVERIFY(page.presenter().data()->lastStep() < 12);

        page.banner().button(RunAct::Resume)->click();
        QVERIFY(eventually([&] {
            return !session.runs().active() && page.presenter().data() &&
                   page.presenter().data()->info.state == RunState::Finished;
        }));
        QCOMPARE(page.plots().loss().series()[0].points.size(), std::size_t(12));
        QCOMPARE(page.plots().loss().series()[0].points.back().step, 12.0);
        QVERIFY(page.banner().notice().hint.startsWith(QStringLiteral("Validation loss")));
        QVERIFY(page.presenter().data()->samples.size() >= 2);
        photograph(page, QStringLiteral("runs-real"));

        QVERIFY(session.runs().remove(folder).has_value());
        QVERIFY(eventually([&] { return page.presenter().runs().empty(); }));
        QVERIFY(page.subject().isEmpty());
    }

    // Memory runs out in the fifth step and when that is tried once more; the planner says that half of it would do.
    void aRunThatMemoryEndedGoesOnWithOneClick() {
        qputenv("STUDIO_ENGINE", STUDIO_BINARY_DIR "/tests/libstudio_faulty_engine.so");
        qputenv("STUDIO_TEST_FAULTS", "backward 5x2 memory");
        qputenv("STUDIO_TEST_MEMORY", "45");
        Opened opened;
        Session& session = opened.session;
        RunsPage& page = opened.page;
        QVERIFY(opened.ready());
        config::Recipe recipe = session.recipe().recipe();
        recipe.training.max_steps = 6;
        recipe.training.max_seq_length = 64;
        recipe.training.per_device_train_batch_size = 1;
        recipe.training.gradient_accumulation_steps = 1;
        recipe.training.eval_strategy = "no";
        recipe.training.save_steps = 2;
        recipe.training.sample_prompts = {};
        recipe.training.threads = 1;
        QVERIFY(session.runs().start(recipe, QStringLiteral("large"), session.recipe().configFile()));
        const auto folder = path(session.runs().live()->folder);
        Q_EMIT session.go().showRun(pathText(folder));
        const auto is = [&](RunState state) {
            return !session.runs().active() && page.presenter().data() && page.presenter().data()->info.state == state;
        };
        QVERIFY(eventually([&] { return is(RunState::Failed); }));
        QPushButton* less = page.banner().button(RunAct::WithLess);
        QVERIFY2(less, page.presenter().data()->info.failure.c_str());
        QCOMPARE(less->text(), QStringLiteral("Resume With “Gradient checkpointing”"));
        photograph(page, QStringLiteral("runs-memory"));
        less->click();
        QVERIFY(eventually([&] { return is(RunState::Finished); }));
        QCOMPARE(page.presenter().data()->lastStep(), qint64{6});
        const auto record = jobs::runRecord(project::readRun(folder)->details);
        QVERIFY(record && record->recipe.training.gradient_checkpointing);
    }
};

STUDIO_WIDGET_TEST(RunsEngineTest)
#include "runs_engine_test.moc"
