// The GPU's memory as the engine plans it, in words and figures.
#pragma once

#include "engine/api/types.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

struct PlannedMemory {
    QString title, verdict;
    std::vector<FactList::Fact> facts;  // a part each, then the peak
    std::vector<quint64> parts;
    quint64 whole = 0;
    bool fits = true;
};

// `hue`: of the figures.
PlannedMemory plannedMemory(const engine::api::MemoryUse& plan, Hue hue);

// 12.4, or 0.031 of what is small.
QString gibFigure(quint64 bytes);

}  // namespace studio::ui
