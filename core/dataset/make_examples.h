// From trees of messages to examples: paths, template, tokens, length bound, split.
#pragma once

#include <vector>

#include "base/job.h"
#include "dataset/examples.h"
#include "dataset/forest.h"

namespace studio::dataset {

// Every message is tokenised once, however many paths it stands in. A path is cut after its first `max_seq_length`
// tokens; of a tree, tokens at position ≥ `max_seq_length` and everything below them do not exist. Examples left
// without a target are left out and counted. An empty result is not an error. Errors: options out of range, a malformed
// tree (a parent that does not come first), Cancelled.
Result<Examples> makeExamples(const std::vector<Tree>& trees, const text::Tokenizer& tokenizer,
                              const text::ChatTemplate& chat_template, const ExampleOptions& options,
                              const JobContext& job = {});

}  // namespace studio::dataset
