// The simplest tokenizer and template there are: a byte is a token, markers are short.
#pragma once

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace studio::test {

class ByteTokenizer final : public text::Tokenizer {
  public:
    static constexpr int kEos = 256, kBegin = 257;
    using text::Tokenizer::encode;
    void encode(std::string_view text, std::vector<int>& ids) const override {
        for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    }
    void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const override { encode(text, ids); }
    std::string_view tokenBytes(int) const override { return {}; }
    int size() const override { return 258; }
    int eos() const override { return kEos; }
    std::string_view eosText() const override { return "<eos>"; }
    bool isSpecial(int id) const override { return id >= kEos; }
};

// "P:" text EOS "A:" text EOS …, a begin token before the first turn. With `silent_system` system turns have no tokens.
class ShortTemplate final : public text::ChatTemplate {
  public:
    explicit ShortTemplate(bool silent_system = false) : silent_system_(silent_system) {}
    std::string_view name() const override { return "short"; }
    void appendTurn(const text::Tokenizer& tokenizer, const text::Turn& turn, bool first,
                    text::Tokens& out) const override {
        using text::SpanKind;
        const auto add = [&](std::string_view text, SpanKind kind) {
            tokenizer.encode(text, out.ids);
            out.kinds.resize(out.ids.size(), kind);
        };
        if (turn.role == text::Role::System && silent_system_) return;
        if (first) {
            out.ids.push_back(ByteTokenizer::kBegin);
            out.kinds.push_back(SpanKind::Marker);
        }
        switch (turn.role) {
            case text::Role::System:
                add("S:", SpanKind::Marker);
                return add(turn.text, SpanKind::SystemText);
            case text::Role::Prompter:
                add("P:", SpanKind::Marker);
                add(turn.text, SpanKind::PrompterText);
                break;
            case text::Role::Assistant:
                add("A:", SpanKind::Marker);
                add(turn.text, SpanKind::AssistantText);
                break;
        }
        out.ids.push_back(tokenizer.eos());
        out.kinds.push_back(turn.role == text::Role::Assistant ? SpanKind::AssistantEnd : SpanKind::PrompterEnd);
    }
    void appendPrompt(const text::Tokenizer& tokenizer, text::Tokens& out) const override {
        tokenizer.encode("A:", out.ids);
        out.kinds.resize(out.ids.size(), text::SpanKind::Marker);
    }
    std::vector<std::string> stopStrings() const override { return {}; }

  private:
    bool silent_system_;
};

}  // namespace studio::test
