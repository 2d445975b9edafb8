// A run's state as words and a glyph, the same everywhere.
#pragma once

#include "ui/look/colours.h"
#include "ui/look/icons.h"
#include "ui/session/run_service.h"

namespace studio::ui {

// An icon shape, a word and a colour.
struct StateLook {
    Glyph glyph = Glyph::Clock;
    Hue hue = Hue::Secondary;
    QString word;
};
StateLook stateLook(project::RunState state);
// The live run in a few words: "step 420 of 1,500 · 7 min left".
QString liveWords(const LiveRun& live);

}  // namespace studio::ui
