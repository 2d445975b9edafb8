#include "engine/model/stored_nf4.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "io/json.h"

namespace studio::engine {
namespace {

constexpr const char* kHint =
    "Save the checkpoint again with bitsandbytes (nf4, blocks of 64), or use one that is not quantised.";
constexpr const char* kState = ".quant_state.bitsandbytes__nf4";

struct Part {
    const char* suffix;
    io::DType dtype;
    std::int64_t elements;  // −1: any
};

std::vector<Part> partsOf(std::int64_t rows, std::int64_t cols, bool nested) {
    const std::int64_t count = rows * cols, blocks = (count + kernels::kNf4Block - 1) / kernels::kNf4Block;
    std::vector<Part> parts = {{"", io::DType::U8, (count + 1) / 2},
                               {".absmax", nested ? io::DType::U8 : io::DType::F32, blocks},
                               {".quant_map", io::DType::F32, 16},
                               {kState, io::DType::U8, -1}};
    if (!nested) return parts;
    parts.push_back({".nested_absmax", io::DType::F32, (blocks + kernels::kNestedBlock - 1) / kernels::kNestedBlock});
    parts.push_back({".nested_quant_map", io::DType::F32, 256});
    return parts;
}

template <class T>
std::vector<T> as(const std::vector<std::byte>& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

bool allFinite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// The offset, 0 without double quantisation.
Result<float> readState(const std::string& weight, std::string_view text, std::int64_t rows, std::int64_t cols,
                        bool nested) {
    const auto unsupported = [&](const std::string& what) {
        return fail(ErrorCode::Unsupported, fmt::format("The 4-bit tensor \"{}\" {}.", weight, what), kHint);
    };
    STUDIO_TRY(const io::Json state, io::parseJson(text, weight + kState, {.max_bytes = 1 << 16, .max_depth = 4}));
    const auto number = [&](const char* key) -> double {
        return state.is_object() && state.contains(key) && state[key].is_number() ? state[key].get<double>()
                                                                                  : std::nan("");
    };
    if (!state.is_object() || state.value("quant_type", io::Json()) != "nf4")
        return unsupported("is not of the type nf4");
    if (number("blocksize") != kernels::kNf4Block) return unsupported("has other blocks than of 64 weights");
    if (state.value("shape", io::Json()) != io::Json::array({rows, cols}))
        return unsupported(fmt::format("describes another shape than [{}, {}]", rows, cols));
    if (!nested) return 0.0f;
    if (number("nested_blocksize") != kernels::kNestedBlock)
        return unsupported("has other nested blocks than of 256 scales");
    const double offset = number("nested_offset");
    if (!std::isfinite(offset)) return unsupported("has no finite nested_offset");
    return static_cast<float>(offset);
}

}  // namespace

bool isStoredInFourBits(const io::SafetensorsFolder& folder, const std::string& weight) {
    const auto* entry = folder.find(weight);
    return entry != nullptr && entry->tensor->dtype == io::DType::U8;
}

bool isNested(const io::SafetensorsFolder& folder, const std::string& weight) {
    const auto* absmax = folder.find(weight + ".absmax");
    return absmax != nullptr && absmax->tensor->dtype == io::DType::U8;
}

Result<std::vector<std::string>> checkStoredNf4(const io::SafetensorsFolder& folder, const std::string& weight,
                                                std::int64_t rows, std::int64_t cols) {
    if (folder.find(weight + ".quant_state.bitsandbytes__fp4") != nullptr)
        return fail(ErrorCode::Unsupported, fmt::format("The 4-bit tensor \"{}\" is of the type fp4.", weight), kHint);
    std::vector<std::string> names;
    for (const Part& part : partsOf(rows, cols, isNested(folder, weight))) {
        const std::string name = weight + part.suffix;
        const auto* entry = folder.find(name);
        if (entry == nullptr)
            return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name), kHint);
        const auto elements = static_cast<std::int64_t>(entry->tensor->elements());
        if (entry->tensor->dtype != part.dtype || (part.elements >= 0 && elements != part.elements))
            return fail(
                ErrorCode::Corrupt,
                fmt::format("The checkpoint's tensor \"{}\" has {} elements of the type {}, but {} of {} are needed.",
                            name, elements, entry->tensor->dtype_name, part.elements, io::name(part.dtype)),
                kHint);
        names.push_back(name);
    }
    return names;
}

Result<Nf4Tensor> readStoredNf4(TensorSource& source, const std::string& weight, std::int64_t rows, std::int64_t cols,
                                bool nested) {
    Nf4Tensor::Parts parts;
    parts.rows = rows;
    parts.cols = cols;
    STUDIO_TRY(const auto state, source.bytes(weight + kState));
    const std::string_view text(reinterpret_cast<const char*>(state.data()), state.size());
    STUDIO_TRY(parts.offset, readState(weight, text, rows, cols, nested));
    STUDIO_TRY(const auto map, source.bytes(weight + ".quant_map"));
    if (map.size() != sizeof(kernels::kNf4Code) || std::memcmp(map.data(), kernels::kNf4Code, map.size()) != 0)
        return fail(ErrorCode::Unsupported,
                    fmt::format("The 4-bit tensor \"{}\" has another code table than NF4's.", weight), kHint);
    STUDIO_TRY(const auto codes, source.bytes(weight));
    STUDIO_TRY(const auto absmax, source.bytes(weight + ".absmax"));
    parts.codes = as<std::uint8_t>(codes);
    if (nested) {
        STUDIO_TRY(const auto nested_absmax, source.bytes(weight + ".nested_absmax"));
        STUDIO_TRY(const auto nested_map, source.bytes(weight + ".nested_quant_map"));
        parts.absmax_codes = as<std::uint8_t>(absmax);
        parts.nested_absmax = as<float>(nested_absmax);
        parts.nested_code = as<float>(nested_map);
    } else {
        parts.absmax = as<float>(absmax);
    }
    if (!allFinite(parts.absmax) || !allFinite(parts.nested_absmax) || !allFinite(parts.nested_code))
        return fail(ErrorCode::Corrupt, fmt::format("The 4-bit tensor \"{}\" has scales that are not finite.", weight),
                    "The checkpoint is damaged; download it again.");
    return Nf4Tensor::fromParts(parts);
}

}  // namespace studio::engine
