#include <fmt/format.h>

#include "base/grouped.h"
#include "corpus/importer.h"

namespace studio::corpus {
namespace {

// "1,489 messages"
std::string amount(std::uint64_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", grouped(static_cast<std::int64_t>(n)), n == 1 ? one : many);
}

}  // namespace

std::string ImportReport::summary() const {
    if (already_imported) return fmt::format("{} is imported already; nothing was changed.", file);
    std::string text = fmt::format("{}: {} in {} imported.", file, amount(messages, "message", "messages"),
                                   amount(trees, "tree", "trees"));
    if (merged > 0) text += fmt::format(" {} stored already.", amount(merged, "message was", "messages were"));
    if (orphan_count > 0) {
        text += fmt::format(" {} without its parent: left out of training unless a filter asks for it.",
                            amount(orphan_count, "message is an orphan,", "messages are orphans, each"));
    }
    if (adopted > 0)
        text += fmt::format(" {} found its parent.", amount(adopted, "earlier orphan", "earlier orphans each"));
    if (rejected_count > 0)
        text += fmt::format(" {} rejected.", amount(rejected_count, "line or message was", "lines or messages were"));
    std::uint64_t dropped = 0;
    for (const auto& [field, count] : dropped_values) dropped += count;
    if (dropped > 0)
        text += fmt::format(" {} stored as absent.", amount(dropped, "impossible value was", "impossible values were"));
    if (truncated) text += " " + *truncated;
    return text;
}

}  // namespace studio::corpus
