// Checkpoints with recognisable contents, for the tests of saving and finding them.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "io/file.h"
#include "io/safetensors.h"
#include "project/checkpoint.h"

namespace studio::test {

// What a checkpoint of `step` holds; another `flavour` has other bytes.
class Sample {
  public:
    explicit Sample(std::int64_t step, float flavour = 0) : values_(600, static_cast<float>(step) + flavour) {
        adapter_ = {{"base_model.model.q_proj.lora_A.weight", io::DType::F32, {4, 100}, values_.data(), 1600},
                    {"base_model.model.q_proj.lora_B.weight", io::DType::F32, {50, 4}, values_.data(), 800}};
        optimizer_ = {{"exp_avg.x", io::DType::F32, {600}, values_.data(), 2400},
                      {"exp_avg_sq.x", io::DType::F32, {600}, values_.data(), 2400}};
        content_.step = step;
        content_.adapter = adapter_;
        content_.optimizer = optimizer_;
        content_.adapter_config = "{\"peft_type\": \"LORA\"}\n";
        content_.trainer_state = fmt::format("{{\"step\": {}}}\n", step);
    }
    Sample(const Sample&) = delete;
    const project::CheckpointContent& content() const { return content_; }

  private:
    std::vector<float> values_;
    std::vector<io::TensorView> adapter_, optimizer_;
    project::CheckpointContent content_;
};

// The value all tensors of the checkpoint hold; an error if it cannot be loaded or is a mixture of two.
inline Result<float> loadSample(const project::FoundCheckpoint& found) {
    std::vector<float> values;
    for (const char* name : {"adapter_model.safetensors", "optimizer.safetensors"}) {
        STUDIO_TRY(const io::TensorSet set, io::readTensors(found.folder / name));
        for (const io::TensorView& tensor : set.tensors) {
            const auto* data = static_cast<const float*>(tensor.data);
            values.insert(values.end(), data, data + tensor.bytes / sizeof(float));
        }
    }
    STUDIO_TRY(const std::string state, io::readFile(found.folder / "trainer_state.json", 1000));
    const bool same = std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
    if (!same || values.size() != 1800 || state != fmt::format("{{\"step\": {}}}\n", found.step))
        return fail(ErrorCode::Corrupt, "The checkpoint is a mixture.", "Look at the test.");
    return values[0];
}

inline Result<std::filesystem::path> save(io::FileOps& ops, const std::filesystem::path& run, std::int64_t step,
                                          float flavour = 0, const project::Retention& retention = {}) {
    const Sample sample(step, flavour);
    return project::writeCheckpoint(ops, run, sample.content(), retention);
}

}  // namespace studio::test
