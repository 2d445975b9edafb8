#include "ui/data/filter_terms.h"

#include <QRegularExpression>

#include "corpus/filter.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

using corpus::Trait;

const QRegularExpression& languageTerm() {
    static const QRegularExpression pattern(QStringLiteral("^lang[:=]([A-Za-z0-9_,-]+)$"));
    return pattern;
}
const QRegularExpression& qualityTerm() {
    static const QRegularExpression pattern(QStringLiteral("^\\(role:prompter OR quality>=([0-9.]+)\\)$"));
    return pattern;
}
const QRegularExpression& turnsTerm() {
    static const QRegularExpression pattern(
        QStringLiteral("^tree_turns(?:[:=](\\d+)(?:\\.\\.(\\d+))?|>=(\\d+)|<=(\\d+))$"));
    return pattern;
}

QString traitTerm(Trait trait) {
    switch (trait) {
        case Trait::Deleted:
            return QStringLiteral("-deleted");
        case Trait::Spam:
            return QStringLiteral("-spam>=0.5");
        case Trait::Rejected:
            return QStringLiteral("-review:rejected");
        case Trait::NotReviewed:
            return QStringLiteral("-review:none");
        case Trait::Synthetic:
            return QStringLiteral("-synthetic");
    }
    return {};
}

QString deletedToo() {
    return QStringLiteral("(deleted OR -deleted)");
}

// Past a quoted text or pattern that begins at `at`; backslashes hide what follows them.
qsizetype pastQuoted(const QString& text, qsizetype at) {
    const QChar quote = text[at];
    for (++at; at < text.size(); ++at) {
        if (text[at] == QLatin1Char('\\'))
            ++at;
        else if (text[at] == quote)
            return at + 1;
    }
    return text.size();
}

QStringList without(QStringList terms, const QRegularExpression& pattern) {
    terms.removeIf([&](const QString& term) { return pattern.match(term).hasMatch(); });
    return terms;
}

QString shortest(double value) {
    return QString::number(value, 'g', 6);
}

}  // namespace

QStringList filterTerms(const QString& filter) {
    QStringList terms;
    QString term;
    int depth = 0;
    bool has_or = false;
    const auto finish = [&] {
        if (term == QLatin1String("OR")) has_or = true;
        if (!term.isEmpty() && term != QLatin1String("AND")) terms << term;
        term.clear();
    };
    for (qsizetype i = 0; i < filter.size();) {
        const QChar c = filter[i];
        const bool pattern = c == QLatin1Char('/') && term.endsWith(QLatin1String("re:"));
        if (c == QLatin1Char('"') || pattern) {
            const qsizetype end = pastQuoted(filter, i);
            term += QStringView(filter).mid(i, end - i);
            i = end;
            continue;
        }
        if (c == QLatin1Char('(')) ++depth;
        if (c == QLatin1Char(')')) --depth;
        if (c.isSpace() && depth <= 0)
            finish();
        else
            term += c;
        ++i;
    }
    finish();
    // NOT stands in front of what it negates.
    for (qsizetype i = 0; i + 1 < terms.size();) {
        if (terms[i] == QLatin1String("NOT") || terms[i] == QLatin1String("-") || terms[i] == QLatin1String("!"))
            terms[i + 1] = terms[i] + QLatin1Char(' ') + terms[i + 1], terms.removeAt(i);
        else
            ++i;
    }
    if (has_or) return {QLatin1Char('(') + filter.trimmed() + QLatin1Char(')')};
    return terms;
}

QString joinTerms(const QStringList& terms) {
    return terms.join(QLatin1Char(' '));
}

FacetState readFacets(const QString& filter) {
    FacetState state;
    for (const QString& term : filterTerms(filter)) {
        if (const auto match = languageTerm().match(term); match.hasMatch())
            state.languages = match.captured(1).split(QLatin1Char(','), Qt::SkipEmptyParts);
        if (const auto match = qualityTerm().match(term); match.hasMatch())
            state.quality = match.captured(1).toDouble();
        if (const auto match = turnsTerm().match(term); match.hasMatch()) {
            const auto number = [&](int group) -> std::optional<int> {
                return match.hasCaptured(group) && !match.captured(group).isEmpty()
                           ? std::optional(match.captured(group).toInt())
                           : std::nullopt;
            };
            if (number(1)) {
                state.turns_from = number(1);
                state.turns_to = number(2) ? number(2) : number(1);
            } else {
                state.turns_from = number(3);
                state.turns_to = number(4);
            }
        }
        for (const Trait trait : {Trait::Spam, Trait::Rejected, Trait::NotReviewed, Trait::Synthetic})
            if (term == traitTerm(trait)) state.left_out.insert(trait);
    }
    const auto parsed = corpus::Filter::parse(utf8(filter));
    if (!parsed || !parsed->mentions("deleted") || filterTerms(filter).contains(traitTerm(Trait::Deleted)))
        state.left_out.insert(Trait::Deleted);
    return state;
}

QString toggleLanguage(const QString& filter, const QString& code) {
    QStringList languages = readFacets(filter).languages;
    if (!languages.removeOne(code)) languages << code;
    QStringList terms = without(filterTerms(filter), languageTerm());
    if (!languages.isEmpty()) terms.prepend(QStringLiteral("lang:") + languages.join(QLatin1Char(',')));
    return joinTerms(terms);
}

QString setQuality(const QString& filter, std::optional<double> from) {
    QStringList terms = without(filterTerms(filter), qualityTerm());
    if (from) terms << QStringLiteral("(role:prompter OR quality>=%1)").arg(shortest(*from));
    return joinTerms(terms);
}

QString setTurns(const QString& filter, std::optional<int> from, std::optional<int> to) {
    QStringList terms = without(filterTerms(filter), turnsTerm());
    if (from && to)
        terms << (*from == *to ? QStringLiteral("tree_turns:%1").arg(*from)
                               : QStringLiteral("tree_turns:%1..%2").arg(*from).arg(*to));
    else if (from)
        terms << QStringLiteral("tree_turns>=%1").arg(*from);
    else if (to)
        terms << QStringLiteral("tree_turns<=%1").arg(*to);
    return joinTerms(terms);
}

QString toggleLeftOut(const QString& filter, Trait trait) {
    QStringList terms = filterTerms(filter);
    if (trait == Trait::Deleted) {
        if (terms.removeAll(deletedToo()) == 0) {
            terms.removeAll(traitTerm(trait));
            terms << deletedToo();
        }
    } else if (terms.removeAll(traitTerm(trait)) == 0) {
        terms << traitTerm(trait);
    }
    return joinTerms(terms);
}

QString withPrompts(const QString& filter) {
    QStringList terms = filterTerms(filter);
    terms.removeAll(QStringLiteral("role:assistant"));
    const QString rest = joinTerms(terms);
    if (rest.isEmpty()) return {};
    const bool wrapped = terms.size() == 1;
    return QStringLiteral("role:prompter OR %1").arg(wrapped ? rest : QLatin1Char('(') + rest + QLatin1Char(')'));
}

}  // namespace studio::ui
