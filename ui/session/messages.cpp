#include "ui/session/messages.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr qsizetype kPast = 500;

}  // namespace

void Messages::show(Message message) {
    message.when = QDateTime::currentDateTime();
    if (message.id.isEmpty()) message.id = QStringLiteral("#%1").arg(++next_id_);
    shown_.removeIf([&](const Message& m) { return m.id == message.id; });
    past_.push_back(message);
    if (past_.size() > kPast) past_.pop_front();
    shown_.push_back(std::move(message));
    Q_EMIT changed();
}

void Messages::fail(const QString& id, const Error& error, const QString& action, std::function<void()> act) {
    if (error.cancelled()) return;
    Message message;
    message.kind = Message::Kind::Bad;
    message.id = id;
    message.what = text(error.message);
    message.to_do = text(error.hint);
    message.action = action;
    message.act = std::move(act);
    show(std::move(message));
}

void Messages::info(const QString& id, const QString& what, const QString& to_do) {
    Message message;
    message.id = id;
    message.what = what;
    message.to_do = to_do;
    show(std::move(message));
}

void Messages::dismiss(const QString& id) {
    if (shown_.removeIf([&](const Message& m) { return m.id == id; }) > 0) Q_EMIT changed();
}

void Messages::dismissAll() {
    if (shown_.isEmpty()) return;
    shown_.clear();
    Q_EMIT changed();
}

}  // namespace studio::ui
