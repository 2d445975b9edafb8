// The filter's text as the facets read and write it: conditions side by side, each found again by its spelling.
#pragma once

#include <QString>
#include <QStringList>
#include <optional>
#include <set>
#include <utility>

#include "corpus/catalogue.h"

namespace studio::ui {

// The conditions that must all hold. A filter with OR at its top is one condition, in parentheses.
QStringList filterTerms(const QString& filter);
QString joinTerms(const QStringList& terms);

struct FacetState {
    QStringList languages;          // empty: all
    std::optional<double> quality;  // replies of at least this
    std::optional<int> turns_from, turns_to;
    std::set<corpus::Trait> left_out;  // deleted ones are, unless the filter speaks of them
    bool operator==(const FacetState&) const = default;
};
FacetState readFacets(const QString& filter);

QString toggleLanguage(const QString& filter, const QString& code);
QString setQuality(const QString& filter, std::optional<double> from);
// Trees whose longest path has from … to messages; without either: any.
QString setTurns(const QString& filter, std::optional<int> from, std::optional<int> to);
QString toggleLeftOut(const QString& filter, corpus::Trait trait);

// Keeps the prompts in a filter that asks about replies only, which would otherwise leave no conversation.
QString withPrompts(const QString& filter);

}  // namespace studio::ui
