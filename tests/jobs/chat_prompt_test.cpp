// A conversation longer than the model's context: whole turns go, from the front, and it is said how many.
#include <QtTest>

#include "jobs/chat.h"
#include "text/tokenizer.h"

using namespace studio;
using jobs::ChatTurn;
using text::Role;

class ChatPromptTest : public QObject {
    Q_OBJECT

    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::shared_ptr<const text::ChatTemplate> template_;

    Result<text::Tokens> prompt(const std::vector<ChatTurn>& turns, int context, int max_new_tokens, int* dropped) {
        return jobs::promptFor(*tokenizer_, *template_, context, turns, max_new_tokens, dropped);
    }
    int size(const std::vector<ChatTurn>& turns) {
        int dropped = 0;
        const auto tokens = prompt(turns, 1 << 20, 0, &dropped);
        return tokens ? static_cast<int>(tokens->ids.size()) : -1;
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

    void whatFitsIsSentWhole() {
        const std::vector<ChatTurn> turns{
            {Role::Prompter, "One?"}, {Role::Assistant, "Two."}, {Role::Prompter, "Three?"}};
        int dropped = -1;
        const auto tokens = prompt(turns, size(turns) + 8, 8, &dropped);
        QVERIFY(tokens);
        QCOMPARE(dropped, 0);
        QCOMPARE(int(tokens->ids.size()), size(turns));
    }

    void theOldestTurnsGoFirstAndTheSystemTurnStays_data() {
        QTest::addColumn<bool>("system");
        QTest::newRow("without a system turn") << false;
        QTest::newRow("with a system turn") << true;
    }
    void theOldestTurnsGoFirstAndTheSystemTurnStays() {
        QFETCH(bool, system);
        std::vector<ChatTurn> all, kept;
        if (system) all.push_back({Role::System, "Be brief."});
        kept = all;
        for (int i = 0; i < 6; ++i) {
            const ChatTurn turn{i % 2 == 0 ? Role::Prompter : Role::Assistant,
                                "Turn number " + std::to_string(i) + "."};
            all.push_back(turn);
            if (i >= 4) kept.push_back(turn);
        }
        const ChatTurn last{Role::Prompter, "And now?"};
        all.push_back(last);
        kept.push_back(last);
        int dropped = -1;
        const auto tokens = prompt(all, size(kept) + 4, 4, &dropped);
        QVERIFY(tokens);
        QCOMPARE(dropped, 4);
        int none = -1;
        QVERIFY(tokens->ids == prompt(kept, 1 << 20, 4, &none)->ids);
    }

    void aTurnThatAloneIsTooLongIsRefusedWithBothLengths() {
        std::string words;
        for (int i = 0; i < 100; ++i) words += "word ";
        int dropped = -1;
        const auto tokens = prompt({{Role::Prompter, words}}, 64, 16, &dropped);
        QVERIFY(!tokens);
        QVERIFY2(tokens.error().message.find("64") != std::string::npos, tokens.error().message.c_str());
        QVERIFY(!tokens.error().hint.empty());
    }

    void halfOfTheContextIsAlwaysLeftForThePrompt() {
        const std::vector<ChatTurn> turns{{Role::Prompter, "One?"}};
        int dropped = -1;
        QVERIFY(prompt(turns, 2 * size(turns) + 2, 1 << 20, &dropped));
    }
};

QTEST_APPLESS_MAIN(ChatPromptTest)
#include "chat_prompt_test.moc"
