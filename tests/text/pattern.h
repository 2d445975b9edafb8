// A PCRE2 pattern with Unicode properties, the reference for the hand-written scanner.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace studio::test {

class Pattern {
  public:
    explicit Pattern(const char* text) {
        int error = 0;
        PCRE2_SIZE offset = 0;
        code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                  &error, &offset, nullptr));
        pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
        data_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    }

    bool matches(std::string_view text) const { return match(text, 0) > 0; }

    std::vector<std::string> findAll(std::string_view text) const {
        std::vector<std::string> found;
        for (std::size_t at = 0; at < text.size();) {
            if (match(text, at) <= 0) break;
            const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(data_.get());
            found.emplace_back(text.substr(ends[0], ends[1] - ends[0]));
            at = ends[1];
        }
        return found;
    }

  private:
    int match(std::string_view text, std::size_t from) const {
        return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, 0, data_.get(),
                           nullptr);
    }

    struct Free {
        void operator()(pcre2_code* code) const { pcre2_code_free(code); }
        void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    };
    std::unique_ptr<pcre2_code, Free> code_;
    std::unique_ptr<pcre2_match_data, Free> data_;
};

}  // namespace studio::test
