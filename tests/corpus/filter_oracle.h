// What the filter language means, said once more without SQL: one message, one answer.
#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "corpus/filter_expression.h"
#include "corpus/message.h"
#include "corpus/message_fields.h"

namespace studio::test {

struct OracleMessage {
    corpus::Message message;
    int tree_messages = 0, tree_turns = 0;
    bool same_role = false;
};

class Oracle {
  public:
    static bool matches(const corpus::Expression& e, const OracleMessage& m) {
        using Kind = corpus::Expression::Kind;
        const auto child = [&](const corpus::Expression& c) { return matches(c, m); };
        switch (e.kind) {
            case Kind::And:
                return std::all_of(e.children.begin(), e.children.end(), child);
            case Kind::Or:
                return std::any_of(e.children.begin(), e.children.end(), child);
            case Kind::Not:
                return !child(e.children[0]);
            case Kind::Condition:
                return holds(e.condition, m);
        }
        return false;
    }

  private:
    using Condition = corpus::Condition;
    using Comparison = corpus::Comparison;

    static bool compare(Comparison how, double low, double high, std::optional<double> value) {
        switch (how) {
            case Comparison::Present:
                return value.has_value();
            case Comparison::Absent:
                return !value;
            default:
                break;
        }
        if (!value) return false;
        switch (how) {
            case Comparison::Equal:
                return *value == low;
            case Comparison::NotEqual:
                return *value != low;
            case Comparison::Less:
                return *value < low;
            case Comparison::LessEqual:
                return *value <= low;
            case Comparison::Greater:
                return *value > low;
            case Comparison::GreaterEqual:
                return *value >= low;
            default:
                return *value >= low && *value <= high;
        }
    }

    static std::optional<double> number(const Condition& c, const OracleMessage& om) {
        const corpus::Message& m = om.message;
        const std::string_view field = c.field->name;
        if (c.field->kind == corpus::FieldKind::Label) {
            const auto label = m.labels.find(c.name);
            return label == m.labels.end() ? std::nullopt : label->second.value;
        }
        if (c.field->kind == corpus::FieldKind::Emoji) {
            const auto emoji = m.emojis.find(c.name);
            return emoji == m.emojis.end() ? std::nullopt : std::optional(double(emoji->second));
        }
        if (c.field->kind == corpus::FieldKind::Detoxify) {
            const auto score = m.detoxify.find(c.name);
            return score == m.detoxify.end() ? std::nullopt : std::optional(score->second);
        }
        if (field == "rank") return m.rank;
        if (field == "turns") return m.depth + 1;
        if (field == "depth") return m.depth;
        if (field == "replies") return m.replies;
        if (field == "tree_messages") return om.tree_messages;
        if (field == "tree_turns") return om.tree_turns;
        if (field == "length") return double(m.length);
        return m.review_count;
    }

    static bool flag(std::string_view field, const OracleMessage& om) {
        const corpus::Message& m = om.message;
        if (field == "deleted") return m.deleted;
        if (field == "synthetic") return m.synthetic;
        if (field == "orphan") return m.orphan;
        if (field == "root") return !m.parent_id;
        if (field == "leaf") return m.replies == 0;
        return om.same_role;
    }

    static std::optional<std::string> name(std::string_view field, const corpus::Message& m) {
        if (field == "tree") return m.tree_id;
        if (field == "id") return m.message_id;
        if (field == "parent") return m.orphan ? std::nullopt : m.parent_id;
        if (field == "user") return m.user_id;
        if (field == "model") return m.model_name;
        return m.tree_state;
    }

    static std::string choice(std::string_view field, const corpus::Message& m) {
        if (field == "review") return !m.review_result ? "none" : *m.review_result ? "accepted" : "rejected";
        return m.role == corpus::Role::Prompter    ? "prompter"
               : m.role == corpus::Role::Assistant ? "assistant"
                                                   : "system";
    }

    static std::string lower(std::string text) {
        for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return text;
    }

    // ASCII texts only.
    static std::vector<std::string> words(const std::string& text) {
        std::vector<std::string> out(1);
        for (const char c : lower(text)) {
            if (std::isalnum(static_cast<unsigned char>(c)))
                out.back() += c;
            else if (!out.back().empty())
                out.emplace_back();
        }
        if (out.back().empty()) out.pop_back();
        return out;
    }

    static bool hasPhrase(const Condition& c, const std::string& text) {
        const auto phrase = words(c.texts[0]), all = words(text);
        for (std::size_t start = 0; start + phrase.size() <= all.size(); ++start) {
            bool same = true;
            for (std::size_t i = 0; i < phrase.size() && same; ++i) {
                const bool last = i + 1 == phrase.size();
                same = c.prefix && last ? all[start + i].starts_with(phrase[i]) : all[start + i] == phrase[i];
            }
            if (same) return true;
        }
        return false;
    }

    static bool dated(const Condition& c, const corpus::Message& m) {
        if (!m.created_date) return false;
        const std::int64_t at = *corpus::parseTimestamp(*m.created_date);
        switch (c.comparison) {
            case Comparison::Less:
                return at < c.begin;
            case Comparison::LessEqual:
                return at < c.end;
            case Comparison::Greater:
                return at >= c.end;
            case Comparison::GreaterEqual:
                return at >= c.begin;
            case Comparison::NotEqual:
                return at < c.begin || at >= c.end;
            default:
                return at >= c.begin && at < c.end;
        }
    }

    static bool holds(const Condition& c, const OracleMessage& om) {
        using corpus::FieldKind;
        const corpus::Message& m = om.message;
        const auto listed = [&](const std::string& text) {
            return std::find(c.texts.begin(), c.texts.end(), text) != c.texts.end();
        };
        const bool unequal = c.comparison == Comparison::NotEqual;
        switch (c.field->kind) {
            case FieldKind::Flag:
                return flag(c.field->name, om) == c.flag;
            case FieldKind::Choice:
                return listed(choice(c.field->name, m)) != unequal;
            case FieldKind::Language:
                return m.lang && std::any_of(c.texts.begin(), c.texts.end(), [&](const std::string& code) {
                                     return *m.lang == code || m.lang->starts_with(code + "-");
                                 }) != unequal;
            case FieldKind::Name: {
                const auto value = name(c.field->name, m);
                return value && listed(*value) != unequal;
            }
            case FieldKind::Date:
                return dated(c, m);
            case FieldKind::Words:
                return hasPhrase(c, m.text) != unequal;
            case FieldKind::Contains:
                return (lower(m.text).find(lower(c.texts[0])) != std::string::npos) != unequal;
            case FieldKind::Pattern:
                return (c.regex->match(m.text) == corpus::Regex::Match::Yes) != unequal;
            default:
                return compare(c.comparison, c.low, c.high, number(c, om));
        }
    }
};

}  // namespace studio::test
