#include "project/event_file.h"

#include <array>
#include <bit>
#include <optional>

namespace studio::project {
namespace {

constexpr std::array<std::uint32_t, 256> crcTable() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0x82F63B78u : value >> 1;
        table[i] = value;
    }
    return table;
}
constexpr auto kCrcTable = crcTable();

// record_writer.cc: a checksum over data that contain checksums would be weak, so it is rotated and shifted.
std::uint32_t maskedCrc(std::string_view bytes) {
    return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

template <class T>
void putFixed(std::string& out, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

template <class T>
T getFixed(std::string_view bytes) {
    T value = 0;
    for (std::size_t i = sizeof value; i-- > 0;)
        value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[i]));
    return value;
}

void putVarint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

// Wire types of protocol buffers.
constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

void putKey(std::string& out, unsigned field, unsigned type) {
    putVarint(out, field << 3 | type);
}

void putBytes(std::string& out, unsigned field, std::string_view bytes) {
    putKey(out, field, kBytes);
    putVarint(out, bytes.size());
    out += bytes;
}

std::string framed(std::string_view data) {
    std::string record;
    putFixed<std::uint64_t>(record, data.size());
    putFixed(record, maskedCrc(record));
    record += data;
    putFixed(record, maskedCrc(data));
    return record;
}

std::string eventStart(double wall_time) {
    std::string event;
    putKey(event, 1, kFixed64);
    putFixed(event, std::bit_cast<std::uint64_t>(wall_time));
    return event;
}

std::optional<std::uint64_t> takeVarint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

struct EventHead {
    std::int64_t step = 0;
    bool version = false;
};

// An event's step; nothing if the message is malformed.
std::optional<EventHead> readEvent(std::string_view event) {
    EventHead head;
    while (!event.empty()) {
        const auto key = takeVarint(event);
        if (!key) return std::nullopt;
        std::uint64_t length = 0;
        switch (*key & 7) {
            case kVarint: {
                const auto value = takeVarint(event);
                if (!value) return std::nullopt;
                if (*key >> 3 == 2) head.step = static_cast<std::int64_t>(*value);
                continue;
            }
            case kFixed64:
                length = 8;
                break;
            case kFixed32:
                length = 4;
                break;
            case kBytes: {
                const auto size = takeVarint(event);
                if (!size) return std::nullopt;
                length = *size;
                head.version = head.version || *key >> 3 == 3;
                break;
            }
            default:
                return std::nullopt;
        }
        if (length > event.size()) return std::nullopt;
        event.remove_prefix(length);
    }
    return head;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = ~0u;
    for (const char c : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
    return ~crc;
}

std::string eventFileVersion(double wall_time) {
    std::string event = eventStart(wall_time);
    putBytes(event, 3, "brain.Event:2");
    return framed(event);
}

std::string eventScalars(double wall_time, std::int64_t step, std::span<const Scalar> scalars) {
    std::string summary;
    for (const Scalar& scalar : scalars) {
        std::string value;
        putBytes(value, 1, scalar.tag);
        putKey(value, 2, kFixed32);
        putFixed(value, std::bit_cast<std::uint32_t>(static_cast<float>(scalar.value)));
        putBytes(summary, 1, value);
    }
    std::string event = eventStart(wall_time);
    if (step != 0) {  // as protocol buffers do with a default value
        putKey(event, 2, kVarint);
        putVarint(event, static_cast<std::uint64_t>(step));
    }
    putBytes(event, 5, summary);
    return framed(event);
}

std::uint64_t eventBytesUpTo(std::string_view file, std::int64_t step) {
    constexpr std::size_t kHead = 12, kTail = 4;
    std::size_t kept = 0;
    for (;;) {
        std::string_view rest = file.substr(kept);
        if (rest.size() < kHead + kTail) return kept;
        const auto length = getFixed<std::uint64_t>(rest);
        if (getFixed<std::uint32_t>(rest.substr(8)) != maskedCrc(rest.substr(0, 8))) return kept;
        if (length > rest.size() - kHead - kTail) return kept;
        const std::string_view data = rest.substr(kHead, length);
        if (getFixed<std::uint32_t>(rest.substr(kHead + length)) != maskedCrc(data)) return kept;
        const auto event = readEvent(data);
        if (!event || event->version != (kept == 0)) return kept;
        if (!event->version && event->step > step) return kept;
        kept += kHead + length + kTail;
    }
}

}  // namespace studio::project
