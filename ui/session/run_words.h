// A run's state as words and a glyph, the same everywhere.
#pragma once

#include "ui/look/icons.h"
#include "ui/session/run_service.h"

namespace studio::ui {

// "running", "paused", … and the glyph that goes with it.
QString stateWord(project::RunState state);
Glyph stateGlyph(project::RunState state);
// The live run in a few words: "step 420 of 1,500 · 7 min left".
QString liveWords(const LiveRun& live);

}  // namespace studio::ui
