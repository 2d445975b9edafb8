// Photographs of the page in each of its states; what each must say is checked beside them.
#include <QLineEdit>
#include <QPushButton>

#include "ui/look/format.h"
#include "ui/recipe/consequences_view.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/recipe_page.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class RecipePicturesTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        bench_ = std::make_unique<Bench>(60);
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

    void aFreshRecipe() {
        QVERIFY(page_->consequences().run());
        QVERIFY(page_->view()->startButton()->isEnabled());
        photograph(*page_, QStringLiteral("recipe-fresh"));
        QVERIFY2(withoutAccessibleName(*page_).isEmpty(), qPrintable(withoutAccessibleName(*page_).join(u'\n')));
    }

    void differencesAreMarked() {
        QVERIFY(recipe().set("learning_rate", "2e-4"));
        QVERIFY(recipe().set("lora_alpha", "16"));
        QVERIFY(recipe().set("lr_scheduler_type", "constant"));
        QVERIFY(recipe().set("filter", "quality>=0.3"));
        QVERIFY(recipe().set("target_modules", "[q_proj, v_proj]"));
        QVERIFY(settled());
        QCOMPARE(page_->form()->changes(), 5);
        photograph(*page_, QStringLiteral("recipe-changes"));
        photograph(*page_, QStringLiteral("recipe-narrow"), {1024, 640});
        photograph(*page_, QStringLiteral("recipe-wide"), {1720, 1000});
        photograph(*page_, QStringLiteral("recipe-beside-rail"), {1130, 710});
        page_->resize(1280, 800);
    }

    void whatIsWrongStandsUnderItsField() {
        auto* rate = qobject_cast<QLineEdit*>(page_->form()->row("learning_rate")->control()->entry());
        rate->setText(QString());
        QTest::keyClicks(rate, QStringLiteral("-3"));
        auto* rank = qobject_cast<QLineEdit*>(page_->form()->row("r")->control()->entry());
        rank->setText(QString());
        QTest::keyClicks(rank, QStringLiteral("many"));
        QVERIFY(!page_->form()->row("r")->error().isEmpty());
        QVERIFY(!page_->view()->startButton()->isEnabled());
        QVERIFY(!page_->view()->startButton()->toolTip().isEmpty());
        photograph(*page_, QStringLiteral("recipe-errors"));
        for (FieldRow* row : page_->form()->rows()) row->discard();
        QVERIFY(page_->view()->startButton()->isEnabled());
    }

    void theModelIsMissing() {
        QVERIFY(recipe().set("model_name_or_path", "microsoft/phi-nowhere"));
        QVERIFY(settled());
        QVERIFY(!page_->consequences().model());
        QVERIFY(!page_->view()->startButton()->isEnabled());
        photograph(*page_, QStringLiteral("recipe-model-missing"));
        recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void overTwelveHours() {
        QVERIFY(recipe().set("num_train_epochs", "40"));
        QVERIFY(settled());
        jobs::Measurement measured;
        measured.key = jobs::measurementKey(recipe().recipe());
        measured.seconds_a_step = 90;
        measured.seconds_a_row = 0.08;
        measured.rows = 1024;
        measured.loss = 2.913;
        measured.weight_bytes = 1'740'000'000;
        measured.peak_bytes = 9'610'000'000;
        measured.device.name = "AMD EPYC";
        page_->consequences().take(measured);
        QVERIFY(*page_->consequences().seconds() > jobs::kLongRun);
        const auto findings = page_->consequences().findings();
        QVERIFY(
            std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.cure_key == "max_steps"; }));
        photograph(*page_, QStringLiteral("recipe-long"));
        recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void theMemoryOfACard() {
        engine::api::MemoryUse plan;
        plan.parts = {
            {"weights", 1'740'000'000},     {"adapter", 94'000'000},        {"gradients and optimizer", 283'000'000},
            {"matrix library", 33'554'432}, {"activations", 8'210'000'000}, {"workspace", 1'260'000'000},
            {"logits", 140'000'000},        {"attention", 310'000'000},     {"batch", 2'000'000}};
        for (const auto& part : plan.parts) plan.peak_bytes += part.bytes;
        plan.mode = "selective";
        plan.context_bytes = 512u << 20;
        plan.free_bytes = 25'000'000'000;
        plan.pinned_bytes = 3'100'000'000;
        page_->consequences().take(plan);
        QCOMPARE(page_->view()->memoryFacts()->valueOf(QStringLiteral("Planned peak")), QStringLiteral("11.24"));
        QCOMPARE(page_->view()->memoryFacts()->valueOf(QStringLiteral("In the computer's memory")),
                 QStringLiteral("2.89"));
        QVERIFY(page_->view()->memoryNote()->text().startsWith(QStringLiteral("Fits")));
        photograph(*page_, QStringLiteral("recipe-card"));
        plan.free_bytes = 8'000'000'000;
        plan.mode = "recompute";
        page_->consequences().take(plan);
        QVERIFY(page_->view()->memoryNote()->text().contains(QStringLiteral("GiB are missing")));
        const auto findings = page_->consequences().findings();
        QVERIFY(std::any_of(findings.begin(), findings.end(),
                            [](const Finding& f) { return f.cure_key == "per_device_train_batch_size"; }));
        photograph(*page_, QStringLiteral("recipe-card-too-small"));
        QVERIFY(recipe().set("seed", "7"));  // the next preview is the processor's again
        QVERIFY(settled());
        QVERIFY(!page_->consequences().plannedMemory());
        recipe().undoStack()->undo();
        QVERIFY(settled());
    }

    void aFieldIsFound() {
        page_->focusSearch();
        auto* find = page_->findChild<QLineEdit*>(QStringLiteral("find"));
        QVERIFY(find);
        find->setText(QStringLiteral("warm"));
        photograph(*page_, QStringLiteral("recipe-find"));
        QVERIFY(page_->escape());
        QVERIFY(find->text().isEmpty());
    }

    void nothingIsClipped_data() {
        QTest::addColumn<int>("points");
        QTest::addColumn<QSize>("size");
        QTest::newRow("10 pt, 1024×640") << 10 << QSize(1024, 640);
        QTest::newRow("10 pt, 1280×800") << 10 << QSize(1280, 800);
        QTest::newRow("14 pt, 1280×800") << 14 << QSize(1280, 800);
    }
    void nothingIsClipped() {
        QFETCH(int, points);
        QFETCH(QSize, size);
        const QFont before = QApplication::font();
        QFont larger = before;
        larger.setPointSize(points);
        QApplication::setFont(larger);
        RecipePage page(bench_->session());
        page.activated();
        QVERIFY(waitFor([&] { return page.consequences().run() && !page.consequences().stale(); }));
        photograph(page, QStringLiteral("recipe-%1pt-%2").arg(points).arg(size.width()), size);
        const QStringList clipped = clippedTexts(page);
        QApplication::setFont(before);
        QVERIFY2(clipped.isEmpty(), qPrintable(clipped.join(u'|')));
    }

    void aProjectWithoutConversations() {
        Bench empty(0);
        RecipePage page(empty.session());
        page.activated();
        QVERIFY(waitFor([&] { return page.consequences().preview() && !page.consequences().stale(); }));
        QVERIFY(page.consequences().preview()->run_error);
        QVERIFY(!page.view()->startButton()->isEnabled());
        photograph(page, QStringLiteral("recipe-no-conversations"));
        empty.session().close();
        photograph(page, QStringLiteral("recipe-no-project"));
        QVERIFY(page.status().isEmpty());
    }

    void theTwoFiles() {
        page_->restoreState({{QStringLiteral("text"), true}});
        photograph(*page_, QStringLiteral("recipe-text"));
        page_->restoreState({});
    }

  private:
    RecipeDocument& recipe() { return bench_->session().recipe(); }
    bool settled() {
        return waitFor([this] { return page_->consequences().preview() && !page_->consequences().stale(); });
    }

    std::unique_ptr<Bench> bench_;
    std::unique_ptr<RecipePage> page_;
};

STUDIO_WIDGET_TEST(RecipePicturesTest)
#include "pictures_test.moc"
