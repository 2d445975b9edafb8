// The folder that `prepare` writes: tokens and structure, so that training needs neither corpus nor tokenizer again.
//
// tokens.safetensors holds lists. One entry a token: tokens (I32), kinds (U8, text::SpanKind), supervised (U8, 1 is a
// target). One a span, i.e. a message inside an example: span_message (I32, index of its id), span_parent (I32, within
// the example, -1 for none), span_tokens (I32, how many). One an example: example_tree, example_last_message,
// example_spans (I32, how many). One a tree: tree_split (U8, 1 is validation), tree_id_ends (I64, into tree_id_bytes).
// One a message: message_id_ends (I64, into message_id_bytes). Spans own the tokens and examples own the spans, in
// order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "dataset/examples.h"
#include "io/file_ops.h"

namespace studio::dataset {

struct SourceFile {
    std::string name;    // without its folder
    std::string sha256;  // 64 lower-case hexadecimal digits
    std::uint64_t bytes = 0;
    bool operator==(const SourceFile&) const = default;
};

// Where the tokens come from: enough to tell whether two folders, or a folder and a run, go together.
struct Provenance {
    std::vector<SourceFile> sources;
    std::string filter;            // as written by the person; empty: the default filter
    std::string chat_template;     // "openassistant"
    std::string tokenizer_sha256;  // of the tokenizer's files; see the job that computes it
    int vocab_size = 0;            // every token is below it
    int eos = -1;
    double validation_fraction = 0;
    std::uint64_t seed = 42;
    bool operator==(const Provenance&) const = default;
};

struct Prepared {
    Provenance provenance;
    Examples examples;
};

// True if `path` is a folder that prepare wrote or began to write; whether it is sound, readPrepared() tells.
bool isPreparedFolder(const std::filesystem::path& path);

// Writes folder/tokens.safetensors, then folder/manifest.json with its hash; each appears whole or not at all, the
// manifest last. The folder is created; one that holds other files is refused. A folder of an earlier prepare is
// replaced.
Result<void> writePrepared(io::FileOps& ops, const std::filesystem::path& folder, const Examples& examples,
                           const Provenance& provenance, const JobContext& job = {});

// Everything in the folder is checked: hash, shapes, ranges, order of spans, counts.
Result<Prepared> readPrepared(const std::filesystem::path& folder, const JobContext& job = {});

}  // namespace studio::dataset
