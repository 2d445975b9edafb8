#include "text/json_text.h"

#include <fmt/format.h>

#include "io/file.h"
#include "text/limits.h"
#include "text/messages.h"

namespace studio::text {

Result<JsonText> JsonText::read(const std::filesystem::path& path) {
    JsonText text;
    text.file_ = path.filename().string();
    STUDIO_TRY(text.bytes_, io::readFile(path, kMaxTokenizerFile));
    if (text.bytes_.starts_with("\xEF\xBB\xBF")) text.bytes_.erase(0, 3);
    text.bytes_.reserve(text.bytes_.size() + simdjson::SIMDJSON_PADDING);
    return text;
}

FilePlace JsonText::place(const char* at) {
    const auto target = static_cast<std::size_t>(at - bytes_.data());
    if (target > bytes_.size()) return {};
    if (target < counted_) {
        counted_ = line_begin_ = 0;
        line_ = 1;
    }
    for (; counted_ < target; ++counted_) {
        if (bytes_[counted_] != '\n') continue;
        ++line_;
        line_begin_ = counted_ + 1;
    }
    return {line_, static_cast<std::uint32_t>(target - line_begin_ + 1)};
}

tl::unexpected<Error> JsonText::errorAt(const char* at, std::string_view what) {
    return corruptFile(describe(file_, place(at)), what);
}

tl::unexpected<Error> JsonText::syntaxError(simdjson::error_code code, simdjson::ondemand::document& document) {
    const char* at = nullptr;
    const std::string what =
        fmt::format("this is not the JSON that is expected here ({})", simdjson::error_message(code));
    if (document.current_location().get(at) != simdjson::SUCCESS) return corruptFile(file_, what);
    return errorAt(at, what);
}

Result<void> JsonText::checkEnd(simdjson::ondemand::document& document) const {
    if (document.current_location().error() == simdjson::OUT_OF_BOUNDS) return {};
    return corruptFile(file_, "something follows the end of the JSON object");
}

Result<std::vector<IdEntry>> readIds(JsonText& text, simdjson::ondemand::document& document,
                                     simdjson::ondemand::object object) {
    std::vector<IdEntry> entries;
    for (auto field : object) {
        simdjson::ondemand::raw_json_string raw;
        if (const auto error = field.key().get(raw)) return text.syntaxError(error, document);
        const char* const at = raw.raw() - 1;  // its quotation mark
        IdEntry entry;
        entry.place = text.place(at);
        std::string_view spelling;
        if (const auto error = field.unescaped_key().get(spelling)) return text.syntaxError(error, document);
        entry.spelling = spelling;
        std::int64_t id = 0;
        if (field.value().get_int64().get(id) != simdjson::SUCCESS)
            return text.errorAt(at, fmt::format("the id of the token {} is not a whole number", quote(spelling)));
        if (id < 0 || id >= kMaxTokens)
            return text.errorAt(at, fmt::format("the token {} has the id {}; ids are from 0 to {}", quote(spelling), id,
                                                kMaxTokens - 1));
        if (spelling.empty()) return text.errorAt(at, fmt::format("the token with the id {} is empty", id));
        if (spelling.size() > kMaxTokenBytes)
            return text.errorAt(at, fmt::format("the token with the id {} is {} bytes long; at most {} are allowed", id,
                                                spelling.size(), kMaxTokenBytes));
        entry.id = static_cast<int>(id);
        entries.push_back(std::move(entry));
        if (entries.size() > static_cast<std::size_t>(kMaxTokens))
            return text.errorAt(at, fmt::format("there are more than {} tokens", kMaxTokens));
    }
    return entries;
}

Result<std::vector<IdEntry>> readIdFile(const std::filesystem::path& path) {
    STUDIO_TRY(JsonText text, JsonText::read(path));
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
    if (const auto error = parser.iterate(text.bytes()).get(document))
        return corruptFile(text.file(), fmt::format("this is not JSON ({})", simdjson::error_message(error)));
    simdjson::ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS)
        return corruptFile(describe(text.file(), {1, 0}), "an object from tokens to ids is expected");
    STUDIO_TRY(auto entries, readIds(text, document, object));
    STUDIO_CHECK(text.checkEnd(document));
    return entries;
}

}  // namespace studio::text
