#include "engine/train/gradients.h"

namespace studio::engine {

Result<api::GradientDump> computeGradients(TrainableModel& model, const dataset::Batch& batch, bool keep_logits) {
    if (batch.targets.empty()) {
        return fail(ErrorCode::InvalidArgument, "The batch has no supervised token, so it has no loss.",
                    "Choose another batch, or look at train_on and max_seq_length.");
    }
    ForwardOptions options;
    options.training = true;
    options.keep_logits = keep_logits;
    api::GradientDump dump;
    dump.target_nll.resize(batch.targets.size());
    model.adapter().zeroGradients();
    if (auto* device = model.device()) STUDIO_CHECK(device->zeroGradients());
    STUDIO_CHECK(model.forward(batch, options, dump.target_nll));
    STUDIO_CHECK(model.backward());
    if (auto* device = model.device()) STUDIO_CHECK(device->fetchGradients(model.adapter().gradients()));
    WeightedLoss loss;
    loss.add(batch, dump.target_nll);
    dump.loss = loss.mean();
    if (loss.weight > 0)
        for (float& gradient : model.adapter().gradients()) gradient = static_cast<float>(gradient / loss.weight);
    dump.gradients = model.adapter().gradientViews();
    return dump;
}

}  // namespace studio::engine
