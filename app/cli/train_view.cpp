#include "cli/train_view.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace studio::cli {

using std::chrono::steady_clock;

void sayPlan(Terminal& terminal, const jobs::TrainSetup& setup) {
    const auto& r = setup.record;
    terminal.endLine();
    for (const std::string& notice : setup.notices) terminal.say(notice);
    terminal.say(fmt::format("Base     {} ({}), {}", r.base_folder.filename().string(), r.device.name,
                             r.recipe.qlora.load_in_4bit
                                 ? (r.recipe.qlora.bnb_4bit_use_double_quant ? "NF4, double quantisation" : "NF4")
                                 : "not quantised"));
    // "q_proj ×6" rather than every layer's name.
    std::map<std::string, int> kinds;
    for (const auto& t : setup.targets) ++kinds[t.name.substr(t.name.rfind('.') + 1)];
    std::string modules;
    for (const auto& [kind, count] : kinds)
        modules += fmt::format("{}{} ×{}", modules.empty() ? "" : ", ", kind, count);
    terminal.say(fmt::format("Adapter  r {}, alpha {}: {}; {} trainable parameters", r.recipe.qlora.r,
                             r.recipe.qlora.lora_alpha, modules, grouped(r.trainable_parameters)));
    terminal.say(fmt::format("Data     {} examples to train on, {} held out; {} tokens an epoch, {} supervised",
                             grouped(r.train_examples), grouped(r.validation_examples), grouped(setup.tokens_per_epoch),
                             grouped(setup.supervised_per_epoch)));
    terminal.say(
        fmt::format("Steps    {} ({:.1f} an epoch)", grouped(setup.plan.total_steps), setup.plan.steps_per_epoch));
}

void sayResult(Terminal& terminal, const jobs::TrainSummary& s) {
    terminal.endLine();
    if (s.already_complete) {
        terminal.say(fmt::format("The run is already complete ({} steps): {}", s.steps, s.run.string()));
        return;
    }
    terminal.say(fmt::format("{} after {} steps in {}: training loss {}, {:.0f} tokens/s",
                             s.stopped ? "Stopped" : "Finished", s.steps, duration(s.seconds),
                             s.train_loss ? fmt::format("{:.4f}", *s.train_loss) : "–", s.tokens_per_s));
    if (s.eval_loss_before && s.eval_loss)
        terminal.say(
            fmt::format("Held-out perplexity {:.2f} → {:.2f}", std::exp(*s.eval_loss_before), std::exp(*s.eval_loss)));
    if (s.difference) {
        terminal.say("  all supervised tokens  " + jobs::differenceText(s.difference->all));
        terminal.say("  text without EOS       " + jobs::differenceText(s.difference->without_eos));
    }
    if (s.skipped_updates > 0)
        terminal.say(
            fmt::format("{} updates were skipped: loss or gradient was not finite; metrics.jsonl names the "
                        "conversations.",
                        s.skipped_updates));
    if (s.stopped) terminal.say("Continue with --resume_from_checkpoint latest.");
}

void TrainView::onReady(const jobs::TrainSetup& setup, std::int64_t resumed_step) {
    sayPlan(terminal_, setup);
    if (resumed_step > 0) terminal_.say(fmt::format("Resumes after step {}.", resumed_step));
}

void TrainView::onStep(const engine::api::StepMetrics& m, std::int64_t total) {
    if (first_step_ < 0) {
        first_step_ = m.step;
        start_ = steady_clock::now() -
                 std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(m.seconds));
    }
    if (std::isfinite(m.loss)) smoothed_ = std::isfinite(smoothed_) ? smoothed_ + 0.1 * (m.loss - smoothed_) : m.loss;
    const double elapsed = std::chrono::duration<double>(steady_clock::now() - start_).count();
    const auto done = m.step - first_step_ + 1;
    const double left = elapsed / static_cast<double>(done) * static_cast<double>(total - m.step);
    const std::string line =
        fmt::format("step {} of {}  loss {:.4f}  lr {:.2e}  |g| {:.2f}  {:.0f} tokens/s  {} left", m.step, total,
                    smoothed_, m.learning_rate, m.grad_norm, static_cast<double>(m.tokens) / m.seconds, duration(left));
    if (m.skipped)
        terminal_.say(fmt::format("step {}: loss or gradient was not finite; the update was skipped", m.step));
    if (m.step % logging_steps_ == 0 || m.step == total)
        terminal_.say(line);
    else
        terminal_.status(line);
}

void TrainView::onEvaluation(std::int64_t step, double loss) {
    terminal_.endLine();
    terminal_.say(fmt::format("step {}  held-out loss {:.4f} (perplexity {:.2f})", step, loss, std::exp(loss)));
}

void TrainView::onCheckpoint(std::int64_t step) {
    terminal_.status(fmt::format("step {}  checkpoint saved", step));
}

void TrainView::onSample(std::int64_t step, const std::string& prompt, const std::string& text,
                         const std::string& end) {
    terminal_.say(fmt::format("step {}  “{}” → {} [{}]", step, prompt, text, end));
}

}  // namespace studio::cli
