#include "engine/border/engine_model.h"

#include "engine/border/guard.h"
#include "engine/border/phi_adapters.h"
#include "engine/evaluate/losses.h"
#include "engine/generate/generation.h"
#include "engine/train/gradients.h"
#include "engine/train/trainer.h"

namespace studio::engine {
namespace {

// Set for as long as it lives.
class Raised {
  public:
    explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
    ~Raised() { flag_ = false; }
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

  private:
    bool& flag_;
};

}  // namespace

EngineModel::EngineModel(std::unique_ptr<PhiModel> phi, std::shared_ptr<Logger> log,
                         std::shared_ptr<DeviceHealth> health)
    : phi_(std::move(phi)), log_(std::move(log)), health_(std::move(health)) {}

Result<void> EngineModel::notWhileTraining() const {
    if (!training_) return {};
    return fail(ErrorCode::Busy, "The model is being trained, so its adapter cannot be changed.",
                "Stop the run first, or wait until it has finished.");
}

Result<void> EngineModel::needAdapter() const {
    if (phi_->hasAdapter()) return {};
    return fail(ErrorCode::InvalidArgument, "There is no adapter to train.", "Create or load an adapter first.");
}

template <class Body>
auto EngineModel::withRoom(std::string_view doing, Body&& body) -> decltype(body()) {
    auto result = guarded(doing, body);
    if (result || result.error().code != ErrorCode::OutOfMemory || training_) return result;
    phi_->freeMemory();
    return guarded(doing, body);
}

Result<void> EngineModel::createAdapter(const api::LoraSpec& spec) noexcept {
    return health_->guarded("creating the adapter", [&]() -> Result<void> {
        STUDIO_CHECK(notWhileTraining());
        return withRoom("creating the adapter", [&] { return phi_->createAdapter(spec); });
    });
}

Result<void> EngineModel::loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) noexcept {
    return health_->guarded("loading the adapter", [&]() -> Result<void> {
        STUDIO_CHECK(notWhileTraining());
        return withRoom("loading the adapter", [&] { return phi_->loadAdapter(spec, tensors); });
    });
}

void EngineModel::dropAdapter() noexcept {
    if (training_)
        log_->warning("The adapter is being trained and was not dropped.");
    else
        phi_->dropAdapter();
}

std::vector<io::TensorView> EngineModel::adapter() const noexcept {
    if (!phi_->hasAdapter()) return {};
    if (auto* device = phi_->device(); device != nullptr)
        if (const auto fetched = device->fetchValues(phi_->adapter().values()); !fetched) {
            log_->error(fetched.error().text());
            return {};
        }
    return phi_->adapter().valueViews();
}

Result<api::TrainResult> EngineModel::train(const api::TrainPlan& plan, dataset::BatchSource& data,
                                            dataset::BatchSource* evaluation, const api::Checkpoint* resume,
                                            api::TrainObserver& observer, api::CheckpointSink& sink,
                                            api::Mailbox& mailbox, const JobContext& job) noexcept {
    return health_->guarded("training", [&]() -> Result<api::TrainResult> {
        STUDIO_CHECK(notWhileTraining());
        STUDIO_CHECK(needAdapter());
        const Raised raised(training_);
        phi_->resetPeak();
        TrainablePhi model(*phi_);
        return Trainer::run(plan, {model, *this, data, evaluation, observer, sink, mailbox, job, *log_}, resume);
    });
}

Result<void> EngineModel::losses(dataset::BatchSource& data, double adapter_strength, api::LossObserver& observer,
                                 const JobContext& job) noexcept {
    return health_->guarded("computing losses", [&]() -> Result<void> {
        TrainablePhi model(*phi_);
        return eachLoss(model, data, adapter_strength, observer, job);
    });
}

Result<api::GradientDump> EngineModel::gradients(const dataset::Batch& batch, bool with_logits) noexcept {
    return health_->guarded("computing gradients", [&]() -> Result<api::GradientDump> {
        STUDIO_CHECK(notWhileTraining());
        STUDIO_CHECK(needAdapter());
        TrainablePhi model(*phi_);
        auto dump = computeGradients(model, batch, with_logits);
        if (dump && with_logits) {
            const auto logits = phi_->keptLogits();
            dump->target_logits.assign(logits.begin(), logits.end());
        }
        phi_->freeMemory();  // a run that follows lays out for itself, and its peak is its own
        return dump;
    });
}

Result<std::unique_ptr<api::Generation>> EngineModel::generate(const api::GenerateRequest& request) noexcept {
    return health_->guarded("beginning an answer", [&]() -> Result<std::unique_ptr<api::Generation>> {
        const VocabAndContext limits{info().vocab, info().context};
        STUDIO_CHECK(checkRequest(request, limits));
        STUDIO_TRY(Sampler sampler, Sampler::create(request, limits.vocab));
        for (const std::string& notice : sampler.notices()) log_->warning(notice);
        const int capacity = neededCapacity(request, limits);
        STUDIO_TRY(auto cache, withRoom("beginning an answer", [&] { return phi_->newCache(capacity); }));
        auto decoder = std::make_unique<PhiDecoder>(phi_, std::move(cache), request.adapter_strength, health_);
        return std::make_unique<Answer>(request, std::move(sampler), std::move(decoder), limits.vocab);
    });
}

void EngineModel::nextOfEach(std::span<api::Generation* const> answers,
                             std::span<Result<api::GeneratedToken>> tokens) noexcept {
    const auto done = guarded("computing answers", [&]() -> Result<void> {
        std::vector<Answer*> own;
        for (api::Generation* answer : answers) own.push_back(static_cast<Answer*>(answer));
        Answer::nextOfEach(own, tokens);
        return {};
    });
    if (!done)
        for (auto& token : tokens) token = fail(done.error());
}

}  // namespace studio::engine
