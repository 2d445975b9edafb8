#include <QtTest>
#include <limits>

#include "engine/generate/generation.h"

using namespace studio;
using namespace studio::engine;
using api::GenerateRequest;
using api::StopReason;

namespace {

constexpr int kVocab = 6, kContext = 10;

// After token t the most probable token is (t + 1) mod vocabulary.
class Counting final : public Decoder {
  public:
    explicit Counting(int capacity) : capacity_(capacity) {}
    Result<void> append(std::span<const int> tokens, std::span<float> logits, std::stop_token stop) override {
        if (stop.stop_requested()) return cancelled();
        size_ += static_cast<int>(tokens.size());
        appended.push_back(static_cast<int>(tokens.size()));
        std::fill(logits.begin(), logits.end(), 0.0f);
        logits[(tokens.back() + 1) % kVocab] = broken ? std::numeric_limits<float>::quiet_NaN() : 5.0f;
        return {};
    }
    Result<void> appendEach(std::span<const Next> next) override {
        together.push_back(static_cast<int>(next.size()));
        for (const Next& one : next) static_cast<Counting*>(one.sequence)->followed.push_back(one.then.has_value());
        if (fails) return fail(ErrorCode::OutOfMemory, "No room.");
        for (const Next& one : next)
            if (const auto done = one.sequence->append({&one.token, 1}, one.logits, {}); !done) return done;
        return {};
    }
    int size() const override { return size_; }
    int capacity() const override { return capacity_; }

    std::vector<int> appended, together;
    std::vector<bool> followed;  // of each token appended alone: whether it was told how the next one is drawn
    bool broken = false, fails = false;

  private:
    int capacity_, size_ = 0;
};

struct Started {
    explicit Started(const GenerateRequest& request) {
        const VocabAndContext model{kVocab, kContext};
        auto counting = std::make_unique<Counting>(neededCapacity(request, model));
        decoder = counting.get();
        answer = std::make_unique<Answer>(request, std::move(*Sampler::create(request, kVocab)), std::move(counting),
                                          kVocab);
    }
    Counting* decoder;
    std::unique_ptr<Answer> answer;
};

// Ids until the end, and why it ended.
std::pair<std::vector<int>, StopReason> all(Answer& answer) {
    std::vector<int> ids;
    for (;;) {
        const auto token = answer.next();
        if (!token) return {ids, StopReason::None};
        if (token->id >= 0) ids.push_back(token->id);
        if (token->stop != StopReason::None) return {ids, token->stop};
    }
}

GenerateRequest prompt(std::vector<int> tokens, int max_new_tokens = 256) {
    GenerateRequest request;
    request.prompt = std::move(tokens);
    request.max_new_tokens = max_new_tokens;
    return request;
}

}  // namespace

class AnswerTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void thePromptIsReadOnceThenTokenByToken() {
        Started started(prompt({3, 4}, 3));
        QVERIFY(started.answer->lastLogits().empty());
        const auto [ids, reason] = all(*started.answer);
        QCOMPARE(ids, (std::vector<int>{5, 0, 1}));
        QVERIFY(reason == StopReason::MaxTokens);
        QCOMPARE(started.decoder->appended, (std::vector<int>{2, 1, 1}));
        QCOMPARE(started.answer->lastLogits().size(), std::size_t{kVocab});
        QCOMPARE(started.answer->lastLogits()[1], 5.0f);
    }

    void aStopTokenIsGivenAndEnds() {
        auto request = prompt({1});
        request.stop_ids = {4, 5};
        Started started(request);
        const auto [ids, reason] = all(*started.answer);
        QCOMPARE(ids, (std::vector<int>{2, 3, 4}));
        QVERIFY(reason == StopReason::StopToken);
        const auto after = started.answer->next();
        QVERIFY(after && after->id == -1 && after->stop == StopReason::StopToken);
    }

    void theContextIsUsedToItsLastPlace() {
        // Ten places: the prompt's eight tokens, two of the answer, and the token that the last place gives.
        Started started(prompt({0, 1, 2, 3, 4, 5, 0, 1}));
        const auto [ids, reason] = all(*started.answer);
        QCOMPARE(ids, (std::vector<int>{2, 3, 4}));
        QVERIFY(reason == StopReason::ContextFull);
        QCOMPARE(started.decoder->size(), kContext);
    }

    void aPromptThatFillsTheContextGivesOneToken() {
        Started started(prompt(std::vector<int>(kContext, 2)));
        const auto [ids, reason] = all(*started.answer);
        QCOMPARE(ids, std::vector<int>{3});
        QVERIFY(reason == StopReason::ContextFull);
    }

    void noTokensAreAskedForNoneAreComputed() {
        Started started(prompt({1}, 0));
        const auto token = started.answer->next();
        QVERIFY(token && token->id == -1 && token->stop == StopReason::MaxTokens);
        QVERIFY(started.decoder->appended.empty());
    }

    // Prompts are read one by one; then whoever still grows does so together, in order.
    void answersGrowTogether() {
        auto two = prompt({1}, 3);
        two.stop_ids = {3};
        Started a(prompt({3, 4}, 4)), b(two), c(prompt({0, 5, 2}, 2));
        const std::vector<Answer*> answers{a.answer.get(), b.answer.get(), c.answer.get()};
        std::vector<std::vector<int>> ids(3);
        std::vector<StopReason> ends(3, StopReason::None);
        std::vector<Result<api::GeneratedToken>> tokens(3, api::GeneratedToken{});
        for (int round = 0; round < 5; ++round) {
            Answer::nextOfEach(answers, tokens);
            for (std::size_t i = 0; i < 3; ++i) {
                QVERIFY(tokens[i].has_value());
                if (tokens[i]->id >= 0) ids[i].push_back(tokens[i]->id);
                ends[i] = tokens[i]->stop;
            }
        }
        QCOMPARE(ids, (std::vector<std::vector<int>>{{5, 0, 1, 2}, {2, 3}, {3, 4}}));
        QVERIFY(ends == (std::vector{StopReason::MaxTokens, StopReason::StopToken, StopReason::MaxTokens}));
        // b's prompt has one token, so it goes with nobody; after that all three, then a alone.
        QCOMPARE(b.decoder->together, std::vector<int>{1});
        QCOMPARE(a.decoder->together, (std::vector<int>{3, 1, 1}));
        QCOMPARE(c.decoder->together, std::vector<int>{});
    }

    // The token whose logits give the last one is followed by nothing.
    void tellsHowTheNextTokenWillBeDrawn() {
        Started a(prompt({1, 2, 3}, 4));
        all(*a.answer);
        QCOMPARE(a.decoder->followed, (std::vector<bool>{true, true, false}));
        auto penalised = prompt({1, 2}, 3);
        penalised.repetition_penalty = 1.3;
        Started b(penalised);
        all(*b.answer);
        QCOMPARE(b.decoder->followed, (std::vector<bool>{false, false}));
    }

    void anErrorOfAllLeavesEachAsItWas() {
        Started a(prompt({1, 2})), b(prompt({3, 4}));
        const std::vector<Answer*> answers{a.answer.get(), b.answer.get()};
        std::vector<Result<api::GeneratedToken>> tokens(2, api::GeneratedToken{});
        Answer::nextOfEach(answers, tokens);
        a.decoder->fails = true;
        Answer::nextOfEach(answers, tokens);
        QVERIFY(!tokens[0] && !tokens[1] && tokens[1].error().code == ErrorCode::OutOfMemory);
        a.decoder->fails = false;
        Answer::nextOfEach(answers, tokens);
        QVERIFY(tokens[0] && tokens[0]->id == 4 && tokens[1] && tokens[1]->id == 0);
    }

    void oneOfSeveralThatIsStoppedDoesNotStopTheOthers() {
        std::stop_source stop;
        auto stopped = prompt({1, 2});
        stopped.stop = stop.get_token();
        Started a(stopped), b(prompt({3, 4})), c(prompt({0, 1}));
        const std::vector<Answer*> answers{a.answer.get(), b.answer.get(), c.answer.get()};
        std::vector<Result<api::GeneratedToken>> tokens(3, api::GeneratedToken{});
        Answer::nextOfEach(answers, tokens);
        stop.request_stop();
        Answer::nextOfEach(answers, tokens);
        QVERIFY(!tokens[0] && tokens[0].error().cancelled());
        QVERIFY(tokens[1] && tokens[1]->id == 0 && tokens[2] && tokens[2]->id == 3);
    }

    void aStoppedCallCanBeMadeAgain() {
        std::stop_source stop;
        auto request = prompt({1});
        request.stop = stop.get_token();
        Started started(request);
        QCOMPARE(started.answer->next()->id, 2);
        stop.request_stop();
        const auto token = started.answer->next();
        QVERIFY(!token && token.error().cancelled());
        QCOMPARE(started.decoder->size(), 1);
    }

    void brokenLogitsEndTheAnswer() {
        Started started(prompt({1}));
        QVERIFY(started.answer->next());
        started.decoder->broken = true;
        for (int i = 0; i < 2; ++i) {
            const auto token = started.answer->next();
            QVERIFY(!token);
            QVERIFY(!token.error().cancelled());
        }
    }

    void theSameSeedGivesTheSameAnswer() {
        auto request = prompt({1}, 8);
        request.temperature = 3;
        request.seed = 9;
        Started one(request), two(request);
        QCOMPARE(all(*one.answer).first, all(*two.answer).first);
    }

    void impossibleRequestsAreRefused_data() {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("named");
        QTest::newRow("no prompt") << "empty"
                                   << "prompt is empty";
        QTest::newRow("too long") << "long"
                                  << "11 tokens, but the model's context holds 10";
        QTest::newRow("unknown token") << "token"
                                       << "Token 6";
        QTest::newRow("negative token") << "negative"
                                        << "Token -1";
        QTest::newRow("negative length") << "length"
                                         << "max_new_tokens is -5";
        QTest::newRow("strength") << "strength"
                                  << "adapter_strength is 2";
    }
    void impossibleRequestsAreRefused() {
        QFETCH(QString, what);
        QFETCH(QString, named);
        auto request = prompt({1, 2});
        if (what == "empty") request.prompt.clear();
        if (what == "long") request.prompt.assign(11, 0);
        if (what == "token") request.prompt.push_back(kVocab);
        if (what == "negative") request.prompt.push_back(-1);
        if (what == "length") request.max_new_tokens = -5;
        if (what == "strength") request.adapter_strength = 2;
        const auto checked = checkRequest(request, {kVocab, kContext});
        QVERIFY(!checked);
        QVERIFY2(QString::fromStdString(checked.error().message).contains(named), checked.error().message.c_str());
        QVERIFY(!checked.error().hint.empty());
    }

    void aHugeLengthNeedsNoMoreThanTheContext() {
        QCOMPARE(neededCapacity(prompt({1}, std::numeric_limits<int>::max()), {kVocab, kContext}), kContext);
        QCOMPARE(neededCapacity(prompt({1, 2}, 3), {kVocab, kContext}), 5);
    }
};

QTEST_APPLESS_MAIN(AnswerTest)
#include "generate_answer_test.moc"
