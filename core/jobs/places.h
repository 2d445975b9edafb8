// Where things lie: what came with the program, and the person's own data, state and cache (XDG).
#pragma once

#include <filesystem>

#include "base/result.h"

namespace studio::jobs {

// resources/ of the source tree or share/qlora-studio of an installation.
std::filesystem::path resourceFolder();
std::filesystem::path dataFolder();   // $XDG_DATA_HOME/qlora-studio
std::filesystem::path stateFolder();  // $XDG_STATE_HOME/qlora-studio
std::filesystem::path logFile();

}  // namespace studio::jobs
