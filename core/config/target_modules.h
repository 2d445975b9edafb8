// Which linears an adapter sits on, by PEFT's rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/recipe.h"

namespace studio::config {

struct TargetModule {
    std::string name;  // "model.layers.0.self_attn.q_proj"
    std::int64_t r = 0;
    double alpha = 0;
    double scaling = 1;  // alpha / r, or alpha / sqrt(r) with use_rslora

    bool operator==(const TargetModule&) const = default;
};

// The modules of `linears` (full names, in the model's order) that `lora` adapts, in that order. As PEFT's
// check_target_module_exists: a list matches a name or its ending after a dot; a text matches the whole name as a
// regular expression, "all-linear" every linear; exclude_modules and layers_to_transform take away; rank_pattern and
// alpha_pattern match `(.*\.)?(key)$`. Stricter than PEFT in one point: a name, a layer or a pattern that matches
// nothing is an error that names the nearest modules. lm_head is not among the linears and is refused by name.
Result<std::vector<TargetModule>> matchTargets(const QloraConfig& lora, std::span<const std::string> linears);

// What target_modules stands for where it is not given: PEFT's choice for model_type phi.
std::vector<std::string> phiDefaultTargets();
// Names of the linears of a phi block, in the order of the layers' tensors.
std::vector<std::string> phiLinearNames();
bool isAllLinear(std::string_view target_modules);  // "all-linear" in any case

}  // namespace studio::config
