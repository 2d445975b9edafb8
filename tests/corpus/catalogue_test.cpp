#include "corpus/catalogue.h"

#include "corpus/conversation.h"
#include "corpus/forest.h"
#include "corpus/query.h"
#include "corpus_support.h"

using namespace studio;
using namespace studio::test;
using corpus::Filter;

namespace {

struct Loaded {
    corpus::Store store = *corpus::Store::openMemory();
    corpus::Catalogue catalogue;
};

Loaded sample() {
    Loaded loaded;
    if (corpus::importFile(loaded.store,
                           STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz", {}, {}))
        loaded.catalogue = *corpus::Catalogue::load(loaded.store);
    return loaded;
}

}  // namespace

class CatalogueTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theSampleInFigures() {
        const Loaded loaded = sample();
        QCOMPARE(loaded.catalogue.entries().size(), 1489u);
        QCOMPARE(loaded.catalogue.trees().size(), 137u);
        QCOMPARE(loaded.catalogue.languages(), std::vector<std::string>{"en"});
        QCOMPARE(loaded.catalogue.count(corpus::Trait::Deleted), 28);
        QCOMPARE(loaded.catalogue.count(corpus::Trait::Rejected), 38);
        QCOMPARE(loaded.catalogue.count(corpus::Trait::NotReviewed), 10);
        std::int64_t messages = 0;
        for (const auto& tree : loaded.catalogue.trees()) messages += tree.messages;
        QCOMPARE(messages, 1489);
    }

    void aSelectionCountsAsQueryAndForestDo_data() {
        QTest::addColumn<QByteArray>("filter");
        for (const char* filter :
             {"", "role:assistant", "role:prompter OR quality>=0.6", "-quality<0.3", "deleted", "deleted OR -deleted",
              "orphan OR -orphan", "lang:de", "python", "tree_turns>=5", "tree_turns<=2", "turns<=4", "rank:none"})
            QTest::newRow(filter) << QByteArray(filter);
    }
    void aSelectionCountsAsQueryAndForestDo() {
        QFETCH(QByteArray, filter);
        Loaded loaded = sample();
        const Filter parsed = *Filter::parse(filter.toStdString());
        const auto selection = corpus::select(loaded.store, loaded.catalogue, parsed);
        EXPECT_OK(selection);
        const auto query = corpus::query(loaded.store, parsed);
        const auto forest = corpus::loadForest(loaded.store, parsed);
        QCOMPARE(selection->matched_messages, query->messages);
        QCOMPARE(std::count_if(selection->matched.begin(), selection->matched.end(), [](int n) { return n > 0; }),
                 query->conversations);
        QCOMPARE(selection->messages, forest->messages);
        QCOMPARE(selection->conversations, std::int64_t(forest->trees.size()));
        QVERIFY(selection->trainable_conversations <= selection->conversations);
        QCOMPARE(selection->left_out.total() + selection->messages, 1489);
    }

    void bestQualityIsThatOfTheBestDirectReply() {
        Importing files;
        std::vector<Json> rows{row("r", "", "t", "prompter"),   row("a", "r", "t", "assistant"),
                               row("b", "r", "t", "assistant"), row("p", "a", "t", "prompter"),
                               row("c", "p", "t", "assistant"), row("s", "", "s", "prompter")};
        const auto quality = [](double value) {
            return Json{{"name", {"quality"}}, {"value", {value}}, {"count", {3}}};
        };
        rows[0]["labels"] = quality(1);
        rows[1]["labels"] = quality(0.25);
        rows[2]["labels"] = quality(0.75);
        rows[4]["labels"] = quality(0.95);
        EXPECT_OK(files.import(lines(rows)));
        const auto catalogue = corpus::Catalogue::load(files.store);
        EXPECT_OK(catalogue);
        QCOMPARE(catalogue->trees()[0].best_quality, std::optional(0.75F));
        QCOMPARE(int(catalogue->trees()[0].turns), 4);
        QVERIFY(!catalogue->trees()[1].best_quality);
    }

    void onlyTreesWithAReachableReplyAreTrainable() {
        Importing files;
        EXPECT_OK(files.import(
            lines({row("1", "", "1", "prompter"), row("1a", "1", "1", "assistant"), row("2", "", "2", "prompter"),
                   row("3", "", "3", "assistant"), row("3a", "3", "3", "prompter"), row("4", "", "4", "prompter"),
                   row("4a", "4", "4", "prompter"), row("4b", "4a", "4", "assistant")})));
        const auto catalogue = corpus::Catalogue::load(files.store);
        const auto selection = corpus::select(files.store, *catalogue, {});
        EXPECT_OK(selection);
        QCOMPARE(selection->trainable, (std::vector<bool>{true, false, false, false}));
        QCOMPARE(selection->conversations, 4);
        QCOMPARE(selection->trainable_conversations, 1);
    }

    void aConversationHasEveryMessageParentsFirst() {
        Importing files;
        std::vector<Json> rows{row("b", "a", "r", "prompter"), row("a", "r", "r", "assistant"),
                               row("r", "", "r", "prompter", "\n\n  First line \nsecond"),
                               row("x", "gone", "r", "assistant")};
        rows[0]["deleted"] = true;
        EXPECT_OK(files.import(lines(rows)));
        const auto catalogue = corpus::Catalogue::load(files.store);
        const auto conversation = corpus::readConversation(files.store, catalogue->trees()[0].row);
        EXPECT_OK(conversation);
        QCOMPARE(conversation->messages.size(), 4u);
        QCOMPARE(conversation->messages[0].message_id, std::string("r"));
        QCOMPARE(conversation->parents, (std::vector<int>{-1, -1, 0, 2}));
        const auto first = catalogue->entries()[std::size_t(catalogue->trees()[0].first)];
        QCOMPARE(corpus::firstLines(files.store, {first.row, 999})->at(0), std::string("First line"));
        QVERIFY(!corpus::readConversation(files.store, 999));
    }

    void aFirstLineIsCutAtACharacter() {
        Importing files;
        EXPECT_OK(files.import(lines({row("r", "", "r", "prompter", "äöüäöü")})));
        QCOMPARE(corpus::firstLines(files.store, {1}, 5)->at(0), std::string("äö…"));
        QCOMPARE(corpus::firstLines(files.store, {1}, 12)->at(0), std::string("äöüäöü"));
        EXPECT_OK(files.import(lines({row("n", "", "n", "prompter", std::string("a\0b", 3))})));
        QCOMPARE(corpus::firstLines(files.store, {2})->at(0), std::string("a\0b", 3));
    }
};

QTEST_GUILESS_MAIN(CatalogueTest)
#include "catalogue_test.moc"
