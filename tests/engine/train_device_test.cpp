// The training loop where the adapter's values, gradients and moments lie in a device's memory.
#include <QtTest>
#include <algorithm>
#include <vector>

#include "engine/loop_support.h"
#include "engine/train/adamw.h"

using namespace studio;
using namespace studio::test;

namespace {

// A device that computes as the host does, in memory of its own; gradients come there as the model makes them.
class HostDevice final : public engine::DeviceParameters {
  public:
    explicit HostDevice(engine::AdapterParameters& host) : host_(host) {}

    Result<void> zeroGradients() override {
        host_.zeroGradients();
        return {};
    }
    Result<double> gradientNorm() override { return engine::norm(host_.gradients()); }
    Result<void> update(const engine::AdamWStep& step) override {
        engine::adamW(step, host_.values(), host_.gradients(), mean_, square_);
        return {};
    }
    Result<void> resetMoments() override {
        mean_.assign(host_.values().size(), 0.0f);
        square_ = mean_;
        return {};
    }
    Result<void> fetchValues(std::span<float> into) override { return copy(host_.values(), into); }
    Result<void> storeValues(std::span<const float> from) override { return copy(from, host_.values()); }
    Result<void> fetchGradients(std::span<float> into) override { return copy(host_.gradients(), into); }
    Result<void> fetchMoments(std::span<float> exp_avg, std::span<float> exp_avg_sq) override {
        std::ranges::copy(mean_, exp_avg.begin());
        std::ranges::copy(square_, exp_avg_sq.begin());
        return {};
    }
    Result<void> storeMoments(std::span<const float> exp_avg, std::span<const float> exp_avg_sq) override {
        if (stores_that_fail-- > 0) return fail(ErrorCode::OutOfMemory, "The GPU has no room.");
        mean_.assign(exp_avg.begin(), exp_avg.end());
        square_.assign(exp_avg_sq.begin(), exp_avg_sq.end());
        return {};
    }

    int stores_that_fail = 0;

  private:
    static Result<void> copy(std::span<const float> from, std::span<float> into) {
        if (from.data() != into.data()) std::ranges::copy(from, into.begin());
        return {};
    }
    engine::AdapterParameters& host_;
    std::vector<float> mean_, square_;
};

}  // namespace

class TrainDeviceTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theNumbersAreThoseOfTheHost() {
        Run on_host, on_device;
        on_device.model.on_device = std::make_unique<HostDevice>(on_device.model.adapter());
        QVERIFY(on_host.go() && on_device.go());
        QVERIFY(on_device.stepsAndEvaluations() == on_host.stepsAndEvaluations());
        QVERIFY(on_device.record.at(7)->bytes() == on_host.record.at(7)->bytes());
        Run resumed;
        resumed.model.on_device = std::make_unique<HostDevice>(resumed.model.adapter());
        QVERIFY(resumed.go(&on_device.record.at(3)->view()));
        QVERIFY(resumed.record.at(7)->bytes() == on_host.record.at(7)->bytes());
    }

    void momentsThatFindNoRoomAreTriedOnceMore() {
        Run without;
        QVERIFY(without.go());
        for (const int fails : {1, 2}) {
            Run run;
            auto device = std::make_unique<HostDevice>(run.model.adapter());
            device->stores_that_fail = fails;
            run.model.on_device = std::move(device);
            const auto result = run.go();
            QCOMPARE(run.model.freed, 1);
            QCOMPARE(run.log.warnings.size(), std::size_t{1});
            if (fails == 1) {
                QVERIFY(result && run.record.at(7)->bytes() == without.record.at(7)->bytes());
            } else {
                QVERIFY(!result && result.error().code == ErrorCode::OutOfMemory);
                QVERIFY(run.record.lines.empty());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TrainDeviceTest)
#include "train_device_test.moc"
