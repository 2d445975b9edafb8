// An evaluation in words: its name, the headline figures and what they say.
#pragma once

#include <QString>

#include "jobs/evaluation_record.h"

namespace studio::ui {

QString evaluationName(const jobs::EvaluationRecord& record);     // "studio-r16 @ 400", "phi-2, base"
QString evaluationAgainst(const jobs::EvaluationRecord& record);  // "against base · 443 held-out trees"

struct Figure {
    QString title, value, below;
    QString tool_tip = {};
};
// "95 % interval 5.50 to 5.95", of a side's own perplexity.
QString perplexityInterval(const jobs::SideResult& side, std::int64_t trees);
// Perplexity, share of answers that stop by themselves, mean length; what was not measured is left out.
std::vector<Figure> headline(const jobs::EvaluationRecord& record);

// "13.2 % lower, 95 % interval 11.4 to 15.1 %", or "not distinguishable"
QString perplexityChange(const jobs::Estimate& difference);

}  // namespace studio::ui
