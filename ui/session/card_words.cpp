#include "ui/session/card_words.h"

#include <QCoreApplication>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

QString tr(const char* source) {
    return QCoreApplication::translate("Card", source);
}

}  // namespace

QString cardMemory(const machine::CardReading& reading) {
    const auto gib = [](const std::optional<std::uint64_t>& bytes) {
        return bytes ? number(static_cast<double>(*bytes) / (1024.0 * 1024 * 1024), 1) : absent();
    };
    return tr("%1 of %2 GiB").arg(gib(reading.memory_used), gib(reading.memory_total));
}

QString cardTemperature(const machine::CardReading& reading) {
    return tr("%1 °C").arg(reading.temperature ? number(static_cast<qint64>(*reading.temperature)) : absent());
}

QString cardBusy(const machine::CardReading& reading) {
    return tr("%1 % busy").arg(reading.busy ? number(static_cast<qint64>(*reading.busy)) : absent());
}

QString cardPower(const machine::CardReading& reading) {
    return tr("%1 W").arg(number(reading.power, 0));
}

QString cardSummary(const CardWatch::Card& card) {
    const machine::CardReading& r = card.reading;
    return QStringList{text(r.card.name),  cardMemory(r), cardBusy(r),
                       cardTemperature(r), cardPower(r),  text(r.card.uuid)}
        .join(QStringLiteral(", "));
}

}  // namespace studio::ui
