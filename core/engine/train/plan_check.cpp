#include "engine/train/plan_check.h"

#include <fmt/format.h>

#include <cmath>

namespace studio::engine {
namespace {

// NaN is in no range.
Result<void> inRange(const char* key, double value, bool inside, const char* range) {
    if (std::isfinite(value) && inside) return {};
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is {}.", key, value), fmt::format("Give {}.", range));
}

}  // namespace

std::optional<MemoryMode> memoryMode(std::string_view name) {
    if (name == "auto") return MemoryMode::Auto;
    if (name == "keep_all") return MemoryMode::KeepAll;
    if (name == "selective") return MemoryMode::Selective;
    if (name == "recompute") return MemoryMode::Recompute;
    return std::nullopt;
}

Result<void> checkPlan(const api::TrainPlan& p) {
    const auto integer = [](const char* key, std::int64_t value, std::int64_t least) {
        return inRange(key, static_cast<double>(value), value >= least, least == 0 ? "0 or more" : "1 or more");
    };
    STUDIO_CHECK(integer("max_steps", p.total_steps, 1));
    STUDIO_CHECK(integer("gradient_accumulation_steps", p.accumulation, 1));
    STUDIO_CHECK(integer("save_steps", p.save_steps, 0));
    STUDIO_CHECK(integer("eval_steps", p.eval_steps, 0));
    STUDIO_CHECK(inRange("adam_beta1", p.beta1, p.beta1 >= 0 && p.beta1 < 1, "a number from 0 to below 1"));
    STUDIO_CHECK(inRange("adam_beta2", p.beta2, p.beta2 >= 0 && p.beta2 < 1, "a number from 0 to below 1"));
    STUDIO_CHECK(inRange("adam_epsilon", p.epsilon, p.epsilon > 0, "a number above 0, usually 1e-8"));
    STUDIO_CHECK(inRange("weight_decay", p.weight_decay, p.weight_decay >= 0, "0 or more"));
    STUDIO_CHECK(inRange("max_grad_norm", p.max_grad_norm, p.max_grad_norm >= 0, "0 (no clipping) or more"));
    STUDIO_CHECK(inRange("lora_dropout", p.lora_dropout, p.lora_dropout >= 0 && p.lora_dropout < 1,
                         "a number from 0 to below 1"));
    STUDIO_CHECK(inRange("resid_pdrop", p.resid_dropout, p.resid_dropout >= 0 && p.resid_dropout < 1,
                         "a number from 0 to below 1"));
    if (!memoryMode(p.memory_mode))
        return fail(ErrorCode::InvalidArgument, fmt::format("memory_mode is \"{}\".", p.memory_mode),
                    "Give auto, keep_all, selective or recompute.");
    return {};
}

}  // namespace studio::engine
