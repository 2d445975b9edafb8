// TensorBoard's event files: TFRecord framing (length, masked CRC-32C of it, data, masked CRC-32C of them) around Event
// messages in protocol buffer encoding. Sources: tensorflow/core/lib/io/record_writer.cc,
// tensorflow/core/util/event.proto, tensorboard/compat/proto/summary.proto.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace studio::project {

inline constexpr std::string_view kEventFilePrefix = "events.out.tfevents.";

struct Scalar {
    std::string_view tag;  // "train/loss"
    double value = 0;      // stored as fp32
};

// The first record of every file. `wall_time` in seconds since 1970.
std::string eventFileVersion(double wall_time);
std::string eventScalars(double wall_time, std::int64_t step, std::span<const Scalar> scalars);

// How many of the file's first bytes hold its version and the events of steps ≤ `step`: up to the first later event,
// the first damaged record or a torn end. 0 if the version itself is damaged.
std::uint64_t eventBytesUpTo(std::string_view file, std::int64_t step);

// CRC-32C (Castagnoli), RFC 3720 appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace studio::project
