// A run trained and evaluated through the two pages, on the built-in model and a few conversations.
#include <QPushButton>

#include "jobs/evaluate.h"
#include "jobs/places.h"
#include "ui/evaluate/conversation_table.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluation_form.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class EvaluateEngineTest : public QObject {
    Q_OBJECT

    std::unique_ptr<Bench> bench_;
    std::filesystem::path run_;

    Session& session() { return bench_->session(); }

  private Q_SLOTS:
    void initTestCase() {
        bench_ = std::make_unique<Bench>(10);
        QVERIFY(waitFor([&] { return session().files().idle(); }));
        config::Recipe recipe = session().recipe().recipe();
        recipe.training.max_steps = 3;
        recipe.training.max_seq_length = 96;
        recipe.training.validation_fraction = 0.4;
        recipe.training.learning_rate = 5e-3;
        recipe.training.threads = 2;
        const auto started = session().runs().start(recipe, QStringLiteral("tiny"), session().recipe().configFile());
        QVERIFY2(started.has_value(), started ? "" : started.error().text().c_str());
        QString failure;
        bool ended = false;
        connect(&session().runs(), &RunService::ended, this, [&](const RunEnd& end) {
            ended = true;
            run_ = path(end.folder);
            if (end.error) failure = ui::text(end.error->text());
        });
        QVERIFY(QTest::qWaitFor([&] { return ended; }, 90000));
        QVERIFY2(failure.isEmpty(), qPrintable(failure));
    }

    void theResultIsThatOfTheRunAndIsKept() {
        EvaluatePage page(session());
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return !session().runs().entries().empty(); }));
        page.showForm(run_);
        QVERIFY(waitFor([&] { return page.form().startButton()->isEnabled(); }));
        QVERIFY2(page.form().sentence().startsWith(QStringLiteral("Measures ")), qPrintable(page.form().sentence()));
        photograph(page, QStringLiteral("evaluate-new"));
        jobs::EvaluateRunRequest request = page.form().request();
        request.answers = 2;
        request.max_new_tokens = 8;
        page.presenter().run(request, page.form().title());
        QVERIFY(QTest::qWaitFor([&] { return page.presenter().selected() != nullptr; }, 90000));
        const jobs::EvaluationRecord& record = page.presenter().selected()->record;
        QCOMPARE(record.step, std::int64_t(3));
        QVERIFY(record.base.has_value() && record.difference.has_value());
        QVERIFY(record.answers.has_value() && record.answers->base.has_value());
        QCOMPARE(record.answers->model.text.size(), std::size_t(2));
        for (const auto& c : record.each) QVERIFY(!c.prompt.empty() && c.base && c.tokens > 0);
        // The same numbers as the run itself recorded before its first and after its last step.
        const auto after = io::readJson(run_ / "evaluation" / "after.json");
        const auto before = io::readJson(run_ / "evaluation" / "before.json");
        QVERIFY(after && before);
        QVERIFY(std::abs((*after)["loss"].get<double>() - record.model.loss) < 1e-6);
        QVERIFY(std::abs((*before)["loss"].get<double>() - record.base->loss) < 1e-6);
        QCOMPARE(record.each.size(), (*after)["each"].size());
        // Read back from its file it is the same.
        const auto json = io::readJson(page.presenter().selected()->file);
        QVERIFY(json.has_value());
        const auto again = jobs::evaluationRecord(*json, "file");
        QVERIFY(again.has_value());
        QCOMPARE(jobs::toJson(*again).dump(), jobs::toJson(record).dump());
    }

    void theBaseAloneIsMeasuredOnTheSameConversations() {
        EvaluatePage page(session());
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().listed(); }));
        const auto kept = page.presenter().kept().size();
        jobs::EvaluateRunRequest request;
        request.run = run_;
        request.base_only = true;
        request.answers = 0;
        page.presenter().run(request, QStringLiteral("base"));
        QVERIFY(QTest::qWaitFor([&] { return page.presenter().kept().size() == kept + 1; }, 90000));
        const jobs::EvaluationRecord& record = page.presenter().selected()->record;
        QVERIFY(record.checkpoint.empty() && !record.base && !record.answers);
        const auto before = io::readJson(run_ / "evaluation" / "before.json");
        QVERIFY(std::abs((*before)["loss"].get<double>() - record.model.loss) < 1e-6);
    }

    void aCancelledOneLeavesNothing() {
        EvaluatePage page(session());
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().listed(); }));
        const auto kept = page.presenter().kept().size();
        jobs::EvaluateRunRequest request;
        request.run = run_;
        page.presenter().run(request, QStringLiteral("tiny"));
        QVERIFY(waitFor([&] { return !page.presenter().phases().empty(); }));
        page.presenter().cancel();
        QVERIFY(!page.presenter().running());
        QVERIFY(waitFor([&] { return session().engine().busyWith().isEmpty(); }));
        page.presenter().start();
        QVERIFY(waitFor([&] { return session().files().idle(); }));
        QCOMPARE(page.presenter().kept().size(), kept);
        QVERIFY(session().messages().shown().isEmpty());
    }

    void cleanupTestCase() { bench_.reset(); }
};

STUDIO_WIDGET_TEST(EvaluateEngineTest)
#include "evaluate_engine_test.moc"
