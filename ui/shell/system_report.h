// What a person copies when they ask for help.
#pragma once

#include <QString>

#include "ui/session/messages.h"
#include "ui/session/session.h"

namespace studio::ui {

// Program, Qt, system, memory, device, engine, folders; no conversation and no file of the person's.
QString systemReport(Session& session);
QString reportOf(const Message& message);
// The last `lines` lines of the log.
QString logTail(int lines);

}  // namespace studio::ui
