#include <fmt/format.h>

#include <QtTest>
#include <algorithm>

#include "byte_tokenizer.h"
#include "dataset/make_examples.h"
#include "dataset/stream.h"
#include "support/expect.h"
#include "trees.h"

using namespace studio;
using namespace studio::dataset;

namespace {

std::shared_ptr<const Examples> make(PathPolicy policy, int trees = 40, int max_seq_length = 60) {
    ExampleOptions options;
    options.paths = policy;
    options.max_seq_length = max_seq_length;
    test::RandomTrees random;
    random.trees = trees;
    return std::make_shared<const Examples>(
        makeExamples(test::randomForest(3, random), test::ByteTokenizer(), test::ShortTemplate(), options).value());
}

std::unique_ptr<ExampleStream> stream(std::shared_ptr<const Examples> examples, const StreamOptions& options) {
    auto which = examples->all();
    return std::move(ExampleStream::make(std::move(examples), std::move(which), options).value());
}

std::vector<Batch> readEpoch(ExampleStream& stream) {
    std::vector<Batch> batches;
    Batch batch;
    while (stream.next(batch).value()) batches.push_back(batch);
    return batches;
}

std::vector<SampleId> samples(const std::vector<Batch>& batches) {
    std::vector<SampleId> all;
    for (const Batch& batch : batches) all.insert(all.end(), batch.samples.begin(), batch.samples.end());
    return all;
}

// A source of which only the number of micro-batches is known.
class Counted final : public BatchSource {
  public:
    explicit Counted(std::vector<int> counts) : counts_(std::move(counts)) {}
    Result<bool> next(Batch&) noexcept override { return false; }
    Result<void> seek(StreamPosition) noexcept override { return {}; }
    int microBatches(int epoch) noexcept override { return counts_[epoch % counts_.size()]; }

  private:
    std::vector<int> counts_;
};

}  // namespace

class StreamTest : public QObject {
    Q_OBJECT

    void kinds() {
        QTest::addColumn<int>("policy");
        QTest::addColumn<bool>("packing");
        QTest::addColumn<bool>("shuffle");
        for (const auto policy : {PathPolicy::Best, PathPolicy::Replies, PathPolicy::Tree}) {
            for (const bool packing : {false, true}) {
                for (const bool shuffle : {false, true}) {
                    QTest::addRow("%s%s%s", name(policy).data(), packing ? ", packed" : "", shuffle ? ", shuffled" : "")
                        << static_cast<int>(policy) << packing << shuffle;
                }
            }
        }
    }
    static std::unique_ptr<ExampleStream> fetched(std::uint64_t seed = 42) {
        QFETCH(int, policy);
        QFETCH(bool, packing);
        QFETCH(bool, shuffle);
        StreamOptions options;
        options.batch_size = 3;
        options.packing = packing;
        options.max_rows = maxRows(3, 60).value();
        options.shuffle = shuffle;
        options.seed = seed;
        return stream(make(static_cast<PathPolicy>(policy)), options);
    }

  private Q_SLOTS:
    void givesEveryExampleEveryEpoch_data() { kinds(); }
    void givesEveryExampleEveryEpoch() {
        const auto source = fetched();
        for (int epoch = 0; epoch < 3; ++epoch) {
            QCOMPARE(source->position(), (StreamPosition{epoch, 0}));
            const int planned = source->microBatches(epoch);
            const auto batches = readEpoch(*source);
            QCOMPARE(static_cast<int>(batches.size()), planned);
            std::int64_t rows = 0, targets = 0;
            for (const Batch& batch : batches) {
                EXPECT_OK(batch.check());
                rows += batch.rows();
                targets += std::ssize(batch.targets);
            }
            QCOMPARE(rows, source->rowsPerEpoch());
            QCOMPARE(rows, source->examples().statistics.tokens + source->repeatedRows());
            QCOMPARE(targets, source->targetsPerEpoch());
            QCOMPARE(targets, source->examples().statistics.supervised_tokens);
            auto seen = samples(batches);
            std::sort(seen.begin(), seen.end());
            seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
            QCOMPARE(std::ssize(seen), source->examples().size());
        }
    }

    void continuesAnywhereWithTheSameBatches_data() { kinds(); }
    void continuesAnywhereWithTheSameBatches() {
        const auto straight = fetched();
        std::vector<std::pair<StreamPosition, Batch>> all;
        for (int epoch = 0; epoch < 3; ++epoch) {
            Batch batch;
            for (;;) {
                const StreamPosition at = straight->position();
                if (!straight->next(batch).value()) break;
                all.emplace_back(at, batch);
            }
        }
        SplitMix64 random(1, 1);
        const auto resumed = fetched();
        for (int i = 0; i < 25; ++i) {
            std::size_t at = random.below(all.size());
            EXPECT_OK(resumed->seek(all[at].first));
            for (int step = 0; step < 4 && at < all.size(); ++at) {
                Batch batch;
                const bool more = resumed->next(batch).value();
                if (!more) QVERIFY(resumed->next(batch).value());  // the call after that begins the next epoch
                QCOMPARE(batch, all[at].second);
                ++step;
            }
        }
    }

    void endsAnEpochAfterSeekingItsEnd() {
        const auto source = stream(make(PathPolicy::Best), {});
        const int count = source->microBatches(0);
        EXPECT_OK(source->seek({0, count}));
        Batch batch;
        QCOMPARE(source->next(batch).value(), false);
        QCOMPARE(source->position(), (StreamPosition{1, 0}));
    }

    void refusesPositionsBeyondTheData() {
        const auto source = stream(make(PathPolicy::Best), {});
        EXPECT_ERROR(source->seek({0, source->microBatches(0) + 1}), "no micro-batch");
        EXPECT_ERROR(source->seek({0, -1}), "no micro-batch");
        EXPECT_ERROR(source->seek({-1, 0}), "no micro-batch");
        QCOMPARE(source->position(), StreamPosition{});
    }

    void keepsFileOrderWithoutShuffle() {
        StreamOptions options;
        options.batch_size = 4;
        const auto source = stream(make(PathPolicy::Replies), options);
        const auto batches = readEpoch(*source);
        const auto seen = samples(batches);
        QVERIFY(std::is_sorted(seen.begin(), seen.end()));
        QCOMPARE(std::ssize(seen), source->examples().size());
        for (std::size_t i = 0; i + 1 < batches.size(); ++i) QCOMPARE(batches[i].samples.size(), std::size_t{4});
        QCOMPARE(static_cast<int>(batches.size()), (source->examples().size() + 3) / 4);  // the last one may be smaller
    }

    void shufflesAnewEachEpochAndBySeed_data() { kinds(); }
    void shufflesAnewEachEpochAndBySeed() {
        QFETCH(bool, shuffle);
        const auto one = fetched(1), same = fetched(1), other = fetched(2);
        const auto first = samples(readEpoch(*one)), second = samples(readEpoch(*one));
        QCOMPARE(samples(readEpoch(*same)), first);
        QCOMPARE(samples(readEpoch(*other)) != first, shuffle);
        QCOMPARE(second != first, shuffle);
    }

    void knowsItsLongestMicroBatch_data() { kinds(); }
    void knowsItsLongestMicroBatch() {
        const auto source = fetched();
        for (int epoch = 0; epoch < 2; ++epoch) {
            const Batch longest = source->longestMicroBatch(epoch).value();
            const auto batches = readEpoch(*source);
            const auto first = std::max_element(batches.begin(), batches.end(),
                                                [](const Batch& a, const Batch& b) { return a.rows() < b.rows(); });
            QCOMPARE(longest, *first);
        }
    }

    void streamsOnlyWhatItIsGiven() {
        const auto examples = make(PathPolicy::Best);
        auto source = ExampleStream::make(examples, {5, 2, 9}, {}).value();
        QCOMPARE(samples(readEpoch(*source)), (std::vector<SampleId>{5, 2, 9}));
        EXPECT_ERROR(ExampleStream::make(examples, {examples->size()}, {}), "no example");
    }

    void anEmptyStreamHasNothingToTrainOn() {
        auto source = ExampleStream::make(make(PathPolicy::Best), {}, {}).value();
        QCOMPARE(source->microBatches(0), 0);
        Batch batch;
        QCOMPARE(source->next(batch).value(), false);
        EXPECT_ERROR(source->longestMicroBatch(0), "no conversation");
        EXPECT_ERROR(planSteps(*source, 1, 1, 0), "no conversation");
    }

    void evaluatesInFileOrder() {
        const auto examples = make(PathPolicy::Leaves);
        const auto source = makeEvaluationStream(examples, examples->all(), 4, 60).value();
        const auto batches = readEpoch(*source);
        auto seen = samples(batches);
        for (const Batch& batch : batches) {
            QVERIFY(batch.rows() <= 240);
            QVERIFY(std::is_sorted(batch.samples.begin(), batch.samples.end()));
        }
        std::sort(seen.begin(), seen.end());
        QCOMPARE(std::ssize(seen), examples->size());
        QCOMPARE(std::adjacent_find(seen.begin(), seen.end()), seen.end());
        EXPECT_OK(makeEvaluationStream(examples, examples->all(), 1, 0));  // the longest path is the bound
        EXPECT_ERROR(makeEvaluationStream(examples, examples->all(), 1, 10), "more than the 10");
    }

    void refusesImpossibleBatchSizes() {
        StreamOptions options;
        options.batch_size = 0;
        EXPECT_ERROR(ExampleStream::make(make(PathPolicy::Best), {0}, options), "batch size");
        options = {};
        EXPECT_ERROR(ExampleStream::make(make(PathPolicy::Tree), {0}, options), "bound");
        EXPECT_ERROR(maxRows(1 << 20, 1 << 20), "too large");
        EXPECT_ERROR(maxRows(4, 0), "max_seq_length");
        QCOMPARE(maxRows(4, 512).value(), 2048);
    }

    void countsStepsAsTransformersDoes_data() {
        QTest::addColumn<QList<int>>("micro_batches");
        QTest::addColumn<int>("accumulation");
        QTest::addColumn<double>("epochs");
        QTest::addColumn<qint64>("max_steps");
        QTest::addColumn<qint64>("total");
        QTest::addColumn<double>("per_epoch");
        QTest::newRow("one epoch") << QList{10} << 1 << 1.0 << 0ll << 10ll << 10.0;
        QTest::newRow("a smaller last step") << QList{10} << 4 << 3.0 << 0ll << 9ll << 3.0;
        QTest::newRow("fewer than a step") << QList{3} << 16 << 2.0 << 0ll << 2ll << 1.0;
        QTest::newRow("half an epoch") << QList{11} << 1 << 0.5 << 0ll << 6ll << 11.0;
        QTest::newRow("a part rounds up") << QList{10} << 1 << 2.31 << 0ll << 24ll << 10.0;
        QTest::newRow("rounding as in Python") << QList{30} << 1 << 1.1 << 0ll << 33ll << 30.0;  // (1.1 - 1)*30 > 3
        QTest::newRow("exact part") << QList{10} << 1 << 2.3 << 0ll << 23ll << 10.0;
        QTest::newRow("max_steps decides") << QList{10} << 2 << 3.0 << 1875ll << 1875ll << 5.0;
        QTest::newRow("unequal epochs are summed") << QList{10, 12} << 1 << 3.0 << 0ll << 32ll << 32.0 / 3;
        QTest::newRow("unequal epochs and a part") << QList{10, 12} << 1 << 1.5 << 0ll << 16ll << 16 / 1.5;
    }
    void countsStepsAsTransformersDoes() {
        QFETCH(QList<int>, micro_batches);
        QFETCH(int, accumulation);
        QFETCH(double, epochs);
        QFETCH(qint64, max_steps);
        QFETCH(qint64, total);
        QFETCH(double, per_epoch);
        Counted source({micro_batches.begin(), micro_batches.end()});
        const auto plan = planSteps(source, accumulation, epochs, max_steps);
        EXPECT_OK(plan);
        QCOMPARE(plan->total_steps, total);
        QCOMPARE(plan->steps_per_epoch, per_epoch);
    }

    void refusesImpossibleNumbersOfSteps() {
        Counted source({10});
        EXPECT_ERROR(planSteps(source, 0, 1, 0), "gradient_accumulation_steps");
        EXPECT_ERROR(planSteps(source, 1, 0, 0), "num_train_epochs");
        EXPECT_ERROR(planSteps(source, 1, -1, 0), "num_train_epochs");
        EXPECT_ERROR(planSteps(source, 1, std::numeric_limits<double>::quiet_NaN(), 0), "num_train_epochs");
    }
};

QTEST_APPLESS_MAIN(StreamTest)
#include "stream_test.moc"
