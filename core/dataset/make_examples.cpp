#include "dataset/make_examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace studio::dataset {
namespace {

using text::SpanKind;

constexpr int kVanished = -2;  // in `span_of`: beyond the length bound, and so is everything below

// Renders the examples of one tree after the other into `out`; its buffers are kept between trees.
class Renderer {
  public:
    Renderer(const text::Tokenizer& tokenizer, const text::ChatTemplate& chat_template, Examples& out)
        : tokenizer_(tokenizer),
          template_(chat_template),
          out_(out),
          max_length_(out.max_seq_length > 0 ? out.max_seq_length : std::numeric_limits<int>::max()) {}

    Result<void> add(const TreeIndex& index, int tree) {
        STUDIO_CHECK(tokenise(index));
        const int examples_before = out_.size();
        if (out_.paths == PathPolicy::Tree) {
            addExample(index.tree(), index.depthFirst(), tree, false);
        } else {
            for (const int end : index.pathEnds(out_.paths))
                addExample(index.tree(), index.pathTo(end), tree, out_.paths == PathPolicy::Replies);
        }
        if (out_.size() > examples_before) ++out_.statistics.conversations;
        return {};
    }

    std::int64_t distinctTokens() const { return distinct_tokens_; }

  private:
    // A turn's tokens depend on its role and on whether it is the first, never on the path: once a message is enough.
    Result<void> tokenise(const TreeIndex& index) {
        const auto& nodes = index.tree().nodes;
        rendered_.ids.clear();
        rendered_.kinds.clear();
        begin_.assign(nodes.size(), 0);
        end_.assign(nodes.size(), 0);
        message_of_.assign(nodes.size(), -1);
        counted_.assign(nodes.size(), false);
        span_of_.assign(nodes.size(), kVanished);
        for (const int node : index.depthFirst()) {
            const auto begin = rendered_.ids.size();
            template_.appendTurn(tokenizer_, {nodes[node].role, nodes[node].text}, nodes[node].parent < 0, rendered_);
            if (rendered_.ids.size() > std::numeric_limits<int>::max() / 2)
                return fail(ErrorCode::OutOfRange,
                            fmt::format("The conversation {} has more than a billion tokens.", index.tree().id),
                            "Leave it out with a filter.");
            begin_[node] = static_cast<int>(begin);
            end_[node] = static_cast<int>(rendered_.ids.size());
        }
        return {};
    }

    // `nodes`: a path, or a whole tree with parents first.
    void addExample(const Tree& tree, const std::vector<int>& nodes, int tree_index, bool only_last) {
        spans_.clear();
        ids_.clear();
        kinds_.clear();
        supervised_.clear();
        kept_.clear();
        std::int64_t targets = 0;
        for (const int node : nodes) {
            const int parent = tree.nodes[node].parent < 0 ? -1 : span_of_[tree.nodes[node].parent];
            const int length = end_[node] - begin_[node];
            int size = 0, position = 0;
            if (parent != kVanished) {
                position = parent < 0 ? 0 : spans_[parent].position + spans_[parent].size();
                size = std::min(length, max_length_ - position);
            }
            out_.statistics.cut_tokens += length - size;
            if (size == 0) {  // a turn the template has no words for is passed over
                span_of_[node] = length == 0 ? parent : kVanished;
                continue;
            }
            span_of_[node] = static_cast<int>(spans_.size());
            kept_.push_back(node);
            const int begin = static_cast<int>(ids_.size());
            spans_.push_back({node, parent, begin, begin + size, position});
            ids_.insert(ids_.end(), rendered_.ids.begin() + begin_[node], rendered_.ids.begin() + begin_[node] + size);
            for (int i = begin_[node]; i < begin_[node] + size; ++i) {
                const bool target =
                    (!only_last || node == nodes.back()) && isTarget(i, i == begin_[node] && parent < 0);
                kinds_.push_back(rendered_.kinds[i]);
                supervised_.push_back(target);
                targets += target;
            }
        }
        if (targets == 0) {
            ++out_.statistics.left_out.examples_without_target;
            return;
        }
        for (Span& span : spans_) span.message = messageIndex(tree, span.message);
        out_.append(tree_index, messageIndex(tree, nodes.back()), spans_, ids_, kinds_, supervised_);
        out_.statistics.supervised_tokens += targets;
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            if (counted_[kept_[i]]) continue;
            counted_[kept_[i]] = true;
            distinct_tokens_ += spans_[i].size();
        }
    }

    bool isTarget(int token, bool first_of_path) const {
        if (out_.train_on == TrainOn::All) return !first_of_path;
        const SpanKind kind = rendered_.kinds[token];
        return !first_of_path && (kind == SpanKind::AssistantText || kind == SpanKind::AssistantEnd);
    }

    int messageIndex(const Tree& tree, int node) {
        if (message_of_[node] < 0) {
            message_of_[node] = static_cast<int>(out_.message_ids.size());
            out_.message_ids.push_back(tree.nodes[node].message_id);
        }
        return message_of_[node];
    }

    const text::Tokenizer& tokenizer_;
    const text::ChatTemplate& template_;
    Examples& out_;
    int max_length_;
    std::int64_t distinct_tokens_ = 0;

    text::Tokens rendered_;                                // all messages of the tree
    std::vector<int> begin_, end_, message_of_, span_of_;  // of each node
    std::vector<bool> counted_;                            // of each node: in `distinct_tokens_`

    std::vector<Span> spans_;
    std::vector<int> ids_, kept_;
    std::vector<SpanKind> kinds_;
    std::vector<std::uint8_t> supervised_;
};

}  // namespace

Result<void> checkTree(const Tree& tree) {
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
        if (tree.nodes[i].parent >= 0 && static_cast<std::size_t>(tree.nodes[i].parent) >= i)
            return fail(ErrorCode::Internal,
                        fmt::format("In the conversation {} the message {} comes before the one it answers.", tree.id,
                                    tree.nodes[i].message_id),
                        "This is a fault of the program.");
    }
    return {};
}

Result<Examples> makeExamples(const std::vector<Tree>& trees, const text::Tokenizer& tokenizer,
                              const text::ChatTemplate& chat_template, const ExampleOptions& options,
                              const JobContext& job) {
    if (options.max_seq_length < 0)
        return fail(ErrorCode::InvalidArgument, "max_seq_length is negative.",
                    "Give the longest path in tokens, e.g. 512.");
    Examples out;
    out.paths = options.paths;
    out.train_on = options.train_on;
    out.max_seq_length = options.max_seq_length;
    Statistics& statistics = out.statistics;
    Renderer renderer(tokenizer, chat_template, out);

    Progress progress{"Tokenising conversations", 0, trees.size(), "conversations"};
    for (const Tree& tree : trees) {
        if (job.stopped()) return cancelled();
        if (progress.done++ % 256 == 0) job.report(progress);
        STUDIO_CHECK(checkTree(tree));
        const TreeIndex index(tree);
        statistics.left_out.messages_out_of_order += index.messagesOutOfOrder();
        if (!index.hasReply()) {
            ++statistics.left_out.trees_without_reply;
            continue;
        }
        out.tree_ids.push_back(tree.id);
        STUDIO_CHECK(renderer.add(index, static_cast<int>(out.tree_ids.size()) - 1));
    }
    job.report(progress);

    STUDIO_TRY(out.split, splitByTree(out.tree_ids, options.validation_fraction, options.seed));
    statistics.examples = out.size();
    statistics.tokens = static_cast<std::int64_t>(out.tokens.size());
    if (renderer.distinctTokens() > 0)
        statistics.repetition = static_cast<double>(statistics.tokens) / static_cast<double>(renderer.distinctTokens());
    return out;
}

}  // namespace studio::dataset
