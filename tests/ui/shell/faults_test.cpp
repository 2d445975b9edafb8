// What goes wrong with projects, files and settings, as the window meets it: every fault has a sentence that names the
// thing and a next step, nothing hangs, nothing that was there is lost.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QStackedWidget>
#include <csignal>

#include "io/file_lock.h"
#include "project/chat_file.h"
#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/recipe/recipe_page.h"
#include "ui/shell/program.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace fs = std::filesystem;

namespace {

std::string gzip(std::string_view bytes) {
    std::string out(compressBound(bytes.size()) + 64, '\0');
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

// No file of this process may grow beyond `bytes`: a full disk, for as long as it lives.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

  private:
    rlimit before_{};
};

}  // namespace

class FaultsTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    int number_ = 0;

    QString next(const char* name) { return QStringLiteral("%1-%2").arg(QLatin1String(name)).arg(++number_); }

    static QString bannerTexts(Program& p) {
        QStringList all;
        for (const Message& m : p.session.messages().shown()) all << joined(m.what, m.to_do);
        return all.join(QLatin1Char('\n'));
    }

    // Imports through the window and waits for the report.
    static const ImportOutcome& import(Program& p, const fs::path& file) {
        auto& data = p.page<DataPage>(PageId::Data);
        QSignalSpy finished(&data.importTask(), &ImportTask::finished);
        p.window.importFiles({pathText(file)});
        waitFor([&] { return finished.count() == 1; });
        return data.importTask().outcomes().back();
    }

    static void drop(Program& p, const QMimeData& mime) {
        QDragEnterEvent enter({50, 50}, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(&p.window, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent event({50, 50}, Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(&p.window, &event);
    }

    static qint64 conversations(Program& p) {
        auto& data = p.page<DataPage>(PageId::Data);
        p.window.showPage(PageId::Data);
        waitFor([&] { return data.library().listing() != nullptr && !data.library().busy(); });
        return data.library().listing() ? static_cast<qint64>(data.library().listing()->catalogue->trees().size()) : -1;
    }

  private Q_SLOTS:
    void aProjectThatCannotBeOpenedLeavesTheOpenOne_data() {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<QString>("names");
        for (const auto& [fault, names] : {std::pair{"gone", "bad"},
                                           {"no-project", "bad"},
                                           {"file", "bad"},
                                           {"damaged", "project.json"},
                                           {"empty", "project.json"},
                                           {"no-record", "project.json"},
                                           {"newer", "bad"},
                                           {"locked", "bad"},
                                           {"read-only", "bad"},
                                           {"loop", "bad"}})
            QTest::newRow(fault) << QString::fromLatin1(fault) << QString::fromLatin1(names);
    }
    void aProjectThatCannotBeOpenedLeavesTheOpenOne() {
        QFETCH(QString, fault);
        QFETCH(QString, names);
        const fs::path good = makeProject(home_, next("good"));
        const fs::path bad = makeProject(home_, next("bad"));
        const fs::path record = bad / "project.json";
        std::optional<io::FileLock> lock;
        if (fault == QLatin1String("gone")) fs::remove_all(bad);
        if (fault == QLatin1String("no-project")) fs::remove(record);
        if (fault == QLatin1String("file")) fs::remove_all(bad), writeText(bad, "x");
        if (fault == QLatin1String("damaged")) writeText(record, "{\"schema_version\": 1, \"na");
        if (fault == QLatin1String("empty")) writeText(record, "");
        if (fault == QLatin1String("no-record")) writeText(record, "[]");
        if (fault == QLatin1String("newer")) writeText(record, R"({"schema_version": 99, "name": "x"})");
        if (fault == QLatin1String("locked")) lock = *io::FileLock::tryLock(bad / "project.lock");
        if (fault == QLatin1String("loop")) {
            fs::remove_all(bad);
            fs::create_directory_symlink(bad, bad);
        }
        bool mounted = false;
        if (fault == QLatin1String("read-only")) {
            fs::remove(bad / "project.lock");
            mounted = mount(bad.c_str(), bad.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                      mount(nullptr, bad.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
            if (!mounted) fs::permissions(bad, fs::perms::owner_read | fs::perms::owner_exec);
            if (!mounted && geteuid() == 0) QSKIP("root can write everywhere here");
        }
        {
            Program p;
            p.window.openProject(pathText(good));
            QVERIFY(p.session.hasProject());
            p.window.openProject(pathText(bad));
            QVERIFY(p.banner(QStringLiteral("open")));
            expectTold(*p.banner(QStringLiteral("open")), names);
            QVERIFY(p.session.hasProject());
            QCOMPARE(p.session.paths().folder, good);
            p.window.grab();
        }
        if (mounted) umount(bad.c_str());
        if (fault == QLatin1String("read-only")) fs::permissions(bad, fs::perms::owner_all);
    }

    void aRecordWithValuesOfAnotherKindStillOpens() {
        const fs::path folder = makeProject(home_, next("kinds"));
        writeText(folder / "project.json", R"({"schema_version": 1, "name": 7, "created": []})");
        Program p;
        p.window.openProject(pathText(folder));
        QVERIFY(p.session.hasProject());
        QVERIFY(p.session.title().startsWith(QStringLiteral("kinds")));
    }

    void theLastProjectIsGone() {
        const fs::path folder = makeProject(home_, next("once"));
        {
            Program p;
            p.window.openProject(pathText(folder));
        }
        fs::remove_all(folder);
        Program p;
        p.window.openFirst({});
        QVERIFY(!p.session.hasProject());
        QVERIFY(p.banner(QStringLiteral("open")));
        expectTold(*p.banner(QStringLiteral("open")), QStringLiteral("once"));
        // The page offers what can be done instead.
        QVERIFY(p.window.findChild<QStackedWidget*>()->currentWidget()->findChildren<QPushButton*>().size() >= 3);
        p.window.openFirst({});
    }

    void theProjectFolderVanishesWhileItIsOpen() {
        const fs::path folder = makeProject(home_, next("vanishing"), 4);
        Program p;
        p.window.openProject(pathText(folder));
        p.lookAtAllPages();
        fs::remove_all(folder);
        p.lookAtAllPages();
        writeText(folder, "in the way");  // so that it cannot be made again
        QVERIFY(p.session.recipe().set("max_steps", "11"));
        QVERIFY(p.waitForBanner(QStringLiteral("recipe-save")));
        expectTold(*p.banner(QStringLiteral("recipe-save")), QStringLiteral("vanishing"));
        const ImportOutcome& outcome = import(p, Session::sampleFile());
        QVERIFY(!outcome.report);
        QVERIFY2(!outcome.report.error().hint.empty(), outcome.report.error().text().c_str());
        fs::remove(folder);
    }

    void aDamagedStoreIsToldOnThePage_data() {
        QTest::addColumn<QString>("fault");
        for (const char* fault : {"text", "truncated", "flipped", "newer", "folder", "zeros"})
            QTest::newRow(fault) << QString::fromLatin1(fault);
    }
    void aDamagedStoreIsToldOnThePage() {
        QFETCH(QString, fault);
        const fs::path folder = makeProject(home_, next("store"), 8);
        const fs::path file = project::projectPaths(folder).corpus();
        std::string bytes = readText(file);
        if (fault == QLatin1String("text")) writeText(file, "These are my conversations.\n");
        if (fault == QLatin1String("truncated")) writeText(file, std::string_view(bytes).substr(0, bytes.size() / 3));
        if (fault == QLatin1String("zeros")) writeText(file, std::string(bytes.size(), '\0'));
        if (fault == QLatin1String("flipped")) {
            for (std::size_t i = 4096; i < bytes.size(); i += 512) bytes[i] = static_cast<char>(~bytes[i]);
            writeText(file, bytes);
        }
        if (fault == QLatin1String("newer")) {
            bytes[60] = 1;  // the high byte of user_version
            writeText(file, bytes);
        }
        if (fault == QLatin1String("folder")) fs::remove(file), fs::create_directory(file);
        const std::string before = fs::is_directory(file) ? std::string() : readText(file);
        Program p;
        p.window.openProject(pathText(folder));
        QVERIFY2(p.waitForBanner(QStringLiteral("data-store")), qPrintable(bannerTexts(p)));
        expectTold(*p.banner(QStringLiteral("data-store")), QStringLiteral("corpus.sqlite"));
        p.lookAtAllPages();
        auto& recipe = p.page<RecipePage>(PageId::Recipe);
        QVERIFY(waitFor([&] { return !recipe.blocked().isEmpty(); }));
        const ImportOutcome& outcome = import(p, Session::sampleFile());
        if (fault != QLatin1String("flipped")) {
            QVERIFY(!outcome.report);
            QVERIFY2(!outcome.report.error().hint.empty(), outcome.report.error().text().c_str());
            if (!before.empty()) QVERIFY(readText(file) == before);  // never written over
        }
    }

    void aFileThatCannotBeImportedIsReported_data() {
        QTest::addColumn<QString>("fault");
        for (const char* fault :
             {"gone", "empty", "bom", "newlines", "folder", "pipe", "device", "socket-loop", "binary", "parquet",
              "gz-cut", "gz-garbage", "utf16", "one-huge-line", "deep", "no-roles"})
            QTest::newRow(fault) << QString::fromLatin1(fault);
    }
    void aFileThatCannotBeImportedIsReported() {
        QFETCH(QString, fault);
        const fs::path folder = makeProject(home_, next("import"), 3);
        const fs::path file = path(home_.path()) / ("given-" + utf8(fault) + ".jsonl");
        fs::remove_all(file);
        fs::path given = file;
        if (fault == QLatin1String("empty")) writeText(file, "");
        if (fault == QLatin1String("bom")) writeText(file, "\xEF\xBB\xBF");
        if (fault == QLatin1String("newlines")) writeText(file, "\n\n\n");
        if (fault == QLatin1String("folder")) fs::create_directory(file);
        if (fault == QLatin1String("pipe")) QCOMPARE(mkfifo(file.c_str(), 0600), 0);
        if (fault == QLatin1String("device")) given = "/dev/zero";
        if (fault == QLatin1String("socket-loop")) fs::create_symlink(file, file);
        if (fault == QLatin1String("binary")) {
            std::string bytes;
            for (int i = 0; i < 200000; ++i) bytes += static_cast<char>((i * 7919) >> 3);
            writeText(file, bytes);
        }
        if (fault == QLatin1String("parquet")) writeText(file, std::string("PAR1") + std::string(500, '\x15') + "PAR1");
        const std::string good = readText(path(home_.path()) / (utf8(pathText(folder.filename())) + ".jsonl"));
        if (fault == QLatin1String("gz-cut")) {
            const std::string packed = gzip(good);
            writeText(file, std::string_view(packed).substr(0, packed.size() / 2));
        }
        if (fault == QLatin1String("gz-garbage")) writeText(file, "\x1f\x8b\x08" + std::string(4000, 'x'));
        if (fault == QLatin1String("utf16")) {
            std::string wide = "\xFF\xFE";
            for (const char c : good.substr(0, 4000)) wide += c, wide += '\0';
            writeText(file, wide);
        }
        if (fault == QLatin1String("one-huge-line")) writeText(file, std::string(40u << 20, 'a'));
        if (fault == QLatin1String("deep")) writeText(file, std::string(100000, '[') + "\n");
        if (fault == QLatin1String("no-roles")) writeText(file, "{\"a\": 1}\n{\"b\": 2}\n");

        Program p;
        p.window.openProject(pathText(folder));
        const qint64 before = conversations(p);
        QCOMPARE(before, 3);
        const ImportOutcome& outcome = import(p, given);
        QVERIFY(!outcome.report);
        const Error& error = outcome.report.error();
        qInfo().noquote() << "   " << ui::text(error.message) << "|" << ui::text(error.hint);
        QVERIFY2(ui::text(error.message).contains(pathText(given.filename())), error.message.c_str());
        QVERIFY(!error.hint.empty());
        // The report stands on the page, with the sentence in full.
        auto* report = p.window.findChild<ImportReportView*>();
        QVERIFY(report && report->isVisible());
        QStringList shown;
        for (const QLabel* label : report->findChildren<QLabel*>()) shown << label->text();
        QVERIFY2(shown.contains(ui::text(error.text())), qPrintable(shown.join(QLatin1Char('\n'))));
        QVERIFY2(markup(p.window).isEmpty(), qPrintable(markup(p.window).join(QLatin1Char('\n'))));
        p.window.grab();
        QCOMPARE(conversations(p), before);
    }

    void aFileThatBreaksOffIsKeptOnlyWhenThePersonAgrees() {
        const fs::path folder = makeProject(home_, next("cut"));
        const fs::path whole = path(home_.path()) / "whole.jsonl", file = path(home_.path()) / "cut.jsonl.gz";
        QVERIFY(writeFirstTrees(whole, 20));
        const std::string packed = gzip(readText(whole));
        writeText(file, std::string_view(packed).substr(0, packed.size() * 3 / 4));
        Program p;
        p.window.openProject(pathText(folder));
        const ImportOutcome& outcome = import(p, file);
        QVERIFY(!outcome.report && outcome.breaks_off);
        QCOMPARE(conversations(p), 0);
        QPushButton* keep = nullptr;
        for (auto* button : p.window.findChild<ImportReportView*>()->findChildren<QPushButton*>())
            if (button->text().contains(QStringLiteral("readable"))) keep = button;
        QVERIFY(keep);
        keep->click();
        auto& data = p.page<DataPage>(PageId::Data);
        QVERIFY(waitFor([&] { return !data.importTask().running() && conversations(p) > 5; }));
    }

    void droppedFoldersAndFilesGoThroughTheReport() {
        const fs::path folder = makeProject(home_, next("drop"), 2);
        const fs::path dropped = path(home_.path()) / "a folder";
        fs::create_directories(dropped);
        Program p;
        p.window.openProject(pathText(folder));
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile(pathText(dropped)), QUrl::fromLocalFile(pathText(dropped / "gone.jsonl")),
                      QUrl(QStringLiteral("https://example.org/a.jsonl"))});
        auto& data = p.page<DataPage>(PageId::Data);
        QSignalSpy finished(&data.importTask(), &ImportTask::finished);
        drop(p, mime);
        QVERIFY(waitFor([&] { return finished.count() == 1; }));
        QCOMPARE(data.importTask().outcomes().size(), std::size_t{2});
        for (const ImportOutcome& outcome : data.importTask().outcomes())
            QVERIFY(!outcome.report && !outcome.report.error().hint.empty());
        // Nothing but an address: that is told, too.
        mime.setUrls({QUrl(QStringLiteral("https://example.org/a.jsonl"))});
        drop(p, mime);
        QVERIFY(p.banner(QStringLiteral("drop")));
        expectTold(*p.banner(QStringLiteral("drop")), QStringLiteral("example.org"));
        // A project's folder is opened, not imported.
        const fs::path other = makeProject(home_, next("dropped"));
        mime.setUrls({QUrl::fromLocalFile(pathText(other))});
        drop(p, mime);
        QCOMPARE(p.session.paths().folder, other);
    }

    void aFullDiskLosesNothing() {
        const fs::path folder = makeProject(home_, next("full"), 4);
        Program p;
        p.window.openProject(pathText(folder));
        QCOMPARE(conversations(p), 4);
        QVERIFY(waitFor([&] { return fs::exists(p.session.paths().trainingConfig()); }));
        QVERIFY(waitFor([&] { return p.session.files().idle(); }));
        const std::string recipe = readText(p.session.paths().trainingConfig());
        auto& chat = p.page<ChatPage>(PageId::Chat);
        p.window.showPage(PageId::Chat);
        QVERIFY(waitFor([&] { return chat.presenter().chat() != nullptr; }));
        {
            const FullDisk full(16);
            const ImportOutcome& outcome = import(p, Session::sampleFile());
            QVERIFY(!outcome.report);
            qInfo().noquote() << "   " << ui::text(outcome.report.error().text());
            QVERIFY(!outcome.report.error().hint.empty());
            QVERIFY(p.session.recipe().set("max_steps", "77"));
            QVERIFY(p.waitForBanner(QStringLiteral("recipe-save")));
            expectTold(*p.banner(QStringLiteral("recipe-save")), QStringLiteral("training_config.yaml"));
            QVERIFY(readText(p.session.paths().trainingConfig()) == recipe);
            chat.presenter().rename(*chat.presenter().chat(), QStringLiteral("On a full disk"));
            QVERIFY(p.waitForBanner(QStringLiteral("chat-save")));
            expectTold(*p.banner(QStringLiteral("chat-save")), QStringLiteral(".json"));
        }
        // There is room again: the next change writes everything, and the banners go by themselves.
        QCOMPARE(conversations(p), 4);
        QVERIFY(p.session.recipe().set("max_steps", "78"));
        QVERIFY(waitFor([&] { return !p.banner(QStringLiteral("recipe-save")); }));
        QVERIFY(readText(p.session.paths().trainingConfig()).find("max_steps: 78") != std::string::npos);
        chat.presenter().rename(*chat.presenter().chat(), QStringLiteral("On a disk with room"));
        QVERIFY(waitFor([&] { return !p.banner(QStringLiteral("chat-save")); }));
        QCOMPARE(project::listChats(p.session.paths().chats()).chats.at(0).title, std::string("On a disk with room"));
        QVERIFY(import(p, Session::sampleFile()).report);
    }
};

STUDIO_WIDGET_TEST(FaultsTest)
#include "faults_test.moc"
