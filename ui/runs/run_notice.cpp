#include "ui/runs/run_notice.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <cmath>

#include "config/field.h"
#include "ui/look/format.h"
#include "ui/session/recipe_document.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

using project::RunState;

QString tr(const char* source, int n = -1) {
    return QCoreApplication::translate("RunNotice", source, nullptr, n);
}

std::pair<RunAct, QString> act(RunAct what) {
    switch (what) {
        case RunAct::Cancel:
            return {what, tr("Cancel")};
        case RunAct::Pause:
            return {what, tr("Pause")};
        case RunAct::Resume:
            return {what, tr("Resume")};
        case RunAct::StopAfterStep:
            return {what, tr("Stop After This Step")};
        case RunAct::Evaluate:
            return {what, tr("Evaluate")};
        case RunAct::ChatBest:
            return {what, tr("Chat With the Best Checkpoint")};
        case RunAct::Chat:
            return {what, tr("Chat With It")};
        case RunAct::NewFromThis:
            return {what, tr("New Run From This Recipe")};
        case RunAct::ShowFolder:
            return {what, tr("Show Adapter Folder")};
        case RunAct::ShowField:
            return {what, tr("Show Field in Recipe")};
        case RunAct::WithLess:
            return {what, tr("Start Again With Less Memory")};
        case RunAct::ShowRecipe:
            return {what, tr("Take Recipe to Edit")};
        case RunAct::ShowLog:
            return {what, tr("Copy Report")};
        case RunAct::ShowConversations:
            return {what, tr("Show Its Conversations")};
        case RunAct::RetrySave:
            return {what, tr("Try Again")};
        case RunAct::GiveUpSaving:
            return {what, tr("Stop the Run")};
        case RunAct::StopNow:
            break;
    }
    return {what, tr("Stop Now")};
}

QString stepOf(qint64 step, qint64 total) {
    return total > 0 ? tr("step %1 of %2").arg(number(step), number(total)) : tr("step %1").arg(number(step));
}

// "It goes on from step 400." or that there is no checkpoint yet.
QString resumesFrom(const RunData& data) {
    return data.checkpoints.empty()
               ? tr("It has no checkpoint yet: Resume begins again with the first step.")
               : tr("Resume goes on from the checkpoint of step %1.").arg(number(data.checkpoints.front().step));
}

RunNotice live(const LiveRun& run) {
    RunNotice notice;
    if (!run.save_error.isEmpty()) {
        notice.glyph = Glyph::Careful;
        notice.hue = Hue::Bad;
        notice.ground = Hue::BadWash;
        notice.sentence = tr("The checkpoint could not be saved, training waits: %1").arg(run.save_error);
        notice.hint = tr("Everything learnt is still in memory. Make room on the disk, then try again.");
        notice.acts = {act(RunAct::RetrySave), act(RunAct::GiveUpSaving)};
        return notice;
    }
    switch (run.state) {
        case RunState::Queued:
        case RunState::Preparing:
            notice.glyph = Glyph::Clock;
            notice.sentence = run.phase.isEmpty() ? tr("Preparing…") : tr("Preparing: %1").arg(run.phase);
            notice.bar = true;
            notice.done = run.done;
            notice.total = run.total_units;
            notice.acts = {act(RunAct::Cancel)};
            break;
        case RunState::Paused:
            notice.glyph = Glyph::Pause;
            notice.hue = Hue::Careful;
            notice.ground = Hue::CarefulWash;
            notice.sentence = tr("Paused after %1.").arg(stepOf(run.step, run.total));
            notice.hint = tr("The model stays in memory; nothing is lost.");
            notice.acts = {act(RunAct::Resume), act(RunAct::StopAfterStep)};
            if (!run.trouble.isEmpty()) {
                notice.hue = Hue::Bad;
                notice.ground = Hue::BadWash;
                notice.sentence = tr("Paused by itself after %1: %2")
                                      .arg(stepOf(run.step, run.total), shownText(run.trouble, false, 600));
                notice.hint = shownText(run.trouble_hint, false, 600);
                notice.trees = run.trouble_trees;
                if (!notice.trees.isEmpty()) notice.acts.push_back(act(RunAct::ShowConversations));
            }
            break;
        case RunState::Stopping: {
            notice.glyph = Glyph::Stop;
            notice.hue = Hue::Careful;
            notice.ground = Hue::CarefulWash;
            notice.sentence = tr("Stopping after this step…");
            const qint64 lost = run.step - std::max(run.checkpoint_step, run.first_step) + 1;
            notice.hint = tr("Then a checkpoint is saved and the run can be resumed.");
            notice.acts = {
                {RunAct::StopNow, tr("Stop Now, Lose %n Step(s)", static_cast<int>(std::max<qint64>(1, lost)))}};
            break;
        }
        default:
            if (!run.pausing) return {};
            notice.glyph = Glyph::Pause;
            notice.sentence = tr("Pausing after this step…");
    }
    return notice;
}

}  // namespace

QString stateShort(RunState state, qint64 step, qint64 total) {
    const QString word = stateLook(state).word;
    if (state == RunState::Finished || step <= 0) return word;
    if (project::isAtWork(state) && total > 0) {
        const auto share = percent(static_cast<double>(step) / static_cast<double>(total), 0);
        return tr("%1 %2").arg(word, share);
    }
    return tr("%1, step %2").arg(word, number(step));
}

QString beforeAfter(const RunData& data) {
    if (!data.loss_after) return {};
    if (!data.loss_before) return tr("Validation loss %1.").arg(number(*data.loss_after, 4));
    const QString change = tr("Validation loss %1 → %2").arg(number(*data.loss_before, 4), number(*data.loss_after, 4));
    if (!data.difference || !std::isfinite(data.difference->all.high)) return tr("%1.").arg(change);
    const jobs::Estimate& d = data.difference->all;
    if (!d.excludesZero())
        return tr("%1: not distinguishable (95 % interval %2 to %3 nats a token).")
            .arg(change, number(d.low, 3), number(d.high, 3));
    return (d.mean < 0 ? tr("%1: %2 nats a token lower (95 % interval %3 to %4).")
                       : tr("%1: %2 nats a token higher (95 % interval %3 to %4)."))
        .arg(change, number(std::abs(d.mean), 3), number(std::min(std::abs(d.low), std::abs(d.high)), 3),
             number(std::max(std::abs(d.low), std::abs(d.high)), 3));
}

std::optional<RunChange> settingThatFits(const QString& error) {
    static const QRegularExpression kFits(QStringLiteral("it fits with ([a-z0-9_]+) ([a-z0-9]+)"));
    const auto match = kFits.match(error);
    if (!match.hasMatch() || !config::findField(utf8(match.captured(1)))) return std::nullopt;
    return RunChange{utf8(match.captured(1)), utf8(match.captured(2))};
}

bool goesOnWith(const RunChange& change) {
    return change.key == "gradient_checkpointing";
}

namespace {

QString withLess(const RunChange& change, bool begun) {
    const QString label = fieldLabel(change.key);
    if (!goesOnWith(change)) return tr("New Run With “%1” %2").arg(label, text(change.value));
    return begun ? tr("Resume With “%1”").arg(label) : tr("Start Again With “%1”").arg(label);
}

}  // namespace

QString fieldNamedIn(const QString& error) {
    static const QRegularExpression kWord(QStringLiteral("[a-z][a-z0-9]*(?:_[a-z0-9]+)+"));
    for (auto match = kWord.globalMatch(error); match.hasNext();) {
        const QString word = match.next().captured();
        if (config::findField(utf8(word))) return word;
    }
    return {};
}

RunNotice runNotice(const RunData& data, const LiveRun* running) {
    if (running) return live(*running);
    const qint64 step = data.lastStep(), total = data.record ? data.record->total_steps : 0;
    RunNotice notice;
    const StateLook look = stateLook(data.info.state);
    notice.glyph = look.glyph;
    notice.hue = look.hue;
    switch (data.info.state) {
        case RunState::Finished:
            notice.ground = Hue::GoodWash;
            notice.sentence =
                tr("Finished after %n step(s) in %1.", static_cast<int>(step)).arg(duration(data.seconds()));
            notice.hint = beforeAfter(data);
            notice.acts = {act(RunAct::Evaluate), act(RunAct::ChatBest), act(RunAct::NewFromThis),
                           act(RunAct::ShowFolder)};
            break;
        case RunState::Failed:
            notice.ground = Hue::BadWash;
            notice.sentence =
                step > 0 ? tr("Failed after %1.").arg(stepOf(step, total)) : tr("Failed before the first step.");
            notice.hint = shownText(text(data.info.failure), false, 600);
            notice.field = fieldNamedIn(notice.hint);
            notice.change = settingThatFits(notice.hint);
            if (notice.change)
                notice.acts.emplace_back(RunAct::WithLess, withLess(*notice.change, !data.checkpoints.empty()));
            if (!notice.field.isEmpty()) notice.acts.push_back(act(RunAct::ShowField));
            notice.acts.push_back(act(RunAct::NewFromThis));
            if (!data.checkpoints.empty()) notice.acts.push_back(act(RunAct::Resume));
            notice.trees = data.suspectTrees();
            if (!notice.trees.isEmpty()) notice.acts.push_back(act(RunAct::ShowConversations));
            notice.acts.push_back(act(RunAct::ShowLog));
            break;
        case RunState::Interrupted:
            notice.ground = Hue::CarefulWash;
            notice.sentence = step > 0 ? tr("Interrupted: the program ended after %1.").arg(stepOf(step, total))
                                       : tr("Interrupted: the program ended before the first step.");
            notice.hint = resumesFrom(data);
            notice.acts = {act(RunAct::Resume)};
            break;
        case RunState::Paused:
        case RunState::Stopped:
            notice.ground = Hue::CarefulWash;
            notice.sentence = tr("Stopped after %1.").arg(stepOf(step, total));
            notice.hint = resumesFrom(data);
            notice.acts = {act(RunAct::Resume)};
            if (!data.checkpoints.empty()) {
                notice.acts.push_back(act(RunAct::Evaluate));
                notice.acts.push_back(act(RunAct::NewFromThis));
            }
            break;
        default:
            notice.ground = Hue::CarefulWash;
            notice.glyph = Glyph::Info;
            notice.sentence = tr("Another program is working on this run.");
            notice.hint = tr("What is recorded so far is shown; press F5 to read it again.");
    }
    return notice;
}

}  // namespace studio::ui
