// English plurals for the source texts: "%n message(s)" is "1 message" and "2 messages".
#pragma once

namespace studio::ui {

// Once; translations that are installed later come first.
void installEnglishPlurals();

}  // namespace studio::ui
