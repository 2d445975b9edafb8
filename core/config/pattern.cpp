#include "config/pattern.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace studio::config {

namespace {

constexpr std::size_t kLongestPattern = 4096;
constexpr std::uint32_t kMatchLimit = 200000, kHeapLimitKb = 20000;

struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string reason(int code) {
    PCRE2_UCHAR text[256];
    if (pcre2_get_error_message(code, text, sizeof text) < 0) return "unknown error";
    return reinterpret_cast<const char*>(text);
}

}  // namespace

struct Expression::Compiled {
    std::string pattern;
    std::unique_ptr<pcre2_code, Free> code;
    std::unique_ptr<pcre2_match_data, Free> data;
    std::unique_ptr<pcre2_match_context, Free> context;

    Result<bool> match(std::string_view text, std::uint32_t options) const {
        const int rc = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0,
                                   PCRE2_ANCHORED | options, data.get(), context.get());
        if (rc == PCRE2_ERROR_NOMATCH) return false;
        if (rc < 0)
            return fail(ErrorCode::OutOfRange,
                        fmt::format("The expression {} cannot be matched against {}: {}.", pattern, text, reason(rc)),
                        "Write a simpler expression, or a list of names.");
        return true;
    }
};

Result<Expression> Expression::compile(std::string_view pattern) {
    if (pattern.size() > kLongestPattern)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("An expression of {} bytes is too long; at most {}.", pattern.size(), kLongestPattern),
                    "Write a list of names instead.");
    auto compiled = std::make_shared<Compiled>();
    compiled->pattern = pattern;
    int error = 0;
    PCRE2_SIZE offset = 0;
    compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                       PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr));
    if (!compiled->code)
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("{} is no regular expression: {} (at character {}).", pattern, reason(error), offset + 1),
            R"(Correct the expression; for plain names write a list, ["q_proj", "v_proj"].)");
    compiled->data.reset(pcre2_match_data_create_from_pattern(compiled->code.get(), nullptr));
    compiled->context.reset(pcre2_match_context_create(nullptr));
    if (!compiled->data || !compiled->context)
        return fail(ErrorCode::OutOfMemory, "There is no memory left to match module names.", "Close other programs.");
    pcre2_set_match_limit(compiled->context.get(), kMatchLimit);
    pcre2_set_heap_limit(compiled->context.get(), kHeapLimitKb);
    Expression expression;
    expression.compiled_ = std::move(compiled);
    return expression;
}

Result<bool> Expression::matchesWhole(std::string_view text) const {
    return compiled_->match(text, PCRE2_ENDANCHORED);
}

Result<std::string> Expression::indexIn(std::string_view text) const {
    STUDIO_TRY(const bool matched, compiled_->match(text, 0));
    const int group = pcre2_substring_number_from_name(compiled_->code.get(), reinterpret_cast<PCRE2_SPTR>("idx"));
    if (!matched || group < 0) return std::string();
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(compiled_->data.get());
    if (ends[2 * group] == PCRE2_UNSET) return std::string();
    return std::string(text.substr(ends[2 * group], ends[2 * group + 1] - ends[2 * group]));
}

}  // namespace studio::config
