#include "ui/recipe/planned_memory.h"

#include <QCoreApplication>
#include <algorithm>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

QString tr(const char* source) {
    return QCoreApplication::translate("PlannedMemory", source);
}

// Of the engine's names; one that is not known here stands as it is.
QString partName(const std::string& name) {
    if (name == "weights") return tr("Weights");
    if (name == "adapter") return tr("Adapter");
    if (name == "gradients and optimizer") return tr("Gradients, AdamW");
    if (name == "matrix library") return tr("Matrix library");
    if (name == "activations") return tr("Activations");
    if (name == "workspace") return tr("Workspace");
    if (name == "attention") return tr("Attention");
    if (name == "batch") return tr("Batch");
    if (name == "logits") return tr("Head and logits");
    if (name == "expanded weights") return tr("Expanded weights");
    return text(name);
}

QString modeWords(const std::string& mode) {
    if (mode == "keep_all") return tr("everything is kept for the backward pass");
    if (mode == "selective") return tr("cheap parts are computed again in the backward pass");
    if (mode == "recompute") return tr("each layer is computed again in the backward pass");
    return text(mode);
}

}  // namespace

QString gibFigure(quint64 bytes) {
    const double amount = static_cast<double>(bytes) / (1024.0 * 1024 * 1024);
    return number(amount, amount < 0.0995 ? 3 : 2);
}

PlannedMemory plannedMemory(const engine::api::MemoryUse& plan, Hue hue) {
    PlannedMemory shown;
    const bool known = plan.free_bytes > 0;
    shown.fits = !known || plan.peak_bytes <= plan.free_bytes;
    shown.whole = std::max(plan.free_bytes, plan.peak_bytes);
    shown.title =
        known ? tr("Memory of the card, GiB · %1 free").arg(gibibytes(plan.free_bytes)) : tr("Memory of the card, GiB");
    for (const auto& part : plan.parts) {
        if (part.bytes == 0) continue;
        shown.facts.push_back({partName(part.name), gibFigure(part.bytes), hue});
        shown.parts.push_back(part.bytes);
    }
    shown.facts.push_back({tr("Planned peak"), gibFigure(plan.peak_bytes), shown.fits ? hue : Hue::Careful, true,
                           tr("Of the longest batch, from the sizes of all buffers.")});
    if (plan.context_bytes > 0)
        shown.facts.push_back({tr("CUDA context"), tr("≈ %1").arg(gibFigure(plan.context_bytes)), hue, false,
                               tr("What the driver takes for the program; it is not counted as free.")});
    if (plan.pinned_bytes > 0)
        shown.facts.push_back({tr("In the computer's memory"), gibFigure(plan.pinned_bytes), hue, false,
                               tr("The embedding, and with recompute what the layers start from; not on the card.")});
    shown.verdict = !known       ? tr("Mode %1: %2.").arg(text(plan.mode), modeWords(plan.mode))
                    : shown.fits ? tr("Fits, mode %1: %2.").arg(text(plan.mode), modeWords(plan.mode))
                                 : tr("Does not fit even in the mode %1: %2 GiB are missing.")
                                       .arg(text(plan.mode), gibFigure(plan.peak_bytes - plan.free_bytes));
    return shown;
}

}  // namespace studio::ui
