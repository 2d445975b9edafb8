#include <fmt/format.h>

#include <system_error>

#include "dataset/manifest.h"
#include "dataset/prepared.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "io/sha256.h"

namespace studio::dataset {
namespace {

namespace fs = std::filesystem;

template <class T>
io::TensorView view(std::string name, io::DType dtype, const std::vector<T>& values) {
    return {
        std::move(name), dtype, {static_cast<std::int64_t>(values.size())}, values.data(), values.size() * sizeof(T)};
}

// Texts one after the other, and where each ends.
struct IdTable {
    explicit IdTable(const std::vector<std::string>& ids) {
        for (const std::string& id : ids) {
            bytes.insert(bytes.end(), id.begin(), id.end());
            ends.push_back(static_cast<std::int64_t>(bytes.size()));
        }
    }
    std::vector<char> bytes;
    std::vector<std::int64_t> ends;
};

Result<void> writeTokens(io::FileOps& ops, const fs::path& file, const Examples& examples) {
    static_assert(sizeof(int) == 4 && sizeof(text::SpanKind) == 1 && sizeof(Split) == 1);
    std::vector<int> example_spans, span_message, span_parent, span_tokens;
    std::int64_t begin = 0;
    for (const std::int64_t end : examples.span_end) {
        example_spans.push_back(static_cast<int>(end - begin));
        begin = end;
    }
    for (const Span& span : examples.spans) {
        span_message.push_back(span.message);
        span_parent.push_back(span.parent);
        span_tokens.push_back(span.size());
    }
    const IdTable trees(examples.tree_ids), messages(examples.message_ids);
    using enum io::DType;
    const io::TensorView tensors[] = {
        view("tokens", I32, examples.tokens),
        view("kinds", U8, examples.kinds),
        view("supervised", U8, examples.supervised),
        view("example_tree", I32, examples.example_tree),
        view("example_last_message", I32, examples.example_last_message),
        view("example_spans", I32, example_spans),
        view("span_message", I32, span_message),
        view("span_parent", I32, span_parent),
        view("span_tokens", I32, span_tokens),
        view("tree_split", U8, examples.split),
        view("tree_id_bytes", U8, trees.bytes),
        view("tree_id_ends", I64, trees.ends),
        view("message_id_bytes", U8, messages.bytes),
        view("message_id_ends", I64, messages.ends),
    };
    return io::writeSafetensors(ops, file, tensors, {});
}

// Only an empty folder, or one that prepare wrote (or began to write), is written to.
Result<void> checkFree(const fs::path& folder) {
    if (hasManifest(folder)) return {};
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name == kTokensName || name == kManifestName || name.find(".tmp-") != name.npos) continue;
        return fail(ErrorCode::AlreadyExists, fmt::format("The folder {} holds other files.", folder.string()),
                    "Choose a new or an empty folder.");
    }
    if (error) return tl::unexpected(io::systemError(error.value(), "read", folder));
    return {};
}

Result<void> writeFiles(io::FileOps& ops, const fs::path& folder, const Examples& examples,
                        const Provenance& provenance, const JobContext& job) {
    STUDIO_CHECK(writeTokens(ops, folder / kTokensName, examples));
    Manifest manifest{provenance, examples.paths, examples.train_on, examples.max_seq_length, examples.statistics, {}};
    STUDIO_TRY(manifest.tokens_sha256, io::sha256File(folder / kTokensName, job.stop));
    STUDIO_TRY(const std::string text, manifestText(manifest));
    return io::writeFileAtomic(ops, folder / kManifestName, text);
}

}  // namespace

bool isPreparedFolder(const fs::path& path) {
    std::error_code error;
    return fs::is_directory(path, error) && (hasManifest(path) || fs::exists(path / kTokensName, error));
}

Result<void> writePrepared(io::FileOps& ops, const fs::path& folder, const Examples& examples,
                           const Provenance& provenance, const JobContext& job) {
    std::error_code error;
    const bool created = fs::create_directories(folder, error);
    if (error) return tl::unexpected(io::systemError(error.value(), "create", folder));
    STUDIO_CHECK(checkFree(folder));
    job.report({"Writing the prepared data", 0, 0, ""});
    auto written = writeFiles(ops, folder, examples, provenance, job);
    if (!written && created) {  // leave nothing half done behind
        for (const fs::path& path : {folder / kManifestName, folder / kTokensName, folder}) ops.remove(path.c_str());
    }
    return written;
}

}  // namespace studio::dataset
