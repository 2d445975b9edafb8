// What the page does: figures beside the form, Start, hand-overs, undo.
#include <QAction>
#include <QGraphicsEffect>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>

#include "config/recipe_file.h"
#include "ui/look/format.h"
#include "ui/recipe/consequences_view.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/recipe_loader.h"
#include "ui/recipe/recipe_page.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class RecipePageTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        bench_ = std::make_unique<Bench>(40);
        page_ = std::make_unique<RecipePage>(bench_->session());
        page_->resize(1280, 800);
        page_->show();
        page_->activated();
        QVERIFY(settled());
    }
    void cleanupTestCase() {
        page_.reset();
        bench_.reset();
    }

    void theFiguresAreThoseOfTheData() {
        const jobs::PreviewRun* run = page_->consequences().run();
        QVERIFY(run);
        // A tree whose first message is deleted gives none.
        const std::int64_t all = run->conversations + run->held_out_conversations + run->left_out;
        QVERIFY(all > 30 && all <= 40);
        const QString shown = page_->view()->runFacts()->valueOf(QStringLiteral("Conversations"));
        QCOMPARE(shown, QStringLiteral("%1 + %2").arg(run->conversations).arg(run->held_out_conversations));
        QCOMPARE(page_->view()->runFacts()->valueOf(QStringLiteral("Steps")), number(static_cast<qint64>(run->steps)));
    }

    void aChangeOfTheRecipeIsFollowed() {
        QVERIFY(recipe().set("max_steps", "7"));
        QVERIFY(page_->consequences().stale());
        QVERIFY(settled());
        QCOMPARE(page_->consequences().run()->steps, 7);
        QCOMPARE(page_->consequences().run()->rates.back().step, 7);
        recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void trainOnTakesTheFilterAsOneStep() {
        Q_EMIT bench_->session().go().trainOn(QStringLiteral("\"the\" lang:en"));
        QCOMPARE(recipe().recipe().training.filter, std::string("\"the\" lang:en"));
        QCOMPARE(recipe().undoStack()->undoText(), QStringLiteral("Change Filter"));
        recipe().undoStack()->undo();
        QVERIFY(recipe().recipe().training.filter.empty());
    }

    void aFieldIsReachedByItsKey() {
        QApplication::setActiveWindow(page_.get());
        Q_EMIT bench_->session().go().showField(QStringLiteral("adam_epsilon"));
        FieldRow* row = page_->form()->row("adam_epsilon");
        QVERIFY(row->isVisibleTo(page_.get()));
        QVERIFY(row->control()->entry()->hasFocus() || !QApplication::activeWindow());
    }

    void undoIsNamedAndByKeyboard() {
        auto* rate = qobject_cast<QLineEdit*>(page_->form()->row("learning_rate")->control()->entry());
        rate->setFocus();
        rate->selectAll();
        QTest::keyClicks(rate, QStringLiteral("3e-4"));
        QTest::keyClick(rate, Qt::Key_Return);
        QCOMPARE(recipe().recipe().training.learning_rate, 3e-4);
        QCOMPARE(recipe().undoStack()->undoText(), QStringLiteral("Change Learning Rate"));
        QAction* undo = action(QStringLiteral("Undo"));
        QVERIFY(undo && undo->isEnabled());
        undo->trigger();
        QVERIFY(recipe().recipe().training.learning_rate != 3e-4);
        QCOMPARE(rate->text(), QStringLiteral("0.001"));
    }

    void anErrorBlocksStartAndSaysWhy() {
        QVERIFY(settled());
        QCOMPARE(page_->blocked(), QString());
        auto* rank = qobject_cast<QLineEdit*>(page_->form()->row("r")->control()->entry());
        rank->setFocus();
        rank->selectAll();
        QTest::keyClicks(rank, QStringLiteral("0"));
        QVERIFY(!page_->view()->startButton()->isEnabled());
        QVERIFY(page_->view()->startButton()->toolTip().contains(QStringLiteral("Rank r")));
        page_->form()->row("r")->discard();
        QVERIFY(page_->view()->startButton()->isEnabled());
        QCOMPARE(rank->text(), QStringLiteral("16"));
    }

    void besideAValueThatCannotBeUsedNothingLooksValid() {
        QVERIFY(settled());
        const auto faded = [this] {
            const auto all = page_->view()->findChildren<QWidget*>();
            return std::any_of(all.begin(), all.end(), [](const QWidget* w) { return w->graphicsEffect() != nullptr; });
        };
        auto* alpha = qobject_cast<QLineEdit*>(page_->form()->row("lora_alpha")->control()->entry());
        QVERIFY(!faded());
        alpha->setFocus();
        alpha->selectAll();
        QTest::keyClicks(alpha, QStringLiteral("1e99999"));
        QVERIFY(!page_->view()->dryRunButton()->isEnabled());
        QVERIFY(page_->view()->dryRunButton()->toolTip().contains(QStringLiteral("No usable value")));
        QVERIFY(faded());
        bool told = false;
        for (const QLabel* label : page_->view()->findChildren<QLabel*>())
            told |= label->isVisible() && label->text().contains(QStringLiteral("No usable value"));
        QVERIFY(told);
        page_->form()->row("lora_alpha")->discard();
        QVERIFY(!faded());
    }

    // What matches the filter and is not trained on stands in a line of its own before Start.
    void whatIsLeftOutIsCounted() {
        QVERIFY(recipe().set("max_seq_length", "24"));
        QVERIFY(settled());
        const jobs::PreviewRun* run = page_->consequences().run();
        QVERIFY(run && run->left_out > 0);
        QCOMPARE(page_->view()->runFacts()->valueOf(QStringLiteral("Left out")),
                 number(static_cast<qint64>(run->left_out)));
        recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void aFilterThatLeavesNothingBlocksStart() {
        QVERIFY(recipe().set("filter", "lang:xx"));
        QVERIFY(settled());
        QVERIFY(page_->consequences().preview()->run_error);
        QVERIFY(!page_->view()->startButton()->isEnabled());
        recipe().undoStack()->undo();
        QVERIFY(settled());
        QVERIFY(page_->view()->startButton()->isEnabled());
    }

    void aLongRunIsSaidInHoursWithASmallerOne() {
        jobs::PreviewRun run;
        run.steps = 10000;
        jobs::Measurement measured;
        measured.seconds_a_step = 10;
        QCOMPARE(jobs::estimatedSeconds(run, measured), 100000.0);
        QCOMPARE(jobs::stepsWithin(run, measured, jobs::kLongRun), 4300);
    }

    void whatWasMeasuredIsThereAtTheNextStart() {
        jobs::Measurement measured;
        measured.key = jobs::measurementKey(recipe().recipe());
        measured.seconds_a_step = 0.25;
        measured.rows = 512;
        measured.peak_bytes = 3'000'000'000;
        measured.device.name = "AMD EPYC";
        page_->consequences().take(measured);
        const QJsonObject state = page_->saveState();
        page_->consequences().take(jobs::Measurement{});
        QVERIFY(!page_->consequences().measurement());
        page_->restoreState(QJsonDocument::fromJson(QJsonDocument(state).toJson()).object());
        const auto* back = page_->consequences().measurement();
        QVERIFY(back);
        QCOMPARE(back->seconds_a_step, 0.25);
        QCOMPARE(back->peak_bytes, std::uint64_t{3'000'000'000});
        QCOMPARE(page_->saveState(), state);
    }

    void everyCureIsAValueOfItsField() {
        for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
                 {"lr_scheduler_type", "constant"}, {"validation_fraction", "0"}, {"max_seq_length", "64"}}) {
            QVERIFY(recipe().set(key, value));
        }
        QVERIFY(settled());
        int cures = 0;
        for (const Finding& finding : page_->consequences().findings()) {
            if (finding.cure.isEmpty() || finding.cure_page) continue;
            config::Recipe trial = recipe().recipe();
            QVERIFY2(config::setFromText(trial, finding.cure_key, finding.cure_value), qPrintable(finding.cure));
            ++cures;
        }
        QVERIFY(cures >= 3);
        for (int i = 0; i < 3; ++i) recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void filesThatPeopleHaveAreTakenOver() {
        const auto read = readTexts({{"mine.yaml", "learning_rate: 3.0e-4\nreport_to: wandb\n"},
                                     {"lora.json", R"({"r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]})"}},
                                    recipe().recipe());
        QVERIFY(read);
        QCOMPARE(read->recipe.training.learning_rate, 3e-4);
        QCOMPARE(read->recipe.qlora.r, 4);
        QCOMPARE(read->recipe.training.paths, recipe().recipe().training.paths);
        QCOMPARE(read->without_effect, std::vector<std::string>{"report_to"});
        QVERIFY(!readTexts({{"x.yaml", "colour: blue\n"}}, recipe().recipe()));
    }

    void stateIsAsItWas() {
        page_->restoreState(
            {{QStringLiteral("text"), true}, {QStringLiteral("unfolded"), QJsonArray{QStringLiteral("Adapter")}}});
        const QJsonObject state = page_->saveState();
        QVERIFY(state.value(QStringLiteral("text")).toBool());
        QCOMPARE(page_->form()->unfolded(), QStringList{QStringLiteral("Adapter")});
        page_->restoreState({});
    }

    void everyActionHasAKeyOrAPlaceInAMenu() {
        for (const QAction* each : page_->pageActions()) {
            QVERIFY(!each->text().isEmpty());
            QVERIFY2(!each->statusTip().isEmpty(), qPrintable(each->text()));
        }
        QVERIFY(!page_->help().isEmpty());
    }

  private:
    RecipeDocument& recipe() { return bench_->session().recipe(); }
    QAction* action(const QString& words) {
        for (QAction* each : page_->pageActions())
            if (each->text().remove(u'&').startsWith(words)) return each;
        return nullptr;
    }
    bool settled() {
        return waitFor([this] { return page_->consequences().preview() && !page_->consequences().stale(); });
    }

    std::unique_ptr<Bench> bench_;
    std::unique_ptr<RecipePage> page_;
};

STUDIO_WIDGET_TEST(RecipePageTest)
#include "page_test.moc"
