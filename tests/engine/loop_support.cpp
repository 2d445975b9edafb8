#include "engine/loop_support.h"

#include <cmath>
#include <limits>

namespace studio::test {

using namespace engine;

TinyModel::TinyModel()
    : adapter_({{"m.lora_A.weight", kRank, kVocab, 0}, {"m.lora_B.weight", kVocab, kRank, kRank * kVocab}}) {
    int i = 0;
    for (float& value : adapter_.values()) value = static_cast<float>(std::sin(1.7 * ++i));
}

float TinyModel::mask(const ForwardOptions& o, int row, int rank) const {
    if (!o.training || o.lora_dropout == 0) return 1;
    std::uint64_t x = o.seed * 0x9e3779b97f4a7c15u + o.step * 1000003 + o.micro_batch * 10007 + row * 101 + rank;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    const double uniform = static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
    return uniform < o.lora_dropout ? 0 : static_cast<float>(1 / (1 - o.lora_dropout));
}

Result<void> TinyModel::forward(const dataset::Batch& batch, const ForwardOptions& options, std::span<float> nll) {
    ++forwards_;
    if (on_forward) on_forward(forwards_);
    if (fail_forward) STUDIO_CHECK(fail_forward(forwards_));
    if (options.stop.stop_requested()) return cancelled();
    if (options.training) {
        batch_ = batch;
        options_ = options;
    }
    const float *a = adapter_.values().data(), *b = a + kRank * kVocab;
    for (std::size_t i = 0; i < batch.targets.size(); ++i) {
        const int row = batch.targets[i].row, token = batch.tokens[row];
        double sum = 0, chosen = 0;
        for (int v = 0; v < kVocab; ++v) {
            float logit = 0;
            for (int r = 0; r < kRank; ++r) logit += b[v * kRank + r] * a[r * kVocab + token] * mask(options, row, r);
            sum += std::exp(logit);
            if (v == batch.targets[i].token) chosen = logit;
        }
        nll[i] = static_cast<float>(std::log(sum) - chosen);
    }
    return {};
}

Result<void> TinyModel::backward() {
    const float *a = adapter_.values().data(), *b = a + kRank * kVocab;
    float *da = adapter_.gradients().data(), *db = da + kRank * kVocab;
    for (const dataset::Target& target : batch_.targets) {
        const int token = batch_.tokens[target.row];
        float logits[kVocab], sum = 0;
        for (int v = 0; v < kVocab; ++v) {
            logits[v] = 0;
            for (int r = 0; r < kRank; ++r)
                logits[v] += b[v * kRank + r] * a[r * kVocab + token] * mask(options_, target.row, r);
            sum += std::exp(logits[v]);
        }
        for (int v = 0; v < kVocab; ++v) {
            const float d = target.weight * (std::exp(logits[v]) / sum - (v == target.token ? 1.0f : 0.0f));
            for (int r = 0; r < kRank; ++r) {
                const float m = mask(options_, target.row, r);
                db[v * kRank + r] += d * a[r * kVocab + token] * m;
                da[r * kVocab + token] += d * b[v * kRank + r] * m;
            }
        }
    }
    if (break_gradients) da[0] = std::numeric_limits<float>::quiet_NaN();
    return {};
}

dataset::Batch sequence(const std::vector<int>& tokens, float weight) {
    dataset::Batch batch;
    batch.tokens = tokens;
    batch.samples = {0};
    batch.segments = {{0, static_cast<int>(tokens.size()), 0, {}}};
    for (int i = 0; i < batch.rows(); ++i) {
        batch.positions.push_back(i);
        batch.targets.push_back({i, (tokens[i] + 1) % TinyModel::kVocab, weight});
    }
    return batch;
}

std::vector<dataset::Batch> unequalBatches() {
    return {sequence({1, 2, 3}), sequence({4}), sequence({5, 6, 0, 1, 2}), sequence({3, 3}), sequence({0, 4, 1, 6})};
}

namespace {

// What a task sees where it needs no model.
class NoModel final : public api::Model {
  public:
    const api::ModelInfo& info() const noexcept override { return info_; }
    Result<void> createAdapter(const api::LoraSpec&) noexcept override { return none(); }
    Result<void> loadAdapter(const api::LoraSpec&, std::span<const io::TensorView>) noexcept override { return none(); }
    void dropAdapter() noexcept override {}
    bool hasAdapter() const noexcept override { return false; }
    std::vector<io::TensorView> adapter() const noexcept override { return {}; }
    Result<api::TrainResult> train(const api::TrainPlan&, dataset::BatchSource&, dataset::BatchSource*,
                                   const api::Checkpoint*, api::TrainObserver&, api::CheckpointSink&, api::Mailbox&,
                                   const JobContext&) noexcept override {
        return none();
    }
    Result<void> losses(dataset::BatchSource&, double, api::LossObserver&, const JobContext&) noexcept override {
        return none();
    }
    Result<api::GradientDump> gradients(const dataset::Batch&, bool) noexcept override { return none(); }
    Result<std::unique_ptr<api::Generation>> generate(const api::GenerateRequest&) noexcept override { return none(); }

  private:
    static tl::unexpected<Error> none() { return fail(ErrorCode::Unsupported, "There is no model here."); }
    api::ModelInfo info_;
};

}  // namespace

Run::Run() : live(std::make_unique<NoModel>()) {
    plan.total_steps = 7;
    plan.accumulation = 2;  // 3 steps an epoch, the third of one micro-batch
    plan.steps_per_epoch = 3;
    plan.learning_rate = 0.05;
    plan.lr_scheduler = "cosine";
    plan.warmup_steps = 2;
    plan.weight_decay = 0.1;
    plan.max_grad_norm = 0.5;
    plan.lora_dropout = 0.25;
    plan.save_steps = 1;
}

Result<api::TrainResult> Run::go(const api::Checkpoint* resume) {
    const JobContext job{stop.get_token(), {}};
    return Trainer::run(
        plan, {model, *live, data, evaluates ? &evaluation : nullptr, record, record, mailbox, job, log}, resume);
}

std::string Run::adapterBytes() {
    const auto values = model.adapter().values();
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace studio::test
