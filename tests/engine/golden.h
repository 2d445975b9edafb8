// Tensors of a golden file, whole in memory.
#pragma once

#include <QByteArray>
#include <QtTest>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace studio::test {

class Golden {
  public:
    // `name`: below tests/reference/data.
    explicit Golden(const std::string& name) {
        auto file = io::SafetensorsFile::open(std::string(STUDIO_SOURCE_DIR) + "/tests/reference/data/" + name);
        if (!file) qFatal("%s", file.error().text().c_str());
        file_.emplace(std::move(*file));
    }
    const io::SafetensorsFile& file() const { return *file_; }
    bool has(const std::string& name) const { return file_->find(name) != nullptr; }
    const io::TensorInfo& info(const std::string& name) const {
        const io::TensorInfo* tensor = file_->find(name);
        if (tensor == nullptr) qFatal("no tensor %s", name.c_str());
        return *tensor;
    }
    template <class T>
    std::vector<T> raw(const std::string& name) const {
        const io::TensorInfo& tensor = info(name);
        std::vector<T> values(tensor.bytes() / sizeof(T));
        if (auto read = file_->read(tensor, std::as_writable_bytes(std::span(values))); !read)
            qFatal("%s", read.error().text().c_str());
        return values;
    }
    std::vector<float> floats(const std::string& name) const {
        const io::TensorInfo& tensor = info(name);
        if (tensor.dtype == io::DType::F32) return raw<float>(name);
        if (tensor.dtype != io::DType::F16) qFatal("%s is not of floats", name.c_str());
        std::vector<float> values;
        for (const _Float16 half : raw<_Float16>(name)) values.push_back(static_cast<float>(half));
        return values;
    }

  private:
    std::optional<io::SafetensorsFile> file_;
};

}  // namespace studio::test
