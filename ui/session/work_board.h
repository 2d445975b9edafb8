// Long work besides training (imports, evaluations): told on every page, asked about when the window closes.
#pragma once

#include <QList>
#include <QObject>
#include <functional>

#include "ui/session/navigator.h"

namespace studio::ui {

struct LongWork {
    QString id;
    PageId page = PageId::Data;  // where it is watched
    QString name;                // "Importing oasst.jsonl"
    QString words;               // how far it is: "12 MB of 300 MB"; empty: not known yet
    double share = -1;           // 0 … 1; < 0: not known
    QString if_stopped;          // what of it stays when it is stopped, a sentence
    std::function<void()> stop;
};

class WorkBoard : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;

    // New, or how far the one of this id has come.
    void tell(LongWork work);
    void end(const QString& id);
    void stopAll();
    const QList<LongWork>& all() const { return all_; }  // in the order in which they began

  Q_SIGNALS:
    void changed();

  private:
    QList<LongWork> all_;
};

}  // namespace studio::ui
