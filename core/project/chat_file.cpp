#include "project/chat_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <system_error>

#include "io/file.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;
constexpr std::size_t kMaxNodes = 100000;
constexpr std::array<std::string_view, 8> kEnds{"growing",      "by_itself", "stop_string", "max_tokens",
                                                "context_full", "stopped",   "run_ended",   "failed"};

// Values out of range or of another type count as absent: what was written by hand never costs the conversation.
template <class T>
T value(const io::Json& json, const char* key, T otherwise) {
    const auto found = json.find(key);
    if (found == json.end()) return otherwise;
    if constexpr (std::is_same_v<T, std::string>) {
        return found->is_string() ? found->template get<std::string>() : otherwise;
    } else if constexpr (std::is_same_v<T, bool>) {
        return found->is_boolean() ? found->template get<bool>() : otherwise;
    } else if constexpr (std::is_same_v<T, double>) {
        const double number = found->is_number() ? found->template get<double>() : otherwise;
        return std::isfinite(number) ? number : otherwise;
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        return found->is_number_unsigned() ? found->template get<std::uint64_t>() : otherwise;
    } else {
        if (!found->is_number_integer()) return otherwise;
        const auto number = found->template get<std::int64_t>();
        return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max()
                   ? static_cast<T>(number)
                   : otherwise;
    }
}

io::Json settingsJson(const ChatSettings& s) {
    return {{"model",
             {{"run", s.model.run},
              {"checkpoint", s.model.checkpoint},
              {"base", s.model.base},
              {"adapter", s.model.adapter}}},
            {"strength", s.strength},
            {"compare", s.compare},
            {"system", s.system},
            {"temperature", s.temperature},
            {"top_p", s.top_p},
            {"top_k", s.top_k},
            {"repetition", s.repetition},
            {"seed", s.seed},
            {"max_new_tokens", s.max_new_tokens}};
}

ChatSettings settingsFrom(const io::Json& json) {
    ChatSettings s;
    if (!json.is_object()) return s;
    if (const auto model = json.find("model"); model != json.end() && model->is_object())
        s.model = {value<std::string>(*model, "run", {}), value<std::string>(*model, "checkpoint", {}),
                   value<std::string>(*model, "base", {}), value<std::string>(*model, "adapter", {})};
    s.strength = std::clamp(value(json, "strength", s.strength), 0.0, 1.0);
    s.compare = value(json, "compare", s.compare);
    s.system = value<std::string>(json, "system", {});
    s.temperature = std::clamp(value(json, "temperature", s.temperature), 0.0, 2.0);
    s.top_p = std::clamp(value(json, "top_p", s.top_p), 0.01, 1.0);
    s.top_k = std::clamp(value(json, "top_k", s.top_k), 0, 1000);
    s.repetition = std::clamp(value(json, "repetition", s.repetition), 1.0, 2.0);
    s.seed = value(json, "seed", s.seed);
    s.max_new_tokens = std::clamp(value(json, "max_new_tokens", s.max_new_tokens), 1, 1 << 20);
    return s;
}

io::Json replyJson(const ChatReply& r) {
    io::Json json = {{"model", r.label},
                     {"base", r.base},
                     {"text", r.text},
                     {"end", name(r.end)},
                     {"prompt_tokens", r.prompt_tokens},
                     {"tokens", r.new_tokens},
                     {"dropped_turns", r.dropped_turns},
                     {"seconds", r.seconds},
                     {"first_token_seconds", r.first_token_seconds},
                     {"seed", r.seed},
                     {"strength", r.strength}};
    if (!r.error.empty()) json["error"] = r.error;
    return json;
}

ChatReply replyFrom(const io::Json& json) {
    ChatReply r;
    r.label = value<std::string>(json, "model", {});
    r.base = value(json, "base", false);
    r.text = value<std::string>(json, "text", {});
    r.error = value<std::string>(json, "error", {});
    const auto end = std::find(kEnds.begin(), kEnds.end(), value<std::string>(json, "end", {}));
    r.end = end == kEnds.end() ? ChatEnd::Stopped : static_cast<ChatEnd>(end - kEnds.begin());
    if (r.end == ChatEnd::Growing) r.end = ChatEnd::Stopped;
    r.prompt_tokens = value(json, "prompt_tokens", 0);
    r.new_tokens = value(json, "tokens", 0);
    r.dropped_turns = value(json, "dropped_turns", 0);
    r.seconds = value(json, "seconds", 0.0);
    r.first_token_seconds = value(json, "first_token_seconds", 0.0);
    r.seed = value<std::uint64_t>(json, "seed", 0);
    r.strength = value(json, "strength", 1.0);
    return r;
}

tl::unexpected<Error> noChat(std::string what) {
    return fail(ErrorCode::Corrupt, std::move(what), "Restore the file from a backup, or go on without it.");
}

Result<ChatNode> nodeFrom(const io::Json& json, int index, int count) {
    if (!json.is_object()) return noChat("A turn of the chat is no object.");
    ChatNode node;
    node.parent = value(json, "parent", -1);
    node.shown = value(json, "shown", -1);
    // Parents stand before their children, so that no chain of them can be a ring.
    if (node.parent < -1 || node.parent >= index || node.shown < -1 || node.shown >= count ||
        (node.shown != -1 && node.shown <= index))
        return noChat("The turns of the chat do not hang together.");
    node.answer = value(json, "answer", false);
    node.prompt = value<std::string>(json, "prompt", {});
    if (const auto replies = json.find("replies"); replies != json.end() && replies->is_array())
        for (const io::Json& reply : *replies)
            if (reply.is_object()) node.replies.push_back(replyFrom(reply));
    if (node.answer && (node.replies.empty() || node.replies.size() > 2))
        return noChat("An answer of the chat has no text.");
    return node;
}

bool isChatName(const std::string& id) {
    return !id.empty() && id.size() <= 80 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

fs::path trashFolder(const fs::path& project) {
    return project / "trash" / "chats";
}

Result<void> move(const fs::path& from, const fs::path& to) {
    std::error_code ec;
    fs::create_directories(to.parent_path(), ec);
    if (ec) return fail(io::systemError(ec.value(), "create", to.parent_path()));
    fs::rename(from, to, ec);
    if (ec) return fail(io::systemError(ec.value(), "rename", from));
    return {};
}

}  // namespace

std::string_view name(ChatEnd end) {
    return kEnds[static_cast<std::size_t>(end)];
}

std::string chatTimeNow() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::time(nullptr)));
}

std::string newChatId() {
    std::random_device random;
    return fmt::format("{:%Y%m%d-%H%M%S}-{:08x}", fmt::gmtime(std::time(nullptr)), random());
}

io::Json toJson(const Chat& chat) {
    io::Json nodes = io::Json::array();
    for (const ChatNode& n : chat.nodes) {
        io::Json json = {{"parent", n.parent}, {"shown", n.shown}, {"answer", n.answer}};
        if (n.answer) {
            json["replies"] = io::Json::array();
            for (const ChatReply& r : n.replies) json["replies"].push_back(replyJson(r));
        } else {
            json["prompt"] = n.prompt;
        }
        nodes.push_back(std::move(json));
    }
    return {{"schema_version", kSchema}, {"id", chat.id},           {"title", chat.title},
            {"created", chat.created},   {"changed", chat.changed}, {"settings", settingsJson(chat.settings)},
            {"draft", chat.draft},       {"shown", chat.shown},     {"turns", std::move(nodes)}};
}

Result<Chat> chatFromJson(const io::Json& json) {
    if (!json.is_object()) return noChat("The file is no chat.");
    const auto version = json.find("schema_version");
    if (version == json.end() || !version->is_number_integer()) return noChat("The file is no chat.");
    if (version->get<std::int64_t>() > kSchema)
        return fail(ErrorCode::Unsupported, "The chat was written by a newer version of the program.",
                    "Update the program to open it.");
    const auto turns = json.find("turns");
    if (turns == json.end() || !turns->is_array() || turns->size() > kMaxNodes) return noChat("The chat has no turns.");
    Chat chat;
    chat.id = value<std::string>(json, "id", {});
    chat.title = value<std::string>(json, "title", {});
    chat.created = value<std::string>(json, "created", {});
    chat.changed = value<std::string>(json, "changed", {});
    chat.draft = value<std::string>(json, "draft", {});
    chat.shown = value(json, "shown", -1);
    if (const auto settings = json.find("settings"); settings != json.end()) chat.settings = settingsFrom(*settings);
    const int count = static_cast<int>(turns->size());
    for (int i = 0; i < count; ++i) {
        STUDIO_TRY(ChatNode node, nodeFrom((*turns)[static_cast<std::size_t>(i)], i, count));
        chat.nodes.push_back(std::move(node));
    }
    const auto parentOf = [&](int node) { return chat.nodes[static_cast<std::size_t>(node)].parent; };
    if (chat.shown < -1 || chat.shown >= count || (chat.shown != -1 && parentOf(chat.shown) != -1))
        return noChat("The turns of the chat do not hang together.");
    for (int i = 0; i < count; ++i)
        if (const int shown = chat.nodes[static_cast<std::size_t>(i)].shown; shown != -1 && parentOf(shown) != i)
            return noChat("The turns of the chat do not hang together.");
    return chat;
}

Result<void> saveChat(const fs::path& chats, const Chat& chat) {
    std::error_code ec;
    fs::create_directories(chats, ec);
    if (ec) return fail(io::systemError(ec.value(), "create", chats));
    return io::writeFileAtomic(chats / (chat.id + ".json"),
                               toJson(chat).dump(1, ' ', false, io::Json::error_handler_t::replace) + "\n");
}

ChatList listChats(const fs::path& chats) {
    ChatList list;
    std::error_code ec;
    std::vector<fs::path> files;
    for (fs::directory_iterator it(chats, ec), end; !ec && it != end; it.increment(ec))
        if (it->path().extension() == ".json") files.push_back(it->path());
    for (const fs::path& file : files) {
        const std::string id = file.stem().string();
        Result<Chat> chat = fail(ErrorCode::Corrupt, "The file's name is no chat's.");
        if (isChatName(id)) {
            const auto json = io::readJson(file);
            chat = json ? chatFromJson(*json) : Result<Chat>(fail(json.error()));
        }
        if (chat) {
            chat->id = id;
            list.chats.push_back(std::move(*chat));
            continue;
        }
        const Error& error = chat.error();
        if (error.code != ErrorCode::Corrupt) {
            list.notes.push_back(fmt::format("{}: {}", file.filename().string(), error.text()));
            continue;
        }
        std::error_code renamed;
        fs::rename(file, fs::path(file).concat(".broken"), renamed);
        list.notes.push_back(fmt::format("The chat {} could not be read and is kept as {}.broken: {}", id,
                                         file.filename().string(), error.message));
    }
    std::sort(list.chats.begin(), list.chats.end(), [](const Chat& a, const Chat& b) {
        return a.changed != b.changed ? a.changed > b.changed : a.id > b.id;
    });
    return list;
}

Result<void> trashChat(const fs::path& project, const std::string& id) {
    return move(project / "chats" / (id + ".json"), trashFolder(project) / (id + ".json"));
}

Result<void> restoreChat(const fs::path& project, const std::string& id) {
    return move(trashFolder(project) / (id + ".json"), project / "chats" / (id + ".json"));
}

}  // namespace studio::project
