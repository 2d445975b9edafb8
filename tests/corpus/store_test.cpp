#include "corpus/known_names.h"
#include "corpus/schema.h"
#include "corpus/sqlite.h"
#include "corpus_support.h"

using namespace studio;
using namespace studio::test;
using corpus::Database;
using corpus::Store;

namespace {

class Folder {
  public:
    std::filesystem::path operator/(const char* name) const {
        return std::filesystem::path(folder_.path().toStdString()) / name;
    }

  private:
    QTemporaryDir folder_;
};

void fill(const std::filesystem::path& store, const std::filesystem::path& data) {
    std::vector<Json> rows;
    for (int i = 0; i < 500; ++i)
        rows.push_back(row("m" + std::to_string(i), "", "m" + std::to_string(i), "prompter", std::string(300, 'x')));
    put(data, lines(rows));
    auto opened = Store::openFile(store);
    EXPECT_OK(opened);
    EXPECT_OK(corpus::importFile(*opened, data, {}, {}));
}

void execute(const std::filesystem::path& path, const char* sql) {
    auto database = Database::open(path, Database::Access::ReadWrite);
    EXPECT_OK(database);
    EXPECT_OK((*database)->execute(sql));
}

}  // namespace

class StoreTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void survivesBeingClosed() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        auto store = Store::openFile(folder / "s.db");
        EXPECT_OK(store);
        QCOMPARE(store->counts()->messages, 500);
        QCOMPARE(store->message("m7").value()->text, std::string(300, 'x'));
        QVERIFY(!store->message("m500").value());
        EXPECT_OK(store->check({}));
        // Nothing is left beside it once it is closed.
        store = Store::openMemory();
        QVERIFY(!std::filesystem::exists(folder / "s.db-wal"));
        QVERIFY(!std::filesystem::exists(folder / "s.db-journal"));
    }

    void readOnlyReadsOnly() {
        Folder folder;
        EXPECT_ERROR(Store::openFile(folder / "none.db", Store::Access::ReadOnly), "none.db");
        fill(folder / "s.db", folder / "d.jsonl");
        auto store = Store::openFile(folder / "s.db", Store::Access::ReadOnly);
        EXPECT_OK(store);
        QCOMPARE(store->counts()->messages, 500);
        put(folder / "e.jsonl", lines({row("new", "", "new", "prompter")}));
        EXPECT_ERROR(corpus::importFile(*store, folder / "e.jsonl", {}, {}), "cannot be changed");
        EXPECT_ERROR(store->updateTextIndex({}), "not indexed yet");
    }

    void everyLabelHasItsColumn() {
        auto store = Store::openMemory();
        for (const std::string_view label : corpus::kLabels) {
            const std::string sql = "SELECT label_" + std::string(label) + " FROM messages";
            EXPECT_OK(store->database().prepare(sql));
        }
        QCOMPARE(
            store->database()
                .integer("SELECT count(*) FROM pragma_table_info('messages') WHERE name LIKE 'label\\_%' ESCAPE '\\'")
                .value(),
            std::int64_t(corpus::kLabels.size()));
    }

    void curationStandsBesideTheMessages() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        execute(folder / "s.db",
                "INSERT INTO curation(message, review, changed_at) VALUES (1, 0, '2026-01-01T00:00:00Z');"
                "INSERT INTO tags VALUES (1, 'check');"
                "INSERT INTO undo_log(step, action, message, field, new_value) VALUES (1, 'reject', 1, 'review', '0')");
        auto store = Store::openFile(folder / "s.db");
        put(folder / "e.jsonl", lines({row("new", "", "new", "prompter")}));
        EXPECT_OK(corpus::importFile(*store, folder / "e.jsonl", {}, {}));
        QCOMPARE(store->database().integer("SELECT count(*) FROM curation JOIN tags USING (message)").value(), 1);
    }

    void refusesWhatIsNoStore_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("sentence");
        QTest::newRow("text") << QByteArray("This is a letter, not a database. ").repeated(100)
                              << QByteArray("not an SQLite database");
        QTest::newRow("half a header") << QByteArray("SQLite form") << QByteArray("not an SQLite database");
    }
    void refusesWhatIsNoStore() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, sentence);
        Folder folder;
        put(folder / "s.db", bytes.toStdString());
        EXPECT_ERROR(Store::openFile(folder / "s.db"), sentence.toStdString());
        QCOMPARE(slurp(folder / "s.db"), bytes.toStdString());  // left as it was
    }

    void refusesOtherPeoplesDatabases() {
        Folder folder;
        execute(folder / "other.db", "CREATE TABLE bookmarks (url TEXT)");
        EXPECT_ERROR(Store::openFile(folder / "other.db"), "another program made this database");
        EXPECT_ERROR(Store::openFile(folder / "missing" / "s.db"), "cannot be opened");
        std::filesystem::create_directory(folder / "dir.db");
        EXPECT_ERROR(Store::openFile(folder / "dir.db"), "folder");
    }

    void refusesANewerVersion() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        execute(folder / "s.db", "PRAGMA user_version=99");
        const std::string before = slurp(folder / "s.db");
        const auto store = Store::openFile(folder / "s.db");
        EXPECT_ERROR(store, "version 99");
        QVERIFY(store.error().code == ErrorCode::Unsupported);
        QCOMPARE(slurp(folder / "s.db"), before);
    }

    void refusesForeignTriggersAndViews_data() {
        QTest::addColumn<QByteArray>("sql");
        QTest::addColumn<QByteArray>("sentence");
        QTest::newRow("trigger") << QByteArray("CREATE TRIGGER spy AFTER INSERT ON details BEGIN SELECT 1; END")
                                 << QByteArray("the trigger \"spy\"");
        QTest::newRow("view") << QByteArray("CREATE VIEW peek AS SELECT * FROM details")
                              << QByteArray("the view \"peek\"");
    }
    void refusesForeignTriggersAndViews() {
        QFETCH(QByteArray, sql);
        QFETCH(QByteArray, sentence);
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        execute(folder / "s.db", sql.constData());
        EXPECT_ERROR(Store::openFile(folder / "s.db"), sentence.toStdString());
    }

    // Damage at any place ends in a sentence: at opening, in the check, or while reading.
    void damageIsNoticed() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        const std::string whole = slurp(folder / "s.db");
        int noticed = 0;
        for (const double part : {0.0, 0.1, 0.3, 0.5, 0.7, 0.9}) {
            std::string damaged = whole;
            const auto at = static_cast<std::size_t>(static_cast<double>(whole.size()) * part) + 100;
            for (std::size_t i = at; i < std::min(at + 6000, damaged.size()); ++i) damaged[i] = '\xA5';
            put(folder / "s.db", damaged);
            auto store = Store::openFile(folder / "s.db");
            if (!store) {
                QVERIFY2(store.error().code == ErrorCode::Corrupt, store.error().text().c_str());
                ++noticed;
                continue;
            }
            if (const auto checked = store->check({}); !checked) {  // some bytes are text, or belong to a free page
                EXPECT_ERROR(checked, "is damaged");
                ++noticed;
            }
            (void)store->counts();
            for (int i = 0; i < 500; i += 50) (void)store->messageAt(i);
        }
        QVERIFY2(noticed >= 3, std::to_string(noticed).c_str());
        put(folder / "s.db", whole.substr(0, whole.size() / 2));
        auto store = Store::openFile(folder / "s.db");
        if (store)
            EXPECT_ERROR(store->check({}), "damaged");
        else
            QVERIFY(store.error().code == ErrorCode::Corrupt);
    }

    void migratesStepByStepAfterABackup() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        const std::string_view first = corpus::migrations()[0];
        const std::string_view steps[] = {first, "CREATE TABLE second (x)", "CREATE TABLE third (x)"};
        {
            auto database = Database::open(folder / "s.db", Database::Access::ReadWrite);
            EXPECT_OK(corpus::migrate(**database, steps));
            QCOMPARE((*database)->integer("PRAGMA user_version").value(), 3);
            QCOMPARE(
                (*database)->integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('second', 'third')").value(),
                2);
            QCOMPARE((*database)->integer("SELECT count(*) FROM messages").value(), 500);
        }
        auto backup = Store::openFile(folder / "s.db.backup-v1");
        EXPECT_OK(backup);
        QCOMPARE(backup->counts()->messages, 500);
    }

    void aMigrationThatFailsChangesNothing() {
        Folder folder;
        fill(folder / "s.db", folder / "d.jsonl");
        const std::string_view steps[] = {corpus::migrations()[0], "CREATE TABLE second (x); CREATE TABLE second (x)"};
        {
            auto database = Database::open(folder / "s.db", Database::Access::ReadWrite);
            QVERIFY(!corpus::migrate(**database, steps));
        }
        auto store = Store::openFile(folder / "s.db");
        EXPECT_OK(store);
        QCOMPARE(store->database().integer("SELECT count(*) FROM sqlite_schema WHERE name = 'second'").value(), 0);
    }

    void theTextIndexFollowsTheMessages() {
        Importing files;
        EXPECT_OK(files.import(lines({row("a", "", "a", "prompter", "alpha")})));
        QVERIFY(!*files.store.textIndexIsCurrent());
        EXPECT_OK(files.store.updateTextIndex({}));
        QVERIFY(*files.store.textIndexIsCurrent());
        EXPECT_OK(files.import(lines({row("b", "", "b", "prompter", "beta")})));
        QVERIFY(!*files.store.textIndexIsCurrent());
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(files.store.updateTextIndex({stop.get_token(), {}}).error().cancelled());
        EXPECT_OK(files.store.updateTextIndex({}));
        QCOMPARE(files.store.database().integer("SELECT count(*) FROM words WHERE words MATCH 'alpha OR beta'").value(),
                 2);
    }
};

QTEST_GUILESS_MAIN(StoreTest)
#include "store_test.moc"
