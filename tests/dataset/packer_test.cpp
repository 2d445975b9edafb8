#include <fmt/format.h>

#include <QtTest>
#include <numeric>

#include "dataset/packer.h"
#include "dataset/stream.h"
#include "oracle.h"
#include "support/expect.h"
#include "trees.h"

using namespace studio;
using namespace studio::dataset;
using studio::test::Learned;
using studio::test::tree;

namespace {

Examples make(const std::vector<Tree>& trees, const ExampleOptions& options, bool silent_system = false) {
    return makeExamples(trees, test::ByteTokenizer(), test::ShortTemplate(silent_system), options).value();
}

std::vector<int> inOrder(const Pieces& pieces) {
    std::vector<int> order(pieces.pieces.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
}

// All examples packed to `max_rows`, each batch checked.
Result<std::vector<Batch>> packed(const Examples& examples, int max_rows) {
    STUDIO_TRY(const Pieces pieces, makePieces(examples, examples.all(), max_rows));
    std::vector<Batch> batches;
    for (const MicroBatch& micro_batch : packBestFit(inOrder(pieces), pieces, max_rows)) {
        batches.push_back(makeBatch(examples, pieces, micro_batch));
        STUDIO_CHECK(batches.back().check());
        if (batches.back().rows() > max_rows) return fail(ErrorCode::Internal, "A batch is too large.");
    }
    return batches;
}

Tree threeAnswers() {
    return tree("t", {{'p', "p", ""}, {'a', "a", "p"}, {'p', "q", "a"}, {'a', "b", "q"}, {'a', "c", "p"}});
}

}  // namespace

class PackerTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void laysOutATreeAsOneSegmentAMessage() {
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        const auto batches = packed(make({threeAnswers()}, options), 100);
        EXPECT_OK(batches);
        QCOMPARE(batches->size(), std::size_t{1});
        const Batch& batch = batches->front();
        // ^P:p$ A:a$ P:q$ A:b$ A:c$
        QCOMPARE(batch.segments, (std::vector<Segment>{{0, 5, 0, {}},
                                                       {5, 9, 0, {{0, 5}}},
                                                       {9, 13, 0, {{0, 9}}},
                                                       {13, 17, 0, {{0, 13}}},
                                                       {17, 21, 0, {{0, 5}}}}));
        QCOMPARE(batch.positions,
                 (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 5, 6, 7, 8}));
        const int eos = test::ByteTokenizer::kEos;
        QCOMPARE(batch.targets, (std::vector<Target>{
                                    {6, 'a', 1}, {7, eos, 1}, {14, 'b', 1}, {15, eos, 1}, {18, 'c', 1}, {19, eos, 1}}));
        QCOMPARE(batch.samples, std::vector<SampleId>{0});
    }

    // With train_on all the first token of each reply is predicted by the last row of the message it answers.
    void putsSeveralTargetsOnARowWhereRepliesBegin() {
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        options.train_on = TrainOn::All;
        const Batch batch = packed(make({threeAnswers()}, options), 100).value().front();
        std::vector<int> on_row_4;
        for (const Target& target : batch.targets)
            if (target.row == 4) on_row_4.push_back(target.token);
        QCOMPARE(on_row_4, (std::vector<int>{'A', 'A'}));
        QCOMPARE(batch.targets.size(), std::size_t{20});  // every token but the first
    }

    void dividesATreeAboveTheBound() {
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        options.train_on = TrainOn::All;
        const auto batches = packed(make({threeAnswers()}, options), 17);
        EXPECT_OK(batches);
        QCOMPARE(batches->size(), std::size_t{2});
        const Batch& second = batches->back();  // ^P:p$ A:c$, of which only the reply and the step to it are targets
        QCOMPARE(second.segments, (std::vector<Segment>{{0, 5, 0, {}}, {5, 9, 0, {{0, 5}}}}));
        QCOMPARE(second.targets, (std::vector<Target>{{4, 'A', 1}, {5, ':', 1}, {6, 'c', 1}, {7, 256, 1}}));
    }

    void packsPathsAsSegmentsWithoutContext() {
        ExampleOptions options;
        options.paths = PathPolicy::Leaves;
        const Batch batch = packed(make({threeAnswers()}, options), 100).value().front();
        QCOMPARE(batch.segments, (std::vector<Segment>{{0, 17, 0, {}}, {17, 26, 1, {}}}));
        QCOMPARE(batch.samples, (std::vector<SampleId>{0, 1}));
        QCOMPARE(batch.rows(), 26);
    }

    void learnsExactlyWhatThePathsHold_data() {
        QTest::addColumn<int>("policy");
        QTest::addColumn<int>("train_on");
        QTest::addColumn<int>("max_seq_length");
        QTest::addColumn<bool>("silent_system");
        for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies, PathPolicy::Tree}) {
            for (const auto train_on : {TrainOn::Assistant, TrainOn::All}) {
                for (const int bound : {0, 5, 25}) {
                    for (const bool silent : {false, true}) {
                        QTest::addRow("%s, %s, %d%s", name(policy).data(), name(train_on).data(), bound,
                                      silent ? ", system turns without tokens" : "")
                            << static_cast<int>(policy) << static_cast<int>(train_on) << bound << silent;
                    }
                }
            }
        }
    }
    void learnsExactlyWhatThePathsHold() {
        QFETCH(int, policy);
        QFETCH(int, train_on);
        QFETCH(int, max_seq_length);
        QFETCH(bool, silent_system);
        ExampleOptions options;
        options.paths = static_cast<PathPolicy>(policy);
        options.train_on = static_cast<TrainOn>(train_on);
        options.max_seq_length = max_seq_length;
        for (std::uint64_t seed = 0; seed < 3; ++seed) {
            const auto trees = test::randomForest(seed);
            const Learned expected = test::learned(trees, options, test::ShortTemplate(silent_system));
            const Examples examples = make(trees, options, silent_system);
            std::int64_t sum = 0;
            for (const auto& [what, times] : expected) sum += times;
            QCOMPARE(examples.statistics.supervised_tokens, sum);
            const int longest = examples.longestPath();
            for (const int max_rows : {longest, longest + 7, 3 * longest, 1'000'000}) {
                const auto batches = packed(examples, max_rows);
                EXPECT_OK(batches);
                Learned learned;
                for (const Batch& batch : *batches) test::addLearned(batch, learned);
                QVERIFY2(learned == expected, fmt::format("seed {}, {} rows", seed, max_rows).c_str());
            }
        }
    }

    void learnsTheSameFromTreesAsFromReplies() {
        int tokens = 0;
        for (std::uint64_t seed = 100; seed < 108; ++seed) {
            const auto trees = test::randomForest(seed);
            for (const int bound : {0, 9, 25}) {
                Learned learned[2];
                ExampleOptions options;
                options.max_seq_length = bound;
                for (const auto policy : {PathPolicy::Replies, PathPolicy::Tree}) {
                    options.paths = policy;
                    const Examples examples = make(trees, options);
                    const auto batches = packed(examples, examples.longestPath() + 3);
                    EXPECT_OK(batches);
                    for (const Batch& batch : *batches) test::addLearned(batch, learned[policy == PathPolicy::Tree]);
                    tokens += static_cast<int>(examples.statistics.supervised_tokens);
                }
                QVERIFY(learned[0] == learned[1]);
            }
        }
        QVERIFY(tokens > 15'000);
    }

    // Every row sees rows of its own sample only, and every sample's rows are its example's (or a group's) tokens.
    void neverMixesConversations() {
        for (const auto policy : {PathPolicy::Leaves, PathPolicy::Tree}) {
            ExampleOptions options;
            options.paths = policy;
            const Examples examples = make(test::randomForest(7), options);
            const auto batches = packed(examples, examples.longestPath() * 3);
            EXPECT_OK(batches);
            for (const Batch& batch : *batches) {
                std::vector<int> sample_of(batch.rows());
                for (const Segment& segment : batch.segments)
                    std::fill(sample_of.begin() + segment.begin, sample_of.begin() + segment.end, segment.sample);
                for (const Segment& segment : batch.segments) {
                    for (const Range& range : segment.context)
                        for (int row = range.begin; row < range.end; ++row) QCOMPARE(sample_of[row], segment.sample);
                }
                for (std::size_t s = 0; s < batch.samples.size(); ++s) {
                    const Example example = examples[static_cast<int>(batch.samples[s])];
                    std::vector<int> tokens;
                    for (int row = 0; row < batch.rows(); ++row)
                        if (sample_of[row] == static_cast<int>(s)) tokens.push_back(batch.tokens[row]);
                    if (tokens.size() == example.tokens.size())
                        QVERIFY(std::equal(tokens.begin(), tokens.end(), example.tokens.begin()));
                    else
                        QVERIFY(policy == PathPolicy::Tree && tokens.size() < example.tokens.size());
                }
            }
        }
    }

    void fillsMicroBatchesWell() {
        test::RandomTrees random;
        random.trees = 400;
        random.max_text = 60;
        for (const auto policy : {PathPolicy::Best, PathPolicy::Replies, PathPolicy::Tree}) {
            ExampleOptions options;
            options.paths = policy;
            options.max_seq_length = 256;
            const Examples examples = make(test::randomForest(1, random), options);
            const auto batches = packed(examples, 1024).value();
            std::int64_t rows = 0;
            for (const Batch& batch : batches) rows += batch.rows();
            const double fill = static_cast<double>(rows) / (1024.0 * static_cast<double>(batches.size()));
            QVERIFY2(fill > 0.95, fmt::format("{}: {}", name(policy), fill).c_str());
        }
    }

    void batchesInOrderWithoutPacking() {
        QCOMPARE(batchInOrder(std::vector<int>{4, 2, 0, 1, 3}, 2), (std::vector<MicroBatch>{{4, 2}, {0, 1}, {3}}));
        QVERIFY(batchInOrder({}, 2).empty());
    }

    void packsIntoTheTightestPlace() {
        Pieces pieces;
        for (const int rows : {6, 7, 3, 4, 1, 8}) pieces.pieces.push_back({0, -1, rows, 1});
        QCOMPARE(packBestFit(inOrder(pieces), pieces, 10), (std::vector<MicroBatch>{{0, 3}, {1, 2}, {4, 5}}));
    }

    void refusesAPathAboveTheBound() {
        for (const auto policy : {PathPolicy::Best, PathPolicy::Tree}) {
            ExampleOptions options;
            options.paths = policy;
            const Examples examples = make({threeAnswers()}, options);
            EXPECT_ERROR(makePieces(examples, examples.all(), 16), "17 tokens");
        }
    }

    // Of two prompts that the length bound leaves without answers, the second stands alone in a group: nothing to
    // learn.
    void dropsGroupsWithoutTargets() {
        Tree t = tree(
            "t", {{'p', "p", ""}, {'a', "a", "p"}, {'p', "q", "a"}, {'a', "b", "q"}, {'p', "r", "a"}, {'a', "c", "r"}});
        t.nodes[2].text = t.nodes[4].text = std::string(30, 'x');
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        options.max_seq_length = 20;
        const Examples examples = make({t}, options);
        QCOMPARE(examples[0].size(), 31);
        QCOMPARE(divide(examples[0].spans, 20).size(), std::size_t{2});
        const Pieces pieces = makePieces(examples, examples.all(), 20).value();
        QCOMPARE(pieces.pieces.size(), std::size_t{1});
        QCOMPARE(pieces.repeated_rows, 0);
        Learned learned;
        test::addLearned(packed(examples, 20).value().front(), learned);
        QVERIFY(learned == test::learned({t}, options, test::ShortTemplate()));
    }
};

QTEST_APPLESS_MAIN(PackerTest)
#include "packer_test.moc"
