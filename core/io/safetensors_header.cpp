#include "io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_set>

#include "base/checked.h"
#include "io/json.h"
#include "io/json_sax.h"

namespace studio::io {
namespace {

// In the order of the reference implementation's enum, by rising alignment.
constexpr FormatType kTypes[] = {
    {"BOOL", DType::Bool, 8},
    {"F4", DType::Other, 4},
    {"F6_E2M3", DType::Other, 6},
    {"F6_E3M2", DType::Other, 6},
    {"U8", DType::U8, 8},
    {"I8", DType::I8, 8},
    {"F8_E5M2", DType::Other, 8},
    {"F8_E4M3", DType::Other, 8},
    {"F8_E8M0", DType::Other, 8},
    {"F8_E4M3FNUZ", DType::Other, 8},
    {"F8_E5M2FNUZ", DType::Other, 8},
    {"I16", DType::I16, 16},
    {"U16", DType::U16, 16},
    {"F16", DType::F16, 16},
    {"BF16", DType::BF16, 16},
    {"I32", DType::I32, 32},
    {"U32", DType::U32, 32},
    {"F32", DType::F32, 32},
    {"C64", DType::Other, 64},
    {"F64", DType::F64, 64},
    {"I64", DType::I64, 64},
    {"U64", DType::U64, 64},
};

// Reads {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"k": "v"}} event by
// event: nothing is stored that a tensor's entry does not need, so a hostile header costs no more memory than its own
// size.
class HeaderReader final : public nlohmann::json_sax<Json> {
  public:
    bool null() override { return unexpected("null"); }
    bool boolean(bool) override { return unexpected("a boolean"); }
    bool number_integer(number_integer_t value) override {
        return where_ == Where::Shape || where_ == Where::Offsets
                   ? refuse(fmt::format("has the negative number {} in its {}", value, listName()))
                   : unexpected("a number");
    }
    bool number_float(number_float_t, const string_t& text) override {
        return where_ == Where::Shape || where_ == Where::Offsets
                   ? refuse(fmt::format("has the number {} in its {}, which is no whole number of 64 bits", text,
                                        listName()))
                   : unexpected("a number");
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (where_ == Where::Shape) {
            if (tensor_.shape.size() == kMaxDimensions)
                return refuse(fmt::format("has more than {} dimensions", kMaxDimensions));
            const auto dimension = checkedCast<std::int64_t>(value);
            if (!dimension) return refuse(fmt::format("has the dimension {}, which is too large", value));
            tensor_.shape.push_back(*dimension);
            return true;
        }
        if (where_ != Where::Offsets) return unexpected("a number");
        if (offsets_ == 2) return refuse("has more than two data_offsets");
        (offsets_++ == 0 ? tensor_.begin : tensor_.end) = value;
        return true;
    }
    bool string(string_t& value) override {
        if (where_ == Where::Metadata) {
            header_.metadata[key_] = value;
            return true;
        }
        if (where_ != Where::Tensor || key_ != "dtype") return unexpected("a text");
        const FormatType* type = findFormatType(value);
        if (!type) return refuse(fmt::format("has the unknown dtype \"{}\"", value));
        tensor_.dtype = type->type;
        tensor_.dtype_name = value;
        bits_ = type->bits;
        return true;
    }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override {
        if (where_ == Where::Outside) {
            where_ = Where::Top;
            return true;
        }
        if (where_ != Where::Top) return unexpected("an object");
        seen_.clear();
        if (name_ == "__metadata__") {
            where_ = Where::Metadata;
            return true;
        }
        if (header_.tensors.size() == kMaxTensors) {
            name_.clear();
            return refuse(fmt::format("it lists more than {} tensors", kMaxTensors));
        }
        where_ = Where::Tensor;
        tensor_ = {};
        tensor_.name = name_;
        offsets_ = 0;
        return true;
    }
    bool end_object() override {
        const Where ended = std::exchange(where_, where_ == Where::Top ? Where::End : Where::Top);
        return ended == Where::Tensor ? finishTensor() : true;
    }
    bool start_array(std::size_t) override {
        if (where_ == Where::Tensor && key_ == "shape")
            where_ = Where::Shape;
        else if (where_ == Where::Tensor && key_ == "data_offsets")
            where_ = Where::Offsets;
        else
            return unexpected("a list");
        return true;
    }
    bool end_array() override {
        where_ = Where::Tensor;
        return true;
    }
    bool key(string_t& value) override {
        if (where_ == Where::Top) {
            name_ = value;
            if (value.find('\0') != value.npos) return refuse("has a zero byte in its name");
            return names_.insert(value).second || refuse("occurs twice");
        }
        key_ = value;
        if (!seen_.insert(value).second) return refuse(fmt::format("has the key \"{}\" twice", value));
        if (where_ == Where::Tensor && value != "dtype" && value != "shape" && value != "data_offsets")
            return refuse(fmt::format("has the unknown key \"{}\"", value));
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        name_.clear();
        return refuse(fmt::format("byte {} of it is not valid JSON: {}", position, plainReason(error.what())));
    }

    const std::string& reason() const { return reason_; }
    const std::string& tensorName() const { return name_; }
    SafetensorsHeader take() { return std::move(header_); }

  private:
    enum class Where { Outside, Top, Tensor, Shape, Offsets, Metadata, End };

    const char* listName() const { return where_ == Where::Shape ? "shape" : "data_offsets"; }

    bool refuse(std::string reason) {
        if (reason_.empty()) reason_ = std::move(reason);
        return false;
    }
    bool unexpected(const char* what) {
        switch (where_) {
            case Where::Metadata:
                return refuse(fmt::format("has {} as the value of \"{}\"; only texts are allowed", what, key_));
            case Where::Tensor:
                return refuse(fmt::format("has {} as its {}", what, key_));
            case Where::Shape:
            case Where::Offsets:
                return refuse(fmt::format("has {} in its {}", what, listName()));
            case Where::Top:
                return refuse(fmt::format("is {}, not an object", what));
            default:
                return refuse(fmt::format("it begins with {}, not with an object", what));
        }
    }

    bool finishTensor() {
        for (const char* needed : {"dtype", "shape", "data_offsets"})
            if (!seen_.contains(needed)) return refuse(fmt::format("has no {}", needed));
        if (offsets_ != 2) return refuse("has fewer than two data_offsets");
        if (tensor_.end < tensor_.begin)
            return refuse(fmt::format("ends at byte {}, before it begins at {}", tensor_.end, tensor_.begin));
        std::uint64_t bits = static_cast<std::uint64_t>(bits_);
        for (const std::int64_t dimension : tensor_.shape) {
            const auto product = checkedMul(bits, static_cast<std::uint64_t>(dimension));
            if (!product) return refuse("has a shape too large for any file");
            bits = *product;
        }
        if (bits % 8 != 0) return refuse("does not fill whole bytes");
        if (tensor_.bytes() != bits / 8) {
            return refuse(fmt::format("takes {} bytes, but its shape and dtype need {}", tensor_.bytes(), bits / 8));
        }
        header_.tensors.push_back(std::move(tensor_));
        return true;
    }

    Where where_ = Where::Outside;
    SafetensorsHeader header_;
    std::unordered_set<std::string> names_, seen_;
    std::string name_, key_, reason_;
    TensorInfo tensor_;
    int offsets_ = 0, bits_ = 0;
};

Result<void> checkTiling(const std::vector<TensorInfo>& tensors, std::string_view name) {
    std::uint64_t expected = 0;
    for (const TensorInfo& tensor : tensors) {
        if (tensor.begin != expected) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("{}: the tensor \"{}\" begins at byte {} where {} was expected: {}.", name,
                                    tensor.name, tensor.begin, expected,
                                    tensor.begin < expected ? "tensors overlap" : "bytes belong to no tensor"),
                        "Download or create the file again.");
        }
        expected = tensor.end;
    }
    return {};
}

}  // namespace

const FormatType* findFormatType(std::string_view name) {
    const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.name == name; });
    return found == std::end(kTypes) ? nullptr : found;
}

int writeOrder(DType type) {
    const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.type == type; });
    return static_cast<int>(std::end(kTypes) - found);
}

std::string_view name(DType type) {
    for (const FormatType& t : kTypes)
        if (t.type == type && type != DType::Other) return t.name;
    return "other";
}

int bitSize(DType type) {
    for (const FormatType& t : kTypes)
        if (t.type == type && type != DType::Other) return t.bits;
    return 0;
}

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json, std::string_view name) {
    const auto corrupt = [&](std::string reason) {
        return fail(ErrorCode::Corrupt, fmt::format("{}: {}.", name, reason), "Download or create the file again.");
    };
    if (!json.starts_with('{')) return corrupt("the header does not begin with \"{\"; this is no safetensors file");
    SaxInput input(json);
    HeaderReader reader;
    bool ok = false;
    try {
        ok = Json::sax_parse(input.begin(), input.end(), &reader);
    } catch (const std::exception& e) {
        return fail(ErrorCode::OutOfMemory, fmt::format("{}: the header cannot be read: {}.", name, e.what()),
                    "Close other programs and try again.");
    }
    if (!ok) {
        const std::string& tensor = reader.tensorName();
        if (tensor.empty()) return corrupt("in the header, " + reader.reason());
        // A name is text from the file: shown in full only as far as a sentence can carry it.
        std::string shown = tensor.substr(0, 200);
        std::replace_if(
            shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20; }, '?');
        return corrupt(fmt::format(
            "the {} {}", tensor == "__metadata__" ? "entry __metadata__" : "tensor \"" + shown + '"', reader.reason()));
    }
    SafetensorsHeader header = reader.take();
    std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    STUDIO_CHECK(checkTiling(header.tensors, name));
    return header;
}

}  // namespace studio::io
