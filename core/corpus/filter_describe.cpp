// Filters as English sentences. All wording is in this file and in the table of fields.
#include <fmt/format.h>

#include <algorithm>

#include "corpus/filter.h"
#include "corpus/filter_expression.h"

namespace studio::corpus {
namespace {

struct LanguageName {
    std::string_view code, name;
};

// Those of OASST1.
constexpr LanguageName kLanguages[] = {
    {"ar", "Arabic"},     {"bg", "Bulgarian"},    {"bn", "Bengali"},
    {"ca", "Catalan"},    {"cs", "Czech"},        {"da", "Danish"},
    {"de", "German"},     {"el", "Greek"},        {"en", "English"},
    {"eo", "Esperanto"},  {"es", "Spanish"},      {"eu", "Basque"},
    {"fa", "Persian"},    {"fi", "Finnish"},      {"fr", "French"},
    {"gl", "Galician"},   {"he", "Hebrew"},       {"hu", "Hungarian"},
    {"id", "Indonesian"}, {"it", "Italian"},      {"ja", "Japanese"},
    {"ko", "Korean"},     {"nb", "Norwegian"},    {"nl", "Dutch"},
    {"pl", "Polish"},     {"pt", "Portuguese"},   {"pt-BR", "Brazilian Portuguese"},
    {"ro", "Romanian"},   {"ru", "Russian"},      {"sk", "Slovak"},
    {"sv", "Swedish"},    {"th", "Thai"},         {"tr", "Turkish"},
    {"uk", "Ukrainian"},  {"uk-UA", "Ukrainian"}, {"vi", "Vietnamese"},
    {"zh", "Chinese"},
};

std::string languageName(const std::string& code) {
    for (const LanguageName& language : kLanguages)
        if (language.code == code) return std::string(language.name);
    return fmt::format("\"{}\"", code);
}

// "a", "a or b", "a, b or c".
std::string list(const std::vector<std::string>& parts, std::string_view last) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += i + 1 == parts.size() ? fmt::format(" {} ", last) : ", ";
        out += parts[i];
    }
    return out;
}

std::string property(const Condition& condition) {
    switch (condition.field->kind) {
        case FieldKind::Label:
            return condition.name;
        case FieldKind::Detoxify:
            return "Detoxify score " + condition.name;
        case FieldKind::Emoji:
            return "number of " + condition.name + " emojis";
        default:
            return std::string(condition.field->words);
    }
}

std::string relation(const Condition& condition) {
    switch (condition.comparison) {
        case Comparison::NotEqual:
            return fmt::format("other than {}", condition.low);
        case Comparison::Less:
            return fmt::format("below {}", condition.low);
        case Comparison::LessEqual:
            return fmt::format("at most {}", condition.low);
        case Comparison::Greater:
            return fmt::format("above {}", condition.low);
        case Comparison::GreaterEqual:
            return fmt::format("at least {}", condition.low);
        case Comparison::Between:
            return fmt::format("between {} and {}", condition.low, condition.high);
        default:
            return fmt::format("{}", condition.low);
    }
}

std::string number(const Condition& condition, bool negated) {
    const std::string what = property(condition);
    if (condition.comparison == Comparison::Present || condition.comparison == Comparison::Absent) {
        const bool has = (condition.comparison == Comparison::Present) != negated;
        return fmt::format("that have {} {}", has ? "a" : "no", what);
    }
    return fmt::format("whose {} is {}{}", what, negated ? "not " : "", relation(condition));
}

std::string date(const Condition& condition, bool negated) {
    const std::string& day = condition.texts.front();
    const char* when = "in";
    switch (condition.comparison) {
        case Comparison::Less:
            when = "before";
            break;
        case Comparison::LessEqual:
            when = "up to and including";
            break;
        case Comparison::Greater:
            when = "after";
            break;
        case Comparison::GreaterEqual:
            when = "from";
            break;
        default:
            break;
    }
    return fmt::format("that were {}written {} {}{}", negated ? "not " : "", when, day,
                       condition.comparison == Comparison::GreaterEqual ? " on" : "");
}

std::string choice(const Condition& condition, bool negated) {
    std::vector<std::string> parts;
    for (const FieldChoice& choice : choicesOf(*condition.field)) {
        const bool named =
            std::find(condition.texts.begin(), condition.texts.end(), choice.name) != condition.texts.end();
        if (named) parts.emplace_back(negated ? choice.negated : choice.words);
    }
    return "that " + list(parts, negated ? "and" : "or");
}

std::string quoted(const std::vector<std::string>& texts) {
    std::vector<std::string> parts;
    for (const std::string& text : texts) parts.push_back(fmt::format("\"{}\"", text));
    return list(parts, "or");
}

// What follows "Messages".
std::string clause(const Condition& condition, bool negated) {
    if (condition.comparison == Comparison::NotEqual) {
        switch (condition.field->kind) {
            case FieldKind::Number:
            case FieldKind::Label:
            case FieldKind::Detoxify:
            case FieldKind::Emoji:
                break;
            default:
                negated = !negated;
        }
    }
    const char* verb = negated ? "that do not " : "that ";
    switch (condition.field->kind) {
        case FieldKind::Choice:
            return choice(condition, negated);
        case FieldKind::Flag:
            return fmt::format("that {}",
                               condition.flag != negated ? condition.field->words : condition.field->negated);
        case FieldKind::Language: {
            std::vector<std::string> names;
            for (const std::string& code : condition.texts) names.push_back(languageName(code));
            return fmt::format("that are {}in {}", negated ? "not " : "", list(names, "or"));
        }
        case FieldKind::Name:
            return fmt::format("{}have the {} {}", verb, condition.field->words, quoted(condition.texts));
        case FieldKind::Date:
            return date(condition, negated);
        case FieldKind::Words: {
            const std::string& words = condition.texts.front();
            const char* what = condition.prefix                       ? "words that begin with"
                               : words.find(' ') == std::string::npos ? "the word"
                                                                      : "the words";
            return fmt::format("{}contain {} \"{}\"", verb, what, words);
        }
        case FieldKind::Contains:
            return fmt::format("{}contain \"{}\"", verb, condition.texts.front());
        case FieldKind::Pattern:
            return fmt::format("{}match the regular expression /{}/", verb, condition.texts.front());
        default:
            return number(condition, negated);
    }
}

std::string describe(const Expression& expression, bool negated, bool nested) {
    if (expression.kind == Expression::Kind::Condition) return clause(expression.condition, negated);
    if (expression.kind == Expression::Kind::Not) return describe(expression.children.front(), !negated, nested);
    // Not (a and b) is not a or not b.
    const bool conjunction = (expression.kind == Expression::Kind::And) != negated;
    std::vector<std::string> parts;
    for (const Expression& child : expression.children) parts.push_back(describe(child, negated, true));
    const std::string joined = list(parts, conjunction ? "and" : "or");
    return nested ? fmt::format("({})", joined) : joined;
}

}  // namespace

std::string describe(const Filter& filter) {
    if (filter.matchesEverything()) return "All messages";
    return "Messages " + describe(*filter.root(), false, false);
}

}  // namespace studio::corpus
