// Files that are not what they should be: each costs what is wrong in it and nothing more, and is told in a sentence.
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "corpus/query.h"
#include "corpus/sqlite.h"
#include "corpus_support.h"

using namespace studio;
using namespace studio::test;

namespace {

const Json kRoot = row("r", "", "r", "prompter", "Question");
const Json kReply = row("a", "r", "r", "assistant", "Answer");

std::string fileOf(int messages) {
    std::string bytes;
    for (int i = 0; i < messages; ++i) {
        const std::string id = "m" + std::to_string(i);
        bytes += row(id, "", id, "prompter", std::string(200, 'x')).dump() + "\n";
    }
    return bytes;
}

std::int64_t stored(corpus::Store& store) {
    return store.counts()->messages;
}

}  // namespace

class ImportFaultsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void nothingToImport_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("mark only") << QByteArray("\xEF\xBB\xBF");
        QTest::newRow("newline only") << QByteArray("\n");
        QTest::newRow("blank lines") << QByteArray(" \r\n\t\n");
        QTest::newRow("other objects") << QByteArray("{\"a\":1}\n{\"b\":2}\n");
    }
    void nothingToImport() {
        QFETCH(QByteArray, bytes);
        Importing files;
        const auto report = files.import(bytes.toStdString());
        EXPECT_ERROR(report, "No conversations were found in");
        QVERIFY(report.error().code == ErrorCode::NotFound);
        QCOMPARE(stored(files.store), 0);
        QVERIFY(files.store.sources()->empty());
    }

    void aTruncatedFileNeedsConsent_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("sentence");
        const std::string whole = lines({kRoot, kReply});
        QTest::newRow("last line") << QByteArray::fromStdString(whole + "{\"message_id\":\"x\",\"te")
                                   << QByteArray("its last line, line 3 at byte ");
        const std::string zipped = gzip(fileOf(5000));
        QTest::newRow("gzip") << QByteArray::fromStdString(zipped.substr(0, zipped.size() / 2))
                              << QByteArray("gzip data end at byte ");
    }
    void aTruncatedFileNeedsConsent() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, sentence);
        Importing files;
        const auto refused = files.import(bytes.toStdString());
        EXPECT_ERROR(refused, sentence.toStdString());
        QVERIFY(refused.error().hint.find("import the part before it") != std::string::npos);
        QCOMPARE(stored(files.store), 0);

        const auto accepted = files.import(bytes.toStdString(), {.accept_truncated = true});
        EXPECT_OK(accepted);
        QVERIFY(accepted->truncated && accepted->truncated->find(sentence.toStdString()) != std::string::npos);
        QVERIFY(accepted->messages >= 2);
        QCOMPARE(stored(files.store), std::int64_t(accepted->messages));
    }

    void aGzipBombEndsAtTheLimit() {
        Importing files;
        std::string bomb = lines({kRoot});
        bomb.append(40 << 20, ' ');
        const auto report = files.import(gzip(bomb), {.max_line = 1 << 20, .max_expanded = 10 << 20});
        EXPECT_ERROR(report, "expands to more than 10485760 bytes");
        QCOMPARE(stored(files.store), 0);
    }

    void aLongLineIsRejectedAlone() {
        Importing files;
        const Json giant = row("g", "", "g", "prompter", std::string(3 << 20, 'x'));
        const auto report = files.import(lines({kRoot, giant, kReply}), {.max_line = 1 << 20});
        EXPECT_OK(report);
        QCOMPARE(report->messages, 2u);
        QCOMPARE(report->rejected_count, 1u);
        QCOMPARE(report->rejected[0].line, 2u);
        QCOMPARE(report->rejected[0].reason, std::string("It is longer than 1 MB."));
    }

    void badEncodingIsRejectedByLine_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("Latin-1") << QByteArray("caf\xE9") << QByteArray("It is not UTF-8: byte ");
        QTest::newRow("FF") << QByteArray("\xFF") << QByteArray("It is not UTF-8: byte ");
        QTest::newRow("overlong") << QByteArray("\xC0\xAF") << QByteArray("It is not UTF-8: byte ");
        QTest::newRow("lone surrogate") << QByteArray("\\ud800")
                                        << QByteArray("It holds the lone surrogate \\ud800 at byte ");
    }
    void badEncodingIsRejectedByLine() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, reason);
        const std::string before = lines({kRoot});
        std::string bad = row("b", "r", "r", "assistant", "@@").dump() + "\n";
        const std::size_t at = bad.find("@@");
        bad.replace(at, 2, text.toStdString());
        Importing files;
        const auto report = files.import(before + bad + lines({kReply}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 2u);
        QCOMPARE(report->rejected_count, 1u);
        const corpus::Rejected& rejected = report->rejected[0];
        QCOMPARE(rejected.line, 2u);
        QCOMPARE(rejected.offset, std::uint64_t(before.size()));
        std::size_t bad_byte = before.size() + at;
        if (text == "caf\xE9") bad_byte += 3;
        const std::string expected = reason.toStdString() + std::to_string(bad_byte) + " of the file";
        QVERIFY2(rejected.reason.find(expected) != std::string::npos, rejected.reason.c_str());
        QVERIFY(!files.message("b"));
        QVERIFY(QString::fromStdString(rejected.excerpt).toUtf8().toStdString() == rejected.excerpt);  // valid UTF-8
    }

    void utf16IsRefused() {
        Importing files;
        EXPECT_ERROR(files.import(std::string("\xFF\xFE{\0}\0", 6)), "UTF-16");
    }

    void nulInTheTextCutsNothing() {
        Importing files;
        EXPECT_OK(
            files.import(R"({"message_id":"n","text":"before\u0000behind","role":"prompter","message_tree_id":"n"})"
                         "\n"));
        const auto m = files.message("n");
        QCOMPARE(m->text, std::string("before\0behind", 13));
        QCOMPARE(m->length, 13);
        for (const char* filter : {"behind", "contains:behind", "re:/behind$/", "length=13"}) {
            const auto found = corpus::query(files.store, *corpus::Filter::parse(filter));
            EXPECT_OK(found);
            QVERIFY2(found->messages == 1, filter);
        }
    }

    void deepNestingEndsInASentence() {
        std::string deep = "{\"message_id\":\"d\",\"replies\":";
        deep += std::string(100'000, '[') + std::string(100'000, ']') + "}";
        Importing files;
        const auto report = files.import(deep + "\n" + lines({kRoot}));
        EXPECT_OK(report);
        QVERIFY(report->rejected[0].reason.starts_with("It is nested too deep"));
    }

    void aChainOfReplies_data() {
        QTest::addColumn<int>("length");
        QTest::addColumn<bool>("nested");
        QTest::newRow("512 flat") << 512 << false;
        QTest::newRow("512 nested") << 512 << true;
        QTest::newRow("5000 flat") << 5000 << false;
        QTest::newRow("5000 nested") << 5000 << true;
    }
    void aChainOfReplies() {
        QFETCH(int, length);
        QFETCH(bool, nested);
        std::string bytes;
        const auto id = [](int i) { return "c" + std::to_string(i); };
        for (int i = 0; i < length; ++i) {
            Json r = row(id(i), i == 0 ? "" : id(i - 1), "c0", i % 2 ? "assistant" : "prompter");
            std::string text = r.dump();
            if (nested) {
                text.pop_back();
                bytes += text + ",\"replies\":[";
            } else {
                bytes += text + "\n";
            }
        }
        if (nested) {
            for (int i = 0; i < length; ++i) bytes += "]}";
            bytes += "\n";
        }
        Importing files;
        const auto report = files.import(bytes + lines({kRoot}));
        EXPECT_OK(report);
        QVERIFY(files.message("r"));
        if (length == 512) {
            QCOMPARE(report->messages, 513u);
            QCOMPARE(files.message("c511")->depth, 511);
        } else if (nested) {
            QCOMPARE(report->messages, 1u);  // the line as a whole
            QVERIFY(report->rejected[0].reason.starts_with("It is nested too deep"));
        } else {
            QCOMPARE(report->messages, 513u);
            QCOMPARE(report->rejected_count, 5000u - 512u);
            QCOMPARE(report->rejected.size(), 1000u);  // the list is capped, the count is not
            QCOMPARE(report->rejected[0].line, 513u);
            QCOMPARE(report->rejected[0].message_id, std::string("c512"));
            QCOMPARE(report->rejected[0].reason, std::string("It is more than 512 messages deep in its conversation."));
            QVERIFY(!files.message("c512"));
        }
    }

    void duplicateKeysAreRejected() {
        Importing files;
        const auto report = files.import(
            lines({kRoot}) +
            R"({"message_id":"a","message_id":"b","text":"x","role":"assistant","message_tree_id":"r","parent_id":"r"})"
            "\n");
        EXPECT_OK(report);
        QCOMPARE(report->rejected[0].reason, std::string("It has the key \"message_id\" twice in one object."));
    }

    void duplicateMessages() {
        Json changed = kReply;
        changed["text"] = "Another answer";
        Importing files;
        const auto report = files.import(lines({kRoot, kReply, kReply, changed, kRoot}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 2u);
        QCOMPARE(report->merged, 2u);
        QCOMPARE(report->rejected_count, 1u);
        QCOMPARE(report->rejected[0].line, 4u);
        QCOMPARE(report->rejected[0].message_id, std::string("a"));
        QCOMPARE(report->rejected[0].reason, std::string("Another message with this message_id is stored already."));
        QCOMPARE(files.message("a")->text, std::string("Answer"));
        QCOMPARE(files.message("r")->replies, 1);
    }

    // Any field that differs makes another message.
    void duplicatesCompareEveryField_data() {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        const auto add = [](const char* field, const char* value) {
            QTest::newRow(field) << QByteArray(field) << QByteArray(value);
        };
        add("text", "\"Answer \"");
        add("role", "\"prompter\"");
        add("parent_id", "null");
        add("message_tree_id", "\"q\"");
        add("lang", "null");
        add("user_id", "\"u\"");
        add("created_date", "\"2023-02-07T17:29:24Z\"");
        add("model_name", "\"m\"");
        add("tree_state", "\"growing\"");
        add("review_count", "1");
        add("review_result", "false");
        add("rank", "0");
        add("deleted", "true");
        add("synthetic", "true");
        add("labels", "{\"spam\":{\"value\":0,\"count\":1}}");
        add("emojis", "{\"+1\":1}");
        add("detoxify", "{\"toxicity\":0}");
    }
    void duplicatesCompareEveryField() {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        Json changed = kReply;
        changed[field.toStdString()] = Json::parse(value.toStdString());
        Importing files;
        const auto report = files.import(lines({kRoot, kReply, changed}));
        EXPECT_OK(report);
        QCOMPARE(report->merged, 0u);
        QCOMPARE(report->rejected_count, 1u);
    }

    void brokenParents() {
        Importing files;
        const auto report = files.import(lines({
            kRoot,
            row("orphan", "nowhere", "r", "assistant"),
            row("below", "orphan", "r", "prompter"),
            row("self", "self", "r", "assistant"),
            row("c1", "c3", "r", "assistant"),
            row("c2", "c1", "r", "prompter"),
            row("c3", "c2", "r", "assistant"),
            row("other", "r", "t2", "assistant"),
            row("under", "other", "t2", "prompter"),
        }));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 4u);
        QCOMPARE(report->orphan_count, 2u);
        QCOMPARE(report->orphans[0].message_id, std::string("orphan"));
        QCOMPARE(report->orphans[0].parent_id, std::string("nowhere"));
        QCOMPARE(report->orphans[0].line, 2u);
        QCOMPARE(report->orphans[0].reason, std::string("Its parent nowhere is not in the file."));
        QCOMPARE(report->orphans[1].message_id, std::string("under"));
        QCOMPARE(report->orphans[1].reason, std::string("Its parent other was rejected."));
        QCOMPARE(report->rejected_count, 5u);
        const char* ids[] = {"self", "c1", "c2", "c3", "other"};
        const char* reasons[] = {
            "It names itself as its parent.", "Following its parents leads back to itself (by way of c3).",
            "Following its parents leads back to itself (by way of c1).",
            "Following its parents leads back to itself (by way of c2).", "Its parent r belongs to another tree."};
        for (int i = 0; i < 5; ++i) {
            QCOMPARE(report->rejected[i].line, std::uint64_t(i + 4));
            QCOMPARE(report->rejected[i].message_id, std::string(ids[i]));
            QCOMPARE(report->rejected[i].reason, std::string(reasons[i]));
            QVERIFY(!files.message(ids[i]));
        }
        QVERIFY(files.message("orphan")->orphan);
        QVERIFY(!files.message("below")->orphan);
        QCOMPARE(files.message("below")->depth, 1);
    }

    void unusableRowsAreRejected_data() {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("reason");
        const auto add = [](const char* field, const char* value, const char* reason) {
            QTest::newRow(qPrintable(QString("%1 %2").arg(field, value)))
                << QByteArray(field) << QByteArray(value) << QByteArray(reason);
        };
        add("role", "\"system\"", "Its role \"system\" is unknown; it has to be prompter or assistant.");
        add("role", "\"PROMPTER\"", "Its role \"PROMPTER\" is unknown; it has to be prompter or assistant.");
        add("role", "null", "Its role is not a string; it has to be prompter or assistant.");
        add("text", "null", "Its text is not a string.");
        add("text", "3", "Its text is not a string.");
        add("message_id", "7", "Its message_id is not a string.");
        add("message_id", "\"\"", "Its message_id is empty.");
        add("parent_id", "7", "Its parent_id is not a string.");
        add("message_tree_id", "null", "It has no message_tree_id.");
    }
    void unusableRowsAreRejected() {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, reason);
        Json bad = row("b", "r", "r", "assistant");
        bad[field.toStdString()] = Json::parse(value.toStdString());
        Importing files;
        const auto report = files.import(lines({kRoot, bad}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 1u);
        QCOMPARE(report->rejected_count, 1u);
        QCOMPARE(report->rejected[0].reason, reason.toStdString());
    }

    void impossibleValuesBecomeAbsent_data() {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<int>("dropped");
        const auto add = [](const char* field, const char* value, int dropped) {
            QTest::newRow(qPrintable(QString("%1 %2").arg(field, value)))
                << QByteArray(field) << QByteArray(value) << dropped;
        };
        add("rank", "null", 0);
        add("rank", "-1", 1);
        add("rank", "1.5", 1);
        add("rank", "1e999", 1);
        add("rank", "99999999999999999999", 1);
        add("rank", "\"0\"", 1);
        add("rank", "NaN", 1);
        add("review_count", "-3", 1);
        add("review_result", "\"yes\"", 1);
        add("created_date", "null", 0);
        add("created_date", "\"9999-01-01T00:00:00Z\"", 1);
        add("created_date", "17", 1);
        add("labels", "{\"quality\":{\"value\":NaN,\"count\":1}}", 1);
        add("labels", "{\"quality\":{\"value\":\"NaN\",\"count\":1}}", 1);
        add("labels", "{\"quality\":{\"value\":7,\"count\":1}}", 1);
        add("labels", "{\"name\":[\"quality\"],\"value\":[],\"count\":[1]}", 1);
        add("labels", "\"none\"", 1);
        add("emojis", "{\"+1\":-1}", 1);
        add("detoxify", "{\"toxicity\":Infinity}", 1);
        add("lang", "5", 1);
    }
    void impossibleValuesBecomeAbsent() {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        QFETCH(int, dropped);
        std::string line = kRoot.dump();
        const std::string key = "\"" + field.toStdString() + "\":";
        if (const std::size_t at = line.find(key); at != std::string::npos) line.replace(at, key.size(), "\"was\":");
        line.insert(1, key + value.toStdString() + ",");
        Importing files;
        const auto report = files.import(line + "\n");
        EXPECT_OK(report);
        QCOMPARE(report->messages, 1u);
        QCOMPARE(report->rejected_count, 0u);
        std::uint64_t count = 0;
        for (const auto& [name, n] : report->dropped_values) {
            QCOMPARE(name, field.toStdString());
            count += n;
        }
        QCOMPARE(count, std::uint64_t(dropped));
        const auto m = files.message("r");
        QVERIFY(!m->rank && !m->review_count && !m->review_result && !m->created_date);
        QVERIFY(m->emojis.empty() && m->detoxify.empty());
        for (const auto& [name, label] : m->labels) QVERIFY(!label.value);
        // Absent is not 0: no comparison holds.
        for (const char* filter : {"rank>=0", "quality>=0", "quality<1", "reviews>=0", "created<2030"})
            QVERIFY2(corpus::query(files.store, *corpus::Filter::parse(filter))->messages == 0, filter);
    }

    void aFileThatChangesUnderwayChangesNothing_data() {
        QTest::addColumn<bool>("shrinks");
        QTest::newRow("truncated") << true;
        QTest::newRow("grown") << false;
    }
    void aFileThatChangesUnderwayChangesNothing() {
        QFETCH(bool, shrinks);
        Importing files;
        EXPECT_OK(files.import(lines({kRoot})));
        const auto path = files.file(fileOf(6'000), "big.jsonl");
        bool changed = false;
        JobContext job;
        job.progress = [&](const Progress&) {
            if (changed) return;
            changed = true;
            if (shrinks)
                std::filesystem::resize_file(path, 1 << 20);
            else
                std::ofstream(path, std::ios::app) << "{\"prompt\":\"Q\",\"response\":\"A\"}\n";
        };
        const auto report = corpus::importFile(files.store, path, {}, job);
        QVERIFY(changed);
        EXPECT_ERROR(report, "changed while it was read");
        QCOMPARE(stored(files.store), 1);
        QVERIFY(files.message("r"));  // by its index: that is there again
    }

    void onlyRegularFilesAreRead() {
        Importing files;
        const std::filesystem::path folder = files.folder.path().toStdString();
        const auto import = [&](const std::filesystem::path& path) {
            return corpus::importFile(files.store, path, {}, {});
        };
        EXPECT_ERROR(import(folder), "folder");
        EXPECT_ERROR(import("/dev/zero"), "/dev/zero");
        EXPECT_ERROR(import(folder / "missing.jsonl"), "missing.jsonl");
        QCOMPARE(::mkfifo((folder / "fifo").c_str(), 0600), 0);
        EXPECT_ERROR(import(folder / "fifo"), "fifo");
        std::filesystem::create_symlink(folder / "loop", folder / "loop");
        EXPECT_ERROR(import(folder / "loop"), "loop");
    }

    void otherFormatsNameTheWayOut() {
        Importing files;
        EXPECT_ERROR(files.import(std::string("PAR1\x15\x04\x15", 7)), "2023-04-12_oasst_ready.messages.jsonl.gz");
        EXPECT_ERROR(files.import(std::string("PK\x03\x04", 4)), "Unpack it");
        EXPECT_ERROR(files.import("[\n  {\"message_id\": \"a\"}\n]\n"), "jq -c");
    }

    void theSameFileTwiceIsOnce() {
        Importing files;
        const std::string bytes = lines({kRoot, kReply});
        EXPECT_OK(files.import(bytes));
        const auto again = corpus::importFile(files.store, files.file(bytes, "copy.jsonl"), {}, {});
        EXPECT_OK(again);
        QVERIFY(again->already_imported);
        QCOMPARE(again->messages, 0u);
        QVERIFY(again->summary().find("imported already") != std::string::npos);
        QCOMPARE(stored(files.store), 2);
        const auto sources = files.store.sources();
        QCOMPARE(sources->size(), 1u);
        QCOMPARE((*sources)[0].name, std::string("data.jsonl"));
        QCOMPARE((*sources)[0].messages, 2u);
        QCOMPARE((*sources)[0].lines, 2u);
        QCOMPARE((*sources)[0].bytes, std::uint64_t(bytes.size()));
    }

    void twoImportsAtOnce() {
        Importing files;
        const auto path = std::filesystem::path(files.folder.path().toStdString()) / "store.db";
        auto first = corpus::Store::openFile(path), second = corpus::Store::openFile(path);
        EXPECT_OK(first);
        EXPECT_OK(second);
        const auto data = files.file(lines({kRoot, kReply}));
        second->database().setBusyTimeout(std::chrono::milliseconds(0));
        {
            auto held = corpus::Transaction::begin(first->database());
            EXPECT_OK(held);
            const auto refused = corpus::importFile(*second, data, {}, {});
            EXPECT_ERROR(refused, "being written by another program");
            QVERIFY(refused.error().code == ErrorCode::Busy);
        }
        // One that may wait gets its turn.
        second->database().setBusyTimeout(std::chrono::seconds(60));
        auto held = corpus::Transaction::begin(first->database());
        Result<corpus::ImportReport> waited;
        std::thread other([&] { waited = corpus::importFile(*second, data, {}, {}); });
        EXPECT_OK(held->commit());
        other.join();
        EXPECT_OK(waited);
        QCOMPARE(stored(*first), 2);
    }

    // A window reads its other lists meanwhile: a shared first import shuts nobody out.
    void aSharedImportIsReadBeside() {
        Importing files;
        const auto path = std::filesystem::path(files.folder.path().toStdString()) / "store.db";
        auto store = corpus::Store::openFile(path);
        const auto data = files.file(fileOf(3'000), "big.jsonl");
        int read = 0;
        corpus::ImportOptions options;
        options.shared = true;
        const JobContext job{{}, [&](const Progress&) {
                                 if (read > 0) return;
                                 auto other = corpus::Store::openFile(path);
                                 if (other && other->counts()) ++read;
                             }};
        EXPECT_OK(corpus::importFile(*store, data, options, job));
        QCOMPARE(read, 1);
    }

    void stoppingLeavesNothing() {
        Importing files;
        const auto path = std::filesystem::path(files.folder.path().toStdString()) / "store.db";
        auto store = corpus::Store::openFile(path);
        const auto data = files.file(fileOf(6'000), "big.jsonl");
        for (const char* phase : {"Reading messages", "Building trees", "Building indices"}) {
            std::stop_source stop;
            bool reached = false;
            JobContext job{stop.get_token(), [&](const Progress& progress) {
                               if (progress.phase != phase) return;
                               reached = true;
                               stop.request_stop();
                           }};
            const auto report = corpus::importFile(*store, data, {}, job);
            QVERIFY2(reached, phase);
            QVERIFY(!report && report.error().cancelled());
            QCOMPARE(stored(*store), 0);
        }
        const auto report = corpus::importFile(*store, data, {}, {});
        EXPECT_OK(report);
        QCOMPARE(stored(*store), 6'000);
    }

    void progressIsInBytes() {
        Importing files;
        const std::string bytes = fileOf(6'000);
        std::uint64_t last = 0;
        bool rises = true;
        JobContext job;
        job.progress = [&](const Progress& progress) {
            if (progress.phase != "Reading messages") return;
            rises = rises && progress.done > last && progress.done <= progress.total && progress.total == bytes.size();
            last = progress.done;
        };
        EXPECT_OK(files.import(bytes, {}, job));
        QVERIFY(rises);
        QVERIFY(last > bytes.size() / 2);
    }

    void theReportIsAParagraph() {
        Importing files;
        Json odd = kReply;
        odd["rank"] = -1;
        const auto report = files.import(lines({kRoot, odd, row("o", "gone", "r", "assistant")}) + "nonsense\n");
        EXPECT_OK(report);
        QCOMPARE(
            report->summary(),
            std::string("data.jsonl: 3 messages in 1 tree imported. 1 message is an orphan, without its parent: left "
                        "out of training unless a filter asks for it. 1 line or message was rejected. 1 impossible "
                        "value was stored as absent."));
    }
};

QTEST_GUILESS_MAIN(ImportFaultsTest)
#include "import_faults_test.moc"
