// Rows of OASST files for tests, and imports of them.
#pragma once

#include <zlib.h>

#include <QTemporaryDir>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corpus/importer.h"
#include "corpus/store.h"
#include "support/expect.h"

namespace studio::test {

using Json = nlohmann::ordered_json;

// A flat row; `parent` empty for a root. More fields are set by the test.
inline Json row(const std::string& id, const std::string& parent, const std::string& tree, const std::string& role,
                const std::string& text = "text") {
    return {{"message_id", id}, {"parent_id", parent.empty() ? Json() : Json(parent)},
            {"text", text},     {"role", role},
            {"lang", "en"},     {"message_tree_id", tree}};
}

inline std::string lines(const std::vector<Json>& rows) {
    std::string out;
    for (const Json& r : rows) out += r.dump() + "\n";
    return out;
}

inline std::string gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

// A store in memory and a folder for files to import.
class Importing {
  public:
    Importing() : store(*corpus::Store::openMemory()) {}

    std::filesystem::path file(const std::string& bytes, const std::string& name = "data.jsonl") const {
        const std::filesystem::path path = std::filesystem::path(folder.path().toStdString()) / name;
        put(path, bytes);
        return path;
    }
    Result<corpus::ImportReport> import(const std::string& bytes, const corpus::ImportOptions& options = {},
                                        const JobContext& job = {}) {
        return corpus::importFile(store, file(bytes), options, job);
    }
    std::optional<corpus::Message> message(const std::string& id) { return store.message(id).value(); }

    QTemporaryDir folder;
    corpus::Store store;
};

}  // namespace studio::test
