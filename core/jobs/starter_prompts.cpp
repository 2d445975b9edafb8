#include "jobs/starter_prompts.h"

#include <algorithm>

#include "corpus/query.h"
#include "corpus/store.h"
#include "jobs/held_out_prompts.h"

namespace studio::jobs {
namespace {

constexpr std::size_t kShortest = 24, kLongest = 140, kMany = 4000;
constexpr std::size_t kRootsRead = 300;

bool fitsACard(const std::string& prompt) {
    return prompt.size() >= kShortest && prompt.size() <= kLongest && prompt.find('\n') == std::string::npos;
}

// Spread over the lengths, always the same ones.
std::vector<std::string> spread(std::vector<std::string> prompts, std::size_t count) {
    std::erase_if(prompts, [](const std::string& p) { return !fitsACard(p); });
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < count && i < prompts.size(); ++i)
        chosen.push_back(prompts[prompts.size() <= count ? i : (2 * i + 1) * prompts.size() / (2 * count)]);
    return chosen;
}

std::vector<std::string> corpusPrompts(const std::filesystem::path& corpus, const JobContext& job) {
    std::error_code ec;
    if (!std::filesystem::exists(corpus, ec)) return {};
    auto store = corpus::Store::openFile(corpus, corpus::Store::Access::ReadOnly);
    const auto filter = corpus::parseFilter("root role:prompter -deleted");
    if (!store || !filter) return {};
    const auto found = corpus::query(*store, *filter, {}, job);
    if (!found) return {};
    std::vector<std::string> prompts;
    for (std::size_t i = 0; i < found->rows.size() && i < kRootsRead; ++i)
        if (auto message = store->messageAt(found->rows[i]); message && *message)
            prompts.push_back(std::move((*message)->text));
    std::stable_sort(prompts.begin(), prompts.end(),
                     [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
    return prompts;
}

}  // namespace

StarterPrompts starterPrompts(const DataRequest& request, const std::filesystem::path& corpus, std::size_t count,
                              const JobContext& job) {
    StarterPrompts out;
    if (!request.data_path.empty() && request.validation_fraction > 0)
        if (const auto data = loadData(request, job)) out.prompts = spread(heldOutPrompts(*data, kMany), count);
    out.held_out = !out.prompts.empty();
    if (out.prompts.empty() && !job.stopped()) out.prompts = spread(corpusPrompts(corpus, job), count);
    return out;
}

}  // namespace studio::jobs
