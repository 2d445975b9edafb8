#include "text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "text/bpe/byte_alphabet.h"
#include "text/messages.h"

namespace studio::text {
namespace {

class Builder {
  public:
    Builder(const BpeFiles& files, const SpecialNames& names) : files_(files), names_(names) {}

    Result<BpeModel> build() {
        STUDIO_CHECK(takeVocabulary());
        STUDIO_CHECK(takeAdded());
        STUDIO_CHECK(findHoles());
        STUDIO_CHECK(findBytes());
        STUDIO_CHECK(markSpecials());
        STUDIO_CHECK(takeMerges());
        return std::move(model_);
    }

  private:
    // Reserves the id for the spelling; both may be given once only.
    Result<void> claim(const std::string& spelling, int id, const std::string& where) {
        if (const auto [known, added] = id_of_.emplace(spelling, id); !added)
            return corruptFile(where, fmt::format("the token {} is there twice", quote(spelling)));
        if (static_cast<std::size_t>(id) >= model_.tokens.size()) {
            model_.tokens.resize(id + 1);
            spelling_of_.resize(id + 1);
        }
        if (!spelling_of_[id].empty())
            return corruptFile(where, fmt::format("the tokens {} and {} both have the id {}", quote(spelling_of_[id]),
                                                  quote(spelling), id));
        spelling_of_[id] = spelling;
        return {};
    }

    Result<void> takeVocabulary() {
        if (files_.vocabulary.empty()) return corruptFile(files_.vocabulary_file, "there are no tokens");
        for (const IdEntry& entry : files_.vocabulary) {
            STUDIO_CHECK(claim(entry.spelling, entry.id, describe(files_.vocabulary_file, entry.place)));
            model_.tokens[entry.id] = alphabet_.toBytes(entry.spelling).value_or(entry.spelling);
        }
        return {};
    }

    Result<void> takeAdded() {
        for (const BpeFiles::Added& added : files_.added)
            STUDIO_CHECK(takeAddedToken(added.token, describe(files_.added_file, added.place)));
        // tokenizer_config.json repeats the added tokens with their flags; alone it is where they are.
        for (const AddedToken& token : names_.declared) {
            const auto same = [&](const AddedToken& other) { return other.spelling == token.spelling; };
            const auto known = std::find_if(model_.added.begin(), model_.added.end(), same);
            if (known == model_.added.end()) {
                STUDIO_CHECK(takeAddedToken(token, "tokenizer_config.json"));
            } else {
                if (known->id != token.id)
                    return corruptFile("tokenizer_config.json",
                                       fmt::format("the token {} has the id {}, but {} in {}", quote(token.spelling),
                                                   token.id, known->id, files_.added_file));
                *known = token;
            }
        }
        return {};
    }

    Result<void> takeAddedToken(const AddedToken& token, const std::string& where) {
        const auto known = id_of_.find(token.spelling);
        if (known == id_of_.end()) {
            STUDIO_CHECK(claim(token.spelling, token.id, where));
        } else if (known->second != token.id) {
            return corruptFile(where, fmt::format("the token {} has the id {}, but {} in {}", quote(token.spelling),
                                                  token.id, known->second, files_.vocabulary_file));
        } else if (isAdded(token.spelling)) {
            return corruptFile(where, fmt::format("the token {} is there twice", quote(token.spelling)));
        }
        model_.tokens[token.id] = token.spelling;
        model_.added.push_back(token);
        added_.insert(token.spelling);
        return {};
    }

    bool isAdded(const std::string& spelling) const { return added_.contains(spelling); }

    // Added tokens may leave ids out at the end, where fine-tunes put theirs.
    Result<void> findHoles() const {
        const auto byId = [](const IdEntry& a, const IdEntry& b) { return a.id < b.id; };
        const int last = std::max_element(files_.vocabulary.begin(), files_.vocabulary.end(), byId)->id;
        const auto hole = std::find_if(spelling_of_.begin(), spelling_of_.begin() + last,
                                       [](const std::string& spelling) { return spelling.empty(); });
        if (hole == spelling_of_.begin() + last) return {};
        const int missing = static_cast<int>(hole - spelling_of_.begin());
        const IdEntry* above = nullptr;
        for (const IdEntry& entry : files_.vocabulary)
            if (entry.id > missing && (above == nullptr || entry.id < above->id)) above = &entry;
        return corruptFile(describe(files_.vocabulary_file, above->place),
                           fmt::format("the token {} has the id {}, but no token has the id {}", quote(above->spelling),
                                       above->id, missing));
    }

    Result<void> findBytes() {
        for (int byte = 0; byte < 256; ++byte) {
            const auto found = id_of_.find(alphabet_.spell(std::string(1, static_cast<char>(byte))));
            if (found == id_of_.end())
                return corruptFile(files_.vocabulary_file, fmt::format("no token stands for the byte 0x{:02X}", byte));
            model_.byte_ids[byte] = found->second;
        }
        return {};
    }

    // Special are the end of text, what the files name so and what is flagged so.
    Result<void> markSpecials() {
        STUDIO_CHECK(findEos());
        model_.special.assign(model_.tokens.size(), false);
        for (AddedToken& token : model_.added) {
            if (token.id != model_.eos && !names_.makesSpecial(token.spelling)) continue;
            if (!token.special) token.normalized = false;
            token.special = true;
        }
        for (const std::string& spelling : names_.spellings) addSpecial(spelling);
        addSpecial(spelling_of_[model_.eos]);
        for (const AddedToken& token : model_.added) model_.special[token.id] = token.special;
        for (int byte = 0; byte < 256; ++byte)
            if (model_.special[model_.byte_ids[byte]])
                return corruptFile(
                    names_.eos_file.empty() ? files_.vocabulary_file : names_.eos_file,
                    fmt::format("the special token {} is a plain byte", quote(model_.tokens[model_.byte_ids[byte]])));
        return {};
    }

    void addSpecial(const std::string& spelling) {
        const auto known = id_of_.find(spelling);
        if (known == id_of_.end() || isAdded(spelling)) return;
        model_.tokens[known->second] = spelling;
        model_.added.push_back({spelling, known->second, true, false});
        added_.insert(spelling);
    }

    Result<void> findEos() {
        if (!names_.eos.empty()) {
            const auto found = id_of_.find(names_.eos);
            if (found == id_of_.end())
                return corruptFile(names_.eos_file,
                                   fmt::format("the end-of-text token {} is not in the vocabulary", quote(names_.eos)));
            model_.eos = found->second;
            return {};
        }
        if (names_.eos_id) {
            if (static_cast<std::size_t>(*names_.eos_id) >= spelling_of_.size() || spelling_of_[*names_.eos_id].empty())
                return corruptFile("config.json",
                                   fmt::format("no token has the id {} of \"eos_token_id\"", *names_.eos_id));
            model_.eos = *names_.eos_id;
            return {};
        }
        if (const auto found = id_of_.find("<|endoftext|>"); found != id_of_.end()) {
            model_.eos = found->second;
            return {};
        }
        return fail(ErrorCode::NotFound, "The tokenizer's files do not say which token ends a text.",
                    "Add tokenizer_config.json or special_tokens_map.json of the model to its folder.");
    }

    Result<void> takeMerges() {
        model_.merges = MergeTable(files_.merges.size());
        for (std::size_t rank = 0; rank < files_.merges.size(); ++rank) {
            const MergeEntry& merge = files_.merges[rank];
            const std::string where = describe(files_.merges_file, merge.place);
            const std::string* parts[] = {&merge.left, &merge.right, nullptr};
            const std::string joined = merge.left + merge.right;
            parts[2] = &joined;
            int ids[3] = {};
            for (int i = 0; i < 3; ++i) {
                const auto found = id_of_.find(*parts[i]);
                if (found == id_of_.end())
                    return corruptFile(
                        where,
                        fmt::format("the merge of {} and {} needs the token {}, which {} does not have",
                                    quote(merge.left), quote(merge.right), quote(*parts[i]), files_.vocabulary_file));
                ids[i] = found->second;
            }
            const std::size_t length = model_.tokens[ids[0]].size() + model_.tokens[ids[1]].size();
            if (model_.special[ids[2]] || model_.tokens[ids[2]].size() != length)
                return corruptFile(where, fmt::format("merging {} and {} would make the special or added token {}",
                                                      quote(merge.left), quote(merge.right), quote(joined)));
            const auto added = model_.merges.add(ids[0], ids[1], {static_cast<std::uint32_t>(rank), ids[2]});
            if (added == MergeTable::Added::AlreadyThere)
                return corruptFile(
                    where, fmt::format("the merge of {} and {} is there twice", quote(merge.left), quote(merge.right)));
            if (added == MergeTable::Added::Crowded)
                return corruptFile(where, "the merges are made to slow the program down");
        }
        return {};
    }

    const BpeFiles& files_;
    const SpecialNames& names_;
    const ByteAlphabet alphabet_;
    BpeModel model_;
    std::unordered_map<std::string, int> id_of_;  // by spelling in the files
    std::unordered_set<std::string> added_;       // spellings
    std::vector<std::string> spelling_of_;        // by id
};

}  // namespace

Result<BpeModel> buildBpeModel(const BpeFiles& files, const SpecialNames& names) {
    return Builder(files, names).build();
}

}  // namespace studio::text
