// The Chat page: what it shows of chats on the disk, and what is kept.
#include <QClipboard>
#include <QScrollBar>
#include <future>

#include "ui/chat/chat_page.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using studio::ui::testing::Bench;
using studio::ui::testing::photograph;
using studio::ui::testing::waitFor;

namespace {

project::ChatReply reply(const char* label, bool base, const char* text, project::ChatEnd end, int tokens) {
    project::ChatReply r;
    r.label = label;
    r.base = base;
    r.text = text;
    r.end = end;
    r.new_tokens = tokens;
    r.seconds = 0.106;
    r.first_token_seconds = 0.011;
    return r;
}

project::Chat quenya() {
    project::Chat chat;
    chat.id = "20260301-101500-0000000a";
    chat.created = "2026-03-01T10:15:00Z";
    chat.changed = "2026-03-01T10:20:00Z";
    chat.settings.compare = true;
    chat.settings.model.base = (jobs::builtInModels() / "model").string();
    project::ChatNode prompt;
    prompt.prompt = "What are some words to express love and affection in Tolkien’s Quenya?";
    const int asked = chat.add(-1, prompt);
    project::ChatNode answer;
    answer.answer = true;
    answer.replies = {reply("studio-r16 @ 420", false, "Short.", project::ChatEnd::ByItself, 3)};
    chat.add(asked, answer);
    answer.replies = {
        reply(
            "studio-r16 @ 420", false,
            "Quenya has several words for love. **Melmë** means love in general, and **melissë** is a lover "
            "(feminine); a beloved one is **melda**. To say “I love you” one writes *melin le*.\n\n"
            "- *melmë*: love\n- *melda*: beloved, dear\n- `mel-`: the root\n\n"
            "Tolkien took care that the sound of the words is soft and mesmerising, so these are often used in verse.",
            project::ChatEnd::ByItself, 96),
        reply("phi-2, base", true,
              "Some words to express love and affection in Quenya are: melme, mel, melda.\n\nExercise 1: What is the "
              "difference between love and affection?\nAnswer: Love is a strong feeling of deep affection, while "
              "affection is a gentle feeling of fondness or liking.\n\nExercise 2: What are some ways to express love "
              "and",
              project::ChatEnd::MaxTokens, 128)};
    const int shown = chat.add(asked, answer);
    answer.replies = {reply("studio-r16 @ 420", false, "Another.", project::ChatEnd::Stopped, 2)};
    chat.add(asked, answer);
    chat.show(shown);
    return chat;
}

project::Chat plain(const char* id, const char* prompt, const std::string& answer_text, project::ChatEnd end) {
    project::Chat chat;
    chat.id = id;
    chat.created = chat.changed = "2026-02-27T09:00:00Z";
    chat.settings.model.base = (jobs::builtInModels() / "model").string();
    project::ChatNode node;
    node.prompt = prompt;
    const int asked = chat.add(-1, node);
    project::ChatNode answer;
    answer.answer = true;
    answer.replies = {reply("Studio demo, base", true, answer_text.c_str(), end, 256)};
    chat.add(asked, answer);
    return chat;
}

}  // namespace

class ChatPageTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void showsAnEmptyChatWithPrompts() {
        Bench bench(40);
        ChatPage page(bench.session());
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().model() != nullptr; }));
        QVERIFY(waitFor([&] {
            for (auto* card : page.findChildren<PromptCard*>())
                if (card->isVisible()) return true;
            return false;
        }));
        QVERIFY(waitFor([&] { return !page.statusRight().isEmpty(); }));
        photograph(page, QStringLiteral("chat-empty"));
        QCOMPARE(testing::withoutAccessibleName(page), QStringList());
        QCOMPARE(testing::clippedTexts(page), QStringList());
        photograph(page, QStringLiteral("chat-empty-narrow"), {1024, 640});
    }

    void keepsWhatIsTypedWhileTheChatsAreRead() {
        Bench bench;
        ChatPage page(bench.session());
        page.show();
        page.activated();
        QVERIFY(!page.presenter().chat());
        auto* message = page.findChild<Composer*>()->findChild<QPlainTextEdit*>();
        QTest::keyClicks(message, QStringLiteral("Early words"));
        QVERIFY(waitFor([&] { return page.presenter().model() != nullptr && page.presenter().chat(); }));
        QCOMPARE(message->toPlainText(), QStringLiteral("Early words"));
        QCOMPARE(page.presenter().chat()->draft, std::string("Early words"));
    }

    // A prompt that is sent while the disk is looked through waits for its model, and is not told that there is none.
    void aPromptSentWhileModelsAreLookedForIsAnswered() {
        Bench bench;
        std::promise<void> go_on;
        bench.session().surveys().run<void>(
            this,
            [held = go_on.get_future().share()](const JobContext&) -> Result<void> {
                held.wait();
                return {};
            },
            [](const Result<void>&) {});
        ChatPage page(bench.session());
        page.show();
        page.activated();
        ChatPresenter& chat = page.presenter();
        QVERIFY(waitFor([&] { return chat.chat() != nullptr; }));
        project::ChatSettings settings = chat.settings();
        settings.max_new_tokens = 3;
        chat.setSettings(settings);
        chat.send(QStringLiteral("Who are you?"));
        QVERIFY(chat.answering());
        QCOMPARE(chat.turns().back().replies.front().waiting,
                 QStringLiteral("Looking for the models on this computer…"));
        go_on.set_value();
        QVERIFY(waitFor([&] { return !chat.answering(); }, 60000));
        QCOMPARE(chat.chat()->nodes.size(), std::size_t(2));
        const project::ChatReply& said = chat.chat()->nodes.back().replies.front();
        QCOMPARE(ui::text(said.error), QString());
        QVERIFY(said.new_tokens > 0);
        QCOMPARE(ui::text(said.label), chat.model()->base_label);
    }

    // With an empty box the meter shows what the chat holds: every turn, the last answer too.
    void anEmptyBoxMeasuresTheWholeChat() {
        Bench bench;
        QVERIFY(project::saveChat(bench.session().paths().chats(),
                                  plain("20260227-090000-0000000b", "Why?", "Because.", project::ChatEnd::ByItself)));
        ChatPage page(bench.session());
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().chat() && page.presenter().chat()->nodes.size() == 2; }));
        const auto empty = page.presenter().turnsFor({});
        QCOMPARE(empty.size(), std::size_t(2));
        QCOMPARE(empty.back().role, text::Role::Assistant);
        QCOMPARE(page.presenter().turnsFor(QStringLiteral("And?")).size(), std::size_t(3));
    }

    void anAdapterOfNoRunIsTakenUp() {
        Bench bench;
        ChatPage page(bench.session());
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().model() != nullptr; }));
        Q_EMIT bench.session().go().chatWithAdapter(QStringLiteral("/models/phi-2"), QStringLiteral("/adapters/mine"));
        QCOMPARE(page.presenter().settings().model.base, std::string("/models/phi-2"));
        QCOMPARE(page.presenter().settings().model.adapter, std::string("/adapters/mine"));
        QVERIFY(page.presenter().settings().model.run.empty());
    }

    void showsChatsOfTheProjectSideBySide() {
        Bench bench;
        const auto folder = bench.session().paths().chats();
        QVERIFY(project::saveChat(folder, quenya()));
        std::string code =
            "Here is a function:\n\n```python\ndef twice(x):\n    return 2 * x\n```\n\n1. Call it\n2. Read it\n";
        for (int i = 0; i < 60; ++i)
            code += "A long answer goes on and on, with more and more words in every line of it. ";
        QVERIFY(project::saveChat(
            folder, plain("20260227-090000-0000000b", "Explain JIT compilation", code, project::ChatEnd::MaxTokens)));
        auto failed = plain("20260227-080000-0000000c", "Write a monologue of a Spartan", "", project::ChatEnd::Failed);
        failed.nodes[1].replies[0].error =
            "The model's file model.safetensors is cut off at 4,096 of 17,583,256 bytes. "
            "Download the model again, or choose another one.";
        failed.nodes[1].replies[0].new_tokens = 0;
        QVERIFY(project::saveChat(folder, failed));
        ChatPage page(bench.session());
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().model() != nullptr && page.presenter().chat(); }));
        QVERIFY(waitFor([&] { return !page.statusRight().isEmpty(); }));
        QCOMPARE(page.presenter().turns().size(), std::size_t(2));
        QCOMPARE(page.presenter().turns()[1].branch, 1);
        photograph(page, QStringLiteral("chat-compare"));
        photograph(page, QStringLiteral("chat-compare-narrow"), {1024, 640});
        // Text is chosen with the pointer and copied.
        auto* view = page.findChild<ChatView*>();
        QTest::mousePress(view->viewport(), Qt::LeftButton, {}, {60, 112});
        QTest::mouseMove(view->viewport(), {120, 192});
        QTest::mouseRelease(view->viewport(), Qt::LeftButton, {}, {120, 192});
        QVERIFY(view->selectedText().contains(QStringLiteral("melda")));
        QVERIFY(!view->selectedText().contains(QLatin1Char('*')));
        QTest::keyClick(view, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), view->selectedText());
        photograph(page, QStringLiteral("chat-selected"));
        const QFont font = QApplication::font();
        QFont large = font;
        large.setPointSize(14);
        QApplication::setFont(large);
        photograph(page, QStringLiteral("chat-compare-14pt"), {1280, 800});
        QCOMPARE(testing::clippedTexts(page), QStringList());
        QApplication::setFont(font);
        // By keyboard: a turn is chosen, its branches are switched.
        page.activateWindow();
        view->setFocus(Qt::TabFocusReason);
        QTest::keyClick(view, Qt::Key_Up);
        QTest::keyClick(view, Qt::Key_Down);
        QCOMPARE(view->currentNode(), page.presenter().turns()[1].node);
        photograph(page, QStringLiteral("chat-keyboard"));
        for (QAction* action : page.pageActions())
            if (action->text().contains(QStringLiteral("Previous"))) action->trigger();
        QCOMPARE(page.presenter().turns()[1].branch, 0);
        auto* list = page.findChild<QListView*>(QStringLiteral("chats"));
        list->setCurrentIndex(list->model()->index(1, 0));
        QTest::qWait(300);
        photograph(page, QStringLiteral("chat-long"));
        list->setCurrentIndex(list->model()->index(2, 0));
        photograph(page, QStringLiteral("chat-failed"));
    }
};

STUDIO_WIDGET_TEST(ChatPageTest)
#include "chat_page_test.moc"
