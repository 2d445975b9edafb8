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

namespace {

constexpr int kAnswer_ms = 100000;  // of a machine that has other things to do

}  // namespace

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
            chat.setSettings(quick(chat, 20));
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
            QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
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
        QVERIFY(
            waitFor([&] { return chat.chat()->nodes[1].replies[0].new_tokens > 30 || !chat.answering(); }, kAnswer_ms));
        photograph(page, QStringLiteral("chat-streaming"));
        if (!chat.answering()) QSKIP("The answer ended by itself before it could be stopped.");
        QVERIFY(page.escape());
        QVERIFY(!chat.answering());
        QCOMPARE(chat.chat()->nodes[1].replies[0].end, project::ChatEnd::Stopped);
        QVERIFY(!chat.chat()->nodes[1].replies[0].text.empty());
        // The engine is free for the next one.
        chat.setSettings(quick(chat, 4));
        chat.send(QStringLiteral("And then?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        QCOMPARE(chat.turns().size(), std::size_t(4));
    }

    void regeneratingAndEditingMakeBranches() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        chat.setSettings(quick(chat, 6));
        chat.send(QStringLiteral("One"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        chat.regenerate(1);
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        QCOMPARE(chat.turns()[1].branches, 2);
        QCOMPARE(chat.turns()[1].branch, 1);
        QCOMPARE(chat.chat()->nodes[2].replies[0].seed, chat.chat()->nodes[1].replies[0].seed + 1);
        chat.showSibling(2, -1);
        QCOMPARE(chat.turns()[1].node, 1);
        chat.edit(0, QStringLiteral("Two"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        QCOMPARE(chat.turns()[0].prompt, QStringLiteral("Two"));
        QCOMPARE(chat.turns()[0].branches, 2);
        chat.showSibling(chat.turns()[0].node, -1);
        QCOMPARE(chat.turns()[0].prompt, QStringLiteral("One"));
        QCOMPARE(chat.turns()[1].node, 1);
    }

    void withoutTheEnginesLibraryTheSentenceSaysWhatIsMissing() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        qputenv("STUDIO_ENGINE", "/nowhere/libstudio_engine.so");
        chat.send(QStringLiteral("Hello?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        qunsetenv("STUDIO_ENGINE");
        const ReplyView reply = chat.turns()[1].replies[0];
        QVERIFY(reply.error.contains(QStringLiteral("libstudio_engine.so")));
        QVERIFY(!reply.remedies.empty());
        QVERIFY(!bench.session().messages().shown().isEmpty());
        photograph(page, QStringLiteral("chat-no-engine"));
        // The prompt is still there; with the library in its place the same is asked again.
        chat.setSettings(quick(chat, 4));
        chat.act(TurnAction::TryAgain, 1, 0);
        QVERIFY(waitFor([&] { return !chat.answering(); }, kAnswer_ms));
        QVERIFY(chat.turns()[1].replies[0].error.isEmpty());
    }

    void withoutAnyModelThePageSaysSo() {
        Bench bench;
        qputenv("STUDIO_RESOURCES", "/nowhere");
        ChatPage page(bench.session());
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] {
            for (auto* state : page.findChildren<EmptyState*>())
                if (state->isVisible()) return true;
            return false;
        }));
        photograph(page, QStringLiteral("chat-no-model"));
        qunsetenv("STUDIO_RESOURCES");
    }

    void aRestartShowsTheSameChatAndDraft() {
        Bench bench;
        QJsonObject state;
        std::string id;
        {
            ChatPage page(bench.session());
            QVERIFY(ready(page));
            ChatPresenter& chat = page.presenter();
            chat.rename(*chat.chat(), QStringLiteral("First"));
            id = chat.chat()->id;
            page.findChild<Composer*>()->setText(QStringLiteral("half a thought"));
            chat.startNew();
            chat.rename(*chat.chat(), QStringLiteral("Second"));
            auto* list = page.findChild<QListView*>(QStringLiteral("chats"));
            list->setCurrentIndex(list->model()->index(1, 0));
            QCOMPARE(chat.chat()->id, id);
            state = page.saveState();
        }
        ChatPage again(bench.session());
        again.restoreState(state);
        QVERIFY(ready(again));
        QCOMPARE(again.presenter().chat()->id, id);
        QCOMPARE(again.findChild<Composer*>()->text(), QStringLiteral("half a thought"));
    }

    void aDeletedChatComesBack() {
        Bench bench;
        ChatPage page(bench.session());
        QVERIFY(ready(page));
        ChatPresenter& chat = page.presenter();
        chat.rename(*chat.chat(), QStringLiteral("Keep me"));
        const std::string id = chat.chat()->id;
        for (QAction* action : page.pageActions())
            if (action->text().contains(QStringLiteral("Delete"))) action->trigger();
        QVERIFY(chat.chat()->id != id);
        QCOMPARE(bench.session().messages().shown().size(), 1);
        bench.session().messages().shown().first().act();
        bool written = false;
        bench.session().files().run<void>(
            &page, [](const JobContext&) { return Result<void>(); }, [&](Result<void>) { written = true; });
        QVERIFY(waitFor([&] { return written; }));
        const auto list = project::listChats(bench.session().paths().chats());
        QCOMPARE(list.chats.size(), std::size_t(1));
        QCOMPARE(list.chats[0].heading(), std::string("Keep me"));
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
