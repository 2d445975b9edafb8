#include "text/tokenizer.h"

#include "text/utf8.h"

namespace studio::text {

std::vector<int> Tokenizer::encode(std::string_view text) const {
    std::vector<int> ids;
    encode(text, ids);
    return ids;
}

std::string Tokenizer::decode(const std::vector<int>& ids, bool skip_specials) const {
    std::string text;
    for (const int id : ids)
        if (!skip_specials || !isSpecial(id)) text += tokenBytes(id);
    if (addsLeadingSpace() && text.starts_with(' ')) text.erase(0, 1);
    return text;
}

std::string StreamDecoder::push(int id) {
    std::string_view bytes = tokenizer_->tokenBytes(id);
    if (bytes.empty()) return {};
    if (drop_space_ && bytes.front() == ' ') bytes.remove_prefix(1);
    drop_space_ = false;
    pending_ += bytes;
    return take(false);
}

std::string StreamDecoder::finish() {
    return take(true);
}

std::string StreamDecoder::take(bool all) {
    std::string out;
    std::size_t done = 0;
    while (done < pending_.size()) {
        const std::string_view rest = std::string_view(pending_).substr(done);
        if (const std::size_t valid = validPrefix(rest); valid > 0) {
            out += rest.substr(0, valid);
            done += valid;
            continue;
        }
        const CodePoint broken = firstCodePoint(rest);
        if (broken.cut_off && !all) break;
        out += "\uFFFD";
        done += broken.length;
    }
    pending_.erase(0, done);
    return out;
}

}  // namespace studio::text
