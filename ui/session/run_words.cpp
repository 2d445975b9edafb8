#include "ui/session/run_words.h"

#include <QCoreApplication>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

QString translated(const char* source, int n = -1) {
    return QCoreApplication::translate("RunWords", source, nullptr, n);
}

}  // namespace

QString stateWord(project::RunState state) {
    switch (state) {
        case project::RunState::Queued:
            return translated("queued");
        case project::RunState::Preparing:
            return translated("preparing");
        case project::RunState::Running:
            return translated("running");
        case project::RunState::Paused:
            return translated("paused");
        case project::RunState::Stopping:
            return translated("stopping");
        case project::RunState::Finished:
            return translated("finished");
        case project::RunState::Stopped:
            return translated("stopped");
        case project::RunState::Failed:
            return translated("failed");
        case project::RunState::Interrupted:
            break;
    }
    return translated("interrupted");
}

Glyph stateGlyph(project::RunState state) {
    switch (state) {
        case project::RunState::Queued:
        case project::RunState::Preparing:
            return Glyph::Clock;
        case project::RunState::Running:
            return Glyph::Play;
        case project::RunState::Paused:
            return Glyph::Pause;
        case project::RunState::Stopping:
        case project::RunState::Stopped:
            return Glyph::Stop;
        case project::RunState::Finished:
            return Glyph::Tick;
        case project::RunState::Failed:
            return Glyph::Cross;
        case project::RunState::Interrupted:
            break;
    }
    return Glyph::Broken;
}

QString liveWords(const LiveRun& live) {
    if (!live.save_error.isEmpty()) return translated("waiting: a checkpoint could not be written");
    if (live.pausing) return translated("pausing after this step…");
    switch (live.state) {
        case project::RunState::Preparing:
            return live.total_units > 0
                       ? translated("%1, %2").arg(live.phase, percent(double(live.done) / double(live.total_units), 0))
                       : live.phase;
        case project::RunState::Stopping:
            return translated("stopping after this step…");
        case project::RunState::Paused:
            return translated("paused at step %1 of %2").arg(number(live.step), number(live.total));
        default:
            break;
    }
    const QString steps = translated("step %1 of %2").arg(number(live.step), number(live.total));
    return live.seconds_left ? translated("%1 · %2 left").arg(steps, duration(*live.seconds_left)) : steps;
}

}  // namespace studio::ui
