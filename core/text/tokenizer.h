// Text to token ids and back: phi-2's byte-level BPE, and sentencepiece for models that ship tokenizer.model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::text {

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;

    // Ids of `text`, in which special tokens are ordinary text: no message can forge an EOS. Appends to `ids`.
    // No begin or end token is added. Thread-safe. `text` must be valid UTF-8; other bytes are encoded byte by byte.
    virtual void encode(std::string_view text, std::vector<int>& ids) const = 0;

    // As transformers does it: special tokens written in the text are recognised.
    virtual void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const = 0;

    // The bytes a token stands for; special tokens give their spelling. Empty for ids that stand for nothing.
    // With sentencepiece the concatenation of pieces is the text (models that begin it with a space: see decode).
    virtual std::string_view tokenBytes(int id) const = 0;

    virtual int size() const = 0;  // ids are in [0, size())
    virtual int eos() const = 0;
    virtual std::string_view eosText() const = 0;  // "<|endoftext|>" for phi-2
    virtual bool isSpecial(int id) const = 0;

    // Whether encode puts a space before the text that decode takes away again (llama's sentencepiece models).
    virtual bool addsLeadingSpace() const { return false; }

    std::vector<int> encode(std::string_view text) const;
    // Byte-exact inverse of encode for valid input; specials are spelled out unless skipped.
    virtual std::string decode(const std::vector<int>& ids, bool skip_specials = false) const;
};

// vocab.json + merges.txt (+ added_tokens.json), tokenizer.json (byte-level BPE only) or tokenizer.model, whichever the
// folder has, in this order of preference: tokenizer.model without vocab.json, vocab.json + merges.txt, tokenizer.json.
// EOS from tokenizer_config.json, special_tokens_map.json or config.json. A chat template in these files is never run.
Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const std::filesystem::path& folder);

// Turns a stream of tokens into text without ever emitting half a character: bytes that may still become one are held
// back; what can no longer become one is emitted as U+FFFD (one for each maximal ill-formed part, as Unicode advises).
class StreamDecoder {
  public:
    explicit StreamDecoder(const Tokenizer& tokenizer)
        : tokenizer_(&tokenizer), drop_space_(tokenizer.addsLeadingSpace()) {}
    std::string push(int id);  // what can be shown now, valid UTF-8
    std::string finish();      // the held-back rest

  private:
    std::string take(bool all);

    const Tokenizer* tokenizer_;
    std::string pending_;
    bool drop_space_;
};

}  // namespace studio::text
