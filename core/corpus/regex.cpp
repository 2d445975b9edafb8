#include "corpus/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace studio::corpus {
namespace {

constexpr std::uint32_t kMatchLimit = 1'000'000;  // about 10 ms
constexpr std::uint32_t kHeapLimit = 20'000;      // KiB

struct FreeMatch {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Compiled {
    pcre2_code* code = nullptr;
    pcre2_match_context* limits = nullptr;
    ~Compiled() {
        pcre2_match_context_free(limits);
        pcre2_code_free(code);
    }
};

tl::expected<Regex, RegexError> Regex::compile(std::string_view pattern, Kind kind, bool caseless) {
    std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | (caseless ? PCRE2_CASELESS : 0);
    // \C could cut a character in two; the others make \d, \w and \b mean what they mean in other scripts too.
    options |= kind == Kind::Literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_MULTILINE;
    auto compiled = std::make_shared<Compiled>();
    int code = 0;
    PCRE2_SIZE offset = 0;
    compiled->code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &code, &offset, nullptr);
    if (!compiled->code) {
        char words[256] = {};
        pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(words), sizeof words);
        return tl::unexpected(RegexError{offset, words});
    }
    compiled->limits = pcre2_match_context_create(nullptr);
    if (!compiled->limits) return tl::unexpected(RegexError{0, "not enough memory"});
    pcre2_set_match_limit(compiled->limits, kMatchLimit);
    pcre2_set_heap_limit(compiled->limits, kHeapLimit);
    (void)pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE);  // without it, matching is only slower
    Regex regex;
    regex.compiled_ = std::move(compiled);
    return regex;
}

Regex::Match Regex::match(std::string_view text) const {
    // The answer is one bit, so one pair of offsets is enough.
    const std::unique_ptr<pcre2_match_data, FreeMatch> data(pcre2_match_data_create(1, nullptr));
    if (!data) return Match::LimitReached;
    const int code = pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                 data.get(), compiled_->limits);
    if (code >= 0) return Match::Yes;
    return code == PCRE2_ERROR_NOMATCH ? Match::No : Match::LimitReached;
}

}  // namespace studio::corpus
