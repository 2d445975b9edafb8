#include <fmt/format.h>

#include "cli/command.h"
#include "cli/input.h"
#include "io/line_reader.h"
#include "text/tokenizer.h"

namespace studio::cli {
namespace {

struct Options {
    std::string tokenizer, text, file;
    bool has_text = false;
};

// A line of the file: a JSON string, or an object with `text`.
Result<std::string> lineText(const io::Line& line, const std::string& file) {
    const std::string where = fmt::format("{}, line {}", file, line.number);
    if (line.too_long) return fail(ErrorCode::OutOfRange, where + " is longer than 16 MB.", "Split the text.");
    STUDIO_TRY(const io::Json value, io::parseJson(line.text, where));
    if (value.is_string()) return value.get<std::string>();
    if (value.is_object() && value.contains("text") && value["text"].is_string())
        return value["text"].get<std::string>();
    return fail(ErrorCode::Corrupt, where + " is neither a JSON string nor an object with a `text`.",
                "Give one JSON value a line.");
}

Result<int> tokenizeFile(Context& context, const text::Tokenizer& tokenizer, const std::string& file) {
    STUDIO_TRY(auto reader, io::LineReader::open(file));
    std::vector<int> ids;
    std::string out;
    std::uint64_t texts = 0, total = 0;
    for (;;) {
        if (context.signals.token().stop_requested()) return cancelled();
        STUDIO_TRY(const auto line, reader.next());
        if (!line) break;
        if (line->text.empty()) continue;
        STUDIO_TRY(const std::string value, lineText(*line, file));
        ids.clear();
        tokenizer.encodeWithSpecials(value, ids);
        out = "{\"ids\": [";
        for (std::size_t i = 0; i < ids.size(); ++i)
            fmt::format_to(std::back_inserter(out), "{}{}", i ? ", " : "", ids[i]);
        out += "]}\n";
        std::fwrite(out.data(), 1, out.size(), stdout);
        ++texts;
        total += ids.size();
    }
    if (!context.json)
        context.terminal.say(fmt::format("{} texts, {} tokens", grouped(static_cast<std::int64_t>(texts)),
                                         grouped(static_cast<std::int64_t>(total))));
    return kOk;
}

// Pieces as a person can read them: spaces and line breaks shown.
std::string shown(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        if (c == ' ')
            out += "␣";
        else if (c == '\n')
            out += "⏎";
        else if (c == '\t')
            out += "⇥";
        else
            out += c;
    }
    return out;
}

Result<int> tokenize(Context& context, const Options& options) {
    STUDIO_TRY(const auto tokenizer, text::loadTokenizer(options.tokenizer));
    if (!options.file.empty()) return tokenizeFile(context, *tokenizer, options.file);

    std::string text = options.text;
    if (!options.has_text) {
        STUDIO_TRY(text, Input(context.signals.token()).all());
    }
    std::vector<int> ids;
    tokenizer->encodeWithSpecials(text, ids);
    if (context.json) {
        context.print({{"ids", ids}});
        return kOk;
    }
    for (const int id : ids) std::printf("%7d  %s\n", id, shown(tokenizer->tokenBytes(id)).c_str());
    context.terminal.say(fmt::format("{} tokens", ids.size()));
    return kOk;
}

}  // namespace

void addTokenize(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("tokenize", "Show the token ids of a text, as transformers gives them");
    const auto options = std::make_shared<Options>();
    command->add_option("--tokenizer", options->tokenizer, "folder with the tokenizer's files")->required();
    auto* text = command->add_option("--text", options->text, "the text; without it and --file, standard input");
    command->add_option("--file", options->file, "JSON lines (strings, or objects with `text`): one object a line out")
        ->excludes(text);
    command->callback([options, text, &run] {
        options->has_text = text->count() > 0;
        run = [options](Context& context) { return tokenize(context, *options); };
    });
}

}  // namespace studio::cli
