#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "dataset/manifest.h"
#include "dataset/prepared.h"
#include "io/safetensors.h"
#include "io/sha256.h"

namespace studio::dataset {
namespace {

namespace fs = std::filesystem;
using text::SpanKind;

tl::unexpected<Error> corrupt(std::string what) {
    return fail(ErrorCode::Corrupt, fmt::format("{} is damaged: {}", kTokensName, std::move(what)),
                "Run prepare again.");
}

template <class T>
Result<std::vector<T>> readArray(const io::SafetensorsFile& file, const char* name, io::DType dtype) {
    const io::TensorInfo* info = file.find(name);
    if (!info || info->dtype != dtype || info->shape.size() != 1)
        return corrupt(fmt::format("it has no list “{}” of type {}.", name, io::name(dtype)));
    std::vector<T> values(info->bytes() / sizeof(T));
    STUDIO_CHECK(file.read(*info, std::as_writable_bytes(std::span(values))));
    return values;
}

Result<std::vector<std::string>> readIds(const io::SafetensorsFile& file, const std::string& kind) {
    STUDIO_TRY(const auto bytes, readArray<char>(file, (kind + "_id_bytes").c_str(), io::DType::U8));
    STUDIO_TRY(const auto ends, readArray<std::int64_t>(file, (kind + "_id_ends").c_str(), io::DType::I64));
    std::vector<std::string> ids;
    ids.reserve(ends.size());
    std::int64_t begin = 0;
    for (const std::int64_t end : ends) {
        if (end < begin || end > std::ssize(bytes)) return corrupt("the ids do not lie one after the other.");
        ids.emplace_back(bytes.data() + begin, bytes.data() + end);
        begin = end;
    }
    if (begin != std::ssize(bytes)) return corrupt("there are more bytes than ids.");
    return ids;
}

template <class T>
bool allBelow(const std::vector<T>& values, std::int64_t bound) {
    return std::all_of(values.begin(), values.end(), [bound](T value) {
        return static_cast<std::int64_t>(value) >= 0 && static_cast<std::int64_t>(value) < bound;
    });
}

// Fills span_end, token_end and the spans' places from the stored sizes.
Result<void> layOut(Examples& examples, const std::vector<int>& example_spans, const std::vector<int>& span_tokens) {
    std::size_t next = 0;
    std::int64_t tokens = 0;
    for (const int count : example_spans) {
        if (count < 1 || static_cast<std::size_t>(count) > examples.spans.size() - next)
            return corrupt("the examples do not own the spans.");
        int size = 0;
        for (int i = 0; i < count; ++i) {
            Span& span = examples.spans[next + i];
            if (span.parent < -1 || span.parent >= i || (examples.paths != PathPolicy::Tree && span.parent != i - 1))
                return corrupt("a message does not follow the one it answers.");
            const auto end = checkedAdd(size, span_tokens[next + i]);
            if (span_tokens[next + i] < 1 || !end) return corrupt("a message has an impossible length.");
            span.begin = size;
            span.end = size = *end;
            if (span.parent >= 0) {
                const Span& parent = examples.spans[next + span.parent];
                span.position = parent.position + parent.size();
            }
            if (examples.max_seq_length > 0 && span.position + span.size() > examples.max_seq_length)
                return corrupt("a path is longer than max_seq_length.");
        }
        next += count;
        tokens += size;
        examples.span_end.push_back(static_cast<std::int64_t>(next));
        examples.token_end.push_back(tokens);
    }
    if (next != examples.spans.size() || tokens != std::ssize(examples.tokens))
        return corrupt("the messages do not own all tokens.");
    return {};
}

Result<void> checkTargets(const Examples& examples) {
    for (int i = 0; i < examples.size(); ++i) {
        const Example example = examples[i];
        if (std::find(example.supervised.begin(), example.supervised.end(), 1) == example.supervised.end())
            return corrupt("an example has no target.");
        for (const Span& span : example.spans)
            if (span.parent < 0 && example.supervised[span.begin]) return corrupt("a first token is a target.");
    }
    if (examples.train_on == TrainOn::All) return {};
    for (std::size_t i = 0; i < examples.tokens.size(); ++i) {
        if (examples.supervised[i] && examples.kinds[i] != SpanKind::AssistantText &&
            examples.kinds[i] != SpanKind::AssistantEnd)
            return corrupt("a token is a target that no assistant wrote.");
    }
    return {};
}

Result<void> checkCounts(const Examples& examples) {
    std::vector<int> trees = examples.example_tree;
    std::sort(trees.begin(), trees.end());
    const auto distinct = std::unique(trees.begin(), trees.end()) - trees.begin();
    const Statistics& stated = examples.statistics;
    if (stated.examples != examples.size() || stated.tokens != std::ssize(examples.tokens) ||
        stated.supervised_tokens != std::count(examples.supervised.begin(), examples.supervised.end(), 1) ||
        stated.conversations != distinct)
        return corrupt("the counts of its manifest are others.");
    return {};
}

Result<Examples> readExamples(const io::SafetensorsFile& file, const Manifest& manifest) {
    using enum io::DType;
    Examples examples;
    examples.paths = manifest.paths;
    examples.train_on = manifest.train_on;
    examples.max_seq_length = manifest.max_seq_length;
    examples.statistics = manifest.statistics;
    STUDIO_TRY(examples.tree_ids, readIds(file, "tree"));
    STUDIO_TRY(examples.message_ids, readIds(file, "message"));

    STUDIO_TRY(examples.tokens, readArray<int>(file, "tokens", I32));
    STUDIO_TRY(const auto kinds, readArray<std::uint8_t>(file, "kinds", U8));
    STUDIO_TRY(examples.supervised, readArray<std::uint8_t>(file, "supervised", U8));
    if (kinds.size() != examples.tokens.size() || examples.supervised.size() != examples.tokens.size())
        return corrupt("tokens, kinds and targets differ in number.");
    if (!allBelow(examples.tokens, manifest.provenance.vocab_size)) return corrupt("a token is not in the vocabulary.");
    if (!allBelow(kinds, static_cast<int>(SpanKind::AssistantEnd) + 1)) return corrupt("a token is of no known kind.");
    if (!allBelow(examples.supervised, 2)) return corrupt("a target is neither 0 nor 1.");
    for (const std::uint8_t kind : kinds) examples.kinds.push_back(static_cast<SpanKind>(kind));

    STUDIO_TRY(const auto split, readArray<std::uint8_t>(file, "tree_split", U8));
    if (split.size() != examples.tree_ids.size() || !allBelow(split, 2)) return corrupt("the split is malformed.");
    for (const std::uint8_t side : split) examples.split.push_back(static_cast<Split>(side));

    STUDIO_TRY(examples.example_tree, readArray<int>(file, "example_tree", I32));
    STUDIO_TRY(examples.example_last_message, readArray<int>(file, "example_last_message", I32));
    STUDIO_TRY(const auto example_spans, readArray<int>(file, "example_spans", I32));
    STUDIO_TRY(const auto span_message, readArray<int>(file, "span_message", I32));
    STUDIO_TRY(const auto span_parent, readArray<int>(file, "span_parent", I32));
    STUDIO_TRY(const auto span_tokens, readArray<int>(file, "span_tokens", I32));
    if (examples.example_tree.size() != example_spans.size() ||
        examples.example_last_message.size() != example_spans.size() || span_message.size() != span_parent.size() ||
        span_message.size() != span_tokens.size())
        return corrupt("lists of the same things differ in length.");
    const auto messages = std::ssize(examples.message_ids);
    if (!allBelow(examples.example_tree, std::ssize(examples.tree_ids)) ||
        !allBelow(examples.example_last_message, messages) || !allBelow(span_message, messages))
        return corrupt("an index points nowhere.");
    if (span_message.size() > std::numeric_limits<int>::max()) return corrupt("there are too many messages.");
    for (std::size_t i = 0; i < span_message.size(); ++i)
        examples.spans.push_back({span_message[i], span_parent[i], 0, 0, 0});

    STUDIO_CHECK(layOut(examples, example_spans, span_tokens));
    STUDIO_CHECK(checkTargets(examples));
    STUDIO_CHECK(checkCounts(examples));
    return examples;
}

}  // namespace

Result<Prepared> readPrepared(const fs::path& folder, const JobContext& job) {
    job.report({"Reading the prepared data", 0, 0, ""});
    STUDIO_TRY(const Manifest manifest, readManifest(folder));
    STUDIO_TRY(const std::string sha256, io::sha256File(folder / kTokensName, job.stop));
    if (sha256 != manifest.tokens_sha256)
        return fail(ErrorCode::Corrupt, fmt::format("{} does not match its manifest.", (folder / kTokensName).string()),
                    "The folder was changed, or preparing was broken off: run prepare again.");
    STUDIO_TRY(const io::SafetensorsFile file, io::SafetensorsFile::open(folder / kTokensName));
    STUDIO_TRY(Examples examples, readExamples(file, manifest));
    return Prepared{manifest.provenance, std::move(examples)};
}

}  // namespace studio::dataset
