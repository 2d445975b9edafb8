#include "text/messages.h"

#include <fmt/format.h>

#include "text/utf8.h"

namespace studio::text {

std::string quote(std::string_view text) {
    constexpr std::size_t kMost = 60;
    std::string out = "\"";
    std::size_t done = 0;
    while (done < text.size() && done < kMost) {
        const CodePoint next = firstCodePoint(text.substr(done));
        if (next.valid && next.value >= 0x20 && next.value != 0x7F) {
            out += text.substr(done, next.length);
        } else {
            for (int i = 0; i < next.length; ++i)
                out += fmt::format("\\x{:02X}", static_cast<std::uint8_t>(text[done + i]));
        }
        done += next.length;
    }
    return out + (done < text.size() ? "…\"" : "\"");
}

std::string describe(const std::string& file, FilePlace place) {
    if (place.line == 0) return file;
    if (place.column == 0) return fmt::format("{}, line {}", file, place.line);
    return fmt::format("{}, line {}, column {}", file, place.line, place.column);
}

tl::unexpected<Error> corruptFile(std::string_view where, std::string_view what) {
    return fail(ErrorCode::Corrupt, fmt::format("{}: {}.", where, what),
                "The tokenizer file is damaged or was edited; copy or download it again.");
}

}  // namespace studio::text
