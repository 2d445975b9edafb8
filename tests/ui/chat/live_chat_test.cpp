// Chatting while a run is at work: its adapter answers between steps, and the run is not changed by it.
#include <fstream>

#include "io/sha256.h"
#include "project/checkpoint.h"
#include "ui/chat/chat_page.h"
#include "ui/look/format.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using studio::ui::testing::Bench;
using studio::ui::testing::photograph;
using studio::ui::testing::waitFor;

namespace {

namespace fs = std::filesystem;

config::Recipe quickRecipe(Session& session, int steps) {
    config::Recipe recipe = session.recipe().recipe();
    recipe.training.model_name_or_path = (jobs::builtInModels() / "model").string();
    recipe.training.max_steps = steps;
    recipe.training.max_seq_length = 64;
    recipe.training.paths = "best";
    recipe.training.validation_fraction = 0.1;
    recipe.training.threads = 1;
    recipe.qlora.r = 4;
    recipe.qlora.lora_dropout = 0.05;
    return recipe;
}

std::string adapterHash(const fs::path& run) {
    const auto found = project::newestCheckpoint(run);
    if (!found.newest) return {};
    const auto hash = io::sha256File(found.newest->folder / "adapter_model.safetensors");
    return hash ? *hash : std::string();
}

}  // namespace

class LiveChatTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void chatsBetweenStepsLeaveTheRunAsItIs() {
        Bench bench(16);
        Session& session = bench.session();
        QVERIFY(waitFor([&] { return !session.recipe().recipe().training.data_path.empty(); }));
        ChatPage page(session);
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().model() && page.presenter().chat(); }));
        bool ended = false;
        std::optional<Error> failure;
        connect(&session.runs(), &RunService::ended, this, [&](const RunEnd& end) {
            ended = true;
            failure = end.error;
        });
        const auto config = session.recipe().configFile();

        const auto plain = session.runs().start(quickRecipe(session, 6), QStringLiteral("plain"), config);
        QVERIFY2(plain, plain ? "" : plain.error().text().c_str());
        QVERIFY(waitFor([&] { return ended; }, 100000));
        QVERIFY2(!failure, failure ? failure->text().c_str() : "");
        const std::string alone = adapterHash(session.paths().runs() / "plain");
        QVERIFY(!alone.empty());

        ended = false;
        QVERIFY(session.runs().start(quickRecipe(session, 6), QStringLiteral("chatted"), config));
        ChatPresenter& chat = page.presenter();
        QVERIFY(
            waitFor([&] { return chat.model() && session.runs().live() && session.runs().live()->step >= 2; }, 100000));
        session.runs().pause();
        QVERIFY(waitFor([&] { return session.runs().live()->state == project::RunState::Paused; }, 100000));
        project::ChatSettings s = chat.settings();
        s.model = {};
        s.model.run = "chatted";
        s.compare = true;
        s.max_new_tokens = 12;
        chat.setSettings(s);
        QVERIFY(chat.model());
        QVERIFY(chat.model()->live);
        // Both sides have begun before either has ended.
        bool together = false;
        connect(&chat, &ChatPresenter::turnChanged, this, [&](int node) {
            const auto& replies = chat.chat()->nodes[static_cast<std::size_t>(node)].replies;
            together |=
                replies.size() == 2 && std::all_of(replies.begin(), replies.end(), [](const project::ChatReply& reply) {
                    return reply.new_tokens > 0 && reply.end == project::ChatEnd::Growing;
                });
        });
        chat.send(QStringLiteral("What is love?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, 100000));
        QVERIFY(together);
        const project::ChatNode& answer = chat.chat()->nodes[1];
        QCOMPARE(answer.replies.size(), std::size_t(2));
        for (const project::ChatReply& reply : answer.replies) QVERIFY2(reply.error.empty(), reply.error.c_str());
        QVERIFY(answer.replies[0].new_tokens > 0);
        QVERIFY(answer.replies[1].base);
        photograph(page, QStringLiteral("chat-live"));
        photograph(page, QStringLiteral("chat-live-narrow"), {960, 580});
        session.runs().unpause();
        s.compare = false;
        s.max_new_tokens = 40;
        chat.setSettings(s);
        chat.send(QStringLiteral("And what is it not?"));
        QVERIFY(waitFor([&] { return ended && !chat.answering(); }, 100000));
        QVERIFY2(!failure, failure ? failure->text().c_str() : "");
        QCOMPARE(adapterHash(session.paths().runs() / "chatted"), alone);
        const project::ChatReply& last = chat.chat()->nodes.back().replies[0];
        QVERIFY2(last.end != project::ChatEnd::Failed, last.error.c_str());
        // The run is over: its newest checkpoint answers, loaded by itself.
        QVERIFY(waitFor([&] { return chat.model() && !chat.model()->live; }));
        s.max_new_tokens = 4;
        s.compare = true;
        chat.setSettings(s);
        together = false;
        chat.send(QStringLiteral("Still there?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, 100000));
        QVERIFY(together);
        for (const project::ChatReply& reply : chat.chat()->nodes.back().replies) {
            QVERIFY2(reply.error.empty(), reply.error.c_str());
            QVERIFY(reply.end == project::ChatEnd::ByItself || reply.end == project::ChatEnd::MaxTokens);
        }
        // Stopped, both keep what was said and the engine is free for the next.
        s.max_new_tokens = 900;
        chat.setSettings(s);
        chat.send(QStringLiteral("Write a very long story about a river"));
        const auto newest = [&]() -> const auto& {
            return chat.chat()->nodes.back().replies;
        };
        QVERIFY(waitFor([&] { return newest()[0].new_tokens > 3 || !chat.answering(); }, 100000));
        chat.stop();
        QVERIFY(!chat.answering());
        QCOMPARE(newest().size(), std::size_t(2));
        for (const project::ChatReply& reply : newest()) {
            QVERIFY(reply.end != project::ChatEnd::Growing && reply.end != project::ChatEnd::Failed);
            QVERIFY(!reply.text.empty());
        }
        s.compare = false;
        s.max_new_tokens = 2;
        chat.setSettings(s);
        chat.send(QStringLiteral("Are you free?"));
        QVERIFY(waitFor([&] { return !chat.answering(); }, 100000));
        QVERIFY(newest()[0].error.empty() && newest()[0].new_tokens > 0);
    }

    void anotherModelIsRefusedWhileARunIsAtWork() {
        Bench bench(16);
        Session& session = bench.session();
        QVERIFY(waitFor([&] { return !session.recipe().recipe().training.data_path.empty(); }));
        ChatPage page(session);
        page.resize(1280, 800);
        page.show();
        page.activated();
        QVERIFY(waitFor([&] { return page.presenter().model() && page.presenter().chat(); }));
        // Another base than the run's.
        const fs::path other = path(bench.folder()) / "other";
        fs::copy(jobs::builtInModels() / "model", other);
        session.settings().setModelFolders({pathText(other)});
        page.activated();
        QVERIFY(session.runs().start(quickRecipe(session, 400), QStringLiteral("long"), session.recipe().configFile()));
        QVERIFY(waitFor([&] { return session.runs().stepping(); }, 100000));
        ChatPresenter& chat = page.presenter();
        project::ChatSettings s = chat.settings();
        s.model = {};
        s.model.base = other.string();
        chat.setSettings(s);
        QVERIFY(waitFor([&] { return chat.model() != nullptr; }));
        chat.send(QStringLiteral("Hello?"));
        QVERIFY(!chat.answering());
        const TurnView refused = chat.turns()[1];
        QVERIFY(refused.replies[0].error.contains(QStringLiteral("long")));
        QCOMPARE(refused.replies[0].remedies.front(), TurnAction::UseRunsModel);
        photograph(page, QStringLiteral("chat-refused"));
        s = chat.settings();
        s.max_new_tokens = 900;
        chat.setSettings(s);
        chat.act(TurnAction::UseRunsModel, refused.node, 0);
        QVERIFY(chat.answering());
        QVERIFY(
            waitFor([&] { return !chat.answering() || !chat.chat()->nodes.back().replies[0].text.empty(); }, 100000));
        session.runs().stopNow();
        QVERIFY(waitFor([&] { return !session.runs().active() && !chat.answering(); }, 100000));
        const project::ChatReply& cut = chat.chat()->nodes.back().replies[0];
        QVERIFY2(cut.end == project::ChatEnd::RunEnded || cut.end == project::ChatEnd::ByItself ||
                     cut.end == project::ChatEnd::MaxTokens,
                 cut.error.c_str());
    }
};

STUDIO_WIDGET_TEST(LiveChatTest)
#include "live_chat_test.moc"
