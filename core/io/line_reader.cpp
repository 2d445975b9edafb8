#include "io/line_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "io/byte_source.h"

namespace studio::io {

struct LineReader::State {
    std::filesystem::path path;
    LineReaderOptions options;
    std::unique_ptr<ByteSource> source;
    std::vector<char> buffer = std::vector<char>(256u << 10);
    std::size_t begin = 0, end = 0;  // the unread part of `buffer`
    std::uint64_t offset = 0;        // of buffer[begin] in the expanded text
    std::uint64_t number = 0;
    bool at_end = false;
    std::optional<Error> failed;

    // More bytes behind `end`; the unread part may move. An error is kept until the bytes before it are used up.
    void fill() {
        if (begin > 0) {
            std::memmove(buffer.data(), buffer.data() + begin, end - begin);
            end -= begin;
            begin = 0;
        }
        if (end == buffer.size()) buffer.resize(buffer.size() * 2);
        auto n = source->read({buffer.data() + end, buffer.size() - end});
        if (!n) {
            failed = std::move(n).error();
        } else {
            end += *n;
            at_end = *n == 0;
        }
    }

    void consume(std::size_t bytes) {
        begin += bytes;
        offset += bytes;
    }

    Result<void> skipMark() {
        while (end - begin < 3 && !at_end && !failed) fill();
        const std::string_view start(buffer.data() + begin, end - begin);
        if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
            return fail(ErrorCode::Unsupported, fmt::format("{} is UTF-16 text.", path.string()),
                        "Save it as UTF-8 (for example with: iconv -f UTF-16 -t UTF-8).");
        }
        if (start.starts_with("\xEF\xBB\xBF")) consume(3);
        return {};
    }

    Result<std::optional<Line>> next() {
        std::size_t searched = 0;  // bytes after `begin` known to hold no newline
        bool too_long = false;
        const std::uint64_t start = offset;
        for (;;) {
            const void* hit = std::memchr(buffer.data() + begin + searched, '\n', end - begin - searched);
            if (hit) {
                const auto length = static_cast<std::size_t>(static_cast<const char*>(hit) - (buffer.data() + begin));
                return line(length, 1, start, too_long);
            }
            searched = end - begin;
            if (failed) {
                Error error = *failed;
                error.message += fmt::format(" The last whole line is line {}.", number);
                return fail(std::move(error));
            }
            if (at_end) {
                if (searched == 0 && !too_long) return std::optional<Line>{};
                return line(searched, 0, start, too_long);
            }
            if (searched > options.max_line) {  // remember that it is too long, not what it says
                too_long = true;
                consume(searched);
                searched = 0;
            }
            fill();
        }
    }

    std::optional<Line> line(std::size_t length, std::size_t newline, std::uint64_t start, bool too_long) {
        std::string_view text(buffer.data() + begin, length);
        consume(length + newline);
        if (text.ends_with('\r')) text.remove_suffix(1);
        too_long = too_long || text.size() > options.max_line;
        return Line{too_long ? std::string_view{} : text, ++number, start, too_long, newline == 0};
    }
};

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

Result<LineReader> LineReader::open(const std::filesystem::path& path, LineReaderOptions options) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->options = options;
    STUDIO_TRY(state->source, ByteSource::open(path, options.max_expanded, options.growing));
    STUDIO_CHECK(state->skipMark());
    return LineReader(std::move(state));
}

Result<std::optional<Line>> LineReader::next() {
    return state_->next();
}

std::uint64_t LineReader::bytesRead() const {
    return state_->source->bytesRead();
}

std::uint64_t LineReader::fileSize() const {
    return state_->source->fileSize();
}

}  // namespace studio::io
