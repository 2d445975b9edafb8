// What is wrong, doubtful or worth knowing about one field of a configuration.
#pragma once

#include <string>
#include <vector>

namespace studio::config {

enum class Severity {
    Error,    // cannot be used as it is
    Warning,  // can be used, but probably not meant so
    Notice,   // read and understood, with no effect here
};

struct FieldIssue {
    std::string key;  // "learning_rate"; empty for the file as a whole
    Severity severity = Severity::Error;
    std::string message;       // a sentence: what is wrong
    std::string hint;          // a sentence: what to do
    std::string file;          // as the person named it; empty for values that come from no file
    int line = 0, column = 0;  // from 1; 0 where not known

    // "training_config.yaml, line 3, column 16: message hint"
    std::string text() const;
    bool operator==(const FieldIssue&) const = default;
};

using Issues = std::vector<FieldIssue>;

bool hasErrors(const Issues& issues);

}  // namespace studio::config
