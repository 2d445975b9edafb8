#include "ui/session/settings.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QJsonDocument>

#include "jobs/places.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kRecent = 12;

QString defaultFile() {
    const QByteArray config = qgetenv("XDG_CONFIG_HOME");
    const QString base =
        config.startsWith('/') ? QString::fromLocal8Bit(config) : QDir::homePath() + QStringLiteral("/.config");
    return base + QStringLiteral("/qlora-studio/qlora-studio.conf");
}

QString pageKey(const QString& project, const QString& page) {
    const QByteArray hash = QCryptographicHash::hash(project.toUtf8(), QCryptographicHash::Sha1).toHex().left(16);
    return QStringLiteral("pages/%1/%2").arg(QString::fromLatin1(hash), page);
}

}  // namespace

Settings::Settings(const QString& file, QObject* parent)
    : QObject(parent), store_(file.isEmpty() ? defaultFile() : file, QSettings::IniFormat) {
    (void)store_.allKeys();  // a section is read when something of it is asked for
    damaged_ = store_.status() == QSettings::FormatError;
    if (!damaged_) return;
    // The next save writes what could be read of it.
    const QString kept = store_.fileName() + QStringLiteral(".broken");
    QFile::remove(kept);
    if (QFile::copy(store_.fileName(), kept)) kept_ = kept;
}

std::optional<Error> Settings::problem() const {
    if (damaged_)
        return Error{
            ErrorCode::Corrupt, utf8(tr("The settings file %1 is damaged.").arg(store_.fileName())),
            utf8(kept_.isEmpty() ? tr("What could not be read stands at its default; look at Settings once.")
                                 : tr("What could not be read stands at its default; the file as it was is kept as %1.")
                                       .arg(kept_))};
    if (store_.status() == QSettings::AccessError || !store_.isWritable())
        return Error{ErrorCode::Io, utf8(tr("The settings file %1 cannot be written.").arg(store_.fileName())),
                     utf8(tr("Check its rights and the free space of its disk; until then nothing is remembered for "
                             "the next start."))};
    return std::nullopt;
}

ThemeChoice Settings::theme() const {
    const QString name = store_.value(QStringLiteral("theme")).toString();
    return name == QLatin1String("light")  ? ThemeChoice::Light
           : name == QLatin1String("dark") ? ThemeChoice::Dark
                                           : ThemeChoice::System;
}

void Settings::setTheme(ThemeChoice choice) {
    store_.setValue(QStringLiteral("theme"), choice == ThemeChoice::Light  ? QStringLiteral("light")
                                             : choice == ThemeChoice::Dark ? QStringLiteral("dark")
                                                                           : QStringLiteral("system"));
    applyTheme(choice);
    Q_EMIT changed();
}

QString Settings::device() const {
    return store_.value(QStringLiteral("device"), QStringLiteral("auto")).toString();
}

void Settings::setDevice(const QString& device) {
    store_.setValue(QStringLiteral("device"), device);
    Q_EMIT changed();
}

QStringList Settings::modelFolders() const {
    return store_.value(QStringLiteral("modelFolders")).toStringList();
}

void Settings::setModelFolders(const QStringList& folders) {
    store_.setValue(QStringLiteral("modelFolders"), folders);
    Q_EMIT changed();
}

QString Settings::projectsFolder() const {
    return store_.value(QStringLiteral("projectsFolder"), pathText(jobs::dataFolder() / "projects")).toString();
}

void Settings::setProjectsFolder(const QString& folder) {
    store_.setValue(QStringLiteral("projectsFolder"), folder);
    Q_EMIT changed();
}

bool Settings::inhibitSuspend() const {
    return store_.value(QStringLiteral("inhibitSuspend"), true).toBool();
}

void Settings::setInhibitSuspend(bool on) {
    store_.setValue(QStringLiteral("inhibitSuspend"), on);
    Q_EMIT changed();
}

QStringList Settings::recentProjects() const {
    return store_.value(QStringLiteral("recentProjects")).toStringList();
}

void Settings::addRecentProject(const QString& folder) {
    QStringList all = recentProjects();
    all.removeAll(folder);
    all.prepend(folder);
    store_.setValue(QStringLiteral("recentProjects"), QStringList(all.mid(0, kRecent)));
    Q_EMIT changed();
}

void Settings::removeRecentProject(const QString& folder) {
    QStringList all = recentProjects();
    all.removeAll(folder);
    store_.setValue(QStringLiteral("recentProjects"), all);
    Q_EMIT changed();
}

QByteArray Settings::layout(const QString& name) const {
    return store_.value(QStringLiteral("layout/") + name).toByteArray();
}

void Settings::setLayout(const QString& name, const QByteArray& state) {
    if (layout(name) == state) return;  // asked every few seconds: the file is written only for news
    store_.setValue(QStringLiteral("layout/") + name, state);
}

QJsonObject Settings::pageState(const QString& project, const QString& page) const {
    return QJsonDocument::fromJson(store_.value(pageKey(project, page)).toByteArray()).object();
}

void Settings::setPageState(const QString& project, const QString& page, const QJsonObject& state) {
    if (pageState(project, page) == state) return;
    store_.setValue(pageKey(project, page), QJsonDocument(state).toJson(QJsonDocument::Compact));
}

}  // namespace studio::ui
