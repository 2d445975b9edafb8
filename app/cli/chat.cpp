#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/input.h"
#include "jobs/chat.h"
#include "jobs/model_folder.h"

namespace studio::cli {
namespace {

struct Options {
    jobs::ModelRequest model;
    jobs::SamplingOptions sampling;
    std::string prompt, system, template_name, load_in_4bit;
    CLI::Option* prompt_option = nullptr;
};

void write(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

Result<int> once(Context& context, const jobs::Chatter& chatter, std::vector<jobs::ChatTurn> turns,
                 const Options& options) {
    const auto show = [&](std::string_view text) {
        if (!context.json) write(text);
    };
    STUDIO_TRY(const jobs::Answer a, jobs::answer(chatter, turns, options.sampling, show, context.job()));
    if (context.json) {
        context.print({{"answer", a.text},
                       {"end", jobs::endText(a)},
                       {"stopped_by_itself", a.byItself()},
                       {"prompt_tokens", a.prompt_tokens},
                       {"new_tokens", a.new_tokens},
                       {"seconds", a.seconds}});
    } else {
        write("\n");
        context.terminal.say(fmt::format("[{}; {} tokens, {:.1f} a second]", jobs::endText(a), a.new_tokens,
                                         a.new_tokens / std::max(a.seconds, 1e-9)));
    }
    return a.end == jobs::Answer::End::Stopped ? kStopped : kOk;
}

// A conversation line by line from standard input; an empty line or its end leaves.
Result<int> conversation(Context& context, const jobs::Chatter& chatter, std::vector<jobs::ChatTurn> turns,
                         const Options& options) {
    context.terminal.say("Type a message and Return; an empty line ends the chat.");
    Input input(context.signals.token());
    for (;;) {
        if (isatty(STDIN_FILENO)) write("> ");
        STUDIO_TRY(const auto line, input.line());
        if (!line || line->empty()) return kOk;
        turns.push_back({text::Role::Prompter, *line});
        STUDIO_TRY(const jobs::Answer a, jobs::answer(chatter, turns, options.sampling, write, context.job()));
        write("\n");
        std::string note = jobs::endText(a);
        if (a.dropped_turns > 0)
            note += fmt::format("; the oldest {} turns no longer fit the context", a.dropped_turns);
        context.terminal.say(fmt::format("[{}]", note));
        if (a.end == jobs::Answer::End::Stopped) return kStopped;
        turns.push_back({text::Role::Assistant, a.text});
    }
}

Result<int> chat(Context& context, Options& options) {
    if (!options.load_in_4bit.empty()) options.model.load_in_4bit = options.load_in_4bit == "true";
    STUDIO_TRY(const jobs::ResolvedModel resolved, jobs::resolveModel(options.model));
    STUDIO_TRY(const auto chat_template,
               text::chatTemplate(options.template_name.empty() ? resolved.template_name : options.template_name));
    STUDIO_TRY(const auto tokenizer, text::loadTokenizer(resolved.base));
    STUDIO_TRY(auto* engine, engine::api::openEngine({context.log}));
    STUDIO_TRY(const auto model, jobs::loadModel(*engine, resolved, context.job()));
    context.terminal.endLine();
    for (const std::string& notice : resolved.notices) context.terminal.say(notice);

    const jobs::Chatter chatter{*model, *tokenizer, *chat_template};
    std::vector<jobs::ChatTurn> turns;
    if (!options.system.empty()) turns.push_back({text::Role::System, options.system});
    if (options.prompt_option->count() == 0 && !context.json) return conversation(context, chatter, turns, options);
    if (options.prompt_option->count() == 0) {
        STUDIO_TRY(options.prompt, Input(context.signals.token()).all());
    }
    if (options.prompt.ends_with('\n')) options.prompt.pop_back();
    turns.push_back({text::Role::Prompter, options.prompt});
    return once(context, chatter, std::move(turns), options);
}

}  // namespace

void addChat(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("chat", "Ask a model, with its adapter or without");
    const auto options = std::make_shared<Options>();
    command->add_option("--model_path", options->model.model_path, "base model, merged model, or run folder")
        ->required();
    command->add_option("--adapter", options->model.adapter, "PEFT adapter, checkpoint or run");
    command->add_option("--qlora_config", options->model.qlora_config, "how the base is quantised");
    command->add_option("--load_in_4bit", options->load_in_4bit, "true or false")
        ->check(CLI::IsMember({"true", "false"}));
    options->prompt_option =
        command->add_option("--prompt", options->prompt, "one question; without it, a conversation");
    command->add_option("--system", options->system, "system prompt");
    command->add_option("--template", options->template_name, "chat template (the run's, else openassistant)")
        ->check(templateNames());
    auto& s = options->sampling;
    command->add_option("--max_new_tokens", s.max_new_tokens, "")->check(positive())->capture_default_str();
    command->add_option("--temperature", s.temperature, "0: greedy")->check(notNegative())->capture_default_str();
    command->add_option("--top_p", s.top_p, "")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    command->add_option("--top_k", s.top_k, "0: all")->check(notNegative())->capture_default_str();
    command
        ->add_option("--repetition_penalty", s.repetition_penalty,
                     "above 1: tokens that were used before are less likely")
        ->check(positive())
        ->capture_default_str();
    command->add_option("--seed", s.seed, "")->capture_default_str();
    command->add_option("--adapter_strength", s.adapter_strength, "0: the base, 1: the adapter as trained")
        ->capture_default_str();
    command->add_option("--device", options->model.device, "where to compute")
        ->check(deviceName())
        ->capture_default_str();
    command->add_option("--threads", options->model.threads, "0: all cores")->capture_default_str();
    command->callback([options, &run] { run = [options](Context& context) { return chat(context, *options); }; });
}

}  // namespace studio::cli
