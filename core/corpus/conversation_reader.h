// Which of the known kinds a line is, and the messages in it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "corpus/message_fields.h"

namespace studio::corpus {

class MessageSink {
  public:
    virtual ~MessageSink() = default;
    virtual Result<void> add(const MessageFields& fields) = 0;
    // `message_id` is empty where the whole line is meant.
    virtual void reject(std::string_view message_id, std::string reason) = 0;
    virtual DroppedValues& dropped() = 0;
};

struct LineOrigin {
    std::string_view text;     // of the line
    std::uint64_t number = 0;  // from 1
};

class ConversationReader {
  public:
    // OASST messages (message_id), trees (message_tree_id) and threads (thread_id), told apart in this order, and chats
    // (messages, conversations, prompt, instruction). Rejections go to the sink; an error is the sink's own.
    Result<void> read(JsonObject line, LineOrigin origin, MessageSink& sink);

  private:
    struct Pending {
        JsonObject message;
        bool nested = false;  // in the message with the id `parent_id`, empty if that has none
        std::string_view parent_id;
    };

    Result<void> readTree(JsonObject line, MessageSink& sink);
    Result<void> readThread(JsonObject line, MessageSink& sink);
    Result<void> readOne(const Pending& place, MessageSink& sink);
    Result<void> readNested(JsonObject message, MessageSink& sink);
    std::optional<std::string> placeInTree(const Pending& place);
    void pushReplies(JsonObject message, MessageSink& sink);

    std::vector<Pending> pending_;
    std::optional<std::string_view> tree_id_, tree_state_;  // of the row around the messages
    MessageFields fields_;
};

// A chat as a tree of one path, its ids made from the line's bytes and number. False if the object is no chat.
bool isChat(JsonObject line);
Result<void> readChat(JsonObject line, LineOrigin origin, MessageFields& fields, MessageSink& sink);

}  // namespace studio::corpus
