#include "dataset/examples.h"

#include <algorithm>
#include <numeric>

namespace studio::dataset {

std::string_view name(TrainOn train_on) {
    return train_on == TrainOn::All ? "all" : "assistant";
}

Result<TrainOn> trainOn(std::string_view name) {
    if (name == "assistant") return TrainOn::Assistant;
    if (name == "all") return TrainOn::All;
    return fail(ErrorCode::InvalidArgument, "There is no way to train on “" + std::string(name) + "”.",
                "Use assistant or all.");
}

int longestPath(const Example& example) {
    int longest = 0;
    for (const Span& span : example.spans) longest = std::max(longest, span.position + span.size());
    return longest;
}

Example Examples::operator[](int index) const {
    const auto slice = [index](const auto& values, const std::vector<std::int64_t>& end) {
        const std::int64_t begin = index == 0 ? 0 : end[index - 1];
        return std::span(values.data() + begin, static_cast<std::size_t>(end[index] - begin));
    };
    Example example;
    example.tree = example_tree[index];
    example.last_message = example_last_message[index];
    example.spans = slice(spans, span_end);
    example.tokens = slice(tokens, token_end);
    example.kinds = slice(kinds, token_end);
    example.supervised = slice(supervised, token_end);
    return example;
}

const std::string& Examples::treeId(int example) const {
    return tree_ids[example_tree[example]];
}

const std::string& Examples::lastMessageId(int example) const {
    return message_ids[example_last_message[example]];
}

std::vector<int> Examples::of(Split side) const {
    std::vector<int> indices;
    for (int i = 0; i < size(); ++i)
        if (split[example_tree[i]] == side) indices.push_back(i);
    return indices;
}

std::vector<int> Examples::all() const {
    std::vector<int> indices(size());
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
}

int Examples::longestPath() const {
    int longest = 0;
    for (const Span& span : spans) longest = std::max(longest, span.position + span.size());
    return longest;
}

void Examples::append(int tree, int last_message, std::span<const Span> example_spans, std::span<const int> ids,
                      std::span<const text::SpanKind> id_kinds, std::span<const std::uint8_t> id_supervised) {
    example_tree.push_back(tree);
    example_last_message.push_back(last_message);
    spans.insert(spans.end(), example_spans.begin(), example_spans.end());
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    kinds.insert(kinds.end(), id_kinds.begin(), id_kinds.end());
    supervised.insert(supervised.end(), id_supervised.begin(), id_supervised.end());
    span_end.push_back(static_cast<std::int64_t>(spans.size()));
    token_end.push_back(static_cast<std::int64_t>(tokens.size()));
}

}  // namespace studio::dataset
