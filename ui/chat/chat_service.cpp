#include "ui/chat/chat_service.h"

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
    std::stop_source stop;
    std::mutex mutex;
    std::string text;  // not yet taken
    bool started = false;
    jobs::Answer so_far;
    std::optional<Result<jobs::Answer>> done;

    void put(const std::string& piece, const jobs::Answer& answer) {
        const std::lock_guard lock(mutex);
        started = true;
        text += piece;
        so_far.new_tokens = answer.new_tokens;
        so_far.prompt_tokens = answer.prompt_tokens;
        so_far.dropped_turns = answer.dropped_turns;
        so_far.seconds = answer.seconds;
        so_far.first_token_seconds = answer.first_token_seconds;
    }
    void end(Result<jobs::Answer> result) {
        const std::lock_guard lock(mutex);
        done = std::move(result);
    }
};

// An answer of the live adapter: its own generator and cache, a few tokens between two steps of the run.
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
            if (!result) {
                shared_->end(fail(result.error()));
                growing_.reset();
                return true;
            }
            return *result;
        } catch (const std::exception& e) {
            try {
                shared_->end(
                    fail(ErrorCode::Internal, std::string("The answer broke off (") + e.what() + ").", "Try again."));
            } catch (...) {
            }
            growing_.reset();
            return true;
        }
    }

  private:
    Result<bool> work(engine::api::Model& model, std::chrono::steady_clock::time_point deadline) {
        const std::stop_token stop = shared_->stop.get_token();
        if (!growing_) {
            STUDIO_TRY(auto growing, jobs::AnswerInProgress::begin({model, *tokenizer_, *template_}, question_.turns,
                                                                   question_.options, stop));
            growing_.emplace(std::move(growing));
        }
        do {
            const bool stopped = stop.stop_requested();
            std::string piece;
            if (stopped) {
                piece = growing_->cut();
            } else {
                STUDIO_TRY(piece, growing_->step());
            }
            shared_->put(piece, growing_->answer());
        } while (!growing_->done() && std::chrono::steady_clock::now() < deadline);
        if (!growing_->done()) return false;
        shared_->end(growing_->answer());
        growing_.reset();
        return true;
    }

    std::shared_ptr<Shared> shared_;
    ChatQuestion question_;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::shared_ptr<const text::ChatTemplate> template_;
    std::optional<jobs::AnswerInProgress> growing_;
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
    if (samePlace(question.run, folder)) return question.newest || question.options.adapter_strength == 0;
    if (question.options.adapter_strength != 0) return false;
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
    shared_ = std::make_shared<Shared>();
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
    task_ = session_.engine().runOnModel<jobs::Answer>(
        this, title, model,
        [shared, question = std::move(question)](LoadedModel& loaded, const JobContext& job) -> Result<jobs::Answer> {
            auto chat_template = loaded.chat_template;
            if (!question.template_name.empty() && question.template_name != chat_template->name())
                if (const auto other = text::chatTemplate(question.template_name)) chat_template = *other;
            STUDIO_TRY(auto growing,
                       jobs::AnswerInProgress::begin({*loaded.model, *loaded.tokenizer, *chat_template}, question.turns,
                                                     question.options, shared->stop.get_token()));
            shared->put({}, growing.answer());
            while (!growing.done()) {
                std::string piece;
                if (job.stopped() || shared->stop.stop_requested()) {
                    piece = growing.cut();
                } else {
                    STUDIO_TRY(piece, growing.step());
                }
                shared->put(piece, growing.answer());
            }
            return growing.answer();
        },
        [shared](Result<jobs::Answer> result) { shared->end(std::move(result)); });
    connect(task_, &Task::progress, this, [this, shared](const Progress& progress) {
        if (shared_ == shared) Q_EMIT waiting(tr("%1…").arg(ui::text(progress.phase)), progress);
    });
}

void ChatService::drain() {
    if (!shared_) return;
    QString piece;
    jobs::Answer so_far;
    std::optional<Result<jobs::Answer>> done;
    {
        const std::lock_guard lock(shared_->mutex);
        piece = ui::text(std::exchange(shared_->text, {}));
        so_far = shared_->so_far;
        done = std::move(shared_->done);
        if (!shared_->started && !done) return;
    }
    const auto mine = shared_;
    if (!piece.isEmpty() || so_far.new_tokens > 0) Q_EMIT text(piece, so_far.new_tokens, so_far.seconds);
    if (!done || shared_ != mine) return;
    finish();
    if (*done)
        Q_EMIT answered(**done);
    else
        Q_EMIT failed(done->error());
}

void ChatService::stop() {
    if (!shared_) return;
    shared_->stop.request_stop();
    waiting_for_run_.reset();
    if (task_) task_->cancel();
    jobs::Answer answer;
    QString rest;
    {
        const std::lock_guard lock(shared_->mutex);
        answer = shared_->so_far;
        rest = ui::text(std::exchange(shared_->text, {}));
    }
    answer.end = jobs::Answer::End::Stopped;
    if (!rest.isEmpty()) Q_EMIT text(rest, answer.new_tokens, answer.seconds);
    finish();
    Q_EMIT answered(answer);
}

void ChatService::runEnded() {
    if (!shared_ || !live_) return;
    drain();
    if (!shared_) return;
    shared_->stop.request_stop();
    waiting_for_run_.reset();
    jobs::Answer answer;
    {
        const std::lock_guard lock(shared_->mutex);
        answer = shared_->so_far;
    }
    answer.end = jobs::Answer::End::Stopped;
    finish();
    Q_EMIT cutByRun(answer);
}

void ChatService::finish() {
    shared_.reset();
    task_.clear();
    live_ = false;
    timer_.stop();
}

}  // namespace studio::ui
