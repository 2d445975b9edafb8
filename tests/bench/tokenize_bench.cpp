// Tokenizes every "text" of a JSONL file (may be .gz) on one thread with a cold cache and checks that it comes back.
//   tokenize_bench TOKENIZER_FOLDER FILE
#include <fmt/format.h>
#include <ctime>

#include "io/json.h"
#include "io/line_reader.h"
#include "text/tokenizer.h"

using namespace studio;

namespace {

Result<std::vector<std::string>> readTexts(const std::filesystem::path& file) {
    std::vector<std::string> texts;
    STUDIO_TRY(io::LineReader lines, io::LineReader::open(file));
    while (true) {
        STUDIO_TRY(const auto line, lines.next());
        if (!line) return texts;
        STUDIO_TRY(const io::Json row, io::parseJson(line->text, fmt::format("line {}", line->number)));
        texts.push_back(row.at("text").get<std::string>());
    }
}

// Seconds of processor time of this process: other programs on the machine do not count.
double processorSeconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Result<void> run(const std::filesystem::path& folder, const std::filesystem::path& file) {
    const double before_loading = processorSeconds();
    STUDIO_TRY(const auto tokenizer, text::loadTokenizer(folder));
    const double load_seconds = processorSeconds() - before_loading;
    STUDIO_TRY(const auto texts, readTexts(file));

    std::size_t bytes = 0, tokens = 0, tokens_with_specials = 0, lost = 0;
    std::vector<int> ids;
    const double begin = processorSeconds();
    for (const std::string& text : texts) {
        ids.clear();
        tokenizer->encode(text, ids);
        bytes += text.size();
        tokens += ids.size();
    }
    const double seconds = processorSeconds() - begin;
    for (const std::string& text : texts) {
        ids.clear();
        tokenizer->encode(text, ids);
        if (tokenizer->decode(ids) != text) ++lost;
        ids.clear();
        tokenizer->encodeWithSpecials(text, ids);
        tokens_with_specials += ids.size();
        if (tokenizer->decode(ids) != text) ++lost;
    }
    fmt::print(
        "{{\"texts\": {}, \"bytes\": {}, \"tokens\": {}, \"tokens_with_specials\": {}, \"not_given_back\": {}, "
        "\"load_seconds\": {:.3f}, \"seconds\": {:.3f}, \"mb_per_s\": {:.1f}}}\n",
        texts.size(), bytes, tokens, tokens_with_specials, lost, load_seconds, seconds,
        static_cast<double>(bytes) / seconds * 1e-6);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: tokenize_bench TOKENIZER_FOLDER FILE\n");
        return 2;
    }
    if (const auto done = run(argv[1], argv[2]); !done) {
        fmt::print(stderr, "{}\n", done.error().text());
        return 1;
    }
    return 0;
}
