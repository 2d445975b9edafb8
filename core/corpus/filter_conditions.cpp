#include "corpus/filter_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "corpus/message_fields.h"

namespace studio::corpus {
namespace {

constexpr std::size_t kMaxValues = 500;  // in one list
constexpr std::int64_t kMicrosecondsPerDay = 86'400'000'000;

template <class T = void>
using Parsed = tl::expected<T, FilterError>;

class ConditionReader {
  public:
    explicit ConditionReader(FilterScanner& scanner) : scanner_(scanner), begin_(scanner.position()) {}

    Parsed<Condition> read();

  private:
    Parsed<> readBare();
    Parsed<> readField(std::string_view name);
    Parsed<> readNumber();
    Parsed<> readChoices();
    Parsed<> readFlag();
    Parsed<> readNames();
    Parsed<> readDate();
    Parsed<> readWords();
    Parsed<> readContains();
    Parsed<> readPattern();
    Parsed<> setWords(std::string words, bool prefix);
    Parsed<std::string> value();
    Parsed<std::vector<std::string>> values();
    Parsed<> equalityOnly();
    tl::unexpected<FilterError> wrongValue(std::string message, std::string hint) const {
        return FilterScanner::fail(value_begin_, std::max(scanner_.position(), value_begin_ + 1), std::move(message),
                                   std::move(hint));
    }

    FilterScanner& scanner_;
    std::size_t begin_, value_begin_ = 0;
    Condition condition_;
};

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

// Words of at least one letter or digit; the index knows nothing else. Other scripts are taken at their word.
bool hasWord(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || byte >= 0x80;
    });
}

// A year, a month or a day as the microseconds it lasts.
std::optional<std::pair<std::int64_t, std::int64_t>> period(std::string_view text) {
    int parts[3] = {0, 1, 1};
    std::size_t count = 0;
    for (const std::size_t digits : {4u, 2u, 2u}) {
        if (text.size() < digits) return std::nullopt;
        const auto [end, error] = std::from_chars(text.data(), text.data() + digits, parts[count]);
        if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
        text.remove_prefix(digits);
        ++count;
        if (text.empty()) break;
        if (count == 3 || text[0] != '-') return std::nullopt;
        text.remove_prefix(1);
    }
    if (parts[0] < 1) return std::nullopt;
    const auto first = daysSince1970(parts[0], parts[1], parts[2]);
    std::optional<std::int64_t> next;
    if (count == 1)
        next = daysSince1970(parts[0] + 1, 1, 1);
    else if (count == 2)
        next = parts[1] == 12 ? daysSince1970(parts[0] + 1, 1, 1) : daysSince1970(parts[0], parts[1] + 1, 1);
    else if (first)
        next = *first + 1;
    if (!first || !next) return std::nullopt;
    return std::pair(*first * kMicrosecondsPerDay, *next * kMicrosecondsPerDay);
}

std::vector<std::string> splitAtCommas(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

Parsed<std::string> ConditionReader::value() {
    value_begin_ = scanner_.position();
    if (scanner_.peek() == '"') return scanner_.takeQuoted('"');
    const std::string_view word = scanner_.takeWord();
    if (word.empty()) {
        return wrongValue(fmt::format("A value is missing after {}.", scanner_.from(begin_)),
                          "Write it directly behind, without a space.");
    }
    return std::string(word);
}

Parsed<std::vector<std::string>> ConditionReader::values() {
    const bool quoted = scanner_.peek() == '"';
    auto text = value();
    if (!text) return tl::unexpected(std::move(text).error());
    std::vector<std::string> parts = quoted ? std::vector{std::move(*text)} : splitAtCommas(*text);
    if (std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); }))
        return wrongValue("A value of this list is empty.", "Write the values with one comma between each two: en,de");
    if (parts.size() > kMaxValues)
        return wrongValue(fmt::format("This list has more than {} values.", kMaxValues), "Divide it.");
    return parts;
}

Parsed<> ConditionReader::equalityOnly() {
    if (condition_.comparison == Comparison::Equal || condition_.comparison == Comparison::NotEqual) return {};
    return FilterScanner::fail(
        begin_, scanner_.position(),
        fmt::format("{} has no order: < and > say nothing about it.", condition_.field->name),
        fmt::format("Write {}:value or {}!=value.", condition_.field->name, condition_.field->name));
}

Parsed<> ConditionReader::readNumber() {
    const auto text = value();
    if (!text) return tl::unexpected(text.error());
    const bool equal = condition_.comparison == Comparison::Equal;
    const bool unequal = condition_.comparison == Comparison::NotEqual;
    if ((equal || unequal) && (*text == "none" || *text == "any")) {
        condition_.comparison = (*text == "none") == equal ? Comparison::Absent : Comparison::Present;
        return {};
    }
    const std::size_t dots = text->find("..");
    if (equal && dots != std::string::npos) {
        const auto low = number(std::string_view(*text).substr(0, dots));
        const auto high = number(std::string_view(*text).substr(dots + 2));
        if (!low || !high || *low > *high)
            return wrongValue(fmt::format("\"{}\" is no range.", *text),
                              "Write it like 0.2..0.8, the smaller number first.");
        condition_.comparison = Comparison::Between;
        condition_.low = *low;
        condition_.high = *high;
        return {};
    }
    const auto parsed = number(*text);
    if (!parsed) {
        return wrongValue(fmt::format("\"{}\" is no number.", *text),
                          "Write digits with a point: 0.5; or none for messages without it.");
    }
    condition_.low = *parsed;
    return {};
}

Parsed<> ConditionReader::readChoices() {
    if (auto ok = equalityOnly(); !ok) return ok;
    auto texts = values();
    if (!texts) return tl::unexpected(std::move(texts).error());
    std::vector<std::string_view> names;
    for (const FieldChoice& choice : choicesOf(*condition_.field)) names.push_back(choice.name);
    for (const std::string& text : *texts) {
        if (std::find(names.begin(), names.end(), text) != names.end()) continue;
        const auto nearest = nearestName(text, names);
        return wrongValue(fmt::format("{} has no value \"{}\".", condition_.field->name, text),
                          nearest ? fmt::format("Did you mean {}?", *nearest)
                                  : fmt::format("It is one of {}.", fmt::join(names, ", ")));
    }
    condition_.texts = std::move(*texts);
    return {};
}

Parsed<> ConditionReader::readFlag() {
    if (auto ok = equalityOnly(); !ok) return ok;
    const auto text = value();
    if (!text) return tl::unexpected(text.error());
    const bool yes = *text == "yes" || *text == "true" || *text == "1";
    const bool no = *text == "no" || *text == "false" || *text == "0";
    if (!yes && !no)
        return wrongValue(fmt::format("{} is either yes or no.", condition_.field->name),
                          fmt::format("Write {0} or -{0}.", condition_.field->name));
    condition_.flag = yes == (condition_.comparison == Comparison::Equal);
    condition_.comparison = Comparison::Equal;
    return {};
}

Parsed<> ConditionReader::readNames() {
    if (auto ok = equalityOnly(); !ok) return ok;
    auto texts = values();
    if (!texts) return tl::unexpected(std::move(texts).error());
    condition_.texts = std::move(*texts);
    return {};
}

Parsed<> ConditionReader::readDate() {
    const auto text = value();
    if (!text) return tl::unexpected(text.error());
    const auto span = period(*text);
    if (!span) return wrongValue(fmt::format("\"{}\" is no date.", *text), "Write 2023-03-15, 2023-03 or 2023.");
    condition_.begin = span->first;
    condition_.end = span->second;
    condition_.texts = {*text};
    return {};
}

Parsed<> ConditionReader::setWords(std::string words, bool prefix) {
    if (!hasWord(words)) {
        return wrongValue(fmt::format("\"{}\" holds no word.", words),
                          "Words are letters and digits; for other characters write contains:\"…\".");
    }
    condition_.texts = {std::move(words)};
    condition_.prefix = prefix;
    return {};
}

Parsed<> ConditionReader::readWords() {
    if (auto ok = equalityOnly(); !ok) return ok;
    const bool quoted = scanner_.peek() == '"';
    auto text = value();
    if (!text) return tl::unexpected(std::move(text).error());
    const bool prefix = quoted ? scanner_.take('*') : text->ends_with('*');
    if (!quoted && prefix) text->pop_back();
    return setWords(std::move(*text), prefix);
}

Parsed<> ConditionReader::readContains() {
    if (auto ok = equalityOnly(); !ok) return ok;
    auto text = value();
    if (!text) return tl::unexpected(std::move(text).error());
    if (text->empty()) return wrongValue("Every text contains nothing.", "Write what it is to contain.");
    auto regex = Regex::compile(*text, Regex::Kind::Literal, true);
    if (!regex)
        return wrongValue(fmt::format("This cannot be searched for: {}.", regex.error().message), "Shorten it.");
    condition_.texts = {std::move(*text)};
    condition_.regex = std::move(*regex);
    return {};
}

Parsed<> ConditionReader::readPattern() {
    if (auto ok = equalityOnly(); !ok) return ok;
    value_begin_ = scanner_.position();
    if (scanner_.peek() != '/')
        return wrongValue("A regular expression stands between slashes.", "Write re:/colou?r/ or re:/colou?r/i.");
    auto pattern = scanner_.takeQuoted('/');
    if (!pattern) return tl::unexpected(std::move(pattern).error());
    const bool caseless = scanner_.take('i');
    if (const auto rest = scanner_.takeWord(); !rest.empty())
        return wrongValue(fmt::format("\"{}\" behind the regular expression means nothing.", rest),
                          "Only i, for upper and lower case alike, may stand there.");
    auto regex = Regex::compile(*pattern, Regex::Kind::Pattern, caseless);
    if (!regex) {
        const std::size_t at = std::min(value_begin_ + 1 + regex.error().offset, scanner_.position());
        return FilterScanner::fail(at, at + 1,
                                   fmt::format("This regular expression is wrong: {}.", regex.error().message),
                                   "Correct it, or search for ordinary text with contains:\"…\".");
    }
    condition_.texts = {std::move(*pattern)};
    condition_.regex = std::move(*regex);
    condition_.flag = caseless;
    return {};
}

Parsed<> ConditionReader::readField(std::string_view name) {
    condition_.field = findField(name);
    if (!condition_.field) {
        const auto nearest = nearestField(name);
        return FilterScanner::fail(begin_, begin_ + std::max<std::size_t>(name.size(), 1),
                                   fmt::format("There is no field \"{}\".", name),
                                   nearest ? fmt::format("Did you mean {}?", *nearest)
                                           : "If you mean the words, put them in quotation marks.");
    }
    const std::string_view prefix = condition_.field->name;
    if (prefix.ends_with('.'))
        condition_.name = name.substr(prefix.size());
    else if (condition_.field->kind == FieldKind::Label)
        condition_.name = name;
    // A known label has a column, however it is written.
    if (prefix == "label.") {
        if (const FilterField* known = findField(condition_.name);
            known && known->kind == FieldKind::Label && !known->name.ends_with('.'))
            condition_.field = known;
    }
    switch (condition_.field->kind) {
        case FieldKind::Number:
        case FieldKind::Label:
        case FieldKind::Detoxify:
        case FieldKind::Emoji:
            return readNumber();
        case FieldKind::Choice:
            return readChoices();
        case FieldKind::Flag:
            return readFlag();
        case FieldKind::Language:
        case FieldKind::Name:
            return readNames();
        case FieldKind::Date:
            return readDate();
        case FieldKind::Words:
            return readWords();
        case FieldKind::Contains:
            return readContains();
        case FieldKind::Pattern:
            return readPattern();
    }
    return {};
}

// Without a field: a flag by its name alone, or words to be found in the text.
Parsed<> ConditionReader::readBare() {
    condition_.field = findField("text");
    value_begin_ = begin_;
    if (scanner_.peek() == '"') return readWords();
    const std::string_view word = scanner_.takeWord();
    const FilterField* field = findField(word);
    if (field && field->kind == FieldKind::Flag) {
        condition_.field = field;
        return {};
    }
    const bool prefix = word.ends_with('*');
    return setWords(std::string(word.substr(0, word.size() - prefix)), prefix);
}

Parsed<Condition> ConditionReader::read() {
    const std::string_view name = scanner_.takeName();
    Parsed<> done;
    if (const auto comparison = scanner_.takeOperator()) {
        condition_.comparison = *comparison;
        done = readField(name);
    } else {
        scanner_.rewind(begin_);
        done = readBare();
    }
    if (!done) return tl::unexpected(std::move(done).error());
    condition_.text_begin = begin_;
    condition_.text_end = scanner_.position();
    return std::move(condition_);
}

}  // namespace

tl::expected<Condition, FilterError> readCondition(FilterScanner& scanner) {
    return ConditionReader(scanner).read();
}

}  // namespace studio::corpus
