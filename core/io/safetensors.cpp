#include "io/safetensors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "io/fd.h"
#include "io/safetensors_header.h"

namespace studio::io {
namespace {

std::uint64_t littleEndian64(const unsigned char* bytes) {
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
    return value;
}

}  // namespace

std::uint64_t TensorInfo::elements() const {
    std::uint64_t count = 1;
    for (const std::int64_t dimension : shape) count *= static_cast<std::uint64_t>(dimension);
    return count;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
    const auto corrupt = [&](std::string reason) {
        return fail(ErrorCode::Corrupt, fmt::format("{}: {}.", path.string(), reason),
                    "Download or create the file again.");
    };
    STUDIO_TRY(RegularFile opened, openRegular(path));
    const int fd = opened.fd.get();
    if (opened.size < 8) return corrupt(fmt::format("it has {} bytes; a safetensors file has at least 8", opened.size));
    unsigned char start[8];
    STUDIO_CHECK(readExactly(fd, std::as_writable_bytes(std::span(start)), 0, path));
    const std::uint64_t length = littleEndian64(start);
    if (std::memcmp(start, "GGUF", 4) == 0) {
        return fail(ErrorCode::Unsupported, fmt::format("{} is a GGUF file, not a safetensors file.", path.string()),
                    "Give the model's Hugging Face folder with safetensors files.");
    }
    if (length > kMaxSafetensorsHeader)
        return corrupt(fmt::format("its header claims {} bytes; the format allows {}", length, kMaxSafetensorsHeader));
    if (length > opened.size - 8) return corrupt(fmt::format("its header of {} bytes goes beyond its end", length));
    std::string json(length, '\0');
    STUDIO_CHECK(readExactly(fd, std::as_writable_bytes(std::span(json.data(), json.size())), 8, path));
    STUDIO_TRY(SafetensorsHeader header, parseSafetensorsHeader(json, path.string()));

    const std::uint64_t data = opened.size - 8 - length;
    const std::uint64_t end = header.tensors.empty() ? 0 : header.tensors.back().end;
    if (end > data) {
        return corrupt(
            fmt::format("its tensors need {} bytes, but only {} follow the header; it is not complete", end, data));
    }
    if (end < data) return corrupt(fmt::format("{} bytes follow its last tensor", data - end));

    SafetensorsFile file;
    file.path_ = path;
    file.fd_ = std::shared_ptr<const int>(new int(opened.fd.release()), [](const int* held) {
        ::close(*held);
        delete held;
    });
    file.data_begin_ = 8 + length;
    file.tensors_ = std::move(header.tensors);
    file.metadata_ = std::move(header.metadata);
    for (std::size_t i = 0; i < file.tensors_.size(); ++i) file.by_name_.emplace(file.tensors_[i].name, i);
    return file;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

Result<void> SafetensorsFile::read(const TensorInfo& tensor, std::span<std::byte> into, std::uint64_t offset) const {
    const auto end = checkedAdd<std::uint64_t>(offset, into.size());
    if (!end || *end > tensor.bytes()) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{} bytes from byte {} on were asked of the tensor \"{}\", which has {}.", into.size(),
                                offset, tensor.name, tensor.bytes()),
                    "This is a mistake in the program; please report it.");
    }
    return readExactly(*fd_, into, data_begin_ + tensor.begin + offset, path_);
}

Result<std::vector<std::byte>> SafetensorsFile::read(const TensorInfo& tensor) const {
    std::vector<std::byte> bytes(tensor.bytes());
    STUDIO_CHECK(read(tensor, bytes));
    return bytes;
}

Result<TensorSet> readTensors(const std::filesystem::path& path) {
    STUDIO_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& tensor : file.tensors()) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->name < b->name; });
    TensorSet set;
    set.metadata = file.metadata();
    for (const TensorInfo* tensor : order) {
        if (tensor->dtype == DType::Other) {
            return fail(ErrorCode::Unsupported,
                        fmt::format("{}: the tensor \"{}\" has the type {}, with which nothing here computes.",
                                    path.string(), tensor->name, tensor->dtype_name),
                        "Convert it to F32, F16 or BF16 first.");
        }
        STUDIO_TRY(std::vector<std::byte> bytes, file.read(*tensor));
        set.storage.push_back(std::move(bytes));
        set.tensors.push_back({tensor->name, tensor->dtype, tensor->shape, set.storage.back().data(), tensor->bytes()});
    }
    return set;
}

}  // namespace studio::io
