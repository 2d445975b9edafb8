#include "config/issue.h"

#include <fmt/format.h>

#include <algorithm>

namespace studio::config {

std::string FieldIssue::text() const {
    std::string where = file;
    if (line > 0) where += fmt::format("{}line {}, column {}", where.empty() ? "" : ", ", line, column);
    std::string text = where.empty() ? message : where + ": " + message;
    return hint.empty() ? text : text + " " + hint;
}

bool hasErrors(const Issues& issues) {
    return std::any_of(issues.begin(), issues.end(),
                       [](const FieldIssue& issue) { return issue.severity == Severity::Error; });
}

}  // namespace studio::config
