#include "project/chat_file.h"

#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

using namespace studio;
using namespace studio::project;

namespace {

namespace fs = std::filesystem;

Chat sample() {
    Chat chat;
    chat.id = "20260301-101500-0000000a";
    chat.created = chat.changed = "2026-03-01T10:15:00Z";
    chat.settings.model.run = "demo-1";
    chat.settings.model.checkpoint = "checkpoint-40";
    chat.settings.temperature = 0.35;
    chat.settings.seed = 18446744073709551615ull;
    chat.settings.system = "Be brief.\nReally.";
    chat.draft = "half a th";
    ChatNode prompt;
    prompt.prompt = "  What is \"love\"?\nTell me. 🙂";
    const int first = chat.add(-1, prompt);
    ChatNode answer;
    answer.answer = true;
    ChatReply reply;
    reply.label = "demo-1 @ 40";
    reply.text = std::string("A \0 zero, and %1 and <b>", 24);
    reply.end = ChatEnd::ByItself;
    reply.new_tokens = 12;
    reply.seconds = 0.125;
    answer.replies = {reply, reply};
    answer.replies[1].base = true;
    chat.add(first, answer);
    chat.add(first, answer);
    prompt.prompt = "Second beginning";
    chat.add(-1, prompt);
    return chat;
}

}  // namespace

class ChatFileTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void comesBackAsItWas() {
        const QTemporaryDir folder;
        const fs::path chats = fs::path(folder.path().toStdString()) / "chats";
        const Chat chat = sample();
        QVERIFY(saveChat(chats, chat));
        const ChatList list = listChats(chats);
        QVERIFY(list.notes.empty());
        QCOMPARE(list.chats.size(), std::size_t(1));
        QVERIFY(list.chats[0] == chat);
    }

    void branchesAreShownOneAtATime() {
        Chat chat = sample();
        QCOMPARE(chat.path(), std::vector<int>{3});
        QCOMPARE(chat.siblings(3), (std::vector<int>{0, 3}));
        chat.show(1);
        QCOMPARE(chat.path(), (std::vector<int>{0, 1}));
        chat.show(0);  // what was shown below it is shown again
        QCOMPARE(chat.path(), (std::vector<int>{0, 1}));
        QCOMPARE(chat.branches(), 3);
        QCOMPARE(chat.heading(), std::string("What is \"love\"?"));
    }

    void anAnswerThatWasGrowingCountsAsStopped() {
        Chat chat = sample();
        chat.nodes[1].replies[0].end = ChatEnd::Growing;
        const auto read = chatFromJson(toJson(chat));
        QVERIFY(read);
        QCOMPARE(read->nodes[1].replies[0].end, ChatEnd::Stopped);
    }

    void brokenFilesAreKeptAndNamed_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("no json") << QByteArray("\xff\xfe\x00{", 4);
        QTest::newRow("a list") << QByteArray("[1,2]");
        QTest::newRow("no turns") << QByteArray(R"({"schema_version":1,"turns":7})");
        QTest::newRow("a ring") << QByteArray(
            R"({"schema_version":1,"shown":0,"turns":[{"parent":-1,"shown":1,"prompt":"a"},{"parent":0,"shown":0,"prompt":"b"}]})");
        QTest::newRow("a parent behind") << QByteArray(R"({"schema_version":1,"turns":[{"parent":0,"prompt":"a"}]})");
        QTest::newRow("out of range") << QByteArray(R"({"schema_version":1,"shown":9,"turns":[]})");
        QTest::newRow("an answer without text")
            << QByteArray(R"({"schema_version":1,"turns":[{"parent":-1,"answer":true,"replies":[]}]})");
        QByteArray deep;
        for (int i = 0; i < 100000; ++i) deep += '[';
        QTest::newRow("deep") << deep;
    }
    void brokenFilesAreKeptAndNamed() {
        QFETCH(const QByteArray, text);
        const QTemporaryDir folder;
        const fs::path chats = folder.path().toStdString();
        std::ofstream(chats / "20260101-000000-00000000.json").write(text.constData(), text.size());
        QVERIFY(saveChat(chats, sample()));
        const ChatList list = listChats(chats);
        QCOMPARE(list.chats.size(), std::size_t(1));
        QCOMPARE(list.notes.size(), std::size_t(1));
        QVERIFY(fs::exists(chats / "20260101-000000-00000000.json.broken"));
        QVERIFY(!fs::exists(chats / "20260101-000000-00000000.json"));
        QVERIFY(listChats(chats).notes.empty());
    }

    void aNewerFileIsLeftAlone() {
        const QTemporaryDir folder;
        const fs::path chats = folder.path().toStdString();
        std::ofstream(chats / "20260101-000000-00000000.json") << R"({"schema_version":99,"turns":[]})";
        const ChatList list = listChats(chats);
        QVERIFY(list.chats.empty());
        QCOMPARE(list.notes.size(), std::size_t(1));
        QVERIFY(fs::exists(chats / "20260101-000000-00000000.json"));
    }

    void settingsOfAnotherTypeCountAsAbsent() {
        io::Json json = toJson(sample());
        json["settings"]["temperature"] = "hot";
        json["settings"]["top_k"] = 1e300;
        json["settings"]["max_new_tokens"] = -4;
        const auto read = chatFromJson(json);
        QVERIFY(read);
        QCOMPARE(read->settings.temperature, 0.7);
        QCOMPARE(read->settings.top_k, 0);
        QCOMPARE(read->settings.max_new_tokens, 1);
    }

    void theTrashGivesBack() {
        const QTemporaryDir folder;
        const fs::path project = folder.path().toStdString();
        const Chat chat = sample();
        QVERIFY(saveChat(project / "chats", chat));
        QVERIFY(trashChat(project, chat.id));
        QVERIFY(listChats(project / "chats").chats.empty());
        QVERIFY(restoreChat(project, chat.id));
        QCOMPARE(listChats(project / "chats").chats.size(), std::size_t(1));
        QVERIFY(!trashChat(project, "20990101-000000-00000000"));
    }

    void markdownHasTheShownBranch() {
        Chat chat = sample();
        chat.show(1);
        const std::string text = chatMarkdown(chat);
        QVERIFY(text.find("## demo-1 @ 40") != std::string::npos);
        QVERIFY(text.find("stopped by itself") != std::string::npos);
        QVERIFY(text.find("Second beginning") == std::string::npos);
    }
};

QTEST_APPLESS_MAIN(ChatFileTest)
#include "chat_file_test.moc"
