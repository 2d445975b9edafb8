// A model whose calls fail when they are told to: what a card that runs out of memory, computes nonsense or is lost
// does, without a card.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/border/open_model.h"

namespace studio::test {

// "backward 7 lost, load 1x2 memory": the 7th backward pass is lost, the first two loads run out of memory. Moments:
// load, adapter (made or read), reserve, forward (in training), evaluate (a forward pass that is not), backward, cache,
// decode. What happens: memory (an error), throw (std::bad_alloc), lost, nan (the losses), inf (the gradients).
class Faults {
  public:
    explicit Faults(std::string_view plan);
    // What happens at this call of `moment`; empty: nothing. Counts.
    std::string at(const std::string& moment);
    // The same as a result; nan and inf are left to the caller. Throws for "throw".
    Result<void> strike(const std::string& moment, std::string* what = nullptr);
    int calls(const std::string& moment) const;

    int freed = 0;              // calls of freeMemory
    engine::Limits reserved;    // by the last call of reserve
    int beyond = 0;             // training batches that were larger
    bool keeps_logits = false;  // the last forward pass was told to

  private:
    struct Fault {
        std::string moment;
        int first = 1, times = 1;
        std::string what;
    };
    std::vector<Fault> faults_;
    std::map<std::string, int> calls_;
};

// Models with these faults, on the processor where no device is named. The planner says that `megabytes_a_row` are
// needed a row where everything is kept, half of that with recompute, and that there are `megabytes` (0: a processor's,
// which plans nothing).
engine::Makers faultyMakers(std::shared_ptr<Faults> faults, int megabytes = 0, int megabytes_a_row = 1);

}  // namespace studio::test
