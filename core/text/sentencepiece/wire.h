// Protocol buffers on the wire, read without trusting a length.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace studio::text {

// One field of a message. Groups are not read: nothing here uses them.
struct WireField {
    enum class Type { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
    std::uint32_t number = 0;
    Type type = Type::Varint;
    std::uint64_t value = 0;       // of Varint, Fixed64, Fixed32
    std::string_view bytes;        // of Bytes
    std::size_t value_offset = 0;  // of the value's first byte in the message
};

// Goes through the fields of a message. After a field that is cut off, too long or of an unknown kind, broken() is true
// and next() gives nothing more.
class WireReader {
  public:
    explicit WireReader(std::string_view message) : message_(message) {}
    std::optional<WireField> next();
    bool broken() const { return broken_; }

  private:
    std::optional<std::uint64_t> varint();
    std::optional<std::uint64_t> fixed(int bytes);

    std::string_view message_;
    std::size_t at_ = 0;
    bool broken_ = false;
};

}  // namespace studio::text
