// Learning rate over the run, as transformers' get_scheduler computes it (optimization.py). Beside the engine, so that
// the curve shown before a run is the one it then takes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace studio::engine::api {

class Schedule {
  public:
    struct Settings {
        std::string_view name;     // constant, constant_with_warmup, linear, cosine, cosine_with_min_lr
        double learning_rate = 0;  // the peak
        std::int64_t total_steps = 0;
        std::int64_t warmup_steps = 0;  // without effect for `constant`, as in transformers
        double min_lr = 0;              // cosine_with_min_lr only, absolute
    };
    static Result<Schedule> create(const Settings& settings);

    // The rate used by optimizer step `step`, from 1: learning_rate · lambda(step − 1).
    double at(std::int64_t step) const { return learning_rate_ * lambda(step - 1); }

  private:
    enum class Kind { Constant, ConstantWithWarmup, Linear, Cosine };
    Schedule() = default;
    double lambda(std::int64_t finished_steps) const;

    Kind kind_ = Kind::Constant;
    double learning_rate_ = 0;
    double min_lr_rate_ = 0;
    std::int64_t total_steps_ = 0, warmup_steps_ = 0;
};

}  // namespace studio::engine::api
