// Asking the built-in model through the page: streaming, stopping, comparing, branches; and what is kept.
#include <QListView>
#include <QProgressBar>

#include "ui/chat/chat_page.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using studio::ui::testing::Bench;
using studio::ui::testing::photograph;
using studio::ui::testing::waitFor;

class ChatServiceTest : public QObject {
    Q_OBJECT

    static project::ChatSettings quick(const ChatPresenter& presenter, int tokens) {
        project::ChatSettings s = presenter.settings();
        s.max_new_tokens = tokens;
        return s;
    }
    static bool ready(ChatPage& page) {
        page.resize(1280, 800);
        page.show();
        page.activated();
        return waitFor([&] { return page.presenter().model() && page.presenter().chat(); });
    }

  private Q_SLOTS:
    void streamsWholeCharactersAndKeepsTheAnswer() {
        Bench bench;
        std::string id;
        {
            ChatPage page(bench.session());
            QVERIFY(ready(page));
            ChatPresenter& chat = page.presenter();
            chat.setSettings(quick(chat, 40));
            int changes = 0;
            bool whole = true, loading_seen = false;
            connect(&chat, &ChatPresenter::turnChanged, this, [&](int node) {
                ++changes;
                for (const ReplyView& r : chat.turn(node).replies) whole &= !r.text.contains(QChar(0xFFFD));
            });
            connect(&chat, &ChatPresenter::progressChanged, this, [&] {
                if (!loading_seen && !chat.loading().phase.empty()) {
                    loading_seen = true;
                    page.grab().save(QStringLiteral(STUDIO_BINARY_DIR "/screens/chat-loading-light.png"));
                }
            });
            chat.send(QStringLiteral("Tell me about “naïve” cafés 🙂"));
            QVERIFY(chat.answering());
            QCOMPARE(chat.turns().size(), std::size_t(2));
            QVERIFY(waitFor([&] { return !chat.answering(); }));
            QVERIFY(whole);
            QVERIFY(changes > 1);
            const project::ChatReply& reply = chat.chat()->nodes[1].replies[0];
            QVERIFY2(reply.end == project::ChatEnd::MaxTokens || reply.end == project::ChatEnd::ByItself,
                     reply.error.c_str());
            QVERIFY(!reply.text.empty());
            QVERIFY(reply.first_token_seconds > 0);
            id = chat.chat()->id;
        }
        const auto again = project::listChats(bench.session().paths().chats());
        QCOMPARE(again.chats.size(), std::size_t(1));
        QCOMPARE(again.chats[0].id, id);
        QVERIFY(!again.chats[0].nodes[1].replies[0].text.empty());
        QVERIFY(again.chats[0].nodes[1].replies[0].end != project::ChatEnd::Stopped);
    }

    void stopsAtOnceAndKeepsWhatWasWritten() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        chat.setSettings(quick(chat, 900));
        chat.send(QStringLiteral("Write a very long story about a river"));
        QVERIFY(waitFor([&] { return !chat.chat()->nodes[1].replies[0].text.empty(); }));
        photograph(page, QStringLiteral("chat-streaming"));
        if (!chat.answering()) QSKIP("The answer ended by itself before it could be stopped.");
        QVERIFY(page.escape());
        QVERIFY(!chat.answering());
        QCOMPARE(chat.chat()->nodes[1].replies[0].end, project::ChatEnd::Stopped);
        QVERIFY(!chat.chat()->nodes[1].replies[0].text.empty());
        // The engine is free for the next one.
        chat.setSettings(quick(chat, 4));
        chat.send(QStringLiteral("And then?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }));
        QCOMPARE(chat.turns().size(), std::size_t(4));
    }

    void regeneratingAndEditingMakeBranches() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        chat.setSettings(quick(chat, 6));
        chat.send(QStringLiteral("One"));
        QVERIFY(waitFor([&] { return !chat.answering(); }));
        chat.regenerate(1);
        QVERIFY(waitFor([&] { return !chat.answering(); }));
        QCOMPARE(chat.turns()[1].branches, 2);
        QCOMPARE(chat.turns()[1].branch, 1);
        QCOMPARE(chat.chat()->nodes[2].replies[0].seed, chat.chat()->nodes[1].replies[0].seed + 1);
        chat.showSibling(2, -1);
        QCOMPARE(chat.turns()[1].node, 1);
        chat.edit(0, QStringLiteral("Two"));
        QVERIFY(waitFor([&] { return !chat.answering(); }));
        QCOMPARE(chat.turns()[0].prompt, QStringLiteral("Two"));
        QCOMPARE(chat.turns()[0].branches, 2);
        chat.showSibling(chat.turns()[0].node, -1);
        QCOMPARE(chat.turns()[0].prompt, QStringLiteral("One"));
        QCOMPARE(chat.turns()[1].node, 1);
    }

    void aModelThatIsGoneFailsWithASentenceAndKeepsThePrompt() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        project::ChatSettings s = chat.settings();
        s.model = {};
        s.model.run = "gone";
        chat.setSettings(s);
        chat.send(QStringLiteral("Are you there?"));
        QVERIFY(!chat.answering());
        QCOMPARE(chat.turns()[0].prompt, QStringLiteral("Are you there?"));
        QVERIFY(chat.turns()[1].replies[0].error.contains(QStringLiteral("gone")));
        photograph(page, QStringLiteral("chat-gone"));
    }
};

STUDIO_WIDGET_TEST(ChatServiceTest)
#include "chat_service_test.moc"
