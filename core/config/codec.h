// A field's value out of a node and into text, whatever its type.
#pragma once

#include <string>

#include "base/result.h"
#include "config/field.h"
#include "config/node.h"

namespace studio::config {

// Sets the field from `node`: type, choices and range are checked. The error is a sentence without its subject ("needs
// a number, and abc is none."); on error the field keeps its value.
Result<void> readField(const Field& field, const Node& node, Recipe& into);

// Range and choices of the value the recipe has; errors as above.
Result<void> checkField(const Field& field, const Recipe& recipe);

// The value as it stands in a file, on one line: JSON, and with `yaml` text unquoted where that is safe.
std::string writeField(const Field& field, const Recipe& recipe, bool yaml);

bool isText(const Field& field);  // one text, optional or not
bool isList(const Field& field);  // of texts, numbers or module names

}  // namespace studio::config
