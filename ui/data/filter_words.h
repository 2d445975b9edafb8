// The words of the filter language for colouring and completion.
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace studio::ui {

struct FilterToken {
    enum class Kind { Field, Value, Operator, Quoted, Keyword, Word };
    Kind kind;
    int begin, end;
};
// For colours only; what is wrong the parser says.
std::vector<FilterToken> filterTokens(const QString& filter);

struct Completion {
    QString text;  // what is put in
    QString help;  // what it means, one line
};
// What may stand for the word that ends at `cursor`: names of fields, or values after "lang:", "role:", "review:".
// `begin` tells where the word to be replaced begins.
std::vector<Completion> completions(const QString& filter, int cursor, const QStringList& languages, int& begin);

}  // namespace studio::ui
