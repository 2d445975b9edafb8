#include "ui/data/filter_words.h"

#include <QCoreApplication>

#include "corpus/filter_fields.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

using corpus::FieldKind;

bool isName(QChar c) {
    return c.isLetterOrNumber() || c == QLatin1Char('_') || c == QLatin1Char('.') || c == QLatin1Char('+');
}
bool isOperator(QChar c) {
    return c == QLatin1Char(':') || c == QLatin1Char('=') || c == QLatin1Char('<') || c == QLatin1Char('>');
}

int quotedEnd(const QString& text, int at) {
    const QChar quote = text[at];
    for (++at; at < text.size(); ++at) {
        if (text[at] == QLatin1Char('\\'))
            ++at;
        else if (text[at] == quote)
            return at + 1;
    }
    return static_cast<int>(text.size());
}

QString suffix(FieldKind kind) {
    switch (kind) {
        case FieldKind::Number:
        case FieldKind::Label:
        case FieldKind::Date:
            return QStringLiteral(">=");
        case FieldKind::Flag:
        case FieldKind::Detoxify:
        case FieldKind::Emoji:
            return {};
        case FieldKind::Pattern:
            return QStringLiteral(":/");
        default:
            return QStringLiteral(":");
    }
}

}  // namespace

std::vector<FilterToken> filterTokens(const QString& filter) {
    using Kind = FilterToken::Kind;
    std::vector<FilterToken> tokens;
    const int size = static_cast<int>(filter.size());
    for (int i = 0; i < size;) {
        const QChar c = filter[i];
        const int begin = i;
        if (c.isSpace()) {
            ++i;
            continue;
        }
        const bool after_operator = !tokens.empty() && tokens.back().kind == Kind::Operator && tokens.back().end == i &&
                                    isOperator(filter[i - 1]);
        if (c == QLatin1Char('"') || (c == QLatin1Char('/') && after_operator)) {
            i = quotedEnd(filter, i);
            tokens.push_back({Kind::Quoted, begin, i});
            continue;
        }
        if (isName(c)) {
            while (i < size && (isName(filter[i]) || (i > begin && filter[i] == QLatin1Char('-')) ||
                                (after_operator && filter[i] == QLatin1Char(','))))
                ++i;
            const QString word = filter.mid(begin, i - begin);
            const bool before_operator =
                i < size && (isOperator(filter[i]) ||
                             (filter[i] == QLatin1Char('!') && i + 1 < size && filter[i + 1] == QLatin1Char('=')));
            Kind kind = Kind::Word;
            if (after_operator)
                kind = Kind::Value;
            else if (word == QLatin1String("OR") || word == QLatin1String("AND") || word == QLatin1String("NOT"))
                kind = Kind::Keyword;
            else if (const auto* field = corpus::findField(utf8(word));
                     field && (before_operator || field->kind == FieldKind::Flag))
                kind = Kind::Field;
            tokens.push_back({kind, begin, i});
            continue;
        }
        while (i < size && !filter[i].isSpace() && !isName(filter[i]) && filter[i] != QLatin1Char('"') &&
               (i == begin || filter[i] != QLatin1Char('/')))
            ++i;
        tokens.push_back({Kind::Operator, begin, i});
    }
    return tokens;
}

std::vector<Completion> completions(const QString& filter, int cursor, const QStringList& languages, int& begin) {
    begin = cursor;
    while (begin > 0 && (isName(filter[begin - 1]) || filter[begin - 1] == QLatin1Char('-'))) --begin;
    while (begin < cursor && filter[begin] == QLatin1Char('-')) ++begin;
    const QString word = filter.mid(begin, cursor - begin);
    std::vector<Completion> result;
    const auto add = [&](const QString& text, const QString& help) {
        if (text.startsWith(word, Qt::CaseInsensitive) && text != word) result.push_back({text, help});
    };
    int name_end = begin;
    if (name_end > 0 && filter[name_end - 1] == QLatin1Char(',')) {  // lang:en,…
        while (name_end > 0 && (isName(filter[name_end - 1]) || filter[name_end - 1] == QLatin1Char(','))) --name_end;
    }
    if (name_end > 0 && (filter[name_end - 1] == QLatin1Char(':') || filter[name_end - 1] == QLatin1Char('='))) {
        int name_begin = --name_end;
        while (name_begin > 0 && isName(filter[name_begin - 1])) --name_begin;
        const QString name = filter.mid(name_begin, name_end - name_begin);
        if (name == QLatin1String("lang")) {
            for (const QString& code : languages) add(code, {});
        } else if (const auto* field = corpus::findField(utf8(name)); field && field->kind == FieldKind::Choice) {
            for (const auto& choice : corpus::choicesOf(*field))
                add(text(choice.name),
                    QCoreApplication::translate("FilterWords", "messages that %1").arg(text(choice.words)));
        }
        return result;
    }
    if (word.isEmpty()) return result;
    for (const corpus::FilterField& field : corpus::filterFields()) {
        QString help = text(field.help);
        if (help.isEmpty() && !field.words.empty())
            help = field.kind == FieldKind::Flag
                       ? QCoreApplication::translate("FilterWords", "messages that %1").arg(text(field.words))
                       : QCoreApplication::translate("FilterWords", "label, 0 to 1: the mean of what people said");
        add(text(field.name) + suffix(field.kind), help);
    }
    return result;
}

}  // namespace studio::ui
