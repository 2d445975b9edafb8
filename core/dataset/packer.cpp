#include "dataset/packer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace studio::dataset {
namespace {

// Adds the spans of one piece as rows of `batch`.
class Layout {
  public:
    Layout(const Example& example, int sample, Batch& batch) : example_(example), sample_(sample), batch_(batch) {}

    void path() {
        const int begin = batch_.rows();
        batch_.segments.push_back({begin, begin + example_.size(), sample_, {}});
        for (int i = 0; i < example_.size(); ++i) batch_.positions.push_back(i);
        batch_.tokens.insert(batch_.tokens.end(), example_.tokens.begin(), example_.tokens.end());
        for (int i = 1; i < example_.size(); ++i)
            if (example_.supervised[i]) batch_.targets.push_back({begin + i - 1, example_.tokens[i], 1});
    }

    void tree(std::span<const GroupSpan> members) {
        const auto first_target = static_cast<std::ptrdiff_t>(batch_.targets.size());
        row_of_.assign(example_.spans.size(), -1);
        for (const auto& [index, supervised] : members) {
            const Span& span = example_.spans[index];
            const int begin = batch_.rows();
            row_of_[index] = begin;
            batch_.segments.push_back({begin, begin + span.size(), sample_, context(span)});
            for (int i = 0; i < span.size(); ++i) batch_.positions.push_back(span.position + i);
            batch_.tokens.insert(batch_.tokens.end(), example_.tokens.begin() + span.begin,
                                 example_.tokens.begin() + span.end);
            if (supervised) addTargets(span, begin);
        }
        // A message's first token is a target of an earlier segment's row.
        std::stable_sort(batch_.targets.begin() + first_target, batch_.targets.end(),
                         [](const Target& a, const Target& b) { return a.row < b.row; });
    }

  private:
    // The rows of all ancestors, root first; neighbours become one range.
    std::vector<Range> context(const Span& span) const {
        std::vector<Range> ranges;
        for (int at = span.parent; at >= 0; at = example_.spans[at].parent) {
            const Range rows{row_of_[at], row_of_[at] + example_.spans[at].size()};
            if (!ranges.empty() && rows.end == ranges.back().begin)
                ranges.back().begin = rows.begin;
            else
                ranges.push_back(rows);
        }
        std::reverse(ranges.begin(), ranges.end());
        return ranges;
    }

    void addTargets(const Span& span, int begin) {
        if (example_.supervised[span.begin] && span.parent >= 0) {
            const int last_row_of_parent = row_of_[span.parent] + example_.spans[span.parent].size() - 1;
            batch_.targets.push_back({last_row_of_parent, example_.tokens[span.begin], 1});
        }
        for (int i = 1; i < span.size(); ++i) {
            if (example_.supervised[span.begin + i])
                batch_.targets.push_back({begin + i - 1, example_.tokens[span.begin + i], 1});
        }
    }

    const Example& example_;
    int sample_;
    Batch& batch_;
    std::vector<int> row_of_;  // of each span's first token
};

int targetsOf(const Example& example) {
    return static_cast<int>(std::count(example.supervised.begin(), example.supervised.end(), 1));
}

int targetsOf(const Example& example, const Group& group) {
    std::ptrdiff_t count = 0;
    for (const auto& [index, supervised] : group) {
        const Span& span = example.spans[index];
        if (supervised)
            count += std::count(example.supervised.begin() + span.begin, example.supervised.begin() + span.end, 1);
    }
    return static_cast<int>(count);
}

}  // namespace

Result<Pieces> makePieces(const Examples& examples, std::span<const int> which, int max_rows) {
    if (max_rows < 0) return fail(ErrorCode::InvalidArgument, "The number of rows of a micro-batch is negative.");
    if (max_rows == 0) max_rows = std::numeric_limits<int>::max();
    Pieces out;
    for (const int index : which) {
        if (index < 0 || index >= examples.size())
            return fail(ErrorCode::Internal, fmt::format("There is no example {}.", index),
                        "This is a fault of the program.");
        const Example example = examples[index];
        if (const int longest = longestPath(example); longest > max_rows)
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("A path of the conversation {} has {} tokens, more than the {} of a micro-batch.",
                                    examples.treeId(index), longest, max_rows),
                        "Prepare the data with a smaller max_seq_length, or raise the batch size or max_seq_length.");
        if (example.size() <= max_rows) {
            out.pieces.push_back({index, -1, example.size(), targetsOf(example)});
            continue;
        }
        for (Group& group : divide(example.spans, max_rows)) {
            Piece piece{index, static_cast<int>(out.groups.size()), 0, targetsOf(example, group)};
            if (piece.targets == 0) continue;
            for (const auto& [span, supervised] : group) {
                piece.rows += example.spans[span].size();
                if (!supervised) out.repeated_rows += example.spans[span].size();
            }
            out.pieces.push_back(piece);
            out.groups.push_back(std::move(group));
        }
    }
    return out;
}

std::vector<MicroBatch> batchInOrder(std::span<const int> order, int batch_size) {
    std::vector<MicroBatch> batches;
    for (std::size_t i = 0; i < order.size(); i += batch_size) {
        const std::size_t count = std::min<std::size_t>(batch_size, order.size() - i);
        const auto part = order.subspan(i, count);
        batches.emplace_back(part.begin(), part.end());
    }
    return batches;
}

std::vector<MicroBatch> packBestFit(std::span<const int> order, const Pieces& pieces, int max_rows) {
    std::vector<MicroBatch> batches;
    std::set<std::pair<int, int>> room;  // rows left, index into `batches`
    for (const int piece : order) {
        const int rows = pieces.pieces[piece].rows;
        const auto fit = room.lower_bound({rows, -1});
        if (fit == room.end()) {
            room.emplace(max_rows - rows, static_cast<int>(batches.size()));
            batches.push_back({piece});
            continue;
        }
        const auto [left, index] = *fit;
        room.erase(fit);
        if (left > rows) room.emplace(left - rows, index);
        batches[index].push_back(piece);
    }
    return batches;
}

Batch makeBatch(const Examples& examples, const Pieces& pieces, std::span<const int> micro_batch) {
    Batch batch;
    std::size_t rows = 0, targets = 0;
    for (const int index : micro_batch) {
        rows += pieces.pieces[index].rows;
        targets += pieces.pieces[index].targets;
    }
    batch.tokens.reserve(rows);
    batch.positions.reserve(rows);
    batch.targets.reserve(targets);

    Group whole;
    for (const int index : micro_batch) {
        const Piece& piece = pieces.pieces[index];
        const Example example = examples[piece.example];
        const int sample = static_cast<int>(batch.samples.size());
        batch.samples.push_back(piece.example);
        Layout layout(example, sample, batch);
        if (examples.paths != PathPolicy::Tree) {
            layout.path();
        } else if (piece.group >= 0) {
            layout.tree(pieces.groups[piece.group]);
        } else {
            whole.clear();
            for (int i = 0; i < static_cast<int>(example.spans.size()); ++i) whole.push_back({i, true});
            layout.tree(whole);
        }
    }
    return batch;
}

}  // namespace studio::dataset
