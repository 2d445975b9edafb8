// One conversation with all its messages, and the first lines that lists show.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "corpus/message.h"
#include "corpus/store.h"

namespace studio::corpus {

struct Conversation {
    std::string id;
    // Deleted ones and orphans included; parents before their replies, siblings in file order.
    std::vector<Message> messages;
    std::vector<int> parents;  // index into `messages` of what each answers; -1: nothing, or not in the store
};

// `tree`: Catalogue::Tree::row. NotFound if it is gone.
Result<Conversation> readConversation(Store& store, std::int64_t tree);

// Of each message (by row) the first line that is not empty, cut after about `max_bytes` at a character's end.
Result<std::vector<std::string>> firstLines(Store& store, const std::vector<std::int64_t>& rows,
                                            std::size_t max_bytes = 240);

}  // namespace studio::corpus
