#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "cli/command.h"
#include "cli/train_view.h"
#include "config/presets.h"
#include "jobs/chat.h"
#include "jobs/held_out_prompts.h"
#include "jobs/model_folder.h"
#include "jobs/places.h"

namespace studio::cli {
namespace {

constexpr int kPrompts = 12;
constexpr int kAnswerTokens = 160;

std::string indented(const std::string& text) {
    std::string out = "    ";
    for (const char c : text) {
        out += c;
        if (c == '\n') out += "    ";
    }
    return out;
}

// Answers of base and adapted model, drawn with the same seeds: the first in full, of all how often each ended by
// itself.
Result<void> compareAnswers(Context& context, engine::api::Engine& engine, const jobs::TrainSummary& trained,
                            const jobs::LoadedData& data) {
    jobs::ModelRequest request;
    request.model_path = trained.run.string();
    STUDIO_TRY(const jobs::ResolvedModel resolved, jobs::resolveModel(request));
    STUDIO_TRY(const auto model, jobs::loadModel(engine, resolved, context.job()));
    STUDIO_TRY(const auto chat_template, text::chatTemplate(resolved.template_name));
    const jobs::Chatter chatter{*model, *data.tokenizer, *chat_template};
    context.terminal.endLine();

    const auto prompts = jobs::heldOutPrompts(data, kPrompts);
    std::vector<jobs::Question> questions;
    for (std::size_t i = 0; i < prompts.size(); ++i)
        for (const int adapted : {0, 1}) {
            jobs::Question question{{{text::Role::Prompter, prompts[i]}}, {}};
            question.options.max_new_tokens = kAnswerTokens;  // temperature 0.7, top-p 0.9
            question.options.adapter_strength = adapted;
            question.options.seed = i;
            questions.push_back(std::move(question));
        }
    const auto report = [&](std::size_t done) {
        context.terminal.progress({"Answering held-out prompts", done, questions.size(), "answers"});
    };
    STUDIO_TRY(const auto answers, jobs::answers(chatter, questions, report, context.job()));
    context.terminal.endLine();
    int ended[2] = {0, 0};
    for (std::size_t i = 0; i < answers.size(); ++i) {
        ended[i % 2] += answers[i].byItself();
        if (i == 0) std::printf("\nA held-out prompt\n%s\n", indented(prompts[0]).c_str());
        if (i < 2)
            std::printf("%s [%s]\n%s\n", i == 1 ? "after" : "before", jobs::endText(answers[i]).c_str(),
                        indented(answers[i].text).c_str());
    }
    std::printf("Answers that ended by themselves within %d tokens: before %d of %zu, after %d of %zu\n", kAnswerTokens,
                ended[0], prompts.size(), ended[1], prompts.size());
    return {};
}

// Keeps the data, for the answers afterwards.
class DemoView final : public TrainView {
  public:
    using TrainView::TrainView;
    void onReady(const jobs::TrainSetup& setup, std::int64_t step) override {
        data = setup.data;
        TrainView::onReady(setup, step);
    }
    jobs::LoadedData data;
};

}  // namespace

Result<int> demonstration(Context& context) {
    std::printf(
        "QLoRA Studio: the journey on this machine, with real OASST1 conversations and the built-in model.\n"
        "The built-in model is a toy of phi-2's architecture: it shows how everything works, not what phi-2 "
        "knows.\n\n");
    std::fflush(stdout);
    STUDIO_TRY(const config::Recipe recipe, config::loadPreset(jobs::resourceFolder(), "demo"));
    jobs::TrainRequest request;
    request.recipe = recipe;
    request.output_dir =
        jobs::dataFolder() / "demo" / fmt::format("{:%Y-%m-%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
    STUDIO_TRY(auto* engine, engine::api::openEngine({context.log}));
    engine::api::Mailbox mailbox;
    DemoView view(context.terminal, config::stepInterval(recipe.training.logging_steps, 1 << 30));
    context.signals.onSignal([&](int count) {
        if (count == 1 && view.stepping()) {
            context.terminal.say("Stopping after this step…");
            mailbox.stopAfterStep();
        } else {
            context.signals.requestStop();
        }
    });
    const auto trained = jobs::train(*engine, request, view, mailbox, context.log, context.job());
    context.signals.onSignal({});
    if (!trained) return fail(trained.error());
    sayResult(context.terminal, *trained);
    if (trained->stopped) return kStopped;
    STUDIO_CHECK(compareAnswers(context, *engine, *trained, view.data));
    std::printf(
        "\nThe run, its adapter and its curves: %s\n"
        "Next: qlora-studio chat --model_path %s\n"
        "With phi-2 and your own data: see README.md, or qlora-studio train --help\n",
        trained->run.c_str(), trained->run.c_str());
    return kOk;
}

}  // namespace studio::cli
