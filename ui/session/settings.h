// What the program remembers on this machine: in $XDG_CONFIG_HOME/qlora-studio/qlora-studio.conf. Applied at once.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QObject>
#include <QSettings>
#include <QStringList>
#include <optional>

#include "base/result.h"
#include "ui/look/style.h"

namespace studio::ui {

class Settings : public QObject {
    Q_OBJECT
  public:
    // `file` empty: the person's own.
    explicit Settings(const QString& file = {}, QObject* parent = nullptr);

    ThemeChoice theme() const;
    void setTheme(ThemeChoice choice);
    QString device() const;  // "auto", "cpu", "cuda", "cuda:GPU-…"
    void setDevice(const QString& device);
    QStringList modelFolders() const;  // searched besides the Hugging Face cache
    void setModelFolders(const QStringList& folders);
    QString projectsFolder() const;  // where New Project… begins
    void setProjectsFolder(const QString& folder);
    bool inhibitSuspend() const;  // while a run is active
    void setInhibitSuspend(bool on);

    QStringList recentProjects() const;  // newest first, absolute folders
    void addRecentProject(const QString& folder);
    void removeRecentProject(const QString& folder);

    // Geometry, splitters, columns: by the name of what they belong to.
    QByteArray layout(const QString& name) const;
    void setLayout(const QString& name, const QByteArray& state);
    // What a page showed (page, filter, selection), by project and page.
    QJsonObject pageState(const QString& project_folder, const QString& page) const;
    void setPageState(const QString& project_folder, const QString& page, const QJsonObject& state);

    void sync() { store_.sync(); }
    // What is wrong with the file: it was no settings file and is kept as FILE.broken, or it cannot be written.
    std::optional<Error> problem() const;

  Q_SIGNALS:
    void changed();

  private:
    QSettings store_;
    QString kept_;  // the damaged file as it was
    bool damaged_ = false;
};

}  // namespace studio::ui
