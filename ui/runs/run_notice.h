// The states of a run in words: what is so, and what can be done next.
#pragma once

#include "ui/look/colours.h"
#include "ui/look/icons.h"
#include "ui/runs/run_data.h"
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
    QString field;      // for ShowField: its key
    QStringList trees;  // for ShowConversations
};
RunNotice runNotice(const RunData& data, const LiveRun* live);

// "validation loss 3.0496 → 2.9330, 0.117 nats a token lower (95 %: 0.092 to 0.141)"
QString beforeAfter(const RunData& data);

// The key of the recipe's field that an error speaks of; empty: none.
QString fieldNamedIn(const QString& error);

}  // namespace studio::ui
