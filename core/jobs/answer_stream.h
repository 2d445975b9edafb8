// Tokens of an answer to text as it can be shown: whole characters only, nothing of a stop string.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace studio::jobs {

class AnswerStream {
  public:
    AnswerStream(const text::Tokenizer& tokenizer, std::vector<std::string> stop_strings)
        : decoder_(tokenizer), stop_strings_(std::move(stop_strings)) {}

    // Text that is now certain. What may still turn into a stop string is held back.
    std::string push(int token);
    // The rest, after the last token.
    std::string finish();
    // A stop string was met; the text before it was given out, nothing more will come.
    bool stopped() const { return stopped_; }

  private:
    std::string release(bool all);

    text::StreamDecoder decoder_;
    std::vector<std::string> stop_strings_;
    std::string held_;
    bool stopped_ = false;
};

}  // namespace studio::jobs
