#include "dataset/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "io/json.h"

namespace studio::dataset {
namespace {

using io::Json;

constexpr const char* kFormat = "qlora-studio prepared data";
constexpr int kVersion = 1;
constexpr io::JsonLimits kLimits{.max_bytes = 64u << 20, .max_depth = 8};

bool isManifest(const Json& json) {
    return json.is_object() && json.contains("format") && json["format"] == kFormat;
}

// Takes typed values out of an object; the first one that is not as it must be is remembered.
class Fields {
  public:
    explicit Fields(std::string file) : file_(std::move(file)) {}

    const Json& object(const Json& from, const char* key) { return find(from, key, &Json::is_object, "an object"); }
    const Json& array(const Json& from, const char* key) { return find(from, key, &Json::is_array, "a list"); }

    std::string string(const Json& from, const char* key) {
        const Json& value = find(from, key, &Json::is_string, "a text");
        return value.is_string() ? value.get<std::string>() : std::string();
    }

    template <class T = std::int64_t>
    T integer(const Json& from, const char* key, T low = 0, T high = std::numeric_limits<T>::max()) {
        const Json& value = find(from, key, &Json::is_number_integer, "a whole number");
        if (value.is_number_unsigned()) {
            const auto number = value.get<std::uint64_t>();
            if (std::in_range<T>(number) && static_cast<T>(number) >= low && static_cast<T>(number) <= high)
                return static_cast<T>(number);
        } else if (value.is_number_integer()) {
            const auto number = value.get<std::int64_t>();
            if (std::in_range<T>(number) && static_cast<T>(number) >= low && static_cast<T>(number) <= high)
                return static_cast<T>(number);
        }
        complain(key, "a number in its range");
        return low;
    }

    double number(const Json& from, const char* key, double low, double high) {
        const Json& value = find(from, key, &Json::is_number, "a number");
        const double number = value.is_number() ? value.get<double>() : low;
        if (!(number >= low && number <= high)) complain(key, "a number in its range");
        return number;
    }

    std::string sha256(const Json& from, const char* key) {
        std::string value = string(from, key);
        const bool hex = std::all_of(value.begin(), value.end(),
                                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
        if (value.size() != 64 || !hex) complain(key, "a SHA-256");
        return value;
    }

    template <class T>
    T named(const Json& from, const char* key, Result<T> (*parse)(std::string_view)) {
        const auto value = parse(string(from, key));
        if (!value) complain(key, "a known name");
        return value.value_or(T{});
    }

    void complain(const char* key, const char* expected) {
        if (error_.empty()) error_ = fmt::format("{}: “{}” is not {}.", file_, key, expected);
    }

    Result<void> finish() const {
        if (error_.empty()) return {};
        return fail(ErrorCode::Corrupt, error_, "Run prepare again.");
    }

  private:
    const Json& find(const Json& from, const char* key, bool (Json::*is)() const noexcept, const char* expected) {
        const auto found = from.find(key);
        if (found != from.end() && ((*found).*is)()) return *found;
        complain(key, expected);
        return nothing_;
    }

    std::string file_, error_;
    const Json nothing_ = Json::object();
};

Statistics readStatistics(Fields& fields, const Json& counts) {
    Statistics statistics;
    statistics.conversations = fields.integer(counts, "conversations");
    statistics.examples = fields.integer(counts, "examples");
    statistics.tokens = fields.integer(counts, "tokens");
    statistics.supervised_tokens = fields.integer(counts, "supervised_tokens");
    statistics.cut_tokens = fields.integer(counts, "cut_tokens");
    statistics.repetition = fields.number(counts, "repetition", 1, 1e9);
    const Json& left_out = fields.object(counts, "left_out");
    statistics.left_out.trees_without_reply = fields.integer(left_out, "trees_without_reply");
    statistics.left_out.examples_without_target = fields.integer(left_out, "examples_without_target");
    statistics.left_out.messages_out_of_order = fields.integer(left_out, "messages_out_of_order");
    return statistics;
}

}  // namespace

Result<std::string> manifestText(const Manifest& manifest) try {
    const Provenance& from = manifest.provenance;
    const Statistics& counts = manifest.statistics;
    Json sources = Json::array();
    for (const SourceFile& source : from.sources)
        sources.push_back({{"name", source.name}, {"sha256", source.sha256}, {"bytes", source.bytes}});
    const Json json = {
        {"format", kFormat},
        {"version", kVersion},
        {"tokens", {{"file", kTokensName}, {"sha256", manifest.tokens_sha256}}},
        {"sources", std::move(sources)},
        {"filter", from.filter},
        {"paths", name(manifest.paths)},
        {"template", from.chat_template},
        {"tokenizer", {{"sha256", from.tokenizer_sha256}, {"vocab_size", from.vocab_size}, {"eos", from.eos}}},
        {"train_on", name(manifest.train_on)},
        {"max_seq_length", manifest.max_seq_length},
        {"validation_fraction", from.validation_fraction},
        {"seed", from.seed},
        {"counts",
         {{"conversations", counts.conversations},
          {"examples", counts.examples},
          {"tokens", counts.tokens},
          {"supervised_tokens", counts.supervised_tokens},
          {"cut_tokens", counts.cut_tokens},
          {"repetition", counts.repetition},
          {"left_out",
           {{"trees_without_reply", counts.left_out.trees_without_reply},
            {"examples_without_target", counts.left_out.examples_without_target},
            {"messages_out_of_order", counts.left_out.messages_out_of_order}}}}}};
    return json.dump(2) + "\n";
} catch (const Json::exception& e) {
    return fail(ErrorCode::InvalidArgument, fmt::format("The manifest cannot be written: {}.", e.what()),
                "File names and filters must be UTF-8 text.");
}

bool hasManifest(const std::filesystem::path& folder) {
    const auto json = io::readJson(folder / kManifestName, kLimits);
    return json && isManifest(*json);
}

Result<Manifest> readManifest(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / kManifestName;
    STUDIO_TRY(const Json json, io::readJson(file, kLimits));
    if (!isManifest(json))
        return fail(ErrorCode::InvalidArgument, fmt::format("{} is not the manifest of prepared data.", file.string()),
                    "Give the folder that prepare wrote.");
    Fields fields(file.string());
    if (fields.integer<int>(json, "version", 1) > kVersion)
        return fail(ErrorCode::Unsupported, fmt::format("{} was written by a newer version.", folder.string()),
                    "Update this program, or prepare the data again.");

    Manifest manifest;
    manifest.tokens_sha256 = fields.sha256(fields.object(json, "tokens"), "sha256");
    manifest.paths = fields.named(json, "paths", &pathPolicy);
    manifest.train_on = fields.named(json, "train_on", &trainOn);
    manifest.max_seq_length = fields.integer<int>(json, "max_seq_length");
    manifest.statistics = readStatistics(fields, fields.object(json, "counts"));

    Provenance& from = manifest.provenance;
    for (const Json& entry : fields.array(json, "sources")) {
        if (!entry.is_object()) {
            fields.complain("sources", "a list of objects");
            break;
        }
        from.sources.push_back({fields.string(entry, "name"), fields.sha256(entry, "sha256"),
                                fields.integer<std::uint64_t>(entry, "bytes")});
    }
    from.filter = fields.string(json, "filter");
    from.chat_template = fields.string(json, "template");
    const Json& tokenizer = fields.object(json, "tokenizer");
    from.tokenizer_sha256 = fields.sha256(tokenizer, "sha256");
    from.vocab_size = fields.integer<int>(tokenizer, "vocab_size", 1);
    from.eos = fields.integer<int>(tokenizer, "eos", -1);
    from.validation_fraction = fields.number(json, "validation_fraction", 0, 1);
    from.seed = fields.integer<std::uint64_t>(json, "seed");
    STUDIO_CHECK(fields.finish());
    return manifest;
}

}  // namespace studio::dataset
