// A card's figures as people read them; one it does not tell is "–".
#pragma once

#include "ui/session/card_watch.h"

namespace studio::ui {

QString cardMemory(const machine::CardReading& reading);       // 12.4 of 79.6 GiB
QString cardTemperature(const machine::CardReading& reading);  // 61 °C
QString cardBusy(const machine::CardReading& reading);         // 98 % busy
QString cardPower(const machine::CardReading& reading);        // 412 W
QString cardSummary(const CardWatch::Card& card);              // all of it on one line, with its UUID

}  // namespace studio::ui
