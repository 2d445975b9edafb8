// A chat on the disk: PROJECT/chats/<id>.json, a tree of turns with the branch that is shown.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/json.h"

namespace studio::project {

// Which model is asked. A run is named by its folder below runs/, so that a project can be moved.
struct ChatModel {
    std::string run;         // empty: a base model or an adapter outside of the project
    std::string checkpoint;  // "", "best" or "checkpoint-N"; empty: the newest, or the live adapter
    std::string base;        // folder; empty with a run
    std::string adapter;     // PEFT folder outside of the project
    bool operator==(const ChatModel&) const = default;
};

struct ChatSettings {
    ChatModel model;
    double strength = 1;   // of the adapter
    bool compare = false;  // ask the base as well
    std::string system;
    double temperature = 0.7, top_p = 0.9, repetition = 1;
    int top_k = 0;
    std::uint64_t seed = 42;
    int max_new_tokens = 256;
    bool operator==(const ChatSettings&) const = default;
};

enum class ChatEnd : std::uint8_t {
    Growing,  // being written; read from a file it means that the program went away
    ByItself,
    StopString,
    MaxTokens,
    ContextFull,
    Stopped,   // by the person
    RunEnded,  // the run whose live adapter answered ended
    Failed,
};
std::string_view name(ChatEnd end);

struct ChatReply {
    std::string label;  // "studio-r16 @ 400"
    bool base = false;  // which of the two colours
    std::string text;
    ChatEnd end = ChatEnd::Growing;
    std::string error;  // with Failed: what happened and what to do
    int prompt_tokens = 0, new_tokens = 0, dropped_turns = 0;
    double seconds = 0, first_token_seconds = 0;
    std::uint64_t seed = 0;
    double strength = 1;
    bool operator==(const ChatReply&) const = default;
};

// A prompt, or what was answered to it: one reply, or two side by side.
struct ChatNode {
    int parent = -1;  // -1: the beginning
    int shown = -1;   // the child that is shown, as an index; -1: none
    bool answer = false;
    std::string prompt;
    std::vector<ChatReply> replies;
    bool operator==(const ChatNode&) const = default;
};

struct Chat {
    std::string id;
    std::string title;             // empty: made of the first prompt
    std::string created, changed;  // ISO 8601, UTC
    ChatSettings settings;
    std::string draft;  // what is written and not yet sent
    std::vector<ChatNode> nodes;
    int shown = -1;  // the first node that is shown
    bool operator==(const Chat&) const = default;

    std::vector<int> path() const;              // of what is shown, from the beginning
    std::vector<int> siblings(int node) const;  // with itself, in the order they were made
    int add(int parent, ChatNode node);         // shows it; returns its index
    void show(int node);                        // and, below it, what was shown there last
    std::string heading() const;                // the title, or the start of the first prompt; may be empty
    int branches() const;                       // ends of the tree
};

std::string newChatId();  // by time, unique within a project
std::string chatTimeNow();

io::Json toJson(const Chat& chat);
// Corrupt: no chat. Unsupported: of a newer version. A reply that was growing is Stopped.
Result<Chat> chatFromJson(const io::Json& json);

// Atomically; creates the folder.
Result<void> saveChat(const std::filesystem::path& chats, const Chat& chat);

struct ChatList {
    std::vector<Chat> chats;         // what was changed last comes first
    std::vector<std::string> notes;  // what could not be read and what became of it, as sentences
};
// A file that is no chat is kept as FILE.broken and named.
ChatList listChats(const std::filesystem::path& chats);

// Into `project`/trash/chats, and back.
Result<void> trashChat(const std::filesystem::path& project, const std::string& id);
Result<void> restoreChat(const std::filesystem::path& project, const std::string& id);

// The shown branch for other programs to read.
std::string chatMarkdown(const Chat& chat);

}  // namespace studio::project
