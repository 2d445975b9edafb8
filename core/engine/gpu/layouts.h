// Which layout the workspace has: of training or of losses alone, each for the largest batch of its kind so far. What a
// large evaluation needs would else stay with training. Plain arithmetic; the memory is the caller's.
#pragma once

#include "engine/gpu/workspace.h"

namespace studio::engine::gpu {

class Layouts {
  public:
    enum class Change {
        None,      // what is laid out holds the batch
        Divide,    // the memory there is takes the layout, in the mode chosen before
        Allocate,  // memory is to be taken anew, of the size that choose() leads to
    };
    // For a batch, where the memory has `bytes`; `shape`: of the model with its adapter. Nothing is laid out from then
    // on, unless it says None, until done().
    Change change(const Limits& wanted, const WorkspaceShape& shape, std::size_t bytes);
    // After Allocate: the mode, by what can be had.
    void choose(std::uint64_t available);
    // The computer has no memory for the residual stream: it stays on the card.
    void keepResiduals() { shape_.residuals_in_host = false; }
    void done();
    // The adapter is another one, or the memory was given back.
    void forget() { *this = {}; }

    const Limits& limits() const { return training_now_ ? training_ : losses_; }
    const WorkspaceShape& shape() const { return shape_; }

  private:
    Limits training_, losses_;
    WorkspaceShape shape_;
    bool training_now_ = false;
    bool laid_out_ = false;
    bool chosen_ = false;  // shape_ has the mode of training, and its memory is still there
};

}  // namespace studio::engine::gpu
