// docs/configuration.md, made from the tables.
#pragma once

#include <string>

namespace studio::config {

std::string configurationDocs();

}  // namespace studio::config
