#include "jobs/conversations.h"

#include <fmt/format.h>

#include <algorithm>

#include "corpus/filter_sql.h"
#include "corpus/sqlite.h"
#include "io/sha256.h"
#include "project/project.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

// Every row of a query as text, column by column with its length, so that no two contents look alike.
Result<std::int64_t> append(std::string& all, corpus::Database& database, std::string_view sql, int columns) {
    STUDIO_TRY(corpus::Statement row, database.prepare(sql));
    std::int64_t rows = 0;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return rows;
        ++rows;
        for (int column = 0; column < columns; ++column) {
            const auto text = row.optionalText(column);
            all += text ? fmt::format("{}:{} ", text->size(), *text) : std::string("- ");
        }
        all += '\n';
    }
}

Result<Conversations> openProject(const fs::path& folder, const corpus::Filter& filter, const JobContext& job) {
    const fs::path file = project::projectPaths(folder).corpus();
    std::error_code ec;
    if (!fs::exists(file, ec))
        return fail(ErrorCode::NotFound,
                    fmt::format("The project \"{}\" holds no conversations yet.", folder.filename().string()),
                    "Import a file of conversations into it.");
    STUDIO_TRY(corpus::Store store, corpus::Store::openFile(file, corpus::Store::Access::ReadOnly));
    STUDIO_TRY(const bool indexed, store.textIndexIsCurrent());
    if (!indexed && corpus::filterSql(filter).needs_words) {
        STUDIO_TRY(store, corpus::Store::openFile(file));
        STUDIO_CHECK(store.updateTextIndex(job));
    }
    STUDIO_TRY(auto sources, sourcesOf(store));
    return Conversations{std::move(store), {}, std::move(sources)};
}

}  // namespace

Result<std::vector<dataset::SourceFile>> sourcesOf(corpus::Store& store) {
    std::vector<dataset::SourceFile> sources;
    STUDIO_TRY(const auto files, store.sources());
    for (const corpus::Source& file : files) sources.push_back({file.name, file.sha256, file.bytes});
    std::string changes;
    STUDIO_TRY(const std::int64_t curated,
               append(changes, store.database(),
                      "SELECT message, review, rank, text FROM curation WHERE review IS NOT NULL OR rank IS NOT NULL"
                      " OR text IS NOT NULL ORDER BY message",
                      4));
    changes += "tags\n";
    STUDIO_TRY(const std::int64_t tagged,
               append(changes, store.database(), "SELECT message, tag FROM tags ORDER BY message, tag", 2));
    if (curated + tagged > 0) sources.push_back({"curation", io::sha256(changes), changes.size()});
    return sources;
}

Result<Conversations> openConversations(const std::vector<fs::path>& paths, const corpus::Filter& filter,
                                        const corpus::ImportOptions& options, const JobContext& job) {
    const auto project = std::find_if(paths.begin(), paths.end(), project::isProjectFolder);
    if (project != paths.end()) {
        if (paths.size() == 1) return openProject(*project, filter, job);
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{} is a project, which cannot be combined with other data.", project->string()),
                    "Import the files into the project, or name files only.");
    }
    STUDIO_TRY(corpus::Store store, corpus::Store::openMemory());
    Conversations result{std::move(store), {}, {}};
    for (const fs::path& file : paths) {
        STUDIO_TRY(corpus::ImportReport report, corpus::importFile(result.store, file, options, job));
        result.sources.push_back({report.file, report.sha256, report.bytes});
        result.reports.push_back(std::move(report));
    }
    return result;
}

}  // namespace studio::jobs
