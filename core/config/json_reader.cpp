#include <fmt/format.h>

#include <charconv>
#include <map>

#include "config/node.h"
#include "io/json.h"

namespace studio::config {
namespace {

Node convert(const io::Json& value) {
    Node node;
    switch (value.type()) {
        case io::Json::value_t::null:
        case io::Json::value_t::discarded:
        case io::Json::value_t::binary:
            break;
        case io::Json::value_t::string:
            node.kind = Node::Kind::Quoted;
            node.text = value.get_ref<const std::string&>();
            break;
        case io::Json::value_t::boolean:
            node.kind = Node::Kind::Plain;
            node.text = value.get<bool>() ? "true" : "false";
            break;
        case io::Json::value_t::number_integer:
            node.kind = Node::Kind::Plain;
            node.text = fmt::format("{}", value.get<std::int64_t>());
            break;
        case io::Json::value_t::number_unsigned:
            node.kind = Node::Kind::Plain;
            node.text = fmt::format("{}", value.get<std::uint64_t>());
            break;
        case io::Json::value_t::number_float: {
            char buffer[40];
            const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.get<double>()).ptr;
            node.kind = Node::Kind::Plain;
            node.text.assign(buffer, end);
            if (node.text.find_first_of(".e") == node.text.npos) node.text += ".0";  // 16.0 stays a real
            break;
        }
        case io::Json::value_t::array:
            node.kind = Node::Kind::List;
            for (const auto& item : value) node.items.push_back(convert(item));
            break;
        case io::Json::value_t::object:
            node.kind = Node::Kind::Map;
            for (const auto& [key, item] : value.items()) {
                Node name;
                name.kind = Node::Kind::Quoted;
                name.text = key;
                node.entries.push_back({std::move(name), convert(item)});
            }
            break;
    }
    return node;
}

// Gives the entries of the outermost object their places; `text` is valid JSON, so counting brackets outside strings is
// enough. Entries come in the file's order.
void place(std::string_view text, Node& root) {
    int depth = 0, line = 1;
    std::size_t line_start = 0, entry = 0;
    bool key = true;  // what comes next at depth 1 is a key
    const auto mark = [&](Node& node, std::size_t at) {
        node.line = line;
        node.column = static_cast<int>(at - line_start) + 1;
    };
    const auto atValue = [&](std::size_t at) {
        if (depth == 1 && !key && entry < root.entries.size() && root.entries[entry].value.line == 0)
            mark(root.entries[entry].value, at);
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            ++line;
            line_start = i + 1;
        } else if (c == '"') {
            if (depth == 1 && key && entry < root.entries.size()) mark(root.entries[entry].key, i);
            atValue(i);
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\') ++i;
        } else if (c == '{' || c == '[') {
            atValue(i);
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
        } else if (depth == 1 && c == ':') {
            key = false;
        } else if (depth == 1 && c == ',') {
            key = true;
            ++entry;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            atValue(i);
        }
    }
}

}  // namespace

Result<Node> parseJsonNode(std::string_view text, std::string_view name) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    STUDIO_TRY(const io::Json json, io::parseJson(text, name, {kMaxConfigBytes, 16}));
    if (!json.is_object())
        return fail(ErrorCode::Corrupt, fmt::format("{} is no JSON object.", name),
                    "The file begins with { and holds \"key\": value pairs.");
    Node root = convert(json);
    place(text, root);
    return root;
}

}  // namespace studio::config
