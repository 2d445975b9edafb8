#include <charconv>
#include <chrono>

#include "corpus/message_fields.h"

namespace studio::corpus {
namespace {

// Takes `digits` digits off the front.
std::optional<int> takeNumber(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

// ".7274" → 727400. Digits beyond the sixth are read over.
std::optional<int> takeMicroseconds(std::string_view& text) {
    if (!take(text, '.')) return 0;
    int value = 0, digits = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits)
        if (digits < 6) value = value * 10 + (text[0] - '0');
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) value *= 10;
    return value;
}

// "Z", "+02:00": minutes to the east.
std::optional<int> takeZone(std::string_view& text) {
    if (take(text, 'Z')) return 0;
    const int sign = text.starts_with('-') ? -1 : 1;
    if (!take(text, sign < 0 ? '-' : '+')) return std::nullopt;
    const auto hours = takeNumber(text, 2);
    take(text, ':');
    const auto minutes = takeNumber(text, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::optional<std::int64_t> daysSince1970(int year, int month, int day) {
    if (month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<std::int64_t> parseTimestamp(std::string_view text) {
    const auto year = takeNumber(text, 4);
    if (!year || *year < 1970 || *year > 2100 || !take(text, '-')) return std::nullopt;
    const auto month = takeNumber(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = takeNumber(text, 2);
    if (!day || !(take(text, 'T') || take(text, ' '))) return std::nullopt;
    const auto hour = takeNumber(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = takeNumber(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = takeNumber(text, 2);
    if (!second || *second > 60) return std::nullopt;
    const auto micros = takeMicroseconds(text);
    if (!micros) return std::nullopt;
    const auto zone = takeZone(text);
    const auto days = daysSince1970(*year, *month, *day);
    if (!zone || !days || !text.empty()) return std::nullopt;
    const std::int64_t minutes = *days * 1440 + *hour * 60 + *minute - *zone;
    return (minutes * 60 + *second) * 1'000'000 + *micros;
}

}  // namespace studio::corpus
