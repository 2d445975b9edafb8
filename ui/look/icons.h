// Line icons drawn in the palette's own text colour, so that they follow light, dark, selected and disabled.
#pragma once

#include <QColor>
#include <QIcon>
#include <QPainter>

namespace studio::ui {

enum class Glyph {
    Data,
    Recipe,
    Runs,
    Evaluate,
    Chat,
    Models,
    Play,     // running
    Pause,    // paused
    Stop,     // stopped
    Tick,     // finished, good
    Cross,    // failed, bad
    Careful,  // triangle
    Info,
    Clock,   // queued, preparing
    Broken,  // interrupted
    Close,
    Left,
    Right,
    Down,
    Revert,
    Copy,
    Edit,
    Folder,
    Search,
    Plus,
    Filter,
};

// Drawn into `box`, in `colour`; lines are box/10 wide.
void drawGlyph(QPainter& painter, Glyph glyph, const QRectF& box, const QColor& colour);

QIcon icon(Glyph glyph);

// The program's own icon, for windows and notifications.
QIcon programIcon();

}  // namespace studio::ui
