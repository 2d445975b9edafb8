// The tree of a chat's turns: what is shown, what stands beside it, and how it reads as Markdown.
#include <fmt/format.h>

#include "project/chat_file.h"

namespace studio::project {
namespace {

constexpr std::size_t kHeadingBytes = 80;

// Up to `limit` bytes, never half a character.
std::string cutText(const std::string& text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "…";
}

std::string endSentence(const ChatReply& r) {
    switch (r.end) {
        case ChatEnd::Growing:
        case ChatEnd::Stopped:
            return "stopped by you";
        case ChatEnd::ByItself:
            return "stopped by itself";
        case ChatEnd::StopString:
            return "stopped at the next prompter's marker";
        case ChatEnd::MaxTokens:
            return fmt::format("cut at {} tokens", r.new_tokens);
        case ChatEnd::ContextFull:
            return "cut: the model's context is full";
        case ChatEnd::RunEnded:
            return "cut: the run ended";
        case ChatEnd::Failed:
            return r.error;
    }
    return {};
}

}  // namespace

std::vector<int> Chat::path() const {
    std::vector<int> result;
    for (int node = shown; node >= 0 && result.size() <= nodes.size();
         node = nodes[static_cast<std::size_t>(node)].shown)
        result.push_back(node);
    return result;
}

std::vector<int> Chat::siblings(int node) const {
    std::vector<int> result;
    const int parent = nodes[static_cast<std::size_t>(node)].parent;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].parent == parent) result.push_back(static_cast<int>(i));
    return result;
}

int Chat::add(int parent, ChatNode node) {
    node.parent = parent;
    node.shown = -1;
    nodes.push_back(std::move(node));
    const int index = static_cast<int>(nodes.size()) - 1;
    show(index);
    return index;
}

void Chat::show(int node) {
    for (; node >= 0; node = nodes[static_cast<std::size_t>(node)].parent) {
        const int parent = nodes[static_cast<std::size_t>(node)].parent;
        (parent < 0 ? shown : nodes[static_cast<std::size_t>(parent)].shown) = node;
    }
}

std::string Chat::heading() const {
    if (!title.empty()) return title;
    for (const ChatNode& node : nodes) {
        if (node.answer) continue;
        const std::size_t begin = node.prompt.find_first_not_of(" \t\r\n");
        if (begin == std::string::npos) continue;
        const std::size_t line = node.prompt.find('\n', begin);
        return cutText(node.prompt.substr(begin, line == std::string::npos ? line : line - begin), kHeadingBytes);
    }
    return {};
}

int Chat::branches() const {
    std::vector<bool> has_child(nodes.size());
    for (const ChatNode& node : nodes)
        if (node.parent >= 0) has_child[static_cast<std::size_t>(node.parent)] = true;
    int ends = 0;
    for (const bool child : has_child) ends += !child;
    return ends;
}

std::string chatMarkdown(const Chat& chat) {
    std::string out = fmt::format("# {}\n", chat.heading().empty() ? "Chat" : chat.heading());
    if (!chat.settings.system.empty()) out += fmt::format("\n**System**\n\n{}\n", chat.settings.system);
    for (const int index : chat.path()) {
        const ChatNode& node = chat.nodes[static_cast<std::size_t>(index)];
        if (!node.answer) {
            out += fmt::format("\n## Prompt\n\n{}\n", node.prompt);
            continue;
        }
        for (const ChatReply& r : node.replies)
            out += fmt::format("\n## {}\n\n{}\n\n*{} tokens, {}*\n", r.label, r.text, r.new_tokens, endSentence(r));
    }
    return out;
}

}  // namespace studio::project
