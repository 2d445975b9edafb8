#include "text/bpe/bpe_tokenizer.h"

#include "text/bpe/splitter.h"

namespace studio::text {
namespace {

std::vector<int> lengthsOf(const std::vector<std::string>& tokens) {
    std::vector<int> lengths;
    lengths.reserve(tokens.size());
    for (const std::string& token : tokens) lengths.push_back(static_cast<int>(token.size()));
    return lengths;
}

}  // namespace

BpeTokenizer::BpeTokenizer(BpeModel model)
    : model_(std::move(model)),
      lengths_(lengthsOf(model_.tokens)),
      added_(model_.added),
      merger_(model_.merges, model_.byte_ids, lengths_) {}

std::string_view BpeTokenizer::tokenBytes(int id) const {
    return id >= 0 && id < size() ? std::string_view(model_.tokens[id]) : std::string_view();
}

void BpeTokenizer::append(std::string_view text, bool with_specials, std::vector<int>& ids) const {
    WordCachePool::Loan cache(caches_);
    added_.split(
        text, with_specials, [&](std::string_view plain) { appendPlain(plain, *cache, ids); },
        [&](int id) { ids.push_back(id); });
}

void BpeTokenizer::appendPlain(std::string_view text, WordCache& cache, std::vector<int>& ids) const {
    const char* const end = text.data() + text.size();
    const auto merge = [&](std::string_view word, std::vector<int>& out) { merger_.append(word, out); };
    for (WordSplitter words(classes_, text); !words.done();) cache.append(words.next(), end, ids, merge);
}

}  // namespace studio::text
