#include "ui/session/run_words.h"

#include <QCoreApplication>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

QString translated(const char* source, int n = -1) {
    return QCoreApplication::translate("RunWords", source, nullptr, n);
}

}  // namespace

StateLook stateLook(project::RunState state) {
    switch (state) {
        case project::RunState::Queued:
            return {Glyph::Clock, Hue::Secondary, translated("queued")};
        case project::RunState::Preparing:
            return {Glyph::Clock, Hue::Accent, translated("preparing")};
        case project::RunState::Running:
            return {Glyph::Play, Hue::Accent, translated("running")};
        case project::RunState::Paused:
            return {Glyph::Pause, Hue::Careful, translated("paused")};
        case project::RunState::Stopping:
            return {Glyph::Stop, Hue::Careful, translated("stopping")};
        case project::RunState::Finished:
            return {Glyph::Tick, Hue::Good, translated("finished")};
        case project::RunState::Stopped:
            return {Glyph::Stop, Hue::Careful, translated("stopped")};
        case project::RunState::Failed:
            return {Glyph::Cross, Hue::Bad, translated("failed")};
        case project::RunState::Interrupted:
            break;
    }
    return {Glyph::Broken, Hue::Careful, translated("interrupted")};
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
