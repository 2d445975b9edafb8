#include "corpus/query.h"

#include "corpus_support.h"

using namespace studio;
using namespace studio::test;
using corpus::Filter;

class QueryTest : public QObject {
    Q_OBJECT

    Importing sample_;

    std::int64_t count(const char* text) {
        const auto filter = corpus::parseFilter(text);
        if (!filter) return -1;
        const auto found = corpus::query(sample_.store, *filter);
        return found ? found->messages : -2;
    }

  private Q_SLOTS:
    void initTestCase() {
        EXPECT_OK(corpus::importFile(
            sample_.store, STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz", {}, {}));
    }

    void theSampleInFigures() {
        const auto all = corpus::query(sample_.store, {}, {.message_ids = true});
        EXPECT_OK(all);
        QCOMPARE(all->messages, 1489);
        QCOMPARE(all->conversations, 137);
        QCOMPARE(all->roots, 136);
        QCOMPARE(all->orphans, 1);
        QCOMPARE(all->message_ids.size(), 1489u);
        QCOMPARE(all->message_ids.front(), std::string("e0cf4fa2-e944-44fb-b502-11f155062092"));
        const auto orphan = corpus::query(sample_.store, *Filter::parse("orphan"), {.message_ids = true});
        QCOMPARE(orphan->message_ids, std::vector<std::string>{"9caf0013-9ca1-44d2-bbee-2ad6f5e3c23a"});
        QCOMPARE(orphan->roots, 0);
    }

    // Counted by an independent script over the same file.
    void countsOfTheSample_data() {
        QTest::addColumn<QByteArray>("filter");
        QTest::addColumn<int>("messages");
        const auto add = [](const char* filter, int n) { QTest::newRow(filter) << QByteArray(filter) << n; };
        add("role:assistant", 908);
        add("role:prompter", 581);
        add("deleted", 28);
        add("-deleted", 1461);
        add("review:accepted", 1441);
        add("review:rejected", 38);
        add("review:none", 10);
        add("rank:any", 831);
        add("rank:none", 658);
        add("quality:any", 1477);
        add("label.political_content:any", 2);
        add("lang:en", 1489);
        add("lang:de", 0);
        add("root", 136);
        add("parent:9caf0013-9ca1-44d2-bbee-2ad6f5e3c23a", 0);
        add("tree:3aeb9373-da93-4858-84f4-5e398fe9e131", 1);
        add("id:e0cf4fa2-e944-44fb-b502-11f155062092,7d05acb7-9360-458c-8a1d-c0b6492b8f8a,none", 2);
        add("quality>=0.5", 1195);
        add("quality>=0.5 role:assistant rank=0", 282);
        add("-quality>=0.5", 294);
        add("detoxify.toxicity<0.001", 1180);
        add("emoji.+1>=3", 313);
        add("length>1000", 265);
        add("created<2023-02", 92);
        add("contains:python", 57);
        add("contains:PYTHON", 57);
        add("re:/python/", 25);
        add("re:/^python/i", 2);
        add("turns>=4", 597);
        add("replies>=3", 231);
        add("leaf", 747);
        add("tree_messages>=20", 44);
        add("state:ready_for_export", 1489);
    }
    void countsOfTheSample() {
        QFETCH(QByteArray, filter);
        QFETCH(int, messages);
        QCOMPARE(count(filter.constData()), std::int64_t(messages));
    }

    void wordsFoldCaseAndAccents() {
        Importing files;
        EXPECT_OK(files.import(
            lines({row("1", "", "1", "prompter", "Über die Straße, C++ und naïve Ideen"),
                   row("2", "", "2", "prompter", "die uber idea"), row("3", "", "3", "prompter", "ÜBER")})));
        const auto ids = [&](const char* text) {
            return corpus::query(files.store, *Filter::parse(text), {.message_ids = true})->message_ids;
        };
        using Ids = std::vector<std::string>;
        QCOMPARE(ids("über"), (Ids{"1", "2", "3"}));
        QCOMPARE(ids("UBER"), (Ids{"1", "2", "3"}));
        QCOMPARE(ids("\"uber die\""), (Ids{"1"}));
        QCOMPARE(ids("\"die uber\""), (Ids{"2"}));
        QCOMPARE(ids("ide*"), (Ids{"1", "2"}));
        QCOMPARE(ids("naive"), (Ids{"1"}));
        QCOMPARE(ids("\"naive id\"*"), (Ids{"1"}));
        QCOMPARE(ids("contains:c++"), (Ids{"1"}));
        QCOMPARE(ids("contains:über"), (Ids{"1", "3"}));
        QCOMPARE(ids("re:/über/i"), (Ids{"1", "3"}));
        QCOMPARE(ids("re:/\\bÜ/"), (Ids{"1", "3"}));
        QCOMPARE(ids("text!=die"), (Ids{"3"}));
    }

    void anAbsentValueFulfilsNothing() {
        Importing files;
        Json with = row("1", "", "1", "prompter"), without = row("2", "", "2", "prompter");
        with["rank"] = 0;
        without.erase("lang");
        EXPECT_OK(files.import(lines({with, without})));
        const auto n = [&](const char* text) { return corpus::query(files.store, *Filter::parse(text))->messages; };
        QCOMPARE(n("rank=0"), 1);
        QCOMPARE(n("rank!=0"), 0);
        QCOMPARE(n("rank<5"), 1);
        QCOMPARE(n("-rank=0"), 1);  // but NOT is everything else
        QCOMPARE(n("-rank<5"), 1);
        QCOMPARE(n("-(rank=0 OR rank!=0)"), 1);
        QCOMPARE(n("lang:en"), 1);
        QCOMPARE(n("lang!=de"), 1);
        QCOMPARE(n("-lang:en"), 1);
        QCOMPARE(n("-emoji.+1>=0"), 2);
    }

    void aLanguageCoversItsRegions() {
        Importing files;
        std::vector<Json> rows;
        for (const char* lang : {"pt", "pt-BR", "pto", "p", "uk-UA"}) {
            rows.push_back(row(lang, "", lang, "prompter"));
            rows.back()["lang"] = lang;
        }
        EXPECT_OK(files.import(lines(rows)));
        const auto n = [&](const char* text) { return corpus::query(files.store, *Filter::parse(text))->messages; };
        QCOMPARE(n("lang:pt"), 2);
        QCOMPARE(n("lang:pt-BR"), 1);
        QCOMPARE(n("lang:uk,p"), 2);
        QCOMPARE(n("lang!=pt"), 3);
    }

    void aFilterThatMatchesNothingIsNoError() {
        const auto found = corpus::query(sample_.store, *Filter::parse("xyzzyplugh"));
        EXPECT_OK(found);
        QCOMPARE(found->messages, 0);
        QCOMPARE(found->conversations, 0);
        QVERIFY(found->rows.empty());
    }

    void aRunawayExpressionIsStopped() {
        Importing files;
        EXPECT_OK(files.import(lines({row("1", "", "1", "prompter", std::string(1 << 20, 'a') + "b")})));
        const auto found = corpus::query(files.store, *Filter::parse("re:/(a+)+$/"));
        EXPECT_ERROR(found, "The regular expression takes too long on one of the messages.");
        // The store is none the worse for it.
        QCOMPARE(corpus::query(files.store, *Filter::parse("re:/ab$/"))->messages, 1);
    }

    void timeAndPatienceEnd() {
        Importing files;
        std::vector<Json> rows;
        for (int i = 0; i < 300; ++i)
            rows.push_back(row(std::to_string(i), "", std::to_string(i), "prompter", std::string(400, 'a')));
        EXPECT_OK(files.import(lines(rows)));
        const Filter slow = *Filter::parse("re:/a.*a.*[bc]/");
        EXPECT_ERROR(corpus::query(files.store, slow, {.time_limit = std::chrono::milliseconds(1)}),
                     "took longer than it may");
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = corpus::query(files.store, slow, {}, {stop.get_token(), {}});
        QVERIFY(!stopped && stopped.error().cancelled());
    }

    void hostileFiltersOnlySearch() {
        for (const char* text : {"lang:\"'; DROP TABLE messages; --\"", "id:\"x' OR '1'='1\"", "tree:\"1) OR 1=1 --\"",
                                 "text:\"a\\\" OR words:\\\"b\"", "text:\"NEAR(a b)\"", "contains:\"%' --\"",
                                 "user:\"x); DELETE FROM details; --\"", "label.x>=0 OR label.y-z>=0"}) {
            const auto filter = corpus::parseFilter(text);
            EXPECT_OK(filter);
            const auto found = corpus::query(sample_.store, *filter);
            EXPECT_OK(found);
            QVERIFY2(found->messages == 0, text);
        }
        QCOMPARE(count(""), 1489);
    }
};

QTEST_GUILESS_MAIN(QueryTest)
#include "query_test.moc"
