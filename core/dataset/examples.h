// Conversations as tokens: what is trained and evaluated on, independent of how it is batched.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/paths.h"
#include "dataset/split.h"
#include "text/chat_template.h"

namespace studio::dataset {

// Which tokens are targets; with `replies` only the last turn's are.
enum class TrainOn : std::uint8_t {
    Assistant,  // text and EOS of assistant turns
    All,        // every token but the first of a path
};
std::string_view name(TrainOn train_on);  // "assistant"
Result<TrainOn> trainOn(std::string_view name);

// The tokens of one message inside an example: its marker, text and end, as far as the length bound lets them exist.
struct Span {
    int message = 0;         // index into Examples::message_ids
    int parent = -1;         // the span it answers, by index within its example, smaller than its own; -1: none
    int begin = 0, end = 0;  // tokens [begin, end) of the example; spans tile the example in order
    int position = 0;        // of the first token: number of tokens of all its ancestors
    int size() const { return end - begin; }
    bool operator==(const Span&) const = default;
};

// One example, seen. A path is a tree whose every span answers the one before it.
struct Example {
    int tree = 0;  // index into Examples::tree_ids
    // Index into Examples::message_ids: where the path ends, even where the bound cut it before; of a tree the last
    // message of the depth-first order.
    int last_message = 0;
    std::span<const Span> spans;
    std::span<const int> tokens;
    std::span<const text::SpanKind> kinds;     // of each token
    std::span<const std::uint8_t> supervised;  // 1: this token is a target
    int size() const { return static_cast<int>(tokens.size()); }
};

// Positions the example needs: tokens of its longest path.
int longestPath(const Example& example);

// What was not taken, by reason.
struct LeftOut {
    std::int64_t trees_without_reply = 0;      // no assistant message that can be reached
    std::int64_t examples_without_target = 0;  // the length bound left nothing to learn
    std::int64_t messages_out_of_order = 0;    // roles that do not alternate, with their replies
    std::int64_t conversations() const { return trees_without_reply + examples_without_target; }
    bool operator==(const LeftOut&) const = default;
};

struct Statistics {
    std::int64_t conversations = 0;  // distinct trees with at least one example
    std::int64_t examples = 0;
    std::int64_t tokens = 0;  // of the examples, after cutting
    std::int64_t supervised_tokens = 0;
    std::int64_t cut_tokens = 0;  // beyond max_seq_length, of examples kept and left out
    // Tokens of the examples ÷ tokens of their distinct messages: how often the same token is computed. 1 for `tree`.
    double repetition = 1;
    LeftOut left_out;
    bool operator==(const Statistics&) const = default;
};

struct ExampleOptions {
    PathPolicy paths = PathPolicy::Best;
    TrainOn train_on = TrainOn::Assistant;
    int max_seq_length = 0;          // tokens of a path; 0: unbounded
    double validation_fraction = 0;  // of the trees that have a reply
    std::uint64_t seed = 42;         // of the split
};

// All examples of a dataset in flat arrays, in the order of the data. Memory: 6 bytes a token and 20 a message.
class Examples {
  public:
    PathPolicy paths = PathPolicy::Best;
    TrainOn train_on = TrainOn::Assistant;
    int max_seq_length = 0;
    std::vector<std::string> tree_ids, message_ids;
    std::vector<Split> split;  // of each tree
    Statistics statistics;

    int size() const { return static_cast<int>(example_tree.size()); }
    Example operator[](int index) const;
    const std::string& treeId(int example) const;
    const std::string& lastMessageId(int example) const;
    // Indices of the examples of one side, in the order of the data.
    std::vector<int> of(Split side) const;
    std::vector<int> all() const;
    int longestPath() const;  // of all examples

    // Appends one example whose spans count tokens from its own start.
    void append(int tree, int last_message, std::span<const Span> example_spans, std::span<const int> ids,
                std::span<const text::SpanKind> id_kinds, std::span<const std::uint8_t> id_supervised);

    // The arrays themselves, for reading and writing. Example i owns spans [span_end[i-1], span_end[i]) and tokens
    // [token_end[i-1], token_end[i]).
    std::vector<int> example_tree, example_last_message;
    std::vector<std::int64_t> span_end, token_end;
    std::vector<Span> spans;
    std::vector<int> tokens;
    std::vector<text::SpanKind> kinds;
    std::vector<std::uint8_t> supervised;
};

}  // namespace studio::dataset
