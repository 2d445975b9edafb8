// Golden tensors out of tests/reference/data.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace studio::test {

class GoldenFile {
  public:
    explicit GoldenFile(const std::string& name)
        : file_(io::SafetensorsFile::open(std::string(STUDIO_SOURCE_DIR "/tests/reference/data/") + name)) {}

    bool ok() const { return file_.has_value(); }
    std::string error() const { return ok() ? std::string() : file_.error().text(); }

    // Empty when the tensor is absent or not of this size.
    template <class T>
    std::vector<T> values(std::string_view name) const {
        const io::TensorInfo* tensor = ok() ? file_->find(name) : nullptr;
        if (!tensor || io::bitSize(tensor->dtype) != static_cast<int>(8 * sizeof(T))) return {};
        const auto bytes = file_->read(*tensor);
        if (!bytes) return {};
        std::vector<T> out(bytes->size() / sizeof(T));
        std::memcpy(out.data(), bytes->data(), bytes->size());
        return out;
    }

  private:
    Result<io::SafetensorsFile> file_;
};

}  // namespace studio::test
