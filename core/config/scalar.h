// Numbers and truth values as text, exactly and in every locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace studio::config {

// Errors are sentences without their subject, the key: "needs a whole number, and 1e3 is none."; the hint has the cure.
Result<std::int64_t> parseInteger(std::string_view text);
Result<double> parseReal(std::string_view text);
Result<bool> parseBool(std::string_view text);  // true/false, and YAML 1.1's yes/no/on/off

// Would a YAML reader of any version take this plain text for null, a truth value or a number?
bool looksTyped(std::string_view text);

// Shortest text that reads back as the same number, which Python's YAML and JSON readers also take for a float: 0.05,
// 2.0e-4, 1.0e-5, 16.0.
std::string formatReal(double value);
// The same without the point where the number is whole: 16.
std::string formatNumber(double value);
// As Python's repr: 0.0002, 1e-05, 16.0.
std::string formatPython(double value);

// "text" with JSON's escapes, which YAML shares. `ascii`: everything else as \uXXXX, as Python's json does it.
std::string quote(std::string_view text, bool ascii = false);
// For YAML: plain where no reader could misunderstand it, else quoted.
std::string yamlText(std::string_view text);

}  // namespace studio::config
