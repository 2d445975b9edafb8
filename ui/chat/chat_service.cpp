#include "ui/chat/chat_service.h"

#include <algorithm>
#include <mutex>

#include "jobs/run_record.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kDrain_ms = 33;

bool samePlace(const std::filesystem::path& a, const std::filesystem::path& b) {
    return !a.empty() && !b.empty() && a.lexically_normal() == b.lexically_normal();
}

}  // namespace

// What the engine thread writes and the window reads.
struct ChatService::Shared {
    struct Side {
        std::string text;  // not yet taken
        jobs::Answer so_far;
        bool done = false, told = false;
    };
    std::stop_source stop;
    std::mutex mutex;
    std::vector<Side> sides;
    bool started = false, ended = false;
    std::optional<Error> failure;

    explicit Shared(std::size_t count) : sides(count) {}
    void put(std::size_t side, const std::string& piece, const jobs::AnswerInProgress& growing) {
        const std::lock_guard lock(mutex);
        started = true;
        Side& s = sides[side];
        s.text += piece;
        s.done = growing.done();
        const jobs::Answer& answer = growing.answer();
        s.so_far.end = answer.end;
        s.so_far.new_tokens = answer.new_tokens;
        s.so_far.prompt_tokens = answer.prompt_tokens;
        s.so_far.dropped_turns = answer.dropped_turns;
        s.so_far.seconds = answer.seconds;
        s.so_far.first_token_seconds = answer.first_token_seconds;
    }
    void end(const Result<void>& result) {
        const std::lock_guard lock(mutex);
        ended = true;
        if (!result) failure = result.error();
    }
};

// The answers of a question, all sides a token further at a time. On the engine's thread.
class ChatService::Growth {
  public:
    static Result<Growth> begin(const jobs::Chatter& chatter, const ChatQuestion& question,
                                std::shared_ptr<Shared> shared) {
        Growth growth;
        for (const ChatQuestion::Side& side : question.sides) {
            STUDIO_TRY(auto answer,
                       jobs::AnswerInProgress::begin(chatter, side.turns, side.options, shared->stop.get_token()));
            growth.answers_.push_back(std::move(answer));
        }
        growth.shared_ = std::move(shared);
        growth.show(std::vector<std::string>(growth.answers_.size()));
        return growth;
    }

    bool done() const {
        return std::all_of(answers_.begin(), answers_.end(), [](const auto& answer) { return answer.done(); });
    }
    Result<void> step(engine::api::Model& model) {
        std::vector<jobs::AnswerInProgress*> each;
        for (jobs::AnswerInProgress& answer : answers_)
            if (!answer.done()) each.push_back(&answer);
        std::vector<std::string> pieces(answers_.size());
        std::size_t next = 0;
        const auto grown = jobs::AnswerInProgress::stepEach(model, each);
        for (std::size_t i = 0; i < answers_.size() && next < each.size(); ++i) {
            if (&answers_[i] != each[next]) continue;
            STUDIO_TRY(pieces[i], grown[next++]);
        }
        show(pieces);
        return {};
    }
    void cut() {
        std::vector<std::string> rest;
        for (jobs::AnswerInProgress& answer : answers_) rest.push_back(answer.cut());
        show(rest);
    }

  private:
    void show(const std::vector<std::string>& pieces) {
        for (std::size_t i = 0; i < answers_.size(); ++i) shared_->put(i, pieces[i], answers_[i]);
    }

    std::vector<jobs::AnswerInProgress> answers_;
    std::shared_ptr<Shared> shared_;
};

// Answers of the live adapter: their own generators and caches, a few tokens between two steps of the run.
class ChatService::Live final : public engine::api::LiveTask {
  public:
    Live(std::shared_ptr<Shared> shared, ChatQuestion question, std::shared_ptr<const text::Tokenizer> tokenizer,
         std::shared_ptr<const text::ChatTemplate> chat_template)
        : shared_(std::move(shared)),
          question_(std::move(question)),
          tokenizer_(std::move(tokenizer)),
          template_(std::move(chat_template)) {}

    bool slice(engine::api::Model& model, std::chrono::steady_clock::time_point deadline) noexcept override {
        try {
            const auto result = work(model, deadline);
            if (result && !*result) return false;
            shared_->end(result ? Result<void>() : Result<void>(fail(result.error())));
        } catch (const std::exception& e) {
            try {
                shared_->end(
                    fail(ErrorCode::Internal, std::string("The answer broke off (") + e.what() + ").", "Try again."));
            } catch (...) {
            }
        }
        growth_.reset();
        return true;
    }

  private:
    // Whether all is said.
    Result<bool> work(engine::api::Model& model, std::chrono::steady_clock::time_point deadline) {
        if (!growth_) {
            STUDIO_TRY(auto growth, Growth::begin({model, *tokenizer_, *template_}, question_, shared_));
            growth_.emplace(std::move(growth));
        }
        do {
            if (shared_->stop.stop_requested())
                growth_->cut();
            else
                STUDIO_CHECK(growth_->step(model));
        } while (!growth_->done() && std::chrono::steady_clock::now() < deadline);
        return growth_->done();
    }

    std::shared_ptr<Shared> shared_;
    ChatQuestion question_;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::shared_ptr<const text::ChatTemplate> template_;
    std::optional<Growth> growth_;
};

ChatService::ChatService(Session& session, QObject* parent) : QObject(parent), session_(session) {
    timer_.setInterval(kDrain_ms);
    connect(&timer_, &QTimer::timeout, this, &ChatService::drain);
    connect(&session.runs(), &RunService::stateChanged, this, [this] {
        if (waiting_for_run_ && session_.runs().stepping()) askLive(*std::exchange(waiting_for_run_, std::nullopt));
    });
    connect(&session.runs(), &RunService::ended, this, &ChatService::runEnded);
}

ChatService::~ChatService() {
    if (shared_) shared_->stop.request_stop();
    if (task_) task_->cancel();
}

bool ChatService::isLive(const ChatQuestion& question) const {
    const auto& live = session_.runs().live();
    if (!live) return false;
    const std::filesystem::path folder = path(live->folder);
    const bool only_base = std::all_of(question.sides.begin(), question.sides.end(),
                                       [](const auto& side) { return side.options.adapter_strength == 0; });
    if (samePlace(question.run, folder)) return question.newest || only_base;
    if (!only_base) return false;
    for (const RunEntry& entry : session_.runs().entries()) {
        if (!samePlace(entry.folder, folder)) continue;
        const auto record = jobs::runRecord(entry.info.details);
        return record && samePlace(record->base_folder, question.base);
    }
    return false;
}

std::optional<Error> ChatService::refusal(const ChatQuestion& question, bool* waits) const {
    if (waits) *waits = false;
    const auto& live = session_.runs().live();
    if (!live) return std::nullopt;
    if (!isLive(question))
        return Error{ErrorCode::Busy,
                     utf8(tr("The run “%1” is at work; only its live adapter and its base can be asked meanwhile.")
                              .arg(live->name)),
                     utf8(tr("Use the run's model, or wait until the run has ended."))};
    if (waits) *waits = !session_.runs().stepping();
    return std::nullopt;
}

void ChatService::ask(ChatQuestion question) {
    if (busy()) return;
    shared_ = std::make_shared<Shared>(question.sides.size());
    bool waits = false;
    if (const auto error = refusal(question, &waits)) {
        finish();
        Q_EMIT failed(*error);
        return;
    }
    timer_.start();
    live_ = session_.runs().active();
    if (waits) {
        Q_EMIT waiting(tr("Waiting until %1 makes its first step…").arg(session_.runs().live()->name), {});
        waiting_for_run_ = std::move(question);
    } else if (live_) {
        askLive(std::move(question));
    } else {
        askLoaded(std::move(question));
    }
}

void ChatService::askLive(ChatQuestion question) {
    auto tokenizer = session_.runs().tokenizer();
    auto chat_template = text::chatTemplate(session_.runs().templateName());
    const auto task = tokenizer && chat_template
                          ? std::make_shared<Live>(shared_, std::move(question), std::move(tokenizer), *chat_template)
                          : nullptr;
    if (!task || !session_.runs().post(task)) {
        finish();
        Q_EMIT failed({ErrorCode::Busy, utf8(tr("The run is not making steps now, so its adapter cannot be asked.")),
                       utf8(tr("Try again in a moment."))});
        return;
    }
    Q_EMIT waiting(tr("Asked; the answer comes between two steps of %1…").arg(session_.runs().live()->name), {});
}

void ChatService::askLoaded(ChatQuestion question) {
    Q_EMIT waiting(session_.engine().busyWith().isEmpty()
                       ? tr("Loading the model…")
                       : tr("Waiting for the engine: %1…").arg(session_.engine().busyWith()),
                   {});
    auto shared = shared_;
    const jobs::ModelRequest model = question.model;
    const QString title = question.title;
    task_ = session_.engine().runOnModel<void>(
        this, title, model,
        [shared, question = std::move(question)](LoadedModel& loaded, const JobContext& job) -> Result<void> {
            auto chat_template = loaded.chat_template;
            if (!question.template_name.empty() && question.template_name != chat_template->name())
                if (const auto other = text::chatTemplate(question.template_name)) chat_template = *other;
            STUDIO_TRY(auto growth,
                       Growth::begin({*loaded.model, *loaded.tokenizer, *chat_template}, question, shared));
            while (!growth.done()) {
                if (job.stopped() || shared->stop.stop_requested())
                    growth.cut();
                else
                    STUDIO_CHECK(growth.step(*loaded.model));
            }
            return {};
        },
        [shared](const Result<void>& result) { shared->end(result); });
    connect(task_, &Task::progress, this, [this, shared](const Progress& progress) {
        if (shared_ == shared) Q_EMIT waiting(tr("%1…").arg(ui::text(progress.phase)), progress);
    });
}

void ChatService::drain() {
    if (!shared_) return;
    struct News {
        int side;
        QString piece;
        jobs::Answer so_far;
        bool done;
    };
    std::vector<News> news;
    std::optional<Error> failure;
    bool ended = false;
    {
        const std::lock_guard lock(shared_->mutex);
        if (!shared_->started && !shared_->ended) return;
        for (std::size_t i = 0; i < shared_->sides.size(); ++i) {
            Shared::Side& side = shared_->sides[i];
            if (side.told) continue;
            news.push_back({static_cast<int>(i), ui::text(std::exchange(side.text, {})), side.so_far, side.done});
            side.told = side.done;
        }
        failure = shared_->failure;
        ended = shared_->ended || std::all_of(shared_->sides.begin(), shared_->sides.end(),
                                              [](const Shared::Side& side) { return side.told; });
    }
    const auto mine = shared_;
    for (const News& one : news)
        if (!one.piece.isEmpty() || one.so_far.new_tokens > 0)
            Q_EMIT text(one.side, one.piece, one.so_far.new_tokens, one.so_far.seconds);
    if (shared_ != mine) return;
    if (ended) finish();
    for (const News& one : news)
        if (one.done) Q_EMIT answered(one.side, one.so_far);
    if (failure) Q_EMIT failed(*failure);
}

void ChatService::cut(void (ChatService::*tell)(int, const jobs::Answer&)) {
    const auto shared = shared_;
    shared->stop.request_stop();
    waiting_for_run_.reset();
    std::vector<std::pair<int, jobs::Answer>> open;
    {
        const std::lock_guard lock(shared->mutex);
        for (std::size_t i = 0; i < shared->sides.size(); ++i)
            if (!shared->sides[i].told) open.emplace_back(static_cast<int>(i), shared->sides[i].so_far);
    }
    finish();
    for (auto& [side, answer] : open) {
        answer.end = jobs::Answer::End::Stopped;
        (this->*tell)(side, answer);
    }
}

void ChatService::stop() {
    if (!shared_) return;
    if (task_) task_->cancel();
    drain();  // what was said is shown
    if (shared_) cut(&ChatService::answered);
}

void ChatService::runEnded() {
    if (!shared_ || !live_) return;
    drain();
    if (shared_) cut(&ChatService::cutByRun);
}

void ChatService::finish() {
    shared_.reset();
    task_.clear();
    live_ = false;
    timer_.stop();
}

}  // namespace studio::ui
