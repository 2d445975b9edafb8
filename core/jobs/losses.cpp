#include "jobs/losses.h"

#include <fmt/format.h>

#include <cmath>

#include "dataset/stream.h"

namespace studio::jobs {
namespace {

struct Sums {
    double nll = 0, weight = 0, nll_text = 0, weight_text = 0;
    std::int64_t tokens = 0;
};

class Collector final : public engine::api::LossObserver {
  public:
    Collector(const dataset::Examples& examples, const LossOptions& options, std::int64_t targets,
              const JobContext& job)
        : sums_(static_cast<std::size_t>(examples.size())), options_(options), targets_(targets), job_(job) {}

    Result<void> onBatch(const dataset::Batch& batch, std::span<const float> nll) noexcept override {
        std::size_t segment = 0;
        for (std::size_t i = 0; i < batch.targets.size(); ++i) {
            const dataset::Target& target = batch.targets[i];
            while (batch.segments[segment].end <= target.row) ++segment;  // both are in row order
            const auto sample = static_cast<std::size_t>(batch.segments[segment].sample);
            Sums& s = sums_[static_cast<std::size_t>(batch.samples[sample])];
            const double weighted = static_cast<double>(target.weight) * nll[i];
            s.nll += weighted;
            s.weight += target.weight;
            s.tokens += 1;
            if (target.token != options_.eos) {
                s.nll_text += weighted;
                s.weight_text += target.weight;
            }
        }
        done_ += static_cast<std::int64_t>(batch.targets.size());
        job_.report(
            {options_.phase, static_cast<std::uint64_t>(done_), static_cast<std::uint64_t>(targets_), "tokens"});
        return {};
    }

    const Sums& of(int example) const { return sums_[static_cast<std::size_t>(example)]; }

  private:
    std::vector<Sums> sums_;
    const LossOptions& options_;
    std::int64_t targets_, done_ = 0;
    const JobContext& job_;
};

io::Json interval(const Estimate& e) {
    return {{"mean", e.mean}, {"low", e.low}, {"high", e.high}};
}

}  // namespace

Result<Losses> measureLosses(engine::api::Model& model, std::shared_ptr<const dataset::Examples> examples,
                             const std::vector<int>& which, const LossOptions& options, const JobContext& job) {
    if (which.empty())
        return fail(ErrorCode::InvalidArgument, "There is no conversation to evaluate.",
                    "Widen the filter, or choose a larger validation_fraction.");
    STUDIO_TRY(const auto stream,
               dataset::makeEvaluationStream(examples, which, options.batch_size, options.max_seq_length));
    Collector collector(*examples, options, stream->targetsPerEpoch(), job);
    // The collector reports, in tokens.
    STUDIO_CHECK(model.losses(*stream, options.adapter_strength, collector, {job.stop, {}}));

    Losses result;
    for (const int example : which) {
        const Sums& s = collector.of(example);
        if (s.weight <= 0) continue;
        TreeLoss& tree = result.trees[examples->treeId(example)];
        tree.nll += s.nll;
        tree.weight += s.weight;
        tree.nll_text += s.nll_text;
        tree.weight_text += s.weight_text;
        result.tokens += s.tokens;
        result.each.push_back({examples->lastMessageId(example), s.tokens, s.nll / s.weight});
    }
    const Estimate mean = meanLoss(result.trees);
    result.loss = mean.mean;
    result.loss_stderr = mean.stderr_mean;
    result.perplexity = std::exp(mean.mean);
    result.conversations = static_cast<std::int64_t>(result.each.size());
    return result;
}

io::Json toJson(const Difference& difference) {
    io::Json json = interval(difference.all);
    json["without_eos"] = interval(difference.without_eos);
    return json;
}

io::Json toJson(const Losses& losses) {
    io::Json each = io::Json::array();
    for (const ConversationLoss& c : losses.each) each.push_back({c.last_message_id, c.tokens, c.loss});
    return {{"loss", losses.loss},
            {"perplexity", losses.perplexity},
            {"tokens", losses.tokens},
            {"conversations", losses.conversations},
            {"loss_stderr", losses.loss_stderr},
            {"each", std::move(each)}};
}

io::Json treesToJson(const TreeLosses& trees) {
    io::Json json = io::Json::object();
    for (const auto& [id, t] : trees) json[id] = {t.nll, t.weight, t.nll_text, t.weight_text};
    return json;
}

Result<TreeLosses> treesFromJson(const io::Json& json) {
    TreeLosses trees;
    const auto wrong = fail(ErrorCode::Corrupt, "The record of an earlier evaluation cannot be read.",
                            "Evaluate again with `qlora-studio evaluate`.");
    if (!json.is_object()) return wrong;
    for (const auto& [id, value] : json.items()) {
        if (!value.is_array() || value.size() != 4) return wrong;
        for (const auto& number : value) {
            if (!number.is_number()) return wrong;
        }
        trees[id] = {value[0].get<double>(), value[1].get<double>(), value[2].get<double>(), value[3].get<double>()};
    }
    return trees;
}

std::string differenceText(const Estimate& d) {
    if (!std::isfinite(d.high)) return fmt::format("{:+.3f} nats a token; one tree alone has no interval", d.mean);
    if (!d.excludesZero())
        return fmt::format("not distinguishable ({:+.3f} nats a token, 95 %: {:+.3f} to {:+.3f})", d.mean, d.low,
                           d.high);
    return fmt::format("{:+.3f} nats a token (95 %: {:+.3f} to {:+.3f}), perplexity {:+.1f} %", d.mean, d.low, d.high,
                       std::expm1(d.mean) * 100);
}

}  // namespace studio::jobs
