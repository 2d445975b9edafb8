#include "text/sentencepiece/wire.h"

namespace studio::text {

std::optional<WireField> WireReader::next() {
    if (broken_ || at_ == message_.size()) return std::nullopt;
    broken_ = true;  // until the field has been read
    const auto tag = varint();
    if (!tag || *tag >> 3 == 0 || *tag >> 3 > 0x1FFFFFFF) return std::nullopt;
    WireField field;
    field.number = static_cast<std::uint32_t>(*tag >> 3);
    field.value_offset = at_;
    std::optional<std::uint64_t> value;
    switch (*tag & 7) {
        case 0:
            field.type = WireField::Type::Varint;
            value = varint();
            break;
        case 1:
            field.type = WireField::Type::Fixed64;
            value = fixed(8);
            break;
        case 2:
            field.type = WireField::Type::Bytes;
            value = varint();
            break;
        case 5:
            field.type = WireField::Type::Fixed32;
            value = fixed(4);
            break;
        default:
            break;
    }
    if (!value) return std::nullopt;
    field.value = *value;
    if (field.type == WireField::Type::Bytes) {
        if (*value > message_.size() - at_) return std::nullopt;
        field.value_offset = at_;
        field.bytes = message_.substr(at_, *value);
        at_ += *value;
    }
    broken_ = false;
    return field;
}

std::optional<std::uint64_t> WireReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < message_.size(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(message_[at_++]);
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> WireReader::fixed(int bytes) {
    if (message_.size() - at_ < static_cast<std::size_t>(bytes)) return std::nullopt;
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
        value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(message_[at_++])) << 8 * i;
    return value;
}

}  // namespace studio::text
