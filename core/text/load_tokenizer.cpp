#include <fmt/format.h>

#include "text/bpe/bpe_tokenizer.h"
#include "text/sentencepiece/sentencepiece_tokenizer.h"
#include "text/tokenizer.h"

namespace studio::text {
namespace {

Result<std::shared_ptr<const Tokenizer>> loadBpe(Result<BpeFiles> files, const SpecialNames& names) {
    STUDIO_TRY(const BpeFiles read, std::move(files));
    if (names.add_prefix_space)
        return fail(ErrorCode::Unsupported,
                    "tokenizer_config.json: \"add_prefix_space\" is on, which is not supported.",
                    "Use the tokenizer of the original base model.");
    STUDIO_TRY(BpeModel model, buildBpeModel(read, names));
    return std::make_shared<const BpeTokenizer>(std::move(model));
}

Result<std::shared_ptr<const Tokenizer>> loadSentencePiece(const std::filesystem::path& folder,
                                                           const SpecialNames& names) {
    std::vector<AddedToken> added = names.declared;
    std::error_code ignored;
    if (std::filesystem::exists(folder / "added_tokens.json", ignored)) {
        STUDIO_TRY(const std::vector<IdEntry> entries, readIdFile(folder / "added_tokens.json"));
        for (const IdEntry& entry : entries) added.push_back({entry.spelling, entry.id, false, true});
    }
    return SentencePieceTokenizer::load(folder / "tokenizer.model", names, added);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const std::filesystem::path& folder) {
    const auto has = [&](const char* file) {
        std::error_code ignored;
        return std::filesystem::exists(folder / file, ignored);
    };
    STUDIO_TRY(const SpecialNames names, readSpecialNames(folder));
    if (has("tokenizer.model") && !has("vocab.json")) return loadSentencePiece(folder, names);
    if (has("vocab.json") && has("merges.txt")) return loadBpe(readVocabularyAndMerges(folder), names);
    if (has("tokenizer.json")) return loadBpe(readTokenizerJson(folder), names);
    return fail(ErrorCode::NotFound, fmt::format("The folder {} has no tokenizer.", folder.string()),
                "It needs vocab.json with merges.txt, or tokenizer.json, or tokenizer.model.");
}

}  // namespace studio::text
