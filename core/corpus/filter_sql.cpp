#include "corpus/filter_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "corpus/functions.h"

namespace studio::corpus {
namespace {

class Writer {
  public:
    explicit Writer(FilterSql& sql) : sql_(sql) {}

    // `exact`: the condition has to be 0 where it does not hold; otherwise NULL will do as well, and lets SQLite use
    // indices.
    void write(const Expression& expression, bool exact) {
        switch (expression.kind) {
            case Expression::Kind::Condition:
                return writeCondition(expression.condition, exact);
            case Expression::Kind::And:
                return writeJoined(expression, " AND ", exact);
            case Expression::Kind::Or:
                return writeJoined(expression, " OR ", exact);
            case Expression::Kind::Not:
                sql_.where += "NOT ";
                return write(expression.children.front(), true);
        }
    }

  private:
    void writeJoined(const Expression& expression, const char* between, bool exact) {
        sql_.where += '(';
        for (std::size_t i = 0; i < expression.children.size(); ++i) {
            if (i > 0) sql_.where += between;
            write(expression.children[i], exact);
        }
        sql_.where += ')';
    }

    void writeCondition(const Condition& condition, bool exact) {
        if (exact) put("((");
        writeAlone(condition);
        if (exact) put(") IS TRUE)");
        sql_.needs_details = sql_.needs_details || condition.field->sql.find("d.") != std::string_view::npos;
    }

    void writeAlone(const Condition& condition) {
        switch (condition.field->kind) {
            case FieldKind::Number:
                return writeNumber(condition);
            case FieldKind::Label:
                if (condition.field->name.ends_with('.')) value(fmt::format("{}[0]", path(condition.name)));
                return writeNumber(condition);
            case FieldKind::Detoxify:
            case FieldKind::Emoji:
                value(path(condition.name));
                return writeNumber(condition);
            case FieldKind::Choice:
                return writeChoice(condition);
            case FieldKind::Flag:
                return put("{}({})", condition.flag ? "" : "NOT ", condition.field->sql);
            case FieldKind::Language:
                return writeLanguage(condition);
            case FieldKind::Name:
                return writeName(condition);
            case FieldKind::Date:
                return writeDate(condition);
            case FieldKind::Words:
                return writeWords(condition);
            case FieldKind::Contains:
            case FieldKind::Pattern:
                put("{}text_matches(?, {})", unequal(condition) ? "NOT " : "", condition.field->sql);
                return value(&*condition.regex);
        }
    }

    void writeNumber(const Condition& condition) {
        const std::string_view column = condition.field->sql;
        switch (condition.comparison) {
            case Comparison::Equal:
                return compare(column, "=", condition.low);
            case Comparison::NotEqual:
                return compare(column, "<>", condition.low);
            case Comparison::Less:
                return compare(column, "<", condition.low);
            case Comparison::LessEqual:
                return compare(column, "<=", condition.low);
            case Comparison::Greater:
                return compare(column, ">", condition.low);
            case Comparison::GreaterEqual:
                return compare(column, ">=", condition.low);
            case Comparison::Between:
                put("({} BETWEEN ? AND ?)", column);
                value(condition.low);
                return value(condition.high);
            case Comparison::Present:
                return put("({} IS NOT NULL)", column);
            case Comparison::Absent:
                return put("({} IS NULL)", column);
        }
    }

    void writeChoice(const Condition& condition) {
        put("{}(", unequal(condition) ? "NOT " : "");
        bool first = true;
        for (const FieldChoice& choice : choicesOf(*condition.field)) {
            if (std::find(condition.texts.begin(), condition.texts.end(), choice.name) == condition.texts.end())
                continue;
            put("{}{} IS ", first ? "" : " OR ", condition.field->sql);
            first = false;
            if (!choice.number) {
                put("NULL");
                continue;
            }
            put("?");
            value(*choice.number);
        }
        put(")");
    }

    // "pt" is "pt" and everything that begins with "pt-"; '.' is the character after '-'.
    void writeLanguage(const Condition& condition) {
        put("{}(", unequal(condition) ? "NOT " : "");
        for (std::size_t i = 0; i < condition.texts.size(); ++i) {
            put("{}m.lang = ? OR (m.lang > ? AND m.lang < ?)", i > 0 ? " OR " : "");
            value(condition.texts[i]);
            value(fmt::format("{}-", condition.texts[i]));
            value(fmt::format("{}.", condition.texts[i]));
        }
        put(")");
    }

    void writeName(const Condition& condition) {
        put("{} {}IN (", condition.field->sql, unequal(condition) ? "NOT " : "");
        const bool by_row = condition.field->name == "id" || condition.field->name == "parent";
        if (by_row)
            put("SELECT x.id FROM details x WHERE x.message_id IN (");
        else if (condition.field->name == "tree")
            put("SELECT x.id FROM trees x WHERE x.tree_id IN (");
        for (std::size_t i = 0; i < condition.texts.size(); ++i) {
            put("{}?", i > 0 ? ", " : "");
            value(condition.texts[i]);
        }
        put("{}", by_row || condition.field->name == "tree" ? "))" : ")");
    }

    void writeDate(const Condition& condition) {
        const std::string_view column = condition.field->sql;
        switch (condition.comparison) {
            case Comparison::Less:
                return compare(column, "<", condition.begin);
            case Comparison::LessEqual:
                return compare(column, "<", condition.end);
            case Comparison::Greater:
                return compare(column, ">=", condition.end);
            case Comparison::GreaterEqual:
                return compare(column, ">=", condition.begin);
            default:
                break;
        }
        put("{}({} >= ? AND {} < ?)", unequal(condition) ? "NOT " : "", column, column);
        value(condition.begin);
        value(condition.end);
    }

    void writeWords(const Condition& condition) {
        put("m.id {}IN (SELECT rowid FROM words WHERE words MATCH ?)", unequal(condition) ? "NOT " : "");
        std::string query(1, '"');
        for (const char c : condition.texts.front()) {
            if (c == '"') query += '"';
            query += c;
        }
        query += condition.prefix ? "\"*" : "\"";
        value(std::move(query));
        sql_.needs_words = true;
    }

    template <class Value>
    void compare(std::string_view column, const char* sign, Value with) {
        put("{} {} ?", column, sign);
        value(with);
    }

    // A member of a JSON object. Names of the filter language hold no quotation marks.
    static std::string path(const std::string& name) { return fmt::format("$.\"{}\"", name); }
    static bool unequal(const Condition& condition) { return condition.comparison == Comparison::NotEqual; }

    template <class... Arguments>
    void put(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(sql_.where), format, std::forward<Arguments>(arguments)...);
    }
    void value(SqlValue value) { sql_.values.push_back(std::move(value)); }

    FilterSql& sql_;
};

}  // namespace

void FilterSql::bind(Statement& statement, int first) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const int index = first + static_cast<int>(i);
        if (const auto* integer = std::get_if<std::int64_t>(&values[i]))
            statement.bind(index, *integer);
        else if (const auto* real = std::get_if<double>(&values[i]))
            statement.bind(index, *real);
        else if (const auto* text = std::get_if<std::string>(&values[i]))
            statement.bind(index, std::string_view(*text));
        else
            statement.bindPointer(index, std::get<const Regex*>(values[i]), kRegexPointer);
    }
}

FilterSql filterSql(const Filter& filter) {
    FilterSql sql;
    if (filter.matchesEverything())
        sql.where.assign(1, '1');
    else
        Writer(sql).write(*filter.root(), false);
    return sql;
}

}  // namespace studio::corpus
