// The Evaluate page: empty, choosing, measuring, results; kept files that cannot be read.
#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <cmath>
#include <fstream>

#include "ui/evaluate/answers_view.h"
#include "ui/evaluate/conversation_table.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluation_form.h"
#include "ui/evaluate/evaluation_words.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/look/format.h"
#include "ui/runs/run_folders.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

jobs::EvaluationRecord sampleRecord(const std::filesystem::path& run, const std::string& time, double gain) {
    const char* prompts[] = {"Why do we need AI assistants?",
                             "Im a broke college student living alone. What are some quick and cheap things to cook?",
                             "Write a response that disagrees with the following post: \"Technological development is "
                             "inherently linear, with increased technology always being for the better.\"",
                             "Who made Berlin",
                             "What's the current date?",
                             "What do Wyoming statutes have to say about the ownership of a dog?",
                             "Who is the President of Germany?",
                             "write a inspirational monologue about reaching your goals",
                             "AI assistant. I am looking for legal ways to spend less",
                             "Write a monologue. Do not offer help.",
                             "What is the largest ocean in the world?",
                             "How would you explain recursion to a child?"};
    jobs::EvaluationRecord record;
    record.run_name = "studio-r16";
    record.run = run;
    record.checkpoint = run / "checkpoint-400";
    record.step = 400;
    record.base_name = "phi-2";
    record.time = time;
    record.seconds = 9.1;
    record.device = "8 × AMD EPYC";
    record.template_name = "openassistant";
    record.data = {"oasst1-en.jsonl.gz"};
    record.trees = 443;
    record.tokens = 49837;
    record.base = jobs::SideResult{1.7442, 0.02, std::exp(1.7442)};
    record.model = {1.7442 - gain, 0.02, std::exp(1.7442 - gain)};
    record.difference =
        jobs::Difference{{-gain, 0.01, -gain - 0.02, -gain + 0.02}, {-gain * 0.9, 0.01, -gain - 0.01, -gain + 0.03}};
    jobs::AnswerStatistics answers;
    answers.base.emplace();
    for (int i = 0; i < 36; ++i) {
        jobs::EvaluatedConversation c;
        c.last_message_id = "message-" + std::to_string(i);
        c.prompt = prompts[i % 12];
        c.tokens = 40 + 37 * i % 700;
        c.base = 3.1 - 0.04 * i;
        c.loss = *c.base - gain * 6 * std::cos(i * 0.09) + 0.05;
        record.each.push_back(c);
    }
    for (int i = 0; i < 12; ++i) {
        answers.request.prompts.push_back(prompts[(i + 10) % 12]);
        answers.model.text.push_back(
            "The largest ocean in the world is the Pacific Ocean. It covers about 165 million "
            "square kilometres, roughly a third of the Earth’s surface.");
        answers.model.end.push_back("stopped by itself");
        answers.model.tokens.push_back(41 + i);
        answers.base->text.push_back(
            "The Pacific Ocean.\nExercise 2:\nWhat is the smallest ocean in the world?\nAnswer: "
            "The Arctic Ocean.\nExercise 3: …");
        answers.base->end.push_back(i == 0 ? "stopped by itself" : "cut at 128 tokens");
        answers.base->tokens.push_back(i == 0 ? 5 : 128);
    }
    answers.model.by_itself = 12;
    answers.base->by_itself = 1;
    answers.model.share = jobs::shareOf(12, 12);
    answers.base->share = jobs::shareOf(1, 12);
    answers.model.mean_tokens = 46.5;
    answers.base->mean_tokens = 117.8;
    record.answers = answers;
    return record;
}

}  // namespace

class EvaluatePageTest : public QObject {
    Q_OBJECT

    struct Shown {
        Bench bench;
        EvaluatePage page{bench.session()};
        std::filesystem::path runs = bench.session().paths().runs();

        void keep(const jobs::EvaluationRecord& record) {
            const auto saved = jobs::saveEvaluation(*io::realFileOps(), bench.session().paths().evaluations(), record);
            if (!saved) qFatal("%s", saved.error().text().c_str());
        }
        void show() {
            page.resize(1280, 800);
            page.show();
            page.activated();
            for (auto* model : page.findChildren<QAbstractItemModel*>()) new QAbstractItemModelTester(model, model);
            QVERIFY(waitFor([this] { return page.presenter().listed(); }));
        }
        void runsListed(std::size_t count) {
            bench.session().runs().refresh();
            QVERIFY(waitFor([this, count] { return bench.session().runs().entries().size() == count; }));
        }
    };

  private Q_SLOTS:
    void withoutResultsItOffersOne() {
        Shown shown;
        shown.show();
        photograph(shown.page, QStringLiteral("evaluate-empty"));
        shown.page.showForm();
        QCOMPARE(shown.page.form().sentence(), QStringLiteral("There is no run to evaluate yet."));
        QVERIFY(!shown.page.form().startButton()->isEnabled());
        QVERIFY(shown.page.escape());
    }

    void theFormNamesWhatIsHeldOutBeforeItStarts() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {});
        shown.runsListed(1);
        shown.show();
        Q_EMIT shown.bench.session().go().evaluate(pathText(folder), pathText(folder / "checkpoint-300"));
        // The made-up run's base is nowhere: the sentence says so and Start is off.
        QVERIFY(waitFor([&] { return shown.page.form().sentence().contains(QStringLiteral("no longer at")); }));
        QVERIFY(!shown.page.form().startButton()->isEnabled());
        photograph(shown.page, QStringLiteral("evaluate-base-gone"));
    }

    void aResultShowsFiguresConversationsAndAnswers() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {});
        shown.keep(sampleRecord(folder, "2026-11-24T14:02:11Z", 0.1421));
        shown.keep(sampleRecord(folder, "2026-11-23T18:20:00Z", 0.004));
        jobs::EvaluationRecord base = sampleRecord(folder, "2026-11-22T09:00:00Z", 0);
        base.checkpoint.clear();
        base.step = 0;
        base.base.reset();
        base.difference.reset();
        base.answers->base.reset();
        for (auto& c : base.each) c.base.reset();
        shown.keep(base);
        std::ofstream(shown.bench.session().paths().evaluations() / "broken.json") << "{";
        shown.show();
        QCOMPARE(shown.page.presenter().kept().size(), std::size_t(3));
        QCOMPARE(shown.page.presenter().unreadable().size(), 1);
        QCOMPARE(shown.page.subject(), QStringLiteral("studio-r16 @ 400"));
        auto* model = shown.page.conversations().model();
        QCOMPARE(model->rowCount(), 36);
        // The largest fall of the loss first.
        const auto difference = [&](int row) {
            return model->index(row, ConversationModel::Difference).data(ConversationModel::kSortRole).toDouble();
        };
        for (int row = 1; row < model->rowCount(); ++row) QVERIFY(difference(row - 1) <= difference(row));
        QSignalSpy opened(&shown.bench.session().go(), &Navigator::openConversation);
        shown.page.conversations().setFocus();
        shown.page.conversations().selectRow(0);
        QTest::keyClick(&shown.page.conversations(), Qt::Key_Return);
        QCOMPARE(opened.size(), 1);
        shown.page.answers().show(0);
        photograph(shown.page, QStringLiteral("evaluate-result"));
        photograph(shown.page, QStringLiteral("evaluate-narrow"), {976, 560});
        QCOMPARE(withoutAccessibleName(shown.page).join(u'|'), QString());
        QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
        shown.page.presenter().select(shown.page.presenter().kept()[2].file);
        QCOMPARE(shown.page.subject(), QStringLiteral("phi-2, base"));
        photograph(shown.page, QStringLiteral("evaluate-base-alone"));
    }

    void largeTypeFits() {
        const QFont before = QApplication::font();
        QFont large = before;
        large.setPointSize(14);
        QApplication::setFont(large);
        {
            Shown shown;
            const auto folder = makeRun(shown.runs, {});
            shown.keep(sampleRecord(folder, "2026-11-24T14:02:11Z", 0.1421));
            shown.show();
            photograph(shown.page, QStringLiteral("evaluate-14pt"), {1280, 800});
            QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
            photograph(shown.page, QStringLiteral("evaluate-14pt-narrow"), {976, 560});
            QCOMPARE(clippedTexts(shown.page).join(u'|'), QString());
        }
        QApplication::setFont(before);
    }

    void aDifferenceAroundZeroIsNotDistinguishable() {
        const auto figures = headline(sampleRecord("/runs/a", "2026-11-24T14:02:11Z", 0.004));
        QVERIFY2(figures[0].below.contains(QStringLiteral("not distinguishable")), qPrintable(figures[0].below));
        const auto better = headline(sampleRecord("/runs/a", "2026-11-24T14:02:11Z", 0.1421));
        QVERIFY2(better[0].below.contains(QStringLiteral("13.2 % lower, 95 % interval 11.5 to 15.0 %")),
                 qPrintable(better[0].below));
    }

    void eachPerplexityHasItsInterval() {
        const auto record = sampleRecord("/runs/a", "2026-11-24T14:02:11Z", 0.1421);
        // 1.7442 ± t(442)·0.02 nats: 5.50 to 5.95; t(442) = 1.9654.
        const auto words = headline(record)[0].below;
        QVERIFY2(words.contains(QStringLiteral("base 5.72 (5.50 to 5.95)")), qPrintable(words));
        QVERIFY2(words.startsWith(QStringLiteral("95 % interval 4.77 to 5.16")), qPrintable(words));
        jobs::EvaluationRecord one = record;
        one.trees = 1;
        QVERIFY(headline(one)[0].below.contains(QStringLiteral("one tree alone has no interval")));
    }

    void theWordsBelowAFigureTakeTwoLines() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {});
        shown.keep(sampleRecord(folder, "2026-11-24T14:02:11Z", 0.1421));
        shown.show();
        shown.page.resize(1104, 720);  // what a window of 1280 leaves the page
        for (int i = 0; i < 4; ++i) QCoreApplication::processEvents();
        const auto below = shown.page.findChildren<QLabel*>(QStringLiteral("below"));
        QCOMPARE(below.size(), 3);
        for (const QLabel* words : below) {
            const int lines = words->heightForWidth(words->width()) / words->fontMetrics().lineSpacing();
            QVERIFY2(lines <= 2, qPrintable(words->text()));
        }
        // What they leave out is told.
        QVERIFY(below[0]->parentWidget()->toolTip().startsWith(QStringLiteral("−0.142 nats a token")));
    }

    void theBestCheckpointIsProposedAndStaysFresh() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {.eval_every = 100, .best_at = 200});
        shown.runsListed(1);
        shown.show();
        shown.page.showForm(folder);
        EvaluationForm& form = shown.page.form();
        QVERIFY(waitFor([&] { return form.request().checkpoint == folder / "checkpoint-200"; }));
        QVERIFY2(form.checkpointText().contains(QStringLiteral("best")), qPrintable(form.checkpointText()));
        // While the form is open: another one is the best now.
        std::filesystem::remove_all(folder / "checkpoint-200");
        shown.bench.session().runs().refresh();
        QVERIFY(waitFor([&] { return form.request().checkpoint == folder / "checkpoint-100"; }));
        // One that was chosen stays.
        auto* box = form.findChildren<QComboBox*>()[1];
        box->setCurrentIndex(0);
        QVERIFY(waitFor([&] { return form.request().checkpoint == folder / "checkpoint-420"; }));
        QSignalSpy offered(&shown.page.presenter(), &EvaluationsPresenter::offered);
        shown.bench.session().runs().refresh();
        QVERIFY(waitFor([&] { return offered.count() > 0; }));
        QCOMPARE(form.request().checkpoint, folder / "checkpoint-420");
    }

    void itsPhasesAreShownAsTheyCome() {
        Shown shown;
        shown.keep(sampleRecord(makeRun(shown.runs, {}), "2026-11-24T14:02:11Z", 0.1421));
        shown.show();
        jobs::EvaluateRunRequest request;
        request.run = shown.runs / "nowhere";
        shown.page.presenter().run(request, QStringLiteral("studio-r16 @ 400"));
        shown.page.presenter().progress({"Loading weights", 5'560'000'000, 5'560'000'000, "bytes"});
        shown.page.presenter().progress({"Loss with the adapter", 49837, 49837, "tokens"});
        shown.page.presenter().progress({"Loss of the base", 18210, 49837, "tokens"});
        for (auto* button : shown.page.findChildren<QPushButton*>())
            if (button->text() == QStringLiteral("Progress")) button->click();
        photograph(shown.page, QStringLiteral("evaluate-running"));
        shown.page.presenter().cancel();
        QVERIFY(!shown.page.presenter().running());
    }

    void whatWasShownComesBack() {
        Shown shown;
        const auto folder = makeRun(shown.runs, {});
        shown.keep(sampleRecord(folder, "2026-11-24T14:02:11Z", 0.1421));
        shown.keep(sampleRecord(folder, "2026-11-23T18:20:00Z", 0.004));
        shown.show();
        shown.page.presenter().select(shown.page.presenter().kept()[1].file);
        const QJsonObject state = shown.page.saveState();
        EvaluatePage again(shown.bench.session());
        again.restoreState(state);
        again.activated();
        QVERIFY(waitFor([&] { return again.presenter().listed(); }));
        QCOMPARE(again.presenter().selected()->record.time, std::string("2026-11-23T18:20:00Z"));
    }
};

STUDIO_WIDGET_TEST(EvaluatePageTest)
#include "evaluate_page_test.moc"
