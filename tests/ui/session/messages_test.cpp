// What the window says, and what it remembers on this machine.
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>

#include "ui/look/format.h"
#include "ui/session/messages.h"
#include "ui/session/settings.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class MessagesTest : public QObject {
    Q_OBJECT

    PrivateHome home_;

    static void put(const QString& name, const QByteArray& bytes) {
        QFile file(name);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
    }

  private Q_SLOTS:
    void aMessageOfTheSameIdTakesThePlaceOfTheEarlierOne() {
        Messages messages;
        QSignalSpy changed(&messages, &Messages::changed);
        messages.info(QStringLiteral("a"), QStringLiteral("First."));
        messages.info(QStringLiteral("b"), QStringLiteral("Other."));
        messages.info(QStringLiteral("a"), QStringLiteral("Second."));
        QCOMPARE(messages.shown().size(), 2);
        QCOMPARE(messages.shown().back().what, QStringLiteral("Second."));
        QCOMPARE(messages.past().size(), 3);
        QCOMPARE(changed.count(), 3);
        messages.dismiss(QStringLiteral("nobody"));
        QCOMPARE(changed.count(), 3);
        messages.dismiss(QStringLiteral("a"));
        QCOMPARE(messages.shown().size(), 1);
        messages.dismissAll();
        QVERIFY(messages.shown().isEmpty());
        QCOMPARE(messages.past().size(), 3);
        QCOMPARE(changed.count(), 5);
    }

    void messagesWithoutAnIdStandBesideEachOther() {
        Messages messages;
        messages.info({}, QStringLiteral("One."));
        messages.info({}, QStringLiteral("Two."));
        QCOMPARE(messages.shown().size(), 2);
        messages.dismiss(QString(messages.shown().front().id));
        QCOMPARE(messages.shown().front().what, QStringLiteral("Two."));
    }

    void whatThePersonStoppedIsNoFailure() {
        Messages messages;
        messages.fail(QStringLiteral("x"), Error{ErrorCode::Cancelled, "Stopped.", {}});
        QVERIFY(messages.shown().isEmpty() && messages.past().isEmpty());
        messages.fail(QStringLiteral("x"), {ErrorCode::Io, "The file f is gone.", "Choose another one."});
        QCOMPARE(messages.shown().front().kind, Message::Kind::Bad);
        QCOMPARE(messages.shown().front().to_do, QStringLiteral("Choose another one."));
        QVERIFY(messages.shown().front().when.isValid());
    }

    void thePastIsBounded() {
        Messages messages;
        for (int i = 0; i < 2000; ++i) messages.info(QStringLiteral("same"), QString::number(i));
        QCOMPARE(messages.past().size(), 500);
        QCOMPARE(messages.past().back().what, QStringLiteral("1999"));
        QCOMPARE(messages.shown().size(), 1);
    }

    void anActionMayShowMessagesItself() {
        Messages messages;
        Message again;
        again.id = QStringLiteral("a");
        again.act = [&messages] { messages.fail(QStringLiteral("a"), {ErrorCode::Io, "Again.", "Try later."}); };
        messages.show(again);
        const auto act = messages.shown().front().act;
        messages.dismiss(QStringLiteral("a"));
        act();
        QCOMPARE(messages.shown().front().what, QStringLiteral("Again."));
    }

    void settingsComeBackAsTheyWere() {
        const QString file = home_.path() + QStringLiteral("/own.conf");
        {
            Settings settings(file);
            QVERIFY(!settings.problem());
            QSignalSpy changed(&settings, &Settings::changed);
            settings.setDevice(QStringLiteral("cpu"));
            settings.setModelFolders({QStringLiteral("/a, b"), QStringLiteral("/ü=%1")});
            settings.setInhibitSuspend(false);
            for (int i = 0; i < 20; ++i) settings.addRecentProject(QStringLiteral("/p%1").arg(i));
            settings.addRecentProject(QStringLiteral("/p12"));
            settings.removeRecentProject(QStringLiteral("/p18"));
            settings.setPageState(QStringLiteral("/p1"), QStringLiteral("data"),
                                  {{QStringLiteral("filter"), QStringLiteral("\"a\" = ;\\ü\n")}});
            settings.setLayout(QStringLiteral("window"), QByteArray("\x00\x01\xff@", 4));
            QVERIFY(changed.count() >= 24);
        }
        const Settings settings(file);
        QCOMPARE(settings.device(), QStringLiteral("cpu"));
        QCOMPARE(settings.modelFolders(), (QStringList{QStringLiteral("/a, b"), QStringLiteral("/ü=%1")}));
        QVERIFY(!settings.inhibitSuspend());
        QCOMPARE(settings.recentProjects().size(), 11);
        QCOMPARE(settings.recentProjects().front(), QStringLiteral("/p12"));
        QVERIFY(!settings.recentProjects().contains(QStringLiteral("/p18")));
        QCOMPARE(settings.pageState(QStringLiteral("/p1"), QStringLiteral("data")).value(QStringLiteral("filter")),
                 QJsonValue(QStringLiteral("\"a\" = ;\\ü\n")));
        QVERIFY(settings.pageState(QStringLiteral("/p2"), QStringLiteral("data")).isEmpty());
        QCOMPARE(settings.layout(QStringLiteral("window")), QByteArray("\x00\x01\xff@", 4));
    }

    void anEmptyOrMissingFileIsNoProblem() {
        const QString file = home_.path() + QStringLiteral("/empty.conf");
        put(file, {});
        QVERIFY(!Settings(file).problem());
        QVERIFY(!Settings(home_.path() + QStringLiteral("/none/at/all.conf")).problem());
    }

    void aDamagedFileIsKeptBesideAndTheRestIsRead() {
        const QString file = home_.path() + QStringLiteral("/damaged.conf");
        const QByteArray bytes("[General]\ndevice=cpu\nthis line means nothing\n");
        put(file, bytes);
        {
            Settings settings(file);
            const auto problem = settings.problem();
            QVERIFY(problem);
            QVERIFY(ui::text(problem->message).contains(file));
            QVERIFY(ui::text(problem->hint).contains(file + QStringLiteral(".broken")));
            settings.setInhibitSuspend(false);
        }
        QFile kept(file + QStringLiteral(".broken"));
        QVERIFY(kept.open(QIODevice::ReadOnly));
        QCOMPARE(kept.readAll(), bytes);
        const Settings again(file);
        QVERIFY(!again.problem());
        QVERIFY(!again.inhibitSuspend());
    }

    void valuesOfAnotherKindAreDefaults() {
        const QString file = home_.path() + QStringLiteral("/kinds.conf");
        put(file,
            "[General]\ntheme=purple\ninhibitSuspend=maybe\nrecentProjects=@Invalid()\n"
            "[pages]\nx\\data=\"{not json\"\n[layout]\nwindow=17\n");
        const Settings settings(file);
        QCOMPARE(settings.theme(), ThemeChoice::System);
        QVERIFY(settings.recentProjects().isEmpty());
        QVERIFY(settings.pageState(QStringLiteral("x"), QStringLiteral("data")).isEmpty());
        QVERIFY(settings.modelFolders().isEmpty());
    }

    void aFileThatCannotBeWrittenIsTold() {
        const QString blocked = home_.path() + QStringLiteral("/blocked");
        put(blocked, "in the way");
        Settings settings(blocked + QStringLiteral("/x.conf"));
        settings.setDevice(QStringLiteral("cpu"));
        settings.sync();
        const auto problem = settings.problem();
        QVERIFY(problem && !problem->hint.empty());
        QCOMPARE(settings.device(), QStringLiteral("cpu"));  // it holds until the end of this one
    }
};

STUDIO_WIDGET_TEST(MessagesTest)
#include "messages_test.moc"
