// A JSON file of a tokenizer, read lazily; knows where in the file a value stands.
#pragma once

#include <simdjson.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/id_file.h"
#include "text/messages.h"

namespace studio::text {

class JsonText {
  public:
    // Whole file, at most kMaxTokenizerFile.
    static Result<JsonText> read(const std::filesystem::path& path);

    const std::string& file() const { return file_; }
    simdjson::padded_string_view bytes() const {
        return simdjson::padded_string_view(bytes_.data(), bytes_.size(), bytes_.capacity());
    }

    // The place of `at`, a pointer into bytes(). Cheap if it is asked for in rising order.
    FilePlace place(const char* at);

    // Error if something follows the value that `document` has been read to the end of.
    Result<void> checkEnd(simdjson::ondemand::document& document) const;

    // An error of the parser at the place it has reached.
    tl::unexpected<Error> syntaxError(simdjson::error_code code, simdjson::ondemand::document& document);
    tl::unexpected<Error> errorAt(const char* at, std::string_view what);

  private:
    std::string file_;
    std::string bytes_;  // with room for the parser's padding
    std::size_t counted_ = 0, line_begin_ = 0;
    std::uint32_t line_ = 1;
};

// An object from spellings to ids inside a file.
Result<std::vector<IdEntry>> readIds(JsonText& text, simdjson::ondemand::document& document,
                                     simdjson::ondemand::object object);

}  // namespace studio::text
