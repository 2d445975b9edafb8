#include "io/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include "base/checked.h"
#include "io/fd.h"
#include "io/safetensors_header.h"

namespace studio::io {
namespace {

// A type of ggml: `block` elements take `bytes` bytes (ggml.h; ggml.c type_traits).
struct GgmlType {
    std::uint32_t id;
    const char* name;
    std::uint64_t block, bytes;
};
constexpr GgmlType kTypes[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},      {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},
    {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
};

enum Value : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
constexpr std::uint64_t kValueBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr const char* kValueNames[] = {"u8",   "i8",      "u16",   "i16", "u32", "i32", "f32",
                                       "bool", "strings", "lists", "u64", "i64", "f64"};

constexpr std::uint64_t kMaxKey = 65535, kMaxTensorName = 1024, kMaxShownText = 4096, kMaxKeys = 100'000;
constexpr std::uint32_t kMaxDims = 4;

// The file as a sequence of little-endian values. The first error is kept and every later read yields zeros, so that
// the parser reads as the format does; whoever loops over a count looks at ok().
class Reader {
  public:
    Reader(RegularFile file, const std::filesystem::path& path)
        : file_(std::move(file)), path_(path), buffer_(256u << 10) {}

    bool ok() const { return !error_; }
    Error error() const { return *error_; }
    std::uint64_t position() const { return position_; }
    std::uint64_t remaining() const { return file_.size - position_; }
    std::uint64_t size() const { return file_.size; }

    void corrupt(const std::string& reason, ErrorCode code = ErrorCode::Corrupt) {
        if (!error_) {
            error_ = Error{code, fmt::format("{}: {}.", path_.string(), reason),
                           code == ErrorCode::Corrupt ? "Download or create the file again."
                                                      : "A newer version of the program may read it."};
        }
    }

    template <class T>
    T number() {
        T value{};
        bytes(reinterpret_cast<char*>(&value), sizeof value);
        return value;
    }

    // A text of at most `most` bytes; longer ones are an error.
    std::string text(std::uint64_t most, const char* what) {
        const auto length = number<std::uint64_t>();
        if (!needs(length, what)) return {};
        if (length > most) {
            corrupt(fmt::format("{} at byte {} has {} bytes; at most {} are allowed", what, position_, length, most));
            return {};
        }
        std::string value(length, '\0');
        bytes(value.data(), length);
        return value;
    }

    // As above, but what is longer than `shown` is cut.
    std::string cutText(std::uint64_t shown) {
        const auto length = number<std::uint64_t>();
        if (!needs(length, "a text")) return {};
        std::string value(std::min(length, shown), '\0');
        bytes(value.data(), value.size());
        skip(length - value.size());
        if (length > shown) value += fmt::format("… ({} bytes)", length);
        return value;
    }

    void skip(std::uint64_t count) {
        if (!needs(count, "a value")) return;
        position_ += count;
    }

    // False (and an error) if `count` units of at least `unit` bytes cannot be in what remains.
    bool fits(std::uint64_t count, std::uint64_t unit, const char* what) {
        if (ok() && count > remaining() / unit)
            corrupt(
                fmt::format("it claims {} {}, more than its {} remaining bytes can hold", count, what, remaining()));
        return ok();
    }

  private:
    bool needs(std::uint64_t count, const char* what) {
        if (ok() && count > remaining())
            corrupt(
                fmt::format("{} at byte {} needs {} bytes, but only {} remain", what, position_, count, remaining()));
        return ok();
    }

    void bytes(char* into, std::uint64_t count) {
        if (!needs(count, "a value")) return;
        while (count > 0) {
            if (position_ < buffer_begin_ || position_ >= buffer_end_) {
                const auto size = std::min<std::uint64_t>(buffer_.size(), file_.size - position_);
                auto read = readExactly(file_.fd.get(), std::span(buffer_).first(size), position_, path_);
                if (!read) {
                    error_ = std::move(read).error();
                    return;
                }
                buffer_begin_ = position_;
                buffer_end_ = position_ + size;
            }
            const auto part = std::min(count, buffer_end_ - position_);
            std::memcpy(into, buffer_.data() + (position_ - buffer_begin_), part);
            into += part;
            count -= part;
            position_ += part;
        }
    }

    RegularFile file_;
    std::filesystem::path path_;
    std::vector<std::byte> buffer_;
    std::uint64_t position_ = 0, buffer_begin_ = 0, buffer_end_ = 0;
    std::optional<Error> error_;
};

std::string readArray(Reader& in) {
    const auto type = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    if (type > kF64 || type == kArray) {
        in.corrupt(fmt::format("a list has elements of the unknown kind {}", type));
        return {};
    }
    const std::uint64_t unit = type == kString ? 8 : kValueBytes[type];
    if (!in.fits(count, unit, "list elements")) return {};
    if (type == kString) {
        for (std::uint64_t i = 0; i < count && in.ok(); ++i) in.skip(in.number<std::uint64_t>());
    } else {
        in.skip(count * unit);
    }
    return fmt::format("{} {}", count, kValueNames[type]);
}

std::string readValue(Reader& in, std::uint32_t type) {
    switch (type) {
        case kU8:
            return fmt::format("{}", in.number<std::uint8_t>());
        case kI8:
            return fmt::format("{}", in.number<std::int8_t>());
        case kU16:
            return fmt::format("{}", in.number<std::uint16_t>());
        case kI16:
            return fmt::format("{}", in.number<std::int16_t>());
        case kU32:
            return fmt::format("{}", in.number<std::uint32_t>());
        case kI32:
            return fmt::format("{}", in.number<std::int32_t>());
        case kF32:
            return fmt::format("{}", in.number<float>());
        case kBool:
            return in.number<std::uint8_t>() ? "true" : "false";
        case kString:
            return in.cutText(kMaxShownText);
        case kArray:
            return readArray(in);
        case kU64:
            return fmt::format("{}", in.number<std::uint64_t>());
        case kI64:
            return fmt::format("{}", in.number<std::int64_t>());
        case kF64:
            return fmt::format("{}", in.number<double>());
        default:
            in.corrupt(fmt::format("a value has the unknown kind {}", type));
            return {};
    }
}

void readMetadata(Reader& in, std::uint64_t count, GgufInfo& info) {
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        const std::string key = in.text(kMaxKey, "a key");
        const auto type = in.number<std::uint32_t>();
        std::string value = readValue(in, type);
        if (!in.ok()) return;
        if (key == "general.alignment") {
            const auto alignment = type == kU32 ? std::stoull(value) : 0;
            if (alignment == 0 || !std::has_single_bit(alignment))
                return in.corrupt(fmt::format("its alignment {} is no power of two", value));
            info.alignment = alignment;
        }
        if (key == "general.architecture" && type == kString) info.architecture = value;
        if (!info.metadata.emplace(key, std::move(value)).second)
            return in.corrupt(fmt::format("the key \"{}\" occurs twice", key));
    }
}

GgufTensor readTensor(Reader& in, GgufInfo& info) {
    GgufTensor tensor;
    tensor.name = in.text(kMaxTensorName, "the name of a tensor");
    const auto dims = in.number<std::uint32_t>();
    if (in.ok() && dims > kMaxDims) in.corrupt(fmt::format("the tensor \"{}\" has {} dimensions", tensor.name, dims));
    for (std::uint32_t i = 0; i < dims && in.ok(); ++i) tensor.shape.push_back(in.number<std::uint64_t>());
    const auto id = in.number<std::uint32_t>();
    tensor.begin = in.number<std::uint64_t>();
    if (!in.ok()) return tensor;

    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.id == id; });
    if (type == std::end(kTypes)) {
        in.corrupt(fmt::format("the tensor \"{}\" has the unknown type {}", tensor.name, id), ErrorCode::Unsupported);
        return tensor;
    }
    tensor.type = type->name;
    std::optional<std::uint64_t> elements = 1;
    for (const std::uint64_t dimension : tensor.shape) {
        elements = checkedMul(*elements, dimension);
        if (!elements) break;
    }
    const std::uint64_t row = tensor.shape.empty() ? 1 : tensor.shape[0];
    if (elements && row % type->block != 0) {
        in.corrupt(fmt::format("the rows of the tensor \"{}\" have {} elements, no multiple of {}", tensor.name, row,
                               type->block));
        return tensor;
    }
    const auto bytes = elements ? checkedMul(*elements / type->block, type->bytes) : std::nullopt;
    const auto sum = bytes ? checkedAdd(info.parameters, *elements) : std::nullopt;
    if (!sum) {
        in.corrupt(fmt::format("the tensor \"{}\" has a shape too large for any file", tensor.name));
        return tensor;
    }
    tensor.bytes = *bytes;
    info.parameters = *sum;
    return tensor;
}

// Every tensor inside the data section, aligned, none over another.
void checkData(Reader& in, const GgufInfo& info) {
    const std::uint64_t data = in.size() - info.data_begin;
    std::vector<const GgufTensor*> order;
    for (const GgufTensor& tensor : info.tensors) {
        const auto end = checkedAdd(tensor.begin, tensor.bytes);
        if (tensor.begin % info.alignment != 0)
            return in.corrupt(fmt::format("the tensor \"{}\" is not aligned to {} bytes", tensor.name, info.alignment));
        if (!end || *end > data) {
            return in.corrupt(
                fmt::format("the tensor \"{}\" of {} bytes at {} goes beyond the file's end; the file is "
                            "not complete",
                            tensor.name, tensor.bytes, tensor.begin));
        }
        if (tensor.bytes > 0) order.push_back(&tensor);
    }
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->begin < b->begin; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (order[i]->begin < order[i - 1]->begin + order[i - 1]->bytes)
            return in.corrupt(fmt::format("the tensors \"{}\" and \"{}\" overlap", order[i - 1]->name, order[i]->name));
    }
}

}  // namespace

Result<GgufInfo> readGgufInfo(const std::filesystem::path& path) {
    STUDIO_TRY(RegularFile file, openRegular(path));
    Reader in(std::move(file), path);
    GgufInfo info;
    info.file_bytes = in.size();
    if (in.number<std::uint32_t>() != 0x46554747 && in.ok()) in.corrupt("it does not begin with GGUF");
    info.version = in.number<std::uint32_t>();
    if (in.ok() && info.version != 2 && info.version != 3) {
        const bool swapped = info.version != 0 && (info.version & 0xFFFF) == 0;
        in.corrupt(swapped ? std::string("it is a big-endian file")
                           : fmt::format("it has version {} of the format; 2 and 3 are known", info.version),
                   ErrorCode::Unsupported);
    }
    const auto tensors = in.number<std::uint64_t>(), keys = in.number<std::uint64_t>();
    constexpr std::uint64_t kLeastKey = 8 + 4 + 1, kLeastTensor = 8 + 4 + 4 + 8;
    if (in.fits(keys, kLeastKey, "keys") && in.fits(tensors, kLeastTensor, "tensors") &&
        (keys > kMaxKeys || tensors > kMaxTensors))
        in.corrupt(fmt::format("it claims {} keys and {} tensors, more than any model has", keys, tensors));
    if (in.ok()) readMetadata(in, keys, info);
    std::set<std::string> names;
    for (std::uint64_t i = 0; i < tensors && in.ok(); ++i) {
        info.tensors.push_back(readTensor(in, info));
        if (in.ok() && !names.insert(info.tensors.back().name).second)
            in.corrupt(fmt::format("the tensor \"{}\" occurs twice", info.tensors.back().name));
    }
    if (in.ok()) {
        const std::uint64_t rest = in.position() % info.alignment;
        info.data_begin = std::min(in.size(), in.position() + (rest ? info.alignment - rest : 0));
        checkData(in, info);
    }
    if (!in.ok()) return fail(in.error());
    return info;
}

}  // namespace studio::io
