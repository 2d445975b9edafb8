#include "config/node.h"

#include <algorithm>
#include <cctype>

#include "config/scalar.h"

namespace studio::config {

const Node* Node::find(std::string_view key) const {
    for (const auto& [name, value] : entries)
        if (name.text == key) return &value;
    return nullptr;
}

Result<Node> parseConfigText(std::string_view text, std::string_view name) {
    if (name.ends_with(".json")) return parseJsonNode(text, name);
    if (name.ends_with(".yaml") || name.ends_with(".yml")) return parseYaml(text, name);
    const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return first != text.npos && text[first] == '{' ? parseJsonNode(text, name) : parseYaml(text, name);
}

namespace {

void show(const Node& node, std::string& out) {
    const bool map = node.kind == Node::Kind::Map;
    switch (node.kind) {
        case Node::Kind::Null:
            out += "null";
            return;
        case Node::Kind::Plain:
            out += node.text;
            return;
        case Node::Kind::Quoted:
            out += quote(node.text);
            return;
        case Node::Kind::List:
        case Node::Kind::Map:
            break;
    }
    out += map ? '{' : '[';
    const std::size_t count = map ? node.entries.size() : node.items.size();
    for (std::size_t i = 0; i < count && out.size() < 100; ++i) {
        if (i > 0) out += ", ";
        if (map) out += node.entries[i].key.text + ": ";
        show(map ? node.entries[i].value : node.items[i], out);
    }
    out += map ? '}' : ']';
}

bool isNothing(const Node& node) {
    switch (node.kind) {
        case Node::Kind::Null:
            return true;
        case Node::Kind::Plain:
        case Node::Kind::Quoted:
            return node.text.empty();
        case Node::Kind::List:
            return node.items.empty();
        case Node::Kind::Map:
            return node.entries.empty();
    }
    return false;
}

bool sameScalar(const Node& a, const Node& b) {
    if (a.text == b.text) return true;
    if (a.kind == Node::Kind::Quoted || b.kind == Node::Kind::Quoted) return false;
    const auto x = parseReal(a.text), y = parseReal(b.text);
    if (x && y) return *x == *y;
    const auto p = parseBool(a.text), q = parseBool(b.text);
    return p && q && *p == *q;
}

}  // namespace

std::string shown(const Node& node) {
    std::string out;
    show(node, out);
    constexpr std::size_t kLongest = 80;
    if (out.size() <= kLongest) return out;
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    return out.substr(0, end) + "…";
}

bool sameValue(const Node& a, const Node& b) {
    if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
    if (a.isScalar() && b.isScalar()) return sameScalar(a, b);
    if (a.kind != b.kind) return false;
    if (a.kind == Node::Kind::List)
        return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), sameValue);
    return a.entries.size() == b.entries.size() &&
           std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
               const Node* other = b.find(entry.key.text);
               return other && sameValue(entry.value, *other);
           });
}

std::size_t invalidUtf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned char c = byte(i);
        const std::size_t size = c < 0x80                ? 1
                                 : c >= 0xC2 && c < 0xE0 ? 2
                                 : (c & 0xF0) == 0xE0    ? 3
                                 : c >= 0xF0 && c < 0xF5 ? 4
                                                         : 0;
        if (size == 0 || i + size > text.size()) return i;
        for (std::size_t k = 1; k < size; ++k)
            if ((byte(i + k) & 0xC0) != 0x80) return i;
        if (size > 2) {  // overlong forms, surrogates, beyond U+10FFFF
            const unsigned char second = byte(i + 1);
            if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90) ||
                (c == 0xF4 && second > 0x8F))
                return i;
        }
        i += size;
    }
    return text.npos;
}

}  // namespace studio::config
