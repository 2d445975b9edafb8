// The messages that data paths name: files read into memory, or a project's own store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/job.h"
#include "corpus/filter.h"
#include "corpus/importer.h"
#include "corpus/store.h"
#include "dataset/prepared.h"

namespace studio::jobs {

struct Conversations {
    corpus::Store store;
    std::vector<corpus::ImportReport> reports;  // of the files; none for a project
    // What the messages came from, in order; of a project also what people changed in it ("curation"). Equal lists
    // with an equal filter give equal examples.
    std::vector<dataset::SourceFile> sources;
};

// `paths` are files, or one project folder, whose store is opened for reading only (except that its word index is
// brought up to date where `filter` searches for words).
Result<Conversations> openConversations(const std::vector<std::filesystem::path>& paths, const corpus::Filter& filter,
                                        const corpus::ImportOptions& options, const JobContext& job);

// The sources of a store as a run records them.
Result<std::vector<dataset::SourceFile>> sourcesOf(corpus::Store& store);

}  // namespace studio::jobs
