// Answers to several questions that grow together, with the built-in model.
#include <QtTest>

#include "engine/border/engine.h"
#include "engine/faulty_phi.h"
#include "jobs/chat.h"
#include "text/tokenizer.h"

using namespace studio;
using jobs::Question;
using test::Faults;

class AnswersTest : public QObject {
    Q_OBJECT

    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::shared_ptr<const text::ChatTemplate> template_;
    std::unique_ptr<engine::api::Model> model_;

    void load(const char* faults) {
        engine::LocalEngine engine({}, test::faultyMakers(std::make_shared<Faults>(faults)));
        engine::api::ModelSource source;
        source.folder = STUDIO_SOURCE_DIR "/resources/demo/model";
        source.threads = 1;
        auto model = engine.load(source, {});
        QVERIFY2(model, model ? "" : model.error().text().c_str());
        model_ = std::move(*model);
    }
    jobs::Chatter chatter() const { return {*model_, *tokenizer_, *template_}; }

    // Of other lengths, greedy; more than grow at once.
    static std::vector<Question> questions() {
        std::vector<Question> all;
        const std::string words = "What is the oldest city of the world and how do I get there by train from here?";
        for (std::size_t i = 0; i < jobs::kTogether + 4; ++i) {
            Question question{{{text::Role::Prompter, words.substr(0, 12 + 5 * i)}}, {}};
            question.options.temperature = 0;
            question.options.max_new_tokens = 4 + static_cast<int>(i * 5 % 7);
            all.push_back(std::move(question));
        }
        return all;
    }

  private Q_SLOTS:
    void initTestCase() {
        auto tokenizer = text::loadTokenizer(STUDIO_SOURCE_DIR "/resources/demo/model");
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().text().c_str());
        tokenizer_ = std::move(*tokenizer);
        auto chat_template = text::chatTemplate("openassistant");
        QVERIFY(chat_template);
        template_ = std::move(*chat_template);
    }

    void eachIsTheAnswerItGetsAlone_data() {
        QTest::addColumn<QString>("faults");
        QTest::newRow("all the memory") << QString();
        QTest::newRow("room for few at once") << QStringLiteral("cache 3x2 memory");
    }

    void eachIsTheAnswerItGetsAlone() {
        QFETCH(QString, faults);
        load(faults.toUtf8().constData());
        const auto asked = questions();
        std::vector<std::size_t> done;
        const auto all = jobs::answers(chatter(), asked, [&](std::size_t so_far) { done.push_back(so_far); }, {});
        QVERIFY2(all, all ? "" : all.error().text().c_str());
        QCOMPARE(all->size(), asked.size());
        QVERIFY(std::is_sorted(done.begin(), done.end()));
        QCOMPARE(done.back(), asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto alone = jobs::answer(chatter(), asked[i].turns, asked[i].options, {}, {});
            QVERIFY(alone);
            QCOMPARE((*all)[i].text, alone->text);
            QCOMPARE((*all)[i].new_tokens, alone->new_tokens);
            QVERIFY((*all)[i].end == alone->end);
        }
    }

    void noRoomForEvenOneIsAnError() {
        load("cache 1x9 memory");
        const auto all = jobs::answers(chatter(), questions(), {}, {});
        QVERIFY(!all && all.error().code == ErrorCode::OutOfMemory);
    }

    void aCardThatIsLostEndsAll() {
        load("decode 12 lost");
        const auto all = jobs::answers(chatter(), questions(), {}, {});
        QVERIFY(!all && all.error().code == ErrorCode::DeviceLost);
    }

    void stoppedMeansCancelled() {
        load("");
        std::stop_source stop;
        const auto all =
            jobs::answers(chatter(), questions(), [&](std::size_t) { stop.request_stop(); }, {stop.get_token(), {}});
        QVERIFY(!all && all.error().cancelled());
    }
};

QTEST_GUILESS_MAIN(AnswersTest)
#include "answers_test.moc"
