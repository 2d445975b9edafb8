#include "corpus/conversation.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "corpus/sqlite.h"

namespace studio::corpus {
namespace {

// Not longer than `max_bytes`, and not within a character.
std::string cut(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return std::string(text);
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string firstLine(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view kSpace = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    const std::string_view line = text.substr(begin, text.find_first_of("\r\n", begin) - begin);
    return cut(line.substr(0, line.find_last_not_of(kSpace) + 1), max_bytes);
}

}  // namespace

Result<Conversation> readConversation(Store& store, std::int64_t tree) {
    STUDIO_TRY(std::vector<Message> read, store.messagesOfTree(tree));
    if (read.empty())
        return fail(ErrorCode::NotFound, "This conversation is no longer in the project.",
                    "Choose another one from the list.");
    std::vector<std::size_t> order(read.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return read[a].depth < read[b].depth; });
    Conversation result;
    result.id = read.front().tree_id;
    std::unordered_map<std::string, int> place;
    for (const std::size_t i : order) {
        Message& message = read[i];
        const auto parent = message.parent_id ? place.find(*message.parent_id) : place.end();
        result.parents.push_back(parent == place.end() ? -1 : parent->second);
        place.emplace(message.message_id, static_cast<int>(result.messages.size()));
        result.messages.push_back(std::move(message));
    }
    return result;
}

Result<std::vector<std::string>> firstLines(Store& store, const std::vector<std::int64_t>& rows,
                                            std::size_t max_bytes) {
    // Of a text SQLite's substr() sees nothing behind a NUL.
    STUDIO_TRY(Statement statement,
               store.database().prepare("SELECT substr(CAST(text AS BLOB), 1, 2000) FROM details WHERE id = ?"));
    std::vector<std::string> result;
    result.reserve(rows.size());
    for (const std::int64_t row : rows) {
        statement.bind(1, row);
        STUDIO_TRY(const bool found, statement.step());
        result.push_back(found ? firstLine(statement.text(0), max_bytes) : std::string());
        statement.reset();
    }
    return result;
}

}  // namespace studio::corpus
