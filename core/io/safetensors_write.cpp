#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/checked.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_header.h"

namespace studio::io {
namespace {

Result<void> checkTensor(const TensorView& tensor, const std::filesystem::path& path) {
    const auto wrong = [&](std::string reason) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{} cannot be written: the tensor \"{}\" {}.", path.string(), tensor.name, reason),
                    "This is a mistake in the program; please report it.");
    };
    if (tensor.name.empty() || tensor.name == "__metadata__" || tensor.name.find('\0') != tensor.name.npos)
        return wrong("has a name that the format does not allow");
    if (bitSize(tensor.dtype) == 0) return wrong("has no type of the format");
    if (tensor.shape.size() > kMaxDimensions) return wrong("has too many dimensions");
    std::uint64_t bytes = static_cast<std::uint64_t>(bitSize(tensor.dtype)) / 8;
    for (const std::int64_t dimension : tensor.shape) {
        const auto product = dimension < 0 ? std::nullopt : checkedMul(bytes, static_cast<std::uint64_t>(dimension));
        if (!product) return wrong("has an impossible shape");
        bytes = *product;
    }
    if (bytes != tensor.bytes) return wrong(fmt::format("has {} bytes where its shape needs {}", tensor.bytes, bytes));
    if (bytes > 0 && !tensor.data) return wrong("has no data");
    return {};
}

}  // namespace

Result<void> writeSafetensors(FileOps& ops, const std::filesystem::path& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata) {
    std::vector<const TensorView*> order;
    std::set<std::string_view> names;
    for (const TensorView& tensor : tensors) {
        STUDIO_CHECK(checkTensor(tensor, path));
        if (!names.insert(tensor.name).second) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format("{} cannot be written: the tensor \"{}\" is there twice.", path.string(), tensor.name),
                "This is a mistake in the program; please report it.");
        }
        order.push_back(&tensor);
    }
    std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
        const int left = writeOrder(a->dtype), right = writeOrder(b->dtype);
        return left != right ? left < right : a->name < b->name;
    });

    std::string header;
    try {
        Json json = Json::object();
        if (!metadata.empty()) json["__metadata__"] = metadata;
        header = json.empty() ? "{" : json.dump();
        if (!json.empty()) header.back() = ',';
        std::uint64_t offset = 0;
        for (const TensorView* tensor : order) {
            header += Json(tensor->name).dump();
            header += fmt::format(R"(:{{"dtype":"{}","shape":)", name(tensor->dtype));
            header += Json(tensor->shape).dump();
            header += fmt::format(R"(,"data_offsets":[{},{}]}},)", offset, offset + tensor->bytes);
            offset += tensor->bytes;
        }
    } catch (const std::exception& e) {  // a name that is not UTF-8
        return fail(ErrorCode::InvalidArgument, fmt::format("{} cannot be written: {}.", path.string(), e.what()),
                    "Names of tensors and their metadata are UTF-8 text.");
    }
    if (header.back() == ',')
        header.back() = '}';
    else
        header += '}';
    header.append((8 - header.size() % 8) % 8, ' ');

    std::string start(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) start[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
    STUDIO_TRY(AtomicFile file, AtomicFile::create(ops, path));
    STUDIO_CHECK(file.write(start + header));
    for (const TensorView* tensor : order)
        STUDIO_CHECK(file.write({static_cast<const char*>(tensor->data), static_cast<std::size_t>(tensor->bytes)}));
    return file.commit();
}

}  // namespace studio::io
