#include "corpus/conversation_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace studio::corpus {
namespace {

bool has(JsonObject object, std::string_view key) {
    JsonElement value;
    return object[key].get(value) == simdjson::SUCCESS && !value.is_null();
}

std::optional<std::string_view> stringField(JsonObject object, std::string_view key) {
    std::string_view text;
    if (object[key].get(text) != simdjson::SUCCESS || text.empty()) return std::nullopt;
    return text;
}

}  // namespace

// Gives fields_ the tree and parent that follow from where the message stands.
std::optional<std::string> ConversationReader::placeInTree(const Pending& place) {
    if (!fields_.tree_id) fields_.tree_id = tree_id_;
    if (!fields_.tree_state) fields_.tree_state = tree_state_;
    if (place.nested) {
        if (place.parent_id.empty()) return "It stands under a message without an id.";
        if (fields_.parent_id && *fields_.parent_id != place.parent_id) {
            return fmt::format("It stands under the message {}, but names {} as its parent.", place.parent_id,
                               *fields_.parent_id);
        }
        fields_.parent_id = place.parent_id;
    }
    // A flat row without a tree id: a root is its own tree.
    if (!fields_.tree_id && !fields_.parent_id) fields_.tree_id = fields_.message_id;
    if (!fields_.tree_id) return "It has no message_tree_id.";
    return std::nullopt;
}

// The first reply on top, so that it comes next.
void ConversationReader::pushReplies(JsonObject message, MessageSink& sink) {
    simdjson::dom::array replies;
    if (message["replies"].get(replies) != simdjson::SUCCESS) return;
    const std::size_t first = pending_.size();
    for (const JsonElement reply : replies) {
        JsonObject object;
        if (reply.get(object) == simdjson::SUCCESS)
            pending_.push_back({object, true, fields_.message_id});
        else
            sink.reject(fields_.message_id, "One of its replies is not an object.");
    }
    std::reverse(pending_.begin() + static_cast<std::ptrdiff_t>(first), pending_.end());
}

// Reads one message into fields_ and hands it on.
Result<void> ConversationReader::readOne(const Pending& place, MessageSink& sink) {
    auto reason = readMessageFields(place.message, fields_, sink.dropped());
    if (!reason) reason = placeInTree(place);
    if (!tree_id_) tree_id_ = fields_.tree_id;  // of a flat row or a thread, for what follows
    if (!tree_state_) tree_state_ = fields_.tree_state;
    if (!reason) return sink.add(fields_);
    sink.reject(fields_.message_id, std::move(*reason));
    return {};
}

// Depth first, as the flat files are: a message, then its replies in their order. No recursion.
Result<void> ConversationReader::readNested(JsonObject message, MessageSink& sink) {
    pending_.assign(1, {message, false, {}});
    while (!pending_.empty()) {
        const Pending next = pending_.back();
        pending_.pop_back();
        STUDIO_CHECK(readOne(next, sink));
        pushReplies(next.message, sink);
    }
    return {};
}

Result<void> ConversationReader::readTree(JsonObject line, MessageSink& sink) {
    tree_id_ = stringField(line, "message_tree_id");
    tree_state_ = stringField(line, "tree_state");
    JsonObject prompt;
    if (!tree_id_) {
        sink.reject({}, "Its message_tree_id is not a string, or empty.");
    } else if (line["prompt"].get(prompt) != simdjson::SUCCESS) {
        sink.reject({}, "It is a tree without a prompt.");
    } else {
        return readNested(prompt, sink);
    }
    return {};
}

Result<void> ConversationReader::readThread(JsonObject line, MessageSink& sink) {
    simdjson::dom::array thread;
    if (line["thread"].get(thread) != simdjson::SUCCESS || thread.size() == 0) {
        sink.reject({}, "It is a thread without messages.");
        return {};
    }
    std::string_view previous;
    bool first = true;
    for (const JsonElement element : thread) {
        JsonObject message;
        if (element.get(message) != simdjson::SUCCESS) {
            sink.reject({}, "One of its thread's messages is not an object.");
            return {};
        }
        STUDIO_CHECK(readOne({message, !first, previous}, sink));
        previous = fields_.message_id;
        first = false;
    }
    return {};
}

Result<void> ConversationReader::read(JsonObject line, LineOrigin origin, MessageSink& sink) {
    tree_id_.reset();
    tree_state_.reset();
    if (has(line, "message_id")) return readNested(line, sink);
    if (has(line, "message_tree_id")) return readTree(line, sink);
    if (has(line, "thread_id")) return readThread(line, sink);
    if (isChat(line)) return readChat(line, origin, fields_, sink);
    sink.reject({},
                "It holds no conversation: none of message_id, message_tree_id, thread_id, messages, conversations, "
                "prompt and instruction is there.");
    return {};
}

}  // namespace studio::corpus
