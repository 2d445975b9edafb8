#include "ui/evaluate/evaluation_words.h"

#include <QCoreApplication>
#include <cmath>

#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

QString tr(const char* source, int n = -1) {
    return QCoreApplication::translate("EvaluationWords", source, nullptr, n);
}

QString lengthText(const jobs::AnswerSide& side) {
    return number(side.mean_tokens, 1);
}

}  // namespace

QString evaluationName(const jobs::EvaluationRecord& record) {
    const QString base = shownText(text(record.base_name), false, 60);
    if (record.checkpoint.empty()) return tr("%1, base").arg(base);
    return tr("%1 @ %2").arg(shownText(text(record.run_name), false, 80), number(static_cast<qint64>(record.step)));
}

QString evaluationAgainst(const jobs::EvaluationRecord& record) {
    const QString trees = tr("%n held-out tree(s)", static_cast<int>(record.trees));
    return record.base ? tr("against base · %1").arg(trees) : trees;
}

QString perplexityChange(const jobs::Estimate& d) {
    const double change = std::expm1(d.mean), low = std::expm1(d.low), high = std::expm1(d.high);
    if (!std::isfinite(d.high) || !std::isfinite(d.low))
        return tr("%1 %; one tree alone has no interval").arg(number(100 * change, 1));
    if (!d.excludesZero())
        return tr("not distinguishable, 95 % interval %1 to %2 %")
            .arg(signedNumber(100 * low, 1), signedNumber(100 * high, 1));
    return (d.mean < 0 ? tr("%1 % lower, 95 % interval %2 to %3 %") : tr("%1 % higher, 95 % interval %2 to %3 %"))
        .arg(number(100 * std::abs(change), 1), number(100 * std::min(std::abs(low), std::abs(high)), 1),
             number(100 * std::max(std::abs(low), std::abs(high)), 1));
}

QString perplexityInterval(const jobs::SideResult& side, std::int64_t trees) {
    const jobs::Estimate loss = jobs::lossOf(side, trees);
    if (!std::isfinite(loss.low) || !std::isfinite(loss.high)) return tr("one tree alone has no interval");
    return tr("95 % interval %1 to %2").arg(number(std::exp(loss.low), 2), number(std::exp(loss.high), 2));
}

namespace {

// "5.72 (5.50 to 5.95)", beside words that say what the brackets hold.
QString withInterval(const jobs::SideResult& side, std::int64_t trees) {
    const QString value = number(side.perplexity, 2);
    const jobs::Estimate loss = jobs::lossOf(side, trees);
    if (!std::isfinite(loss.low) || !std::isfinite(loss.high)) return value;
    return tr("%1 (%2 to %3)").arg(value, number(std::exp(loss.low), 2), number(std::exp(loss.high), 2));
}

}  // namespace

std::vector<Figure> headline(const jobs::EvaluationRecord& record) {
    std::vector<Figure> figures;
    Figure perplexity{tr("Perplexity"), number(record.model.perplexity, 2), {}};
    if (record.base) {
        // A line of the two levels and one of the difference; the rest is the tool tip's.
        perplexity.below =
            tr("%1 · base %2")
                .arg(perplexityInterval(record.model, record.trees), withInterval(*record.base, record.trees));
        if (record.difference) {
            perplexity.below += u'\n' + perplexityChange(record.difference->all);
            const jobs::Estimate& d = record.difference->all;
            if (std::isfinite(d.high))
                perplexity.tool_tip =
                    tr("%1 nats a token (95 % interval %2 to %3)")
                        .arg(signedNumber(d.mean, 3), signedNumber(d.low, 3), signedNumber(d.high, 3)) +
                    u'\n';
            perplexity.tool_tip +=
                tr("Without the end token of each answer: %1").arg(perplexityChange(record.difference->without_eos));
        }
    } else {
        perplexity.below = tr("%1 · loss %2 ± %3 nats a token")
                               .arg(perplexityInterval(record.model, record.trees), number(record.model.loss, 4),
                                    number(record.model.loss_stderr, 4));
    }
    figures.push_back(perplexity);
    if (!record.answers) return figures;
    const jobs::AnswerStatistics& a = *record.answers;
    const QString prompts = tr("%n prompt(s)", static_cast<int>(a.request.prompts.size()));
    const auto sides = [&](const QString& own, const QString& of_base) {
        return a.base ? tr("base %1 · %2").arg(of_base, own) : own;
    };
    const QString interval =
        tr("95 % interval %1 to %2 %").arg(number(100 * a.model.share.low, 0), number(100 * a.model.share.high, 0));
    figures.push_back(
        {tr("Stops by itself"), percent(a.model.share.mean, 1),
         sides(tr("%1 · %2, at most %3 tokens").arg(interval, prompts, number(qint64(a.request.max_new_tokens))),
               a.base ? percent(a.base->share.mean, 1) : QString())});
    figures.push_back({tr("Mean answer length"), tr("%1 tokens").arg(lengthText(a.model)),
                       sides(prompts, a.base ? lengthText(*a.base) : QString())});
    return figures;
}

}  // namespace studio::ui
