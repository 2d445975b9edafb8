#include <fmt/format.h>

#include "text/bpe/bpe_files.h"
#include "text/json_text.h"
#include "text/limits.h"
#include "text/messages.h"
#include "text/special_names.h"

namespace studio::text {
namespace {

namespace od = simdjson::ondemand;

tl::unexpected<Error> unsupported(std::string_view what) {
    return fail(ErrorCode::Unsupported, fmt::format("tokenizer.json: {}.", what),
                "Supported are byte-level BPE tokenizers of GPT-2's kind, as phi-2 has, and sentencepiece models.");
}

// Walks through the file once, in whatever order its parts come.
class TokenizerJsonReader {
  public:
    explicit TokenizerJsonReader(JsonText& text) : text_(text) {
        files_.vocabulary_file = files_.merges_file = files_.added_file = text.file();
    }

    Result<BpeFiles> read() {
        if (const auto error = parser_.iterate(text_.bytes()).get(document_))
            return corruptFile(text_.file(), fmt::format("this is not JSON ({})", simdjson::error_message(error)));
        STUDIO_CHECK(
            eachField(document_.get_object(), [&](std::string_view key, od::value value) { return part(key, value); }));
        STUDIO_CHECK(text_.checkEnd(document_));
        if (!has_vocabulary_ || !has_merges_)
            return corruptFile(text_.file(), "the model's \"vocab\" or \"merges\" is missing");
        if (!splits_as_gpt2_) return unsupported("there is no byte-level pre-tokenizer");
        return std::move(files_);
    }

  private:
    // Calls use(key, value) -> Result<void> for each field.
    template <class Object, class Use>
    Result<void> eachField(Object&& maybe, Use&& use) {
        od::object object;
        if (const auto error = std::forward<Object>(maybe).get(object)) return text_.syntaxError(error, document_);
        for (auto field : object) {
            std::string_view key;
            if (const auto error = field.unescaped_key().get(key)) return text_.syntaxError(error, document_);
            const std::string name(key);
            od::value value;
            if (const auto error = field.value().get(value)) return text_.syntaxError(error, document_);
            STUDIO_CHECK(use(name, value));
        }
        return {};
    }

    Result<void> part(std::string_view key, od::value value) {
        if (key == "model")
            return eachField(value.get_object(),
                             [&](std::string_view name, od::value field) { return modelField(name, field); });
        if (key == "added_tokens") return addedTokens(value);
        if (key == "normalizer" && !isNull(value))
            return unsupported("it changes the text before it is cut (\"normalizer\")");
        if (key == "pre_tokenizer" && !isNull(value)) return preTokenizer(value);
        return {};
    }

    Result<void> preTokenizer(od::value value) {
        return eachField(value.get_object(), [&](std::string_view name, od::value field) -> Result<void> {
            if (name == "type") {
                STUDIO_TRY(const std::string type, string(field, name));
                if (type != "ByteLevel")
                    return unsupported("the pre-tokenizer is " + quote(type) + ", not \"ByteLevel\"");
                splits_as_gpt2_ = true;
            }
            if (name == "add_prefix_space" || name == "use_regex") {
                STUDIO_TRY(const bool on, boolean(field, name));
                if (on != (name == "use_regex"))
                    return unsupported(fmt::format("the pre-tokenizer has {}: {}", quote(name), on));
            }
            return {};
        });
    }

    Result<void> modelField(std::string_view name, od::value value) {
        if (name == "vocab") {
            if (has_vocabulary_) return corruptFile(text_.file(), "\"vocab\" is there twice");
            has_vocabulary_ = true;
            od::object object;
            if (value.get_object().get(object) != simdjson::SUCCESS)
                return unsupported("the vocabulary is not an object from tokens to ids");
            STUDIO_TRY(files_.vocabulary, readIds(text_, document_, object));
        } else if (name == "merges") {
            if (has_merges_) return corruptFile(text_.file(), "\"merges\" is there twice");
            has_merges_ = true;
            return merges(value);
        } else if (name == "type") {
            STUDIO_TRY(const std::string type, string(value, name));
            if (type != "BPE") return unsupported("the model is " + quote(type) + ", not \"BPE\"");
        } else if (name == "byte_fallback" || name == "ignore_merges") {
            STUDIO_TRY(const bool on, boolean(value, name));
            if (on) return unsupported(quote(name) + " is on");
        } else if (name == "continuing_subword_prefix" || name == "end_of_word_suffix") {
            if (isNull(value)) return {};
            STUDIO_TRY(const std::string affix, string(value, name));
            if (!affix.empty()) return unsupported(quote(name) + " is set");
        } else if (name == "dropout") {
            if (!isNull(value)) return unsupported("merges are left out at random (\"dropout\")");
        }
        return {};
    }

    // Each merge is "left right" or ["left", "right"].
    Result<void> merges(od::value value) {
        od::array list;
        if (const auto error = value.get_array().get(list)) return text_.syntaxError(error, document_);
        for (auto maybe : list) {
            od::value item;
            if (const auto error = maybe.get(item)) return text_.syntaxError(error, document_);
            MergeEntry merge;
            merge.place = text_.place(item.raw_json_token().data());
            std::string_view token;
            std::vector<std::string> fields;
            if (od::array pair; item.get_array().get(pair) == simdjson::SUCCESS) {
                for (auto field : pair) {
                    if (const auto error = field.get_string().get(token)) return text_.syntaxError(error, document_);
                    fields.emplace_back(token);
                }
            } else if (const auto error = item.get_string().get(token)) {
                return text_.syntaxError(error, document_);
            } else {
                for (std::size_t space; (space = token.find(' ')) != std::string_view::npos;
                     token.remove_prefix(space + 1))
                    fields.emplace_back(token.substr(0, space));
                fields.emplace_back(token);
            }
            if (fields.size() != 2 || fields[0].empty() || fields[1].empty())
                return corruptFile(describe(text_.file(), merge.place),
                                   fmt::format("a merge is two tokens, this one has {}", fields.size()));
            merge.left = std::move(fields[0]);
            merge.right = std::move(fields[1]);
            files_.merges.push_back(std::move(merge));
            if (files_.merges.size() > static_cast<std::size_t>(kMaxTokens))
                return corruptFile(text_.file(), fmt::format("there are more than {} merges", kMaxTokens));
        }
        return {};
    }

    Result<void> addedTokens(od::value value) {
        od::array list;
        if (isNull(value)) return {};
        if (const auto error = value.get_array().get(list)) return text_.syntaxError(error, document_);
        for (auto item : list) {
            BpeFiles::Added added;
            std::int64_t id = -1;
            bool lstrip = false, rstrip = false, single_word = false;
            std::optional<bool> normalized;
            const char* at = nullptr;
            if (document_.current_location().get(at) == simdjson::SUCCESS) added.place = text_.place(at);
            STUDIO_CHECK(eachField(item.get_object(), [&](std::string_view name, od::value field) -> Result<void> {
                if (name == "content") {
                    STUDIO_TRY(added.token.spelling, string(field, name));
                } else if (name == "id") {
                    if (const auto error = field.get_int64().get(id)) return text_.syntaxError(error, document_);
                } else if (name == "special") {
                    STUDIO_TRY(added.token.special, boolean(field, name));
                } else if (name == "normalized") {
                    STUDIO_TRY(normalized, boolean(field, name));
                } else if (name == "lstrip" || name == "rstrip" || name == "single_word") {
                    STUDIO_TRY((name[0] == 'l' ? lstrip : name[0] == 'r' ? rstrip : single_word), boolean(field, name));
                }
                return {};
            }));
            const std::string where = describe(text_.file(), added.place);
            if (id < 0 || id >= kMaxTokens)
                return corruptFile(where, fmt::format("an added token needs an id from 0 to {}", kMaxTokens - 1));
            if (added.token.spelling.empty() || added.token.spelling.size() > kMaxTokenBytes)
                return corruptFile(where, "an added token needs a \"content\" that is neither empty nor overlong");
            STUDIO_CHECK(checkAddedTokenFlags(where, added.token.spelling, lstrip, rstrip, single_word));
            added.token.id = static_cast<int>(id);
            added.token.normalized = normalized.value_or(!added.token.special);
            files_.added.push_back(std::move(added));
            if (files_.added.size() > static_cast<std::size_t>(kMaxTokens))
                return corruptFile(where, fmt::format("there are more than {} added tokens", kMaxTokens));
        }
        return {};
    }

    Result<std::string> string(od::value value, std::string_view name) {
        std::string_view result;
        if (value.get_string().get(result) != simdjson::SUCCESS)
            return corruptFile(text_.file(), quote(name) + " must be a string");
        return std::string(result);
    }

    Result<bool> boolean(od::value value, std::string_view name) {
        bool result = false;
        if (value.get_bool().get(result) != simdjson::SUCCESS)
            return corruptFile(text_.file(), quote(name) + " must be true or false");
        return result;
    }

    static bool isNull(od::value& value) {
        bool result = false;
        return value.is_null().get(result) == simdjson::SUCCESS && result;
    }

    JsonText& text_;
    od::parser parser_;
    od::document document_;
    BpeFiles files_;
    bool has_vocabulary_ = false, has_merges_ = false, splits_as_gpt2_ = false;
};

}  // namespace

Result<BpeFiles> readTokenizerJson(const std::filesystem::path& folder) {
    STUDIO_TRY(JsonText text, JsonText::read(folder / "tokenizer.json"));
    return TokenizerJsonReader(text).read();
}

}  // namespace studio::text
