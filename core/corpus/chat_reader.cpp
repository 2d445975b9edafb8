// Plain chats: {"messages": [{"role", "content"}]}, {"conversations": [{"from", "value"}]}, {"prompt", "response"},
// {"instruction", "input", "output"}.
#include <fmt/format.h>

#include "corpus/conversation_reader.h"
#include "io/sha256.h"

namespace studio::corpus {
namespace {

struct ChatTurn {
    Role role;
    std::string_view text;
};

struct Chat {
    std::vector<ChatTurn> turns;
    std::string joined;  // instruction and input, which make one turn
};

using Reason = std::optional<std::string>;

std::optional<Role> chatRole(std::string_view name) {
    struct Entry {
        std::string_view name;
        Role role;
    };
    static constexpr Entry kRoles[] = {
        {"user", Role::Prompter},       {"human", Role::Prompter},    {"prompter", Role::Prompter},
        {"assistant", Role::Assistant}, {"gpt", Role::Assistant},     {"model", Role::Assistant},
        {"bot", Role::Assistant},       {"chatgpt", Role::Assistant}, {"system", Role::System},
    };
    for (const Entry& entry : kRoles)
        if (entry.name == name) return entry.role;
    return std::nullopt;
}

// The first of `keys` that the object has.
std::optional<JsonElement> anyOf(JsonObject object, std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
        JsonElement value;
        if (object[key].get(value) == simdjson::SUCCESS && !value.is_null()) return value;
    }
    return std::nullopt;
}

Reason readTurn(JsonElement element, std::size_t number, Chat& chat) {
    JsonObject object;
    if (element.get(object) != simdjson::SUCCESS) return fmt::format("Turn {} is not an object.", number);
    const auto who = anyOf(object, {"role", "from"});
    std::string_view name, text;
    if (!who || who->get(name) != simdjson::SUCCESS) return fmt::format("Turn {} does not say whose it is.", number);
    const auto role = chatRole(name);
    if (!role) {
        return fmt::format("The role \"{}\" of turn {} is unknown; user, assistant and system are known.",
                           name.substr(0, 40), number);
    }
    const auto content = anyOf(object, {"content", "value"});
    if (!content || content->get(text) != simdjson::SUCCESS) return fmt::format("Turn {} has no text.", number);
    chat.turns.push_back({*role, text});
    return std::nullopt;
}

Reason readTurns(JsonElement list, Chat& chat) {
    simdjson::dom::array turns;
    if (list.get(turns) != simdjson::SUCCESS) return "Its messages are not a list.";
    if (turns.size() == 0) return "It is a conversation without messages.";
    std::size_t number = 0;
    for (const JsonElement turn : turns)
        if (auto reason = readTurn(turn, ++number, chat)) return reason;
    return std::nullopt;
}

Reason readPair(JsonObject line, JsonElement prompt, Chat& chat) {
    std::string_view question, input, answer, system;
    if (prompt.get(question) != simdjson::SUCCESS) return "Its prompt is not a string.";
    const auto response = anyOf(line, {"response", "output", "completion", "answer"});
    if (!response) return "It has a prompt, but no response.";
    if (response->get(answer) != simdjson::SUCCESS) return "Its response is not a string.";
    if (const auto more = anyOf(line, {"input"}); more && more->get(input) != simdjson::SUCCESS)
        return "Its input is not a string.";
    if (line["system"].get(system) == simdjson::SUCCESS && !system.empty())
        chat.turns.push_back({Role::System, system});
    if (!input.empty()) {
        chat.joined = fmt::format("{}\n\n{}", question, input);
        question = chat.joined;
    }
    chat.turns.push_back({Role::Prompter, question});
    chat.turns.push_back({Role::Assistant, answer});
    return std::nullopt;
}

Reason readAny(JsonObject line, Chat& chat) {
    if (const auto turns = anyOf(line, {"messages", "conversations"})) return readTurns(*turns, chat);
    return readPair(line, *anyOf(line, {"prompt", "instruction"}), chat);
}

}  // namespace

bool isChat(JsonObject line) {
    return anyOf(line, {"messages", "conversations", "prompt", "instruction"}).has_value();
}

Result<void> readChat(JsonObject line, LineOrigin origin, MessageFields& fields, MessageSink& sink) {
    Chat chat;
    if (auto reason = readAny(line, chat)) {
        sink.reject({}, std::move(*reason));
        return {};
    }
    // The same line at the same place is the same conversation in every later version of a file that grows.
    const std::string tree_id = fmt::format("chat-{:.24}-{}", io::sha256(origin.text), origin.number);
    std::string id, parent_id;
    for (std::size_t i = 0; i < chat.turns.size(); ++i) {
        fields.clear();
        id = fmt::format("{}-{}", tree_id, i + 1);
        fields.message_id = id;
        fields.tree_id = tree_id;
        if (i > 0) fields.parent_id = parent_id;
        fields.role = chat.turns[i].role;
        fields.text = chat.turns[i].text;
        std::string_view lang;
        if (line["lang"].get(lang) == simdjson::SUCCESS && !lang.empty() && lang.size() < 32) fields.lang = lang;
        STUDIO_CHECK(sink.add(fields));
        parent_id = id;
    }
    return {};
}

}  // namespace studio::corpus
