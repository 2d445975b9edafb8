#include "text/chat_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace studio::text {
namespace {

// A template is its markers. `first` opens a conversation, `later` follows another turn.
struct Marker {
    std::string_view first, later;
};

struct Format {
    std::string_view name;
    Marker system, prompter, assistant;
    std::string_view behind_system;
    bool eos_behind_system = false;
    bool eos_behind_prompter = false;
    std::vector<std::string> stops;
};

std::vector<Format> formats() {
    return {
        {.name = "openassistant",
         .system = {"<|system|>", "<|system|>"},
         .prompter = {"<|prompter|>", "<|prompter|>"},
         .assistant = {"<|assistant|>", "<|assistant|>"},
         .behind_system = "",
         .eos_behind_system = true,
         .eos_behind_prompter = true,
         .stops = {"<|prompter|>"}},
        {.name = "human-assistant",
         .system = {"", ""},
         .prompter = {"### Human: ", "### Human: "},
         .assistant = {"### Assistant: ", "### Assistant: "},
         .behind_system = " ",
         .stops = {"### Human:"}},
        {.name = "instruct-output",
         .system = {"", "\n"},
         .prompter = {"Instruct: ", "\nInstruct: "},
         .assistant = {"Output:", "\nOutput:"},
         .behind_system = "",
         .stops = {"\nInstruct:"}},
        {.name = "alpaca",
         .system = {"", "\n\n"},
         .prompter = {"### Instruction:\n", "\n\n### Instruction:\n"},
         .assistant = {"### Response:\n", "\n\n### Response:\n"},
         .behind_system = "",
         .stops = {"\n\n### Instruction:", "### Instruction:"}},
    };
}

class MarkerTemplate final : public ChatTemplate {
  public:
    explicit MarkerTemplate(Format format) : format_(std::move(format)) {}

    std::string_view name() const override { return format_.name; }
    std::vector<std::string> stopStrings() const override { return format_.stops; }

    void appendTurn(const Tokenizer& tokenizer, const Turn& turn, bool first, Tokens& out) const override {
        const auto marker = [&](const Marker& text) {
            append(tokenizer, first ? text.first : text.later, SpanKind::Marker, out);
        };
        switch (turn.role) {
            case Role::System:
                marker(format_.system);
                append(tokenizer, turn.text, SpanKind::SystemText, out);
                append(tokenizer, format_.behind_system, SpanKind::Marker, out);
                if (format_.eos_behind_system) appendEos(tokenizer, SpanKind::Marker, out);
                break;
            case Role::Prompter:
                marker(format_.prompter);
                append(tokenizer, turn.text, SpanKind::PrompterText, out);
                if (format_.eos_behind_prompter) appendEos(tokenizer, SpanKind::PrompterEnd, out);
                break;
            case Role::Assistant:
                marker(format_.assistant);
                append(tokenizer, turn.text, SpanKind::AssistantText, out);
                appendEos(tokenizer, SpanKind::AssistantEnd, out);
                break;
        }
    }

    void appendPrompt(const Tokenizer& tokenizer, Tokens& out) const override {
        append(tokenizer, format_.assistant.later, SpanKind::Marker, out);
    }

  private:
    static void append(const Tokenizer& tokenizer, std::string_view text, SpanKind kind, Tokens& out) {
        tokenizer.encode(text, out.ids);
        out.kinds.resize(out.ids.size(), kind);
    }
    static void appendEos(const Tokenizer& tokenizer, SpanKind kind, Tokens& out) {
        out.ids.push_back(tokenizer.eos());
        out.kinds.push_back(kind);
    }

    const Format format_;
};

}  // namespace

std::string_view name(Role role) {
    switch (role) {
        case Role::System:
            return "system";
        case Role::Prompter:
            return "prompter";
        case Role::Assistant:
            break;
    }
    return "assistant";
}

std::string ChatTemplate::render(const Tokenizer& tokenizer, const std::vector<Turn>& turns,
                                 bool prompt_for_answer) const {
    Tokens tokens;
    for (std::size_t i = 0; i < turns.size(); ++i) appendTurn(tokenizer, turns[i], i == 0, tokens);
    if (prompt_for_answer) appendPrompt(tokenizer, tokens);
    return tokenizer.decode(tokens.ids);
}

Result<std::shared_ptr<const ChatTemplate>> chatTemplate(std::string_view name) {
    for (Format& format : formats())
        if (format.name == name) return std::make_shared<const MarkerTemplate>(std::move(format));
    return fail(ErrorCode::InvalidArgument, fmt::format("There is no chat template \"{}\".", name),
                fmt::format("Choose one of {}.", fmt::join(chatTemplateNames(), ", ")));
}

std::vector<std::string_view> chatTemplateNames() {
    std::vector<std::string_view> names;
    for (const Format& format : formats()) names.push_back(format.name);
    return names;
}

}  // namespace studio::text
