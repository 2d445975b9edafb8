// The kinds of OASST rows, and that all spellings of a conversation are one.
#include "corpus/forest.h"
#include "corpus/query.h"
#include "corpus_support.h"

using namespace studio;
using namespace studio::test;

namespace {

// Everything there is in a row of the published files.
Json fullRow(const std::string& id, const std::string& parent, const std::string& role) {
    Json r = row(id, parent, "t1", role, "Grüße \"quoted\"\n\ttab");
    r["user_id"] = "u1";
    r["created_date"] = "2023-02-07T17:29:24.727400+00:00";
    r["review_count"] = 3;
    r["review_result"] = true;
    r["deleted"] = false;
    r["rank"] = role == "assistant" ? Json(1) : Json();
    r["synthetic"] = false;
    r["model_name"] = nullptr;
    r["detoxify"] = {{"toxicity", 0.0005416299100033939}, {"insult", 1e-5}};
    r["tree_state"] = "ready_for_export";
    r["emojis"] = {{"name", {"+1", "_skip_reply"}}, {"count", {10, 1}}};
    r["labels"] = {{"name", {"spam", "quality", "made_up"}}, {"value", {0.0, 1.0 / 3, 1}}, {"count", {3, 2, 1}}};
    return r;
}

// The same with dicts instead of parallel arrays, in another order.
Json withDicts(Json r) {
    if (r["emojis"].is_object()) r["emojis"] = {{"_skip_reply", 1}, {"+1", 10}};
    if (r["labels"].is_object())
        r["labels"] = {{"made_up", {{"value", 1}, {"count", 1}}},
                       {"quality", {{"count", 2}, {"value", 1.0 / 3}}},
                       {"spam", {{"value", 0}, {"count", 3}}}};
    return r;
}

// As in the tree files: no nulls, tree fields only at the top.
Json nested(Json r) {
    for (const char* key : {"message_tree_id", "tree_state"}) r.erase(key);
    for (auto it = r.begin(); it != r.end();) it = it->is_null() ? r.erase(it) : std::next(it);
    return r;
}

// root → a1 → p1, root → a2
std::vector<Json> conversation() {
    return {fullRow("root", "", "prompter"), fullRow("a1", "root", "assistant"), fullRow("p1", "a1", "prompter"),
            fullRow("a2", "root", "assistant")};
}

Json treeLine(const std::vector<Json>& rows) {
    Json root = nested(withDicts(rows[0])), a1 = nested(withDicts(rows[1]));
    a1["replies"] = {nested(withDicts(rows[2]))};
    a1["replies"][0]["replies"] = Json::array();
    root["replies"] = {a1, nested(withDicts(rows[3]))};
    return {{"message_tree_id", "t1"}, {"tree_state", "ready_for_export"}, {"prompt", root}};
}

// Every column of every message: what a later program would read.
std::vector<std::string> content(corpus::Store& store) {
    std::vector<std::string> out;
    const auto all = corpus::query(store, {});
    for (const std::int64_t id : all->rows) {
        const corpus::Message m = *store.messageAt(id).value();
        Json j{m.row,
               m.message_id,
               m.parent_id.value_or("-"),
               m.tree_id,
               m.text,
               static_cast<int>(m.role),
               m.lang.value_or("-"),
               m.user_id.value_or("-"),
               m.created_date.value_or("-"),
               m.model_name.value_or("-"),
               m.tree_state.value_or("-"),
               m.review_count.value_or(-1),
               m.review_result.value_or(false),
               m.rank.value_or(-1),
               m.deleted,
               m.synthetic,
               m.orphan,
               m.depth,
               m.replies,
               m.length};
        for (const auto& [name, label] : m.labels)
            j.push_back({name, label.value.value_or(-1), label.count.value_or(-1)});
        for (const auto& [name, count] : m.emojis) j.push_back({name, count});
        for (const auto& [name, score] : m.detoxify) j.push_back({name, score});
        out.push_back(j.dump());
    }
    return out;
}

}  // namespace

class ImportRowsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void aFlatRowKeepsEveryField() {
        Importing flat;
        const auto report = flat.import(lines(conversation()));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 4u);
        QCOMPARE(report->trees, 1u);
        QCOMPARE(report->roots, 1u);
        QCOMPARE(report->rejected_count, 0u);
        QVERIFY(report->dropped_values.empty());
        const auto m = flat.message("a1");
        QVERIFY(m);
        QCOMPARE(m->parent_id, std::optional<std::string>("root"));
        QCOMPARE(m->tree_id, std::string("t1"));
        QCOMPARE(m->text, std::string("Grüße \"quoted\"\n\ttab"));
        QVERIFY(m->role == corpus::Role::Assistant);
        QCOMPARE(m->lang, std::optional<std::string>("en"));
        QCOMPARE(m->user_id, std::optional<std::string>("u1"));
        QCOMPARE(m->created_date, std::optional<std::string>("2023-02-07T17:29:24.727400+00:00"));
        QVERIFY(!m->model_name);
        QCOMPARE(m->tree_state, std::optional<std::string>("ready_for_export"));
        QCOMPARE(m->review_count, std::optional(3));
        QCOMPARE(m->review_result, std::optional(true));
        QCOMPARE(m->rank, std::optional(1));
        QVERIFY(!m->deleted && !m->synthetic && !m->orphan);
        QCOMPARE(m->depth, 1);
        QCOMPARE(m->replies, 1);
        QCOMPARE(m->length, 19);
        QCOMPARE(m->labels.size(), 3u);
        QVERIFY((m->labels.at("quality") == corpus::Label{1.0 / 3, 2}));
        QVERIFY((m->labels.at("spam") == corpus::Label{0.0, 3}));
        QCOMPARE(m->emojis.at("+1"), 10);
        QCOMPARE(m->detoxify.at("toxicity"), 0.0005416299100033939);
        QVERIFY(!flat.message("root")->rank);
    }

    void allSpellingsAreOne_data() {
        QTest::addColumn<QByteArray>("bytes");
        const std::vector<Json> flat = conversation();
        const auto add = [](const char* name, const std::string& bytes) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes);
        };
        std::vector<Json> dicts, absent, pandas;
        for (const Json& r : flat) {
            dicts.push_back(withDicts(r));
            Json without = r;
            for (auto it = without.begin(); it != without.end();)
                it = it->is_null() ? without.erase(it) : std::next(it);
            absent.push_back(without);
            Json real = r;
            if (real["rank"].is_number()) real["rank"] = real["rank"].get<double>();
            real["deleted"] = 0;
            pandas.push_back(real);
        }
        add("dicts", lines(dicts));
        add("nulls absent", lines(absent));
        add("numbers as pandas writes them", lines(pandas));
        add("tree", lines({treeLine(flat)}));
        add("gzip", gzip(lines(flat)));
        add("two gzip members", gzip(lines({flat[0], flat[1]})) + gzip(lines({flat[2], flat[3]})));
        Json rows_with_replies = withDicts(flat[0]);
        rows_with_replies["replies"] = treeLine(flat)["prompt"]["replies"];
        add("row with replies", lines({rows_with_replies}));
        std::string crlf;
        for (const Json& r : flat) crlf += r.dump() + "\r\n";
        add("CRLF and byte order mark", "\xEF\xBB\xBF" + crlf);
        add("byte order mark in the middle", lines({flat[0]}) + "\xEF\xBB\xBF" + lines({flat[1], flat[2], flat[3]}));
        std::string text = lines(flat);
        text.pop_back();
        add("no newline at the end", text);
        add("blank lines", "\n\n" + lines(flat) + " \n");
    }
    void allSpellingsAreOne() {
        QFETCH(QByteArray, bytes);
        Importing flat, other;
        EXPECT_OK(flat.import(lines(conversation())));
        const auto report = other.import(bytes.toStdString());
        EXPECT_OK(report);
        QCOMPARE(report->rejected_count, 0u);
        QVERIFY(report->dropped_values.empty());
        QCOMPARE(content(other.store), content(flat.store));

        // And each recognises the other's messages as its own.
        const auto again = flat.import(bytes.toStdString() + "\n \n");
        if (again) {  // behind a gzip that is an error
            QCOMPARE(again->merged, 4u);
            QCOMPARE(again->messages, 0u);
        }
    }

    void anExpandedSampleIsTheSameAsTrees() {
        // The real sample, flat and rebuilt as trees.
        Importing flat, trees;
        const auto flat_report = corpus::importFile(
            flat.store, STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz", {}, {});
        EXPECT_OK(flat_report);
        const auto forest = corpus::loadForest(flat.store, *corpus::Filter::parse("deleted:yes OR deleted:no"));
        EXPECT_OK(forest);
        std::string bytes;
        std::uint64_t messages = 0;
        for (const corpus::Tree& tree : forest->trees) {
            std::vector<Json> nodes;
            for (const corpus::Node& node : tree.nodes) {
                const corpus::Message m = *flat.message(node.message_id);
                Json j{{"message_id", m.message_id},
                       {"text", m.text},
                       {"role", m.role == corpus::Role::Assistant ? "assistant" : "prompter"}};
                if (m.parent_id) j["parent_id"] = *m.parent_id;
                if (m.rank) j["rank"] = *m.rank;
                if (m.lang) j["lang"] = *m.lang;
                j["deleted"] = m.deleted;
                for (const auto& [name, label] : m.labels)
                    j["labels"][name] = {{"value", *label.value}, {"count", *label.count}};
                nodes.push_back(j);
            }
            for (std::size_t i = nodes.size(); i-- > 1;) {
                Json& replies = nodes[tree.nodes[i].parent]["replies"];
                if (replies.is_null()) replies = Json::array();
                replies.insert(replies.begin(), nodes[i]);
            }
            messages += nodes.size();
            bytes += Json{{"message_tree_id", tree.id}, {"prompt", nodes[0]}}.dump() + "\n";
        }
        const auto report = trees.import(bytes);
        EXPECT_OK(report);
        QCOMPARE(report->messages, messages);
        QCOMPARE(report->orphan_count, 0u);
        const auto again = corpus::loadForest(trees.store, *corpus::Filter::parse("deleted:yes OR deleted:no"));
        QCOMPARE(again->trees.size(), forest->trees.size());
        for (std::size_t t = 0; t < forest->trees.size(); ++t) {
            QCOMPARE(again->trees[t].nodes.size(), forest->trees[t].nodes.size());
            for (std::size_t i = 0; i < forest->trees[t].nodes.size(); ++i) {
                const corpus::Node &a = again->trees[t].nodes[i], &b = forest->trees[t].nodes[i];
                QCOMPARE(a.message_id, b.message_id);
                QCOMPARE(a.parent, b.parent);
                QCOMPARE(a.rank, b.rank);
                QCOMPARE(a.text, b.text);
                QVERIFY(trees.message(a.message_id)->labels == flat.message(b.message_id)->labels);
            }
        }
    }

    void aThreadIsAPath() {
        Importing files;
        Json thread{{"thread_id", "x"}, {"thread", Json::array()}};
        for (const Json& r : conversation()) thread["thread"].push_back(nested(r));
        thread["thread"].erase(3);
        for (Json& m : thread["thread"]) m.erase("parent_id");
        const auto report = files.import(lines({thread}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 3u);
        QCOMPARE(files.message("p1")->depth, 2);
        QCOMPARE(files.message("p1")->tree_id, std::string("root"));
        QCOMPARE(files.message("p1")->parent_id, std::optional<std::string>("a1"));
    }

    // Found by the fuzzer: the second message became a root in a tree without a name.
    void aThreadThatBeginsWithoutAnIdHasNoRoot() {
        Importing files;
        const auto report = files.import(
            R"({"thread_id":"x","thread":[{"text":"q","role":"prompter"},{"message_id":"a","text":"b","role":"assistant"},)"
            R"({"message_id":"c","text":"d","role":"prompter"}]})"
            "\n" +
            lines({conversation()[0]}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 1u);
        QCOMPARE(report->rejected_count, 3u);
        QCOMPARE(report->rejected[1].reason, std::string("It stands under a message without an id."));
        QCOMPARE(report->rejected[2].reason, std::string("It has no message_tree_id."));
    }

    void aBadReplyOrphansWhatHangsBelowIt() {
        std::vector<Json> rows = conversation();
        rows[1]["role"] = "Assistant";
        for (const std::string& bytes : {lines(rows), lines({treeLine(rows)})}) {
            Importing files;
            const auto report = files.import(bytes);
            EXPECT_OK(report);
            QCOMPARE(report->rejected_count, 1u);
            QCOMPARE(report->rejected[0].message_id, std::string("a1"));
            QCOMPARE(report->rejected[0].reason,
                     std::string("Its role \"Assistant\" is unknown; it has to be prompter or assistant."));
            QCOMPARE(report->orphan_count, 1u);
            QCOMPARE(report->orphans[0].message_id, std::string("p1"));
            QCOMPARE(report->orphans[0].reason, std::string("Its parent a1 was rejected."));
        }
    }

    void aReplyUnderAMessageWithoutIdIsRejected() {
        Json tree = treeLine(conversation());
        tree["prompt"].erase("message_id");
        for (Json& reply : tree["prompt"]["replies"]) reply.erase("parent_id");
        Importing files;
        const auto report = files.import(lines({tree}));
        EXPECT_OK(report);
        QCOMPARE(report->rejected_count, 3u);
        QCOMPARE(report->rejected[0].reason, std::string("It has no message_id."));
        QCOMPARE(report->rejected[1].message_id, std::string("a1"));
        QCOMPARE(report->rejected[1].reason, std::string("It stands under a message without an id."));
        QCOMPARE(report->messages, 1u);
        QCOMPARE(report->roots, 0u);  // above all, no reply becomes a root
        QCOMPARE(report->orphans[0].message_id, std::string("p1"));
    }

    void parentsMayComeLater() {
        std::vector<Json> rows = conversation();
        std::reverse(rows.begin(), rows.end());
        Importing files;
        const auto report = files.import(lines(rows));
        EXPECT_OK(report);
        QCOMPARE(report->orphan_count, 0u);
        QCOMPARE(files.message("p1")->depth, 2);
        const auto forest = corpus::loadForest(files.store, {});
        QCOMPARE(forest->trees.size(), 1u);
        for (int i = 0; i < 4; ++i) QVERIFY(forest->trees[0].nodes[i].parent < i);
        // Siblings stay in file order: a2 stands before a1 now.
        QCOMPARE(forest->trees[0].nodes[1].message_id, std::string("a2"));
    }

    void parentsMayComeInALaterFile() {
        const std::vector<Json> rows = conversation();
        Importing files;
        const auto first = files.import(lines({rows[2], rows[3]}));
        EXPECT_OK(first);
        QCOMPARE(first->orphan_count, 2u);
        QVERIFY(files.message("p1")->orphan);
        const auto second = files.import(lines({rows[0], rows[1]}));
        EXPECT_OK(second);
        QCOMPARE(second->orphan_count, 0u);
        QCOMPARE(second->adopted, 2u);
        QVERIFY(!files.message("p1")->orphan);
        QCOMPARE(files.message("p1")->depth, 2);
        QCOMPARE(files.message("root")->replies, 2);
        const auto counts = files.store.counts();
        QCOMPARE(counts->messages, 4);
        QCOMPARE(counts->trees, 1);
        QCOMPARE(counts->roots, 1);
        QCOMPARE(counts->orphans, 0);
    }

    // What is stored stays stored, whatever a later file says about its surroundings.
    void aLaterFileTakesNothingAway_data() {
        QTest::addColumn<QByteArray>("tree");
        QTest::addColumn<QByteArray>("parent");
        QTest::addColumn<bool>("kept");
        QTest::newRow("parent in another tree") << QByteArray("t2") << QByteArray() << true;
        QTest::newRow("closes a cycle") << QByteArray("t1") << QByteArray("p1") << true;
    }
    void aLaterFileTakesNothingAway() {
        QFETCH(QByteArray, tree);
        QFETCH(QByteArray, parent);
        Importing files;
        EXPECT_OK(files.import(lines({row("p1", "a1", "t1", "prompter"), row("x", "p1", "t1", "assistant")})));
        const auto report = files.import(lines({row("a1", parent.toStdString(), tree.toStdString(), "assistant")}));
        EXPECT_OK(report);
        QCOMPARE(report->messages, 1u);
        QVERIFY(files.message("p1")->orphan);
        QCOMPARE(files.message("x")->depth, 1);
        QVERIFY(!files.message("x")->orphan);
        QCOMPARE(files.store.counts()->messages, 3);
    }
};

QTEST_GUILESS_MAIN(ImportRowsTest)
#include "import_rows_test.moc"
