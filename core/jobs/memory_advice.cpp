#include "jobs/memory_advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/adapter_folder.h"

namespace studio::jobs {
namespace {

using engine::api::BatchSize;

// Rows, targets and keys in the proportion `part` to `whole`.
BatchSize share(const BatchSize& size, std::int64_t part, std::int64_t whole) {
    const auto of = [&](int n) { return static_cast<int>((n * part + whole - 1) / whole); };
    return {of(size.rows), of(size.targets), of(size.key_rows), size.equal_length};
}

constexpr std::int64_t kShortest = 64;  // of max_seq_length worth naming
constexpr int kMostEpochs = 16;         // to look ahead

}  // namespace

BatchSize sizeOf(const dataset::Batch& batch) {
    BatchSize size{batch.rows(), static_cast<int>(batch.targets.size()), 0, true};
    bool context = false;
    for (const auto& segment : batch.segments) {
        size.key_rows += segment.end - segment.begin;
        for (const auto& range : segment.context) size.key_rows += range.size();
        context = context || !segment.context.empty();
        size.equal_length = size.equal_length && segment.end - segment.begin == batch.segments.front().end;
    }
    if (!context) size.key_rows = 0;
    size.equal_length = size.equal_length && !context;
    return size;
}

Result<BatchSize> largestSize(dataset::ExampleStream& stream, int epochs) {
    BatchSize largest;
    const auto cover = [&](const dataset::Batch& batch) {
        const BatchSize size = sizeOf(batch);
        largest.rows = std::max(largest.rows, size.rows);
        largest.targets = std::max(largest.targets, size.targets);
        largest.key_rows = std::max(largest.key_rows, size.key_rows);
    };
    STUDIO_CHECK(stream.seek({}));
    dataset::Batch batch;
    for (;;) {
        STUDIO_TRY(const bool more, stream.next(batch));
        if (!more) break;
        cover(batch);
    }
    for (int epoch = 1; epoch < std::min(epochs, kMostEpochs); ++epoch) {
        STUDIO_TRY(const dataset::Batch longest, stream.longestMicroBatch(epoch));
        cover(longest);
    }
    STUDIO_CHECK(stream.seek({}));
    return largest;
}

std::string settingsThatFit(engine::api::Engine& engine, const ReadyToTrain& ready) {
    const RunRecord& record = ready.setup.record;
    const config::TrainingConfig& t = record.recipe.training;
    const auto source = modelSource(record.base_folder, record.recipe);
    const auto lora = loraSpec(ready.setup.targets, record.recipe.qlora.lora_dropout, 0);
    const auto batch = ready.stream->longestMicroBatch(0);
    if (!batch) return {};
    const BatchSize size = sizeOf(*batch);
    bool plans = true;
    const auto fits = [&](const BatchSize& wanted, const std::string& mode) {
        engine::api::TrainPlan plan = ready.setup.plan;
        plan.memory_mode = mode;
        const auto use = engine.planMemory(source, lora, wanted, plan);
        plans = plans && use && use->free_bytes > 0;
        return plans && use->peak_bytes <= use->free_bytes;
    };
    const std::string& mode = ready.setup.plan.memory_mode;
    std::vector<std::string> ways;
    if (mode != "recompute" && fits(size, "recompute")) ways.push_back("gradient_checkpointing true");
    for (std::int64_t n = t.per_device_train_batch_size / 2; n >= 1 && plans; n /= 2) {
        if (!fits(share(size, n, t.per_device_train_batch_size), mode)) continue;
        ways.push_back(fmt::format("per_device_train_batch_size {}", n));
        break;
    }
    const std::int64_t length = ready.setup.data.examples->max_seq_length > 0
                                    ? ready.setup.data.examples->max_seq_length
                                    : ready.setup.data.examples->longestPath();
    for (std::int64_t n = length / 2; n >= kShortest && plans; n /= 2) {
        if (!fits(share(size, n, length), mode)) continue;
        ways.push_back(fmt::format("max_seq_length {}", n));
        break;
    }
    if (!plans) return {};
    if (ways.empty())
        return "By the memory plan neither a batch of one nor short conversations fit: lower r, close other programs "
               "that use the GPU, or choose the device cpu.";
    std::string sentence = "By the memory plan it fits with " + ways.front();
    for (std::size_t i = 1; i < ways.size(); ++i)
        sentence += (i + 1 == ways.size() ? " or with " : ", with ") + ways[i];
    return sentence + ".";
}

}  // namespace studio::jobs
