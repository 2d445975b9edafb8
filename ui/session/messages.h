// What the window has to say: banners that stay until they are dealt with, and the list of past ones.
#pragma once

#include <QDateTime>
#include <QList>
#include <QObject>
#include <functional>

#include "base/result.h"

namespace studio::ui {

struct Message {
    enum class Kind { Info, Good, Careful, Bad };
    Kind kind = Kind::Info;
    QString id;           // a later message of the same id takes the place of the earlier one; empty: its own
    QString what, to_do;  // sentences
    QString action;       // words of the button; empty: none
    std::function<void()> act;
    QString details;  // technical, for "Details" and "Copy report"
    QDateTime when;
};

class Messages : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;

    void show(Message message);
    // A failure as a banner: its message and hint. Cancelled is never shown.
    void fail(const QString& id, const Error& error, const QString& action = {}, std::function<void()> act = {});
    void info(const QString& id, const QString& what, const QString& to_do = {});
    void dismiss(const QString& id);
    void dismissAll();

    const QList<Message>& shown() const { return shown_; }  // the newest last
    const QList<Message>& past() const { return past_; }    // everything that was ever shown, the newest last, ≤ 500

  Q_SIGNALS:
    void changed();

  private:
    QList<Message> shown_, past_;
    int next_id_ = 0;
};

}  // namespace studio::ui
