// A chat template as code: turns become spans with a role, so that the loss mask comes from construction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace studio::text {

enum class Role : std::uint8_t { System, Prompter, Assistant };
std::string_view name(Role role);  // "prompter"

struct Turn {
    Role role;
    std::string_view text;
};

// What a token is part of. Targets of `train_on: assistant` are AssistantText and AssistantEnd (the EOS).
enum class SpanKind : std::uint8_t { Marker, SystemText, PrompterText, PrompterEnd, AssistantText, AssistantEnd };

struct Tokens {
    std::vector<int> ids;
    std::vector<SpanKind> kinds;  // same length
};

// The pieces of a conversation, tokenised one by one: nothing merges across a border. A turn is rendered by its role
// and by whether it is the first of the conversation, never by what follows it, so that a tree's shared prefix is
// rendered once. EOS stands for the tokenizer's own, put in by its id; an EOS spelled in a message is ordinary text.
//
// Each line is a turn as (first) and (later), · between the pieces. Every assistant turn is: marker · text · EOS.
//
//   openassistant    system     <|system|> · text · EOS
//                    prompter   <|prompter|> · text · EOS
//                    assistant  <|assistant|> · text · EOS
//   human-assistant  system     text · " "
//                    prompter   "### Human: " · text
//                    assistant  "### Assistant: " · text · EOS
//   instruct-output  system     text
//                    prompter   "Instruct: " (first) or "\nInstruct: " (later) · text
//                    assistant  "Output:" (first) or "\nOutput:" (later) · text · EOS
//   alpaca           system     text
//                    prompter   "### Instruction:\n" (first) or "\n\n### Instruction:\n" (later) · text
//                    assistant  "### Response:\n" (first) or "\n\n### Response:\n" (later) · text · EOS
//
// The EOS or space behind a system text is of kind Marker, the EOS behind a prompter's text PrompterEnd.
// Sources: OpenAssistant's training code; the guanaco data of QLoRA; phi-2's model card with litgpt; Stanford Alpaca.
class ChatTemplate {
  public:
    virtual ~ChatTemplate() = default;
    virtual std::string_view name() const = 0;

    // Appends marker, text and end of one turn. `first`: no turn before it.
    virtual void appendTurn(const Tokenizer& tokenizer, const Turn& turn, bool first, Tokens& out) const = 0;

    // Appends what stands before an assistant's text that is not the first turn: the marker the model is asked to go on
    // from.
    virtual void appendPrompt(const Tokenizer& tokenizer, Tokens& out) const = 0;

    // Text at which generation stops besides EOS: the next prompter marker where it is ordinary text. Where one ends
    // with another, the longer comes first.
    virtual std::vector<std::string> stopStrings() const = 0;

    // The whole conversation as text, for people ("what is sent to the model").
    std::string render(const Tokenizer& tokenizer, const std::vector<Turn>& turns, bool prompt_for_answer) const;
};

// "openassistant", "human-assistant", "instruct-output", "alpaca".
Result<std::shared_ptr<const ChatTemplate>> chatTemplate(std::string_view name);
std::vector<std::string_view> chatTemplateNames();

}  // namespace studio::text
