// From the text of a filter to its expression: grammar and structure. Conditions are read in filter_conditions.cpp.
#include <fmt/format.h>

#include "corpus/filter.h"
#include "corpus/filter_conditions.h"
#include "corpus/filter_expression.h"
#include "text/utf8.h"

namespace studio::corpus {
namespace {

constexpr std::size_t kMaxText = 10'000;  // bytes
constexpr int kMaxNesting = 50;           // parentheses and negations inside each other
constexpr std::size_t kMaxConditions = 200;

template <class T>
using Parsed = tl::expected<T, FilterError>;

// or := and (OR and)*    and := unary ([AND] unary)*    unary := (NOT | - | !)* ( "(" or ")" | condition )
class Parser {
  public:
    explicit Parser(std::string_view text) : scanner_(text) {}

    Parsed<Expression> parse() {
        auto expression = parseOr(0);
        if (!expression) return expression;
        scanner_.skipSpace();
        if (!scanner_.atEnd()) {
            return scanner_.fail(scanner_.position(), scanner_.position() + 1,
                                 "This closing parenthesis has no opening one.", "Remove it, or open one before it.");
        }
        return expression;
    }

  private:
    // Several of them under one node; a single one stays as it is.
    static Expression join(Expression::Kind kind, std::vector<Expression> parts) {
        if (parts.size() == 1) return std::move(parts.front());
        Expression joined;
        joined.kind = kind;
        joined.children = std::move(parts);
        return joined;
    }

    Parsed<Expression> parseOr(int depth) {
        std::vector<Expression> parts;
        do {
            auto part = parseAnd(depth);
            if (!part) return part;
            parts.push_back(std::move(*part));
        } while (scanner_.takeKeyword("OR"));
        return join(Expression::Kind::Or, std::move(parts));
    }

    Parsed<Expression> parseAnd(int depth) {
        std::vector<Expression> parts;
        for (;;) {
            auto part = parseUnary(depth);
            if (!part) return part;
            parts.push_back(std::move(*part));
            const bool joined = scanner_.takeKeyword("AND");
            if (!joined && (scanner_.atClose() || scanner_.atKeyword("OR"))) break;
        }
        return join(Expression::Kind::And, std::move(parts));
    }

    Parsed<Expression> parseUnary(int depth) {
        scanner_.skipSpace();
        const std::size_t begin = scanner_.position();
        if (depth > kMaxNesting) {
            return scanner_.fail(begin, begin + 1, "The filter is nested too deep.",
                                 fmt::format("At most {} parentheses may stand inside each other.", kMaxNesting));
        }
        if (scanner_.takeKeyword("NOT") || scanner_.takeNegation()) {
            auto inner = parseUnary(depth + 1);
            if (!inner) return inner;
            Expression negation;
            negation.kind = Expression::Kind::Not;
            negation.children.push_back(std::move(*inner));
            return negation;
        }
        if (scanner_.take('(')) return parseParenthesis(begin, depth);
        if (scanner_.atClose() || scanner_.atKeyword("OR") || scanner_.atKeyword("AND")) {
            return scanner_.fail(begin, begin + 1, "A condition is missing here.",
                                 "Write one, for example lang:en, or remove what leads up to it.");
        }
        if (++conditions_ > kMaxConditions) {
            return scanner_.fail(begin, begin + 1,
                                 fmt::format("The filter has more than {} conditions.", kMaxConditions),
                                 "Several values of one field can share a condition: id:a,b,c");
        }
        auto condition = readCondition(scanner_);
        if (!condition) return tl::unexpected(std::move(condition).error());
        Expression leaf;
        leaf.condition = std::move(*condition);
        return leaf;
    }

    Parsed<Expression> parseParenthesis(std::size_t begin, int depth) {
        auto inner = parseOr(depth + 1);
        if (!inner) return inner;
        scanner_.skipSpace();
        if (!scanner_.take(')'))
            return scanner_.fail(begin, begin + 1, "This parenthesis is not closed.", "Add a closing one.");
        return inner;
    }

    FilterScanner scanner_;
    std::size_t conditions_ = 0;
};

bool mentionsField(const Expression& expression, std::string_view field) {
    if (expression.kind == Expression::Kind::Condition) return expression.condition.field->name == field;
    for (const Expression& child : expression.children)
        if (mentionsField(child, field)) return true;
    return false;
}

}  // namespace

Error FilterError::error() const {
    return {ErrorCode::InvalidArgument, fmt::format("The filter is wrong at character {}: {}", begin + 1, message),
            hint};
}

tl::expected<Filter, FilterError> Filter::parse(std::string_view text) {
    if (text.size() > kMaxText) {
        return tl::unexpected(FilterError{kMaxText, text.size(), "The filter is too long.",
                                          fmt::format("At most {} bytes are read.", kMaxText)});
    }
    const std::size_t valid = text::validPrefix(text);
    const std::size_t bad = std::min(valid, text.find('\0'));
    if (bad < text.size()) {
        return tl::unexpected(
            FilterError{bad, bad + 1, "This byte is not a character.", "Type the filter again as plain text."});
    }
    Filter filter;
    filter.text_ = text;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return filter;
    auto root = Parser(filter.text_).parse();
    if (!root) return tl::unexpected(std::move(root).error());
    filter.root_ = std::make_shared<const Expression>(std::move(*root));
    return filter;
}

bool Filter::mentions(std::string_view field) const {
    return root_ && mentionsField(*root_, field);
}

Result<Filter> parseFilter(std::string_view text) {
    auto filter = Filter::parse(text);
    if (!filter) return fail(filter.error().error());
    return std::move(*filter);
}

}  // namespace studio::corpus
