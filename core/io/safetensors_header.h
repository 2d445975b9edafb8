// The JSON header of a safetensors file, from bytes nobody vouches for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/safetensors.h"

namespace studio::io {

inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;  // of the format
inline constexpr std::size_t kMaxTensors = 200'000;                  // ours: phi-2 has 453
inline constexpr std::size_t kMaxDimensions = 8;                     // ours

struct SafetensorsHeader {
    std::vector<TensorInfo> tensors;  // by offset: the first begins at 0, each where the one before ends
    std::map<std::string, std::string> metadata;
};

// Checks everything but the file's size: JSON, keys, types, shapes, offsets. `name` is for the message.
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json, std::string_view name);

// A type of the format, by the name it has in files. Types we do not compute with have DType::Other and their width.
struct FormatType {
    std::string_view name;
    DType type;
    int bits;
};
const FormatType* findFormatType(std::string_view name);
// Where the reference writer places a type: larger alignment first.
int writeOrder(DType type);

}  // namespace studio::io
