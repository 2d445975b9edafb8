// safetensors: u64 header length, JSON header, tensors. Every check of the format, before anything is allocated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_ops.h"

namespace studio::io {

enum class DType { Bool, U8, I8, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64, Other };
std::string_view name(DType type);  // as written in the file: "F32"
int bitSize(DType type);            // 0 for Other

struct TensorInfo {
    std::string name;
    DType dtype = DType::Other;
    std::string dtype_name;            // also for types we do not compute with: "F8_E4M3"
    std::vector<std::int64_t> shape;   // row-major
    std::uint64_t begin = 0, end = 0;  // bytes, relative to the first byte after the header
    std::uint64_t elements() const;
    std::uint64_t bytes() const { return end - begin; }
};

// An open file. Tensors are read through pread with every length checked, never through a pointer into a map that a
// truncation could turn into SIGBUS. Thread-safe for reads.
class SafetensorsFile {
  public:
    static Result<SafetensorsFile> open(const std::filesystem::path& path);

    const std::vector<TensorInfo>& tensors() const { return tensors_; }  // by offset
    const TensorInfo* find(std::string_view name) const;
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    const std::filesystem::path& path() const { return path_; }

    // Exactly the tensor's bytes (or a range of them).
    Result<void> read(const TensorInfo& tensor, std::span<std::byte> into, std::uint64_t offset = 0) const;
    Result<std::vector<std::byte>> read(const TensorInfo& tensor) const;

  private:
    std::filesystem::path path_;
    std::shared_ptr<const int> fd_;
    std::uint64_t data_begin_ = 0;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    std::map<std::string, std::string> metadata_;
};

// A model folder: model.safetensors, or model.safetensors.index.json and its shards. Looks tensors up across shards.
class SafetensorsFolder {
  public:
    static Result<SafetensorsFolder> open(const std::filesystem::path& folder);
    struct Entry {
        const SafetensorsFile* file;
        const TensorInfo* tensor;
    };
    std::vector<Entry> tensors() const;
    const Entry* find(std::string_view name) const;
    std::uint64_t totalBytes() const;

  private:
    std::vector<std::unique_ptr<SafetensorsFile>> files_;
    std::map<std::string, Entry, std::less<>> by_name_;
};

struct TensorView {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    const void* data = nullptr;
    std::uint64_t bytes = 0;
};

// Tensors in memory with the bytes they refer to. Moving keeps the views valid.
struct TensorSet {
    std::vector<std::vector<std::byte>> storage;
    std::vector<TensorView> tensors;  // sorted by name
    std::map<std::string, std::string> metadata;
};
// Every tensor of a file. Unsupported if one has a type we do not compute with.
Result<TensorSet> readTensors(const std::filesystem::path& path);

// Writes the file atomically (AtomicFile), tensors by alignment (largest type first) then name: the
// bytes of the reference writer.
Result<void> writeSafetensors(FileOps& ops, const std::filesystem::path& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace studio::io
