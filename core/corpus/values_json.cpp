#include "corpus/values_json.h"

#include <fmt/format.h>

#include <charconv>

namespace studio::corpus {
namespace {

void appendKey(std::string_view name, std::string& out) {
    out += out.empty() ? "{\"" : ",\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", int{c});
        else
            out += c;
    }
    out += "\":";
}

template <class Number>
void appendNumber(Number value, std::string& out) {
    char digits[32];
    const auto [end, error] =
        std::to_chars(digits, digits + sizeof digits, value);  // a double: the shortest that reads back
    out.append(digits, error == std::errc{} ? end : digits);
}

void close(std::string& out) {
    if (!out.empty()) out += '}';
}

}  // namespace

void labelsJson(const std::vector<LabelField>& labels, std::string& out) {
    out.clear();
    for (const LabelField& label : labels) {
        appendKey(label.name, out);
        out += '[';
        if (label.value)
            appendNumber(*label.value, out);
        else
            out += "null";
        out += ',';
        if (label.count)
            appendNumber(*label.count, out);
        else
            out += "null";
        out += ']';
    }
    close(out);
}

void emojisJson(const std::vector<EmojiField>& emojis, std::string& out) {
    out.clear();
    for (const EmojiField& emoji : emojis) {
        appendKey(emoji.name, out);
        appendNumber(emoji.count, out);
    }
    close(out);
}

void detoxifyJson(const std::vector<DetoxifyField>& scores, std::string& out) {
    out.clear();
    for (const DetoxifyField& score : scores) {
        appendKey(score.name, out);
        appendNumber(score.value, out);
    }
    close(out);
}

}  // namespace studio::corpus
