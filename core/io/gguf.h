// What a GGUF file (llama.cpp's model format) holds, without its weights. For looking, not for loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace studio::io {

struct GgufTensor {
    std::string name;
    std::string type;                  // "F16", "Q4_K"
    std::vector<std::uint64_t> shape;  // as in the file: the fastest dimension first
    std::uint64_t begin = 0;           // bytes, relative to the data section
    std::uint64_t bytes = 0;
};

struct GgufInfo {
    std::uint32_t version = 0;
    std::uint64_t file_bytes = 0, data_begin = 0;
    std::uint64_t alignment = 32;
    std::string architecture;                     // general.architecture, empty if absent
    std::map<std::string, std::string> metadata;  // values as text; lists as "50,257 strings"; long texts cut
    std::vector<GgufTensor> tensors;              // in the file's order
    std::uint64_t parameters = 0;
};

// Reads header, metadata and tensor list. Every count is compared with the bytes that remain before anything is
// allocated. Versions 2 and 3, little-endian. Format: ggml, docs/gguf.md.
Result<GgufInfo> readGgufInfo(const std::filesystem::path& path);

}  // namespace studio::io
