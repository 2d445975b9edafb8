// The bytes of a file, or of its gzip expanded, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"

namespace studio::io {

class ByteSource {
  public:
    // Recognises gzip by its first bytes. Unless it is `growing`, a file that changes while it is read is an error.
    static Result<std::unique_ptr<ByteSource>> open(const std::filesystem::path& path, std::uint64_t max_expanded,
                                                    bool growing = false);
    virtual ~ByteSource() = default;

    // Fills the span unless the end comes first; 0 at the end. After an error the bytes before it have been delivered.
    virtual Result<std::size_t> read(std::span<char> into) = 0;
    virtual std::uint64_t bytesRead() const = 0;  // of the file on disk
    virtual std::uint64_t fileSize() const = 0;
};

}  // namespace studio::io
