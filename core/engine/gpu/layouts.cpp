#include "engine/gpu/layouts.h"

#include "engine/gpu/plan.h"

namespace studio::engine::gpu {

Layouts::Change Layouts::change(const Limits& wanted, const WorkspaceShape& shape, std::size_t bytes) {
    if (laid_out_ && limits().covers(wanted)) return Change::None;
    laid_out_ = false;
    training_now_ = wanted.training;
    Limits& most = training_now_ ? training_ : losses_;
    const bool grows = !most.covers(wanted);
    most.cover(wanted);
    if (!chosen_) shape_ = shape;
    Workspace measure;
    if ((!training_now_ || (chosen_ && !grows)) && Workspace::layOut(measure, nullptr, shape_, most) <= bytes)
        return Change::Divide;
    chosen_ = false;
    shape_ = shape;
    return Change::Allocate;
}

void Layouts::choose(std::uint64_t available) {
    chooseMode(shape_, limits(), available);
}

void Layouts::done() {
    laid_out_ = true;
    chosen_ = chosen_ || training_now_;
}

}  // namespace studio::engine::gpu
