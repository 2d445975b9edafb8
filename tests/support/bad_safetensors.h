// Handcrafted safetensors files, each wrong in one way, and what the reader has to say about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace studio::test {

inline std::string littleEndian(std::uint64_t value, int bytes = 8) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
}

// A file with this header and `data` bytes behind it.
inline std::string safetensors(const std::string& header, std::size_t data) {
    return littleEndian(header.size()) + header + std::string(data, '\x01');
}

// One tensor "a" of `dtype`, with the shape and the offsets as JSON.
inline std::string oneTensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    std::string json = R"({"a":{"dtype":")";
    return json.append(dtype).append(R"(","shape":)").append(shape).append(R"(,"data_offsets":)").append(offsets) +
           "}}";
}

struct BadFile {
    const char* name;
    std::string bytes;
    const char* phrase;
};

inline std::vector<BadFile> badSafetensors() {
    const std::string good = oneTensor("F32", "[2]", "[0,8]");
    const std::string b = R"("b":{"dtype":"F32","shape":[2],"data_offsets":)";
    const auto two = [&](const std::string& offsets_b) {
        return good.substr(0, good.size() - 1) + "," + b + offsets_b + "}}";
    };
    std::string many = "{";
    for (int i = 0; i <= 200'000; ++i)
        many.append(1, '"').append(std::to_string(i)).append(R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)");
    many.back() = '}';
    return {
        {"EMPTY_FILE", "", "at least 8"},
        {"SEVEN_BYTES", std::string(7, '\0'), "at least 8"},
        {"HEADER_LENGTH_ZERO", littleEndian(0) + "xx", "does not begin with"},
        {"HEADER_BEYOND_END", littleEndian(1000) + good, "goes beyond its end"},
        {"HEADER_ONE_BEYOND_END", littleEndian(good.size() + 1) + good, "goes beyond its end"},
        {"HEADER_2_POW_63", littleEndian(1ull << 63) + good, "the format allows 100000000"},
        {"HEADER_ALL_ONES", littleEndian(~0ull) + good, "the format allows 100000000"},
        {"HEADER_ABOVE_100_MB", littleEndian(100'000'001) + good, "the format allows 100000000"},
        {"HEADER_NOT_AN_OBJECT", safetensors("[1]     ", 0), "does not begin with"},
        {"HEADER_SPACE_FIRST", safetensors(" " + good, 8), "does not begin with"},
        {"HEADER_NOT_JSON", safetensors("{nonsense}", 0), "not valid JSON"},
        {"HEADER_CUT", safetensors(good.substr(0, 20), 8), "not valid JSON"},
        {"HEADER_TRAILING_GARBAGE", safetensors(good + "x", 8), "not valid JSON"},
        {"HEADER_TWO_OBJECTS", safetensors(good + good, 8), "not valid JSON"},
        {"HEADER_INVALID_UTF8", safetensors("{\"\xFF\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0),
         "not valid JSON"},
        {"HEADER_OVERLONG_UTF8",
         safetensors("{\"\xC0\xAF\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0), "not valid JSON"},
        {"HEADER_LONE_SURROGATE", safetensors(R"({"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0),
         "not valid JSON"},
        {"DEPTH_BOMB_ARRAYS", safetensors("{\"a\":" + std::string(1'000'000, '['), 0), "is a list"},
        {"DEPTH_BOMB_SHAPE", safetensors(oneTensor("F32", std::string(100'000, '['), "[0,8]"), 8),
         "has a list in its shape"},
        {"DEPTH_BOMB_OBJECTS",
         safetensors(
             [] {
                 std::string text;
                 for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
                 return text;
             }(),
             0),
         "unknown key"},
        {"TENSOR_IS_NUMBER", safetensors(R"({"a":1})", 0), "is a number"},
        {"TENSOR_IS_NULL", safetensors(R"({"a":null})", 0), "is null"},
        {"TENSOR_TWICE", safetensors(good.substr(0, good.size() - 1) + "," + good.substr(1), 8), "occurs twice"},
        {"TENSOR_TWICE_ESCAPED", safetensors(good.substr(0, good.size() - 1) + R"(,"\u0061")" + good.substr(4), 8),
         "occurs twice"},
        {"TENSOR_KEY_TWICE", safetensors(R"({"a":{"dtype":"F32","dtype":"U8","shape":[2],"data_offsets":[0,8]}})", 8),
         "\"dtype\" twice"},
        {"TENSOR_KEY_UNKNOWN",
         safetensors(R"({"a":{"strides":[1],"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8),
         "unknown key \"strides\""},
        {"TENSOR_WITHOUT_DTYPE", safetensors(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "has no dtype"},
        {"TENSOR_WITHOUT_SHAPE", safetensors(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8), "has no shape"},
        {"TENSOR_WITHOUT_OFFSETS", safetensors(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "has no data_offsets"},
        {"TENSOR_EMPTY", safetensors(R"({"a":{}})", 0), "has no dtype"},
        {"TENSOR_NAME_NUL", safetensors(R"({"a\u0000b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0),
         "zero byte"},
        {"TENSORS_TOO_MANY", safetensors(many, 0), "more than 200000 tensors"},
        {"DTYPE_UNKNOWN", safetensors(oneTensor("F99", "[2]", "[0,8]"), 8), "unknown dtype \"F99\""},
        {"DTYPE_LOWER_CASE", safetensors(oneTensor("f32", "[2]", "[0,8]"), 8), "unknown dtype"},
        {"DTYPE_NUMBER", safetensors(R"({"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}})", 8),
         "a number as its dtype"},
        {"SHAPE_NEGATIVE", safetensors(oneTensor("F32", "[-2]", "[0,8]"), 8), "negative number -2"},
        {"SHAPE_NEGATIVE_PAIR", safetensors(oneTensor("F32", "[-1,-2]", "[0,8]"), 8), "negative number"},
        {"SHAPE_FLOAT", safetensors(oneTensor("F32", "[2.0]", "[0,8]"), 8), "no whole number"},
        {"SHAPE_EXPONENT", safetensors(oneTensor("F32", "[2e0]", "[0,8]"), 8), "no whole number"},
        {"SHAPE_HUGE", safetensors(oneTensor("F32", "[18446744073709551616]", "[0,8]"), 8), "no whole number"},
        {"SHAPE_ABOVE_INT64", safetensors(oneTensor("F32", "[9223372036854775808]", "[0,8]"), 8), "too large"},
        {"SHAPE_1E999", safetensors(oneTensor("F32", "[1e999]", "[0,8]"), 8), "not valid JSON"},
        {"SHAPE_TEXT", safetensors(oneTensor("F32", "[\"2\"]", "[0,8]"), 8), "a text in its shape"},
        {"SHAPE_NULL", safetensors(oneTensor("F32", "null", "[0,8]"), 8), "null as its shape"},
        {"SHAPE_OBJECT", safetensors(oneTensor("F32", "{\"0\":2}", "[0,8]"), 8), "an object"},
        {"SHAPE_PRODUCT_OVERFLOW", safetensors(oneTensor("F32", "[4294967296,4294967296]", "[0,0]"), 0), "too large"},
        {"SHAPE_BITS_OVERFLOW", safetensors(oneTensor("F64", "[288230376151711744]", "[0,0]"), 0), "too large"},
        {"SHAPE_NINE_DIMENSIONS", safetensors(oneTensor("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1),
         "more than 8 dimensions"},
        {"SHAPE_HALF_BYTE", safetensors(oneTensor("F4", "[3]", "[0,2]"), 2), "does not fill whole bytes"},
        {"SIZE_SMALLER_THAN_SHAPE", safetensors(oneTensor("F32", "[3]", "[0,8]"), 8), "takes 8 bytes"},
        {"SIZE_LARGER_THAN_SHAPE", safetensors(oneTensor("F32", "[1]", "[0,8]"), 8), "takes 8 bytes"},
        {"OFFSETS_REVERSED", safetensors(oneTensor("F32", "[2]", "[8,0]"), 8), "before it begins"},
        {"OFFSETS_NEGATIVE", safetensors(oneTensor("F32", "[2]", "[-8,0]"), 8), "negative number -8"},
        {"OFFSETS_FLOAT", safetensors(oneTensor("F32", "[2]", "[0.0,8]"), 8), "no whole number"},
        {"OFFSETS_ONE", safetensors(oneTensor("F32", "[2]", "[8]"), 8), "fewer than two"},
        {"OFFSETS_THREE", safetensors(oneTensor("F32", "[2]", "[0,8,16]"), 8), "more than two"},
        {"OFFSETS_OBJECT", safetensors(oneTensor("F32", "[2]", "{}"), 8), "an object"},
        {"OFFSETS_BEYOND_END", safetensors(oneTensor("F32", "[4]", "[0,16]"), 8), "not complete"},
        {"OFFSETS_WRAP", safetensors(oneTensor("U8", "[8]", "[18446744073709551608,18446744073709551615]"), 8),
         "takes 7"},
        {"OFFSETS_NOT_FROM_ZERO", safetensors(oneTensor("F32", "[2]", "[8,16]"), 16), "belong to no tensor"},
        {"OFFSETS_HOLE", safetensors(two("[16,24]"), 24), "belong to no tensor"},
        {"OFFSETS_OVERLAP", safetensors(two("[4,12]"), 12), "overlap"},
        {"OFFSETS_SAME", safetensors(two("[0,8]"), 8), "overlap"},
        {"BYTES_AFTER_LAST", safetensors(good, 9), "1 bytes follow"},
        {"BYTES_WITHOUT_TENSORS", safetensors("{}", 4), "4 bytes follow"},
        {"FILE_TRUNCATED", safetensors(good, 7), "not complete"},
        {"METADATA_NUMBER", safetensors(R"({"__metadata__":{"epoch":3}})", 0), "only texts"},
        {"METADATA_OBJECT", safetensors(R"({"__metadata__":{"epoch":{}}})", 0), "only texts"},
        {"METADATA_LIST", safetensors(R"({"__metadata__":["pt"]})", 0), "is a list"},
        {"METADATA_NULL", safetensors(R"({"__metadata__":null})", 0), "is null"},
        {"METADATA_KEY_TWICE", safetensors(R"({"__metadata__":{"a":"b","a":"c"}})", 0), "twice"},
        {"METADATA_TWICE", safetensors(R"({"__metadata__":{},"__metadata__":{}})", 0), "occurs twice"},
        {"GGUF_FILE", "GGUF" + littleEndian(3, 4) + std::string(64, '\0'), "is a GGUF file"},
        {"ZIP_FILE_OF_TORCH", "PK\x03\x04" + std::string(64, '\0'), "its end"},
    };
}

}  // namespace studio::test
