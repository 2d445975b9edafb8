// Losses of conversations: what evaluation reports and what "before" and "after" mean.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/job.h"
#include "dataset/examples.h"
#include "engine/api/engine.h"
#include "io/json.h"
#include "jobs/statistics.h"

namespace studio::jobs {

struct ConversationLoss {
    std::string last_message_id;
    std::int64_t tokens = 0;  // supervised
    double loss = 0;          // nats a supervised token
};

struct Losses {
    double loss = 0;          // nats a supervised token, over all
    double loss_stderr = 0;   // clustered by tree
    double perplexity = 0;    // exp(loss)
    std::int64_t tokens = 0;  // supervised
    std::int64_t conversations = 0;
    std::vector<ConversationLoss> each;  // in the order of the data
    TreeLosses trees;
};

struct LossOptions {
    int batch_size = 8;      // per_device_eval_batch_size
    int max_seq_length = 0;  // 0: the longest path
    int eos = -1;            // the token that "without EOS" leaves out
    double adapter_strength = 1;
    std::string phase = "Measuring loss";
};

// Loss of each of the examples `which`, without dropout.
Result<Losses> measureLosses(engine::api::Model& model, std::shared_ptr<const dataset::Examples> examples,
                             const std::vector<int>& which, const LossOptions& options, const JobContext& job);

// {mean, low, high, without_eos: {mean, low, high}}
io::Json toJson(const Difference& difference);
// loss, perplexity, tokens, conversations, loss_stderr, each
io::Json toJson(const Losses& losses);

// Back from the file of an earlier evaluation, so that a resumed run knows its "before".
io::Json treesToJson(const TreeLosses& trees);
Result<TreeLosses> treesFromJson(const io::Json& json);

// "perplexity 12.1 → 10.3 (−14.9 %), difference −0.161 nats a token (95 %: −0.182 to −0.140)"; says "not
// distinguishable" where the interval holds zero.
std::string differenceText(const Estimate& difference);

}  // namespace studio::jobs
