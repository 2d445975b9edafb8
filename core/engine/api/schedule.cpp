#include "engine/api/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace studio::engine::api {

Result<Schedule> Schedule::create(const Settings& settings) {
    Schedule schedule;
    if (settings.name == "constant") {
        schedule.kind_ = Kind::Constant;
    } else if (settings.name == "constant_with_warmup") {
        schedule.kind_ = Kind::ConstantWithWarmup;
    } else if (settings.name == "linear") {
        schedule.kind_ = Kind::Linear;
    } else if (settings.name == "cosine" || settings.name == "cosine_with_min_lr") {
        schedule.kind_ = Kind::Cosine;
    } else {
        return fail(ErrorCode::Unsupported, fmt::format("lr_scheduler_type \"{}\" is not known.", settings.name),
                    "Use constant, constant_with_warmup, linear, cosine or cosine_with_min_lr.");
    }
    if (!std::isfinite(settings.learning_rate) || settings.learning_rate < 0) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("learning_rate is {}, which is not a rate.", settings.learning_rate),
                    "Give a number above 0, usually between 1e-5 and 1e-3.");
    }
    if (settings.warmup_steps < 0) {
        return fail(ErrorCode::InvalidArgument, fmt::format("warmup_steps is {}.", settings.warmup_steps),
                    "Give 0 or more.");
    }
    if (settings.name == "cosine_with_min_lr") {
        if (!std::isfinite(settings.min_lr) || settings.min_lr < 0 || settings.min_lr > settings.learning_rate) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("min_lr {} is not between 0 and learning_rate {}.", settings.min_lr,
                                    settings.learning_rate),
                        "Lower min_lr in lr_scheduler_kwargs.");
        }
        if (settings.learning_rate > 0) schedule.min_lr_rate_ = settings.min_lr / settings.learning_rate;
    }
    schedule.learning_rate_ = settings.learning_rate;
    schedule.total_steps_ = settings.total_steps;
    schedule.warmup_steps_ = settings.warmup_steps;
    return schedule;
}

double Schedule::lambda(std::int64_t finished_steps) const {
    if (kind_ == Kind::Constant) return 1;
    const auto ratio = [](std::int64_t part, std::int64_t whole) {
        return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(1, whole));
    };
    if (finished_steps < warmup_steps_) return ratio(finished_steps, warmup_steps_);
    if (kind_ == Kind::ConstantWithWarmup) return 1;
    const std::int64_t decay_steps = total_steps_ - warmup_steps_;
    if (kind_ == Kind::Linear) return std::max(0.0, ratio(total_steps_ - finished_steps, decay_steps));
    // Half a cosine wave (num_cycles 0.5) from 1 down to the floor.
    const double progress = ratio(finished_steps - warmup_steps_, decay_steps);
    const double factor = 0.5 * (1 + std::cos(std::numbers::pi * 0.5 * 2 * progress));
    return std::max(0.0, factor * (1 - min_lr_rate_) + min_lr_rate_);
}

}  // namespace studio::engine::api
