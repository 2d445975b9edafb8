#include <QtTest>
#include <cmath>

#include "engine/evaluate/losses.h"
#include "engine/loop_support.h"

using namespace studio;
using namespace studio::test;
using engine::WeightedLoss;

namespace {

class Collect final : public engine::api::LossObserver {
  public:
    Result<void> onBatch(const dataset::Batch& batch, std::span<const float> nll) noexcept override {
        loss.add(batch, nll);
        sizes.push_back(static_cast<int>(nll.size()));
        if (static_cast<int>(sizes.size()) == stop_after) return fail(ErrorCode::Io, "The disk is full.");
        return {};
    }
    WeightedLoss loss;
    std::vector<int> sizes;
    int stop_after = -1;
};

}  // namespace

class LossesTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void everyTargetOnceFromTheFirstBatchOn() {
        TinyModel model;
        ListSource data(unequalBatches());
        QVERIFY(data.seek({3, 2}));  // wherever it stood
        Collect first, second;
        QVERIFY(engine::eachLoss(model, data, 1, first, {}));
        QVERIFY(engine::eachLoss(model, data, 1, second, {}));
        QCOMPARE(first.sizes, (std::vector<int>{3, 1, 5, 2, 4}));
        QCOMPARE(first.loss.weight, 15.0);
        QVERIFY(first.loss.mean() > 0);
        QCOMPARE(first.loss.sum, second.loss.sum);  // bit for bit
    }

    void aBatchWithoutTargetsIsHeardOfButNotComputed() {
        TinyModel model;
        int passes = 0;
        model.on_forward = [&](int) { ++passes; };
        auto batches = unequalBatches();
        batches[1].targets.clear();
        ListSource data(batches);
        Collect collect;
        QVERIFY(engine::eachLoss(model, data, 1, collect, {}));
        QCOMPARE(collect.sizes, (std::vector<int>{3, 0, 5, 2, 4}));
        QCOMPARE(passes, 4);
    }

    void theObserversErrorEndsIt() {
        TinyModel model;
        ListSource data(unequalBatches());
        Collect collect;
        collect.stop_after = 2;
        const auto done = engine::eachLoss(model, data, 1, collect, {});
        QVERIFY(!done);
        QCOMPARE(done.error().message, std::string("The disk is full."));
        QCOMPARE(collect.sizes.size(), std::size_t{2});
    }

    void itCanBeStoppedAndTellsHowFarItIs() {
        TinyModel model;
        ListSource data(unequalBatches());
        Collect collect;
        std::stop_source stop;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> heard;
        const JobContext job{stop.get_token(), [&](const Progress& progress) {
                                 heard.emplace_back(progress.done, progress.total);
                                 if (progress.done == 2) stop.request_stop();
                             }};
        const auto done = engine::eachLoss(model, data, 1, collect, job);
        QVERIFY(!done && done.error().cancelled());
        QVERIFY((heard == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 5}, {1, 5}, {2, 5}}));
        QCOMPARE(collect.sizes.size(), std::size_t{2});
    }

    void weightsCountAndZeroWeightsHideWhatIsNotFinite() {
        dataset::Batch batch = sequence({1, 2, 3});
        batch.targets[0].weight = 2;
        batch.targets[1].weight = 0;
        WeightedLoss loss;
        const std::vector<float> nll{1, std::numeric_limits<float>::infinity(), 4};
        loss.add(batch, nll);
        QCOMPARE(loss.mean(), 2.0);
        QCOMPARE(WeightedLoss{}.mean(), 0.0);
    }
};

QTEST_APPLESS_MAIN(LossesTest)
#include "evaluate_losses_test.moc"
