// Text from files and models, as it may be shown: nothing in it can change the order or the look of what stands beside.
#pragma once

#include <QString>

namespace studio::ui {

// Control characters, also those that turn the direction of writing, become "□"; line ends stay where `lines` is set,
// else they become spaces. Longer than `most` characters: cut, with "…".
QString shownText(const QString& text, bool lines, qsizetype most = 8000);

// For a tool tip: Qt reads one that looks like markup as such, and wraps no other. Tags of a stranger stay text, long
// ones are wrapped.
QString toolTipText(const QString& text);

}  // namespace studio::ui
