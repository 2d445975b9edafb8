// What a GPU's memory is used for, by arithmetic alone: the plan before a run, and how a run divides its memory.
#include <QtTest>

#include "config/model_config.h"
#include "engine/gpu/layouts.h"
#include "engine/gpu/plan.h"

using namespace studio;
using namespace studio::engine;
using namespace studio::engine::gpu;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

config::PhiConfig phi2() {
    config::PhiConfig config;
    config.hidden_size = 2560;
    config.intermediate_size = 10240;
    config.num_hidden_layers = 32;
    config.head_dim = 80;
    config.rotary_dim = 32;
    config.dtype = "float16";
    return config;
}

api::LoraSpec everywhere(int r) {
    api::LoraSpec spec;
    for (const std::string& name : config::linearNames(phi2())) spec.modules.push_back({name, r, 1.0});
    return spec;
}

Limits batch(int rows, bool training, MemoryMode memory = MemoryMode::Auto) {
    Limits limits;
    limits.rows = limits.targets = rows;
    limits.training = training;
    limits.memory = memory;
    return limits;
}

// As planMemory makes it.
WorkspaceShape shape(int r) {
    WorkspaceShape shape;
    shape.block = {2560, 2560, 2560, 10240};
    shape.layers = shape.heads = 32;
    shape.head_dim = 80;
    shape.vocab = 51200;
    shape.input_width = 4 * r;
    shape.dense_width = shape.fc2_width = r;
    return shape;
}

std::uint64_t part(const api::MemoryUse& use, const char* name) {
    for (const auto& one : use.parts)
        if (one.name == name) return one.bytes;
    return 0;
}

// A run's memory of which somebody keeps count.
struct Run {
    Layouts layouts;
    std::size_t bytes = 0;
    int allocations = 0;

    Layouts::Change batch(const Limits& wanted, std::uint64_t available = 80 * kGiB) {
        const auto change = layouts.change(wanted, shape(16), bytes);
        Workspace measure;
        if (change == Layouts::Change::Allocate) {
            ++allocations;
            layouts.choose(available);
            bytes = Workspace::layOut(measure, nullptr, layouts.shape(), layouts.limits());
        }
        layouts.done();
        return change;
    }
};

}  // namespace

class GpuMemoryTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void aLargeEvaluationDoesNotMakeTrainingLarger() {
        Run run, alone;
        run.batch(batch(16 * 2048, false));
        run.batch(batch(2048, true), 12 * kGiB);
        alone.batch(batch(2048, true), 12 * kGiB);
        QCOMPARE(run.layouts.limits().rows, 2048);
        QCOMPARE(run.bytes, alone.bytes);
        QVERIFY(run.layouts.shape().mode == alone.layouts.shape().mode);
        QVERIFY(run.layouts.shape().mode == MemoryMode::KeepAll);
        // Neither does a large micro-batch make an evaluation larger, once the adapter is another one.
        run.layouts.forget();
        run.batch(batch(512, false));
        QCOMPARE(run.layouts.limits().rows, 512);
    }

    void evaluationsBetweenStepsTakeNoMemoryWhereItIsLargeEnough() {
        Run run;
        QVERIFY(run.batch(batch(4096, true)) == Layouts::Change::Allocate);
        const auto held = run.bytes;
        for (int i = 0; i < 3; ++i) {
            QVERIFY(run.batch(batch(4096, false)) == Layouts::Change::None);
            QVERIFY(run.batch(batch(8192, false)) == Layouts::Change::Divide);
            QVERIFY(run.batch(batch(8000, false)) == Layouts::Change::None);
            QVERIFY(run.batch(batch(1000, true)) == Layouts::Change::Divide);
            QVERIFY(run.batch(batch(4096, true)) == Layouts::Change::None);
            QVERIFY(run.layouts.shape().mode == MemoryMode::KeepAll);
        }
        QCOMPARE(run.bytes, held);
        // One that does not fit takes the memory, and training chooses again.
        QVERIFY(run.batch(batch(1 << 19, false)) == Layouts::Change::Allocate);
        QVERIFY(run.bytes > held);
        QVERIFY(run.batch(batch(1000, true), 8 * kGiB) == Layouts::Change::Allocate);
        QVERIFY(run.layouts.limits().rows == 4096 && run.bytes < held);  // less memory is free by now
        QVERIFY(run.layouts.shape().mode == MemoryMode::Selective);
    }

    void whatABatchNeedsBeyondTheLayoutIsNoticed() {
        Run run;
        run.batch(batch(1024, true));
        Limits more = batch(1024, true);
        more.dropout = true;
        QVERIFY(run.batch(more) == Layouts::Change::Allocate);
        QVERIFY(run.batch(batch(1024, true)) == Layouts::Change::None);
        QVERIFY(run.batch(batch(1024, true, MemoryMode::Recompute)) == Layouts::Change::Allocate);
        QVERIFY(run.layouts.shape().mode == MemoryMode::Recompute);
        QVERIFY(run.batch(batch(1025, true)) == Layouts::Change::Allocate);
        // Nothing is laid out while something failed on the way.
        QVERIFY(run.layouts.change(batch(2000, true), shape(16), run.bytes) == Layouts::Change::Allocate);
        QVERIFY(run.layouts.change(batch(1000, true), shape(16), run.bytes) == Layouts::Change::Allocate);
    }

    // An evaluation of batches that are a little larger takes no more than the steps between which it comes.
    void lossesFitIntoTheMemoryOfTrainingThatRecomputes() {
        for (const int rows : {256, 512, 1300, 2048, 8192}) {
            Run run;
            QVERIFY(run.batch(batch(rows, true, MemoryMode::Recompute)) == Layouts::Change::Allocate);
            QVERIFY2(run.batch(batch(rows + rows / 16, false)) == Layouts::Change::Divide,
                     std::to_string(rows).c_str());
            QVERIFY(run.batch(batch(rows, true, MemoryMode::Recompute)) == Layouts::Change::Divide);
        }
    }

    void theModeIsTheFirstThatFits() {
        const Limits limits = batch(8192, true);
        std::uint64_t before = ~std::uint64_t{0};
        std::vector<MemoryMode> modes;
        for (const std::uint64_t available : {40, 24, 20, 16, 12, 8, 2}) {
            WorkspaceShape s = shape(16);
            chooseMode(s, limits, available * kGiB);
            const std::uint64_t needed = neededBytes(s, limits);
            QVERIFY(needed <= before);
            before = needed;
            QVERIFY2(needed <= available * kGiB || s.mode == MemoryMode::Recompute, nameOf(s.mode));
            modes.push_back(s.mode);
        }
        QVERIFY(modes.front() == MemoryMode::KeepAll && modes.back() == MemoryMode::Recompute);
        QVERIFY(std::count(modes.begin(), modes.end(), MemoryMode::Selective) > 0);
        QVERIFY(std::is_sorted(modes.begin(), modes.end()));
    }

    // The plan and the run ask the same question of the same figures: what is left once the model, the adapter, its
    // gradients and its optimizer are there.
    void thePlanExpandsTheWeightsWhereTheRunDoes_data() {
        QTest::addColumn<int>("card");
        QTest::addColumn<bool>("expands");
        QTest::newRow("12 GB") << 12 << false;
        QTest::newRow("16 GB") << 16 << true;
        QTest::newRow("24 GB") << 24 << true;
    }
    void thePlanExpandsTheWeightsWhereTheRunDoes() {
        QFETCH(int, card);
        QFETCH(bool, expands);
        PlanRequest request;
        request.limits = batch(512, true, MemoryMode::KeepAll);
        request.available = static_cast<std::uint64_t>(card) * kGiB;
        const auto plan = planMemory(phi2(), everywhere(64), request);
        QVERIFY(plan.has_value());
        const std::uint64_t held = part(*plan, "weights") + part(*plan, "adapter") +
                                   part(*plan, "gradients and optimizer") + part(*plan, "matrix library");
        WorkspaceShape s = shape(64);
        s.mode = MemoryMode::KeepAll;
        const std::uint64_t embedding = std::uint64_t{51200} * 2560 * 2;
        const std::uint64_t run = expandedBytes(s, request.limits, embedding, request.available - held - kMargin);
        QCOMPARE(part(*plan, "expanded weights"), run);
        QCOMPARE(run > 0, expands);
        if (expands) QVERIFY2(run > 5 * kGiB && run < 6 * kGiB, std::to_string(run).c_str());
    }

    void theComponentsAreNamedAndAddUp() {
        for (const auto memory : {MemoryMode::KeepAll, MemoryMode::Selective, MemoryMode::Recompute}) {
            PlanRequest request;
            request.limits = batch(2048, true, memory);
            const auto plan = planMemory(phi2(), everywhere(16), request);
            QVERIFY(plan.has_value());
            std::uint64_t sum = 0;
            for (const auto& one : plan->parts) sum += one.bytes;
            QCOMPARE(sum, plan->peak_bytes);
            WorkspaceShape s = shape(16);
            chooseMode(s, request.limits, ~std::uint64_t{0});
            Workspace measure;
            QCOMPARE(part(*plan, "activations") + part(*plan, "workspace") + part(*plan, "logits"),
                     Workspace::layOut(measure, nullptr, s, request.limits));
            for (const char* name :
                 {"weights", "adapter", "gradients and optimizer", "activations", "workspace", "logits", "attention"})
                QVERIFY2(part(*plan, name) > 0, name);
            // With everything computed again two residual streams are on the card, 31 in the computer's memory, beside
            // the embedding.
            const std::uint64_t stream = std::uint64_t{2048} * 2560 * 2, embedding = std::uint64_t{51200} * 2560 * 2;
            QCOMPARE(plan->pinned_bytes, embedding + (memory == MemoryMode::Recompute ? 31 * stream : 0));
            if (memory == MemoryMode::Recompute) {
                const std::size_t leaves = Workspace::layOut(measure, nullptr, s, request.limits);
                s.residuals_in_host = false;
                const std::size_t stays = Workspace::layOut(measure, nullptr, s, request.limits);
                QCOMPARE(residualBytes(s, request.limits), std::size_t{0});
                // Where the computer has no room for them the plan keeps them on the card, as the run does.
                request.host_available = 2 * 31 * stream - 1;
                const auto tight = planMemory(phi2(), everywhere(16), request);
                QVERIFY(tight.has_value());
                QCOMPARE(tight->pinned_bytes, embedding);
                QCOMPARE(tight->peak_bytes, plan->peak_bytes + 31 * stream);
                ++request.host_available;
                const auto enough = planMemory(phi2(), everywhere(16), request);
                QVERIFY(enough.has_value());
                QCOMPARE(enough->peak_bytes, plan->peak_bytes);
                QVERIFY2(stays >= leaves + 31 * stream, std::to_string(stays - leaves).c_str());
            }
            // With everything kept: 33 residual streams and 32 of [h, u], [q, k, v, fc1, u] and [o, gelu, u].
            if (memory == MemoryMode::KeepAll)
                QCOMPARE(
                    part(*plan, "activations"),
                    std::uint64_t{2048} * (33 * 2560 * 2 + 32 * ((2560 + 64 + 17920 + 64 + 12800 + 32) * 2 + 2 * 4)));
        }
    }

    // 1 × 512 at r 64: small enough for the largest group of linears to go through the workspace in pieces.
    void theSmallestRunTakesLessThanThreeGibibytes() {
        PlanRequest request;
        request.limits = batch(512, true, MemoryMode::Recompute);
        request.equal_length = true;
        const auto plan = planMemory(phi2(), everywhere(64), request);
        QVERIFY(plan.has_value());
        QVERIFY2(plan->peak_bytes < 3 * kGiB, std::to_string(plan->peak_bytes).c_str());
    }

    void aCheckpointInFourBitsStaysAsItIsStored() {
        config::PhiConfig stored = phi2();
        stored.quantisation.emplace();
        stored.quantisation->double_quant = true;
        QCOMPARE(weightBytes(stored, false, false), weightBytes(phi2(), true, true));
        stored.quantisation->double_quant = false;
        QCOMPARE(weightBytes(stored, false, true), weightBytes(phi2(), true, false));
        QVERIFY(weightBytes(phi2(), false, true) > 4 * kGiB && weightBytes(stored, false, true) < 2 * kGiB);
        PlanRequest request;
        request.load_in_4bit = false;
        request.limits = batch(512, true);
        const auto plan = planMemory(stored, everywhere(8), request);
        QVERIFY(plan && part(*plan, "weights") < 2 * kGiB);
    }
};

QTEST_GUILESS_MAIN(GpuMemoryTest)
#include "gpu_memory_test.moc"
