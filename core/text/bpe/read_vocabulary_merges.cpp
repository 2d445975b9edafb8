#include <fmt/format.h>

#include <algorithm>

#include "io/file.h"
#include "text/bpe/bpe_files.h"
#include "text/limits.h"
#include "text/messages.h"

namespace studio::text {
namespace {

Result<std::vector<MergeEntry>> readMerges(const std::filesystem::path& path) {
    STUDIO_TRY(const std::string bytes, io::readFile(path, kMaxTokenizerFile));
    const std::string file = path.filename().string();
    std::vector<MergeEntry> merges;
    std::uint32_t number = 0;
    for (std::size_t begin = 0; begin < bytes.size();) {
        const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
        std::string_view line(bytes.data() + begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("#version")) continue;
        if (line.empty() && begin >= bytes.size()) break;
        const FilePlace place{number, 0};
        const std::size_t space = line.find(' ');
        const auto fields = std::count(line.begin(), line.end(), ' ') + 1;
        if (fields != 2 || space == 0 || space + 1 == line.size())
            return corruptFile(describe(file, place), fmt::format("a merge is two tokens with a space between, not {}",
                                                                  line.empty() ? "an empty line" : quote(line)));
        merges.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1)), place});
        if (merges.size() > static_cast<std::size_t>(kMaxTokens))
            return corruptFile(describe(file, place), fmt::format("there are more than {} merges", kMaxTokens));
    }
    return merges;
}

}  // namespace

Result<BpeFiles> readVocabularyAndMerges(const std::filesystem::path& folder) {
    BpeFiles files;
    files.vocabulary_file = "vocab.json";
    files.merges_file = "merges.txt";
    files.added_file = "added_tokens.json";
    STUDIO_TRY(files.vocabulary, readIdFile(folder / files.vocabulary_file));
    STUDIO_TRY(files.merges, readMerges(folder / files.merges_file));
    std::error_code ignored;
    if (std::filesystem::exists(folder / files.added_file, ignored)) {
        STUDIO_TRY(auto added, readIdFile(folder / files.added_file));
        for (IdEntry& entry : added)
            files.added.push_back({{std::move(entry.spelling), entry.id, false, true}, entry.place});
    }
    return files;
}

}  // namespace studio::text
