// One window a person: a second start hands its arguments to the first and ends.
#pragma once

#include <QLocalServer>
#include <QObject>
#include <QStringList>

namespace studio::ui {

class SingleInstance : public QObject {
    Q_OBJECT
  public:
    // `name` distinguishes persons and test homes.
    explicit SingleInstance(const QString& name, QObject* parent = nullptr);
    // True if another instance took the arguments: this one should end.
    bool handOver(const QStringList& paths);
    void listen();

  Q_SIGNALS:
    void started(const QStringList& paths);  // by a later start

  private:
    void read();
    QString name_;
    QLocalServer server_;
};

}  // namespace studio::ui
