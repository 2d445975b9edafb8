// The states of a run in words: what is so, and what can be done next.
#pragma once

#include "ui/look/colours.h"
#include "ui/look/icons.h"
#include "ui/runs/run_data.h"
#include "ui/session/run_service.h"
#include "ui/session/run_words.h"

namespace studio::ui {

// "running 28 %", "stopped, step 610", "failed"
QString stateShort(project::RunState state, qint64 step, qint64 total);

enum class RunAct {
    Cancel,
    Pause,
    Resume,
    StopAfterStep,
    StopNow,
    Evaluate,
    ChatBest,
    Chat,
    NewFromThis,
    ShowFolder,
    ShowField,
    WithLess,  // goes on or starts again with the setting that fits into the memory
    ShowRecipe,
    ShowLog,
    ShowConversations,  // those of the last skipped updates, in Data
    RetrySave,
    GiveUpSaving,
};

// The strip under the header. Without a sentence there is none.
struct RunNotice {
    Glyph glyph = Glyph::Info;
    Hue hue = Hue::Secondary, ground = Hue::Chip;
    QString sentence, hint;
    std::vector<std::pair<RunAct, QString>> acts;  // the first is the primary one
    bool bar = false;                              // with a bar, of done / total (total 0: unknown)
    quint64 done = 0, total = 0;
    QString field;                    // for ShowField: its key
    QStringList trees;                // for ShowConversations
    std::optional<RunChange> change;  // for WithLess
};
RunNotice runNotice(const RunData& data, const LiveRun* live);

// "validation loss 3.0496 → 2.9330, 0.117 nats a token lower (95 %: 0.092 to 0.141)"
QString beforeAfter(const RunData& data);

// The first setting that an error names as one that fits into the memory (jobs/memory_advice.h).
std::optional<RunChange> settingThatFits(const QString& error);
// It changes no number of the run, which goes on with it; with any other one a new run begins.
bool goesOnWith(const RunChange& change);

// The key of the recipe's field that an error speaks of; empty: none.
QString fieldNamedIn(const QString& error);

}  // namespace studio::ui
