#include "engine/faulty_phi.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <sstream>

namespace studio::test {

using namespace engine;

Faults::Faults(std::string_view plan) {
    std::stringstream list{std::string(plan)};
    for (std::string one; std::getline(list, one, ',');) {
        std::stringstream words(one);
        Fault fault;
        std::string count;
        if (!(words >> fault.moment >> count >> fault.what)) continue;
        const auto times = count.find('x');
        fault.first = std::atoi(count.c_str());
        if (times != std::string::npos) fault.times = std::atoi(count.c_str() + times + 1);
        faults_.push_back(fault);
    }
}

std::string Faults::at(const std::string& moment) {
    const int call = ++calls_[moment];
    for (const Fault& fault : faults_)
        if (fault.moment == moment && call >= fault.first && call < fault.first + fault.times) return fault.what;
    return {};
}

Result<void> Faults::strike(const std::string& moment, std::string* what) {
    const std::string now = at(moment);
    if (what != nullptr) *what = now;
    if (now == "memory")
        return fail(ErrorCode::OutOfMemory,
                    "The GPU has no room for 512 MB more: 79000 MB are held by this program and 100 of 81000 MB are "
                    "free.",
                    "Set gradient_checkpointing to true.");
    if (now == "throw") throw std::bad_alloc();
    if (now == "lost")
        return fail(ErrorCode::DeviceLost,
                    "The GPU failed while computing (an illegal memory access was encountered) and cannot be used by "
                    "this process any more.",
                    "Restart the program. What was saved before is sound: a run can be resumed from its last "
                    "checkpoint.");
    return {};
}

int Faults::calls(const std::string& moment) const {
    const auto found = calls_.find(moment);
    return found == calls_.end() ? 0 : found->second;
}

namespace {

class FaultyPhi final : public PhiModel {
  public:
    FaultyPhi(std::unique_ptr<PhiModel> real, std::shared_ptr<Faults> faults)
        : real_(std::move(real)), faults_(std::move(faults)) {}

    const api::ModelInfo& info() const noexcept override { return real_->info(); }
    api::MemoryUse memory() const noexcept override { return real_->memory(); }
    void resetPeak() noexcept override { real_->resetPeak(); }
    std::vector<std::string> linearNames() const override { return real_->linearNames(); }
    Result<void> createAdapter(const api::LoraSpec& spec) override {
        STUDIO_CHECK(faults_->strike("adapter"));
        return real_->createAdapter(spec);
    }
    Result<void> loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) override {
        STUDIO_CHECK(faults_->strike("adapter"));
        return real_->loadAdapter(spec, tensors);
    }
    void dropAdapter() noexcept override { real_->dropAdapter(); }
    bool hasAdapter() const noexcept override { return real_->hasAdapter(); }
    AdapterParameters& adapter() noexcept override { return real_->adapter(); }
    const AdapterParameters& adapter() const noexcept override { return std::as_const(*real_).adapter(); }
    DeviceParameters* device() noexcept override { return real_->device(); }
    Result<void> reserve(const Limits& limits) override {
        faults_->reserved = limits;
        STUDIO_CHECK(faults_->strike("reserve"));
        return real_->reserve(limits);
    }
    std::uint64_t reservedBytes(const Limits& limits) const override { return real_->reservedBytes(limits); }
    void freeMemory() noexcept override {
        ++faults_->freed;
        real_->freeMemory();
    }

    Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                         std::span<float> target_nll) override {
        std::string what;
        faults_->keeps_logits = options.keep_logits;
        if (options.training && !faults_->reserved.covers(Limits::of(batch, true))) ++faults_->beyond;
        STUDIO_CHECK(faults_->strike(options.training ? "forward" : "evaluate", &what));
        STUDIO_CHECK(real_->forward(batch, options, target_nll));
        if (what == "nan") std::fill(target_nll.begin(), target_nll.end(), std::numeric_limits<float>::quiet_NaN());
        return {};
    }
    Result<void> backward(float scale) override {
        std::string what;
        STUDIO_CHECK(faults_->strike("backward", &what));
        STUDIO_CHECK(real_->backward(scale));
        if (what == "inf") adapter().gradients()[0] = std::numeric_limits<float>::infinity();
        return {};
    }
    std::span<const float> keptLogits() const noexcept override { return real_->keptLogits(); }
    Result<std::unique_ptr<KvCache>> newCache(int capacity) override {
        STUDIO_CHECK(faults_->strike("cache"));
        return real_->newCache(capacity);
    }
    Result<void> step(KvCache& cache, std::span<const int> tokens, double adapter_strength,
                      std::span<float> last_logits, std::stop_token stop) override {
        STUDIO_CHECK(faults_->strike("decode"));
        return real_->step(cache, tokens, adapter_strength, last_logits, std::move(stop));
    }
    Result<void> stepEach(std::span<const NextToken> next) override {
        STUDIO_CHECK(faults_->strike("decode"));
        return real_->stepEach(next);
    }

  private:
    std::unique_ptr<PhiModel> real_;
    std::shared_ptr<Faults> faults_;
};

}  // namespace

Makers faultyMakers(std::shared_ptr<Faults> faults, int megabytes, int megabytes_a_row) {
    Makers makers;
    makers.open = [faults](const api::ModelSource& source, Logger& log,
                           const JobContext& job) -> Result<std::unique_ptr<PhiModel>> {
        STUDIO_CHECK(faults->strike("load"));
        api::ModelSource here = source;
        if (here.device == "auto") here.device = "cpu";
        STUDIO_TRY(auto real, openModel(here, log, job));
        return std::make_unique<FaultyPhi>(std::move(real), faults);
    };
    makers.plan = [megabytes, megabytes_a_row](const api::ModelSource&, const api::LoraSpec&,
                                               const api::BatchSize& batch,
                                               const api::TrainPlan& plan) -> Result<api::MemoryUse> {
        api::MemoryUse use;
        if (megabytes == 0) return use;
        constexpr std::uint64_t kMega = 1 << 20;
        use.free_bytes = static_cast<std::uint64_t>(megabytes) * kMega;
        use.peak_bytes = static_cast<std::uint64_t>(batch.rows) * static_cast<std::uint64_t>(megabytes_a_row) * kMega;
        use.mode = plan.memory_mode == "recompute" ? "recompute" : "keep_all";
        if (use.mode == "recompute") use.peak_bytes /= 2;
        use.parts.push_back({"activations", use.peak_bytes});
        return use;
    };
    return makers;
}

}  // namespace studio::test
