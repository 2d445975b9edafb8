// What the desktop is told: that the machine must not sleep now, that a run has ended.
#pragma once

#include <QObject>
#include <QString>

namespace studio::ui {

// Keeps the machine awake (org.freedesktop.login1, a file descriptor held) while `on`.
class SleepInhibitor : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;
    ~SleepInhibitor() override;
    void set(bool on, const QString& why = {});
    bool active() const { return descriptor_ >= 0; }

  private:
    int descriptor_ = -1;
    bool wanted_ = false;
};

// A notification of the desktop (org.freedesktop.Notifications); a click emits activated().
class Notifier : public QObject {
    Q_OBJECT
  public:
    explicit Notifier(QObject* parent = nullptr);
    void notify(const QString& title, const QString& text, bool urgent);

  Q_SIGNALS:
    void activated();

  private Q_SLOTS:
    void onAction(uint id, const QString& action);

  private:
    uint last_ = 0;
};

// Progress of the run in the task bar (com.canonical.Unity.LauncherEntry); share < 0: none.
void tellTaskBar(double share);

}  // namespace studio::ui
