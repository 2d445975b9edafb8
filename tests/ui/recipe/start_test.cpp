// Start, through the page: what stood beside the form is what the run records.
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>

#include "engine/api/engine.h"
#include "jobs/run_record.h"
#include "project/run_folder.h"
#include "project/run_log.h"
#include "ui/look/format.h"
#include "ui/recipe/consequences_view.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/recipe_page.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class RecipeStartTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        if (!engine::api::openEngine({makeNullLogger()}, {})) QSKIP("The engine's library is not there.");
        bench_ = std::make_unique<Bench>(12);
        page_ = std::make_unique<RecipePage>(bench_->session());
        page_->resize(1280, 800);
        page_->show();
        page_->activated();
        QVERIFY(recipe().set("max_steps", "3"));
        QVERIFY(recipe().set("max_seq_length", "64"));
        QVERIFY(recipe().set("lr_scheduler_type", "cosine"));
        QVERIFY(settled());
    }
    void cleanupTestCase() {
        page_.reset();
        bench_.reset();
    }

    void measuringIsSeenAndEnds() {
        QSignalSpy done(&page_->consequences(), &Consequences::measured);
        page_->view()->dryRunButton()->click();
        QVERIFY(page_->consequences().measuring());
        QVERIFY(!page_->view()->dryRunButton()->isEnabled());
        photograph(*page_, QStringLiteral("recipe-measuring"));
        QVERIFY(waitFor([&] { return done.count() == 1; }, 110000));
        QVERIFY(page_->consequences().measurement());
        QVERIFY(page_->consequences().seconds());
        photograph(*page_, QStringLiteral("recipe-measured"));
        // What shapes no step keeps the measurement; what does, does not.
        QVERIFY(recipe().set("learning_rate", "2e-4"));
        QVERIFY(page_->consequences().measurement());
        QVERIFY(recipe().set("r", "2"));
        QVERIFY(!page_->consequences().measurement());
        recipe().undoStack()->undo();
        QVERIFY(settled());
        QVERIFY(page_->consequences().measurement());
    }

    void theRunRecordsTheFiguresThatWereShown() {
        QVERIFY(settled());
        const jobs::PreviewRun shown = *page_->consequences().run();
        const std::int64_t trainable = page_->consequences().model()->trainable_parameters;
        QSignalSpy shows(&bench_->session().go(), &Navigator::showPage);
        QSignalSpy ended(&bench_->session().runs(), &RunService::ended);
        page_->view()->nameEdit()->setText(QStringLiteral("first"));
        page_->view()->startButton()->click();
        QVERIFY(bench_->session().runs().active());
        QCOMPARE(shows.count(), 1);
        QVERIFY(!page_->view()->startButton()->isEnabled());
        QVERIFY(page_->view()->startButton()->toolTip().contains(QStringLiteral("first")));
        photograph(*page_, QStringLiteral("recipe-run-active"));
        QVERIFY(waitFor([&] { return ended.count() == 1; }, 110000));
        const auto end = ended.first().first().value<RunEnd>();
        QVERIFY2(end.summary, end.error ? end.error->text().c_str() : "");
        const auto folder = ui::path(end.folder);
        const auto info = project::readRun(folder);
        QVERIFY2(info, info ? "" : info.error().text().c_str());
        QCOMPARE(info->state, project::RunState::Finished);
        const auto record = jobs::runRecord(info->details);
        QVERIFY(record);
        QCOMPARE(record->total_steps, shown.steps);
        QCOMPARE(record->train_examples, shown.examples);
        QCOMPARE(record->validation_examples, shown.held_out_examples);
        QCOMPARE(record->trainable_parameters, trainable);
        QVERIFY(record->recipe.qlora == recipe().recipe().qlora);
        const auto metrics = project::readMetrics(folder);
        QVERIFY(metrics);
        QCOMPARE(static_cast<std::int64_t>(metrics->steps.size()), shown.steps);
        for (const project::StepRecord& step : metrics->steps)
            QCOMPARE(step.learning_rate, shown.rates[static_cast<std::size_t>(step.step - 1)].rate);
        QVERIFY(waitFor([&] { return page_->view()->startButton()->isEnabled(); }));
    }

    void aRunsRecipeComesBack() {
        const QString folder = pathText(bench_->session().runs().entries().front().folder);
        QVERIFY(recipe().set("r", "3"));
        Q_EMIT bench_->session().go().newRunFrom(folder);
        QVERIFY(waitFor([&] { return recipe().recipe().qlora.r == 16; }));
        QCOMPARE(recipe().undoStack()->undoText(), QStringLiteral("Take the Recipe of first"));
    }

  private:
    RecipeDocument& recipe() { return bench_->session().recipe(); }
    bool settled() {
        return waitFor([this] { return page_->consequences().preview() && !page_->consequences().stale(); });
    }

    std::unique_ptr<Bench> bench_;
    std::unique_ptr<RecipePage> page_;
};

STUDIO_WIDGET_TEST(RecipeStartTest)
#include "start_test.moc"
