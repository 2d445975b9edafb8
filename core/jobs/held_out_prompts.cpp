#include "jobs/held_out_prompts.h"

#include <algorithm>
#include <set>

namespace studio::jobs {

std::vector<std::string> heldOutPrompts(const LoadedData& data, std::size_t count) {
    std::vector<std::string> prompts;
    std::set<int> seen;
    for (const int index : data.examples->of(dataset::Split::Validation)) {
        const dataset::Example example = (*data.examples)[index];
        if (!seen.insert(example.tree).second) continue;
        std::vector<int> ids;
        for (int i = 0; i < example.spans[0].end; ++i) {
            if (example.kinds[static_cast<std::size_t>(i)] == text::SpanKind::PrompterText)
                ids.push_back(example.tokens[static_cast<std::size_t>(i)]);
        }
        if (!ids.empty()) prompts.push_back(data.tokenizer->decode(ids));
    }
    std::stable_sort(prompts.begin(), prompts.end(),
                     [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
    if (prompts.size() > count) prompts.resize(count);
    return prompts;
}

}  // namespace studio::jobs
