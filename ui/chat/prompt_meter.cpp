#include "ui/chat/prompt_meter.h"

#include "config/model_config.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kPause_ms = 120;  // of typing, before it is counted

}  // namespace

struct PromptMeter::Known {
    std::filesystem::path base;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    int context = 0;

    Result<void> load(const std::filesystem::path& folder) {
        if (tokenizer && base == folder) return {};
        tokenizer.reset();
        STUDIO_TRY(const config::PhiConfig phi, config::readPhiConfig(folder));
        STUDIO_TRY(tokenizer, text::loadTokenizer(folder));
        base = folder;
        context = phi.max_position_embeddings;
        return {};
    }
};

namespace {

Result<PromptMeasure> measureWith(const text::Tokenizer& tokenizer, int context, const PromptToMeasure& prompt) {
    PromptMeasure out;
    out.context = context;
    out.template_name = text(prompt.template_name);
    STUDIO_TRY(const auto chat_template, text::chatTemplate(prompt.template_name));
    const auto tokens =
        jobs::promptFor(tokenizer, *chat_template, context, prompt.turns, prompt.max_new_tokens, &out.dropped_turns);
    if (!tokens) {
        out.error = tokens.error();
        return out;
    }
    out.tokens = static_cast<int>(tokens->ids.size());
    std::vector<int> piece;
    for (std::size_t i = 0; i < tokens->ids.size(); ++i) {
        piece.push_back(tokens->ids[i]);
        const bool end = tokens->ids[i] == tokenizer.eos();
        const bool last = i + 1 == tokens->ids.size() || tokens->kinds[i + 1] != tokens->kinds[i] || end ||
                          tokens->ids[i + 1] == tokenizer.eos();
        if (!last) continue;
        out.parts.push_back({text(tokenizer.decode(piece)), tokens->kinds[i], end});
        piece.clear();
    }
    return out;
}

}  // namespace

PromptMeter::PromptMeter(Session& session, QObject* parent)
    : QObject(parent), session_(session), known_(std::make_shared<Known>()) {
    timer_.setSingleShot(true);
    timer_.setInterval(kPause_ms);
    connect(&timer_, &QTimer::timeout, this, &PromptMeter::start);
}

void PromptMeter::measure(PromptToMeasure prompt) {
    next_ = std::move(prompt);
    timer_.start();
}

void PromptMeter::start() {
    if (task_) task_->cancel();
    task_ = session_.files().run<PromptMeasure>(
        this,
        [known = known_, prompt = next_](const JobContext&) -> Result<PromptMeasure> {
            STUDIO_CHECK(known->load(prompt.base));
            return measureWith(*known->tokenizer, known->context, prompt);
        },
        [this](Result<PromptMeasure> result) {
            if (!result && result.error().cancelled()) return;
            last_ = result ? std::move(*result) : PromptMeasure{};
            if (!result) last_.error = result.error();
            Q_EMIT measured();
        });
}

}  // namespace studio::ui
