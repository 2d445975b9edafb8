#include "ui/shell/desktop.h"

#include <unistd.h>

#include <QCoreApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusUnixFileDescriptor>

namespace studio::ui {
namespace {

const QString kNotifications = QStringLiteral("org.freedesktop.Notifications");
const QString kNotificationsPath = QStringLiteral("/org/freedesktop/Notifications");

}  // namespace

SleepInhibitor::~SleepInhibitor() {
    if (descriptor_ >= 0) close(descriptor_);
}

void SleepInhibitor::set(bool on, const QString& why) {
    if (on == wanted_) return;
    wanted_ = on;
    if (!on) {
        if (descriptor_ >= 0) close(descriptor_);
        descriptor_ = -1;
        return;
    }
    QDBusMessage call = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.login1"), QStringLiteral("/org/freedesktop/login1"),
        QStringLiteral("org.freedesktop.login1.Manager"), QStringLiteral("Inhibit"));
    call << QStringLiteral("sleep:idle") << QStringLiteral("QLoRA Studio") << why << QStringLiteral("block");
    auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::systemBus().asyncCall(call), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        const QDBusPendingReply<QDBusUnixFileDescriptor> reply = *watcher;
        watcher->deleteLater();
        // Off and on again before the first answer gives two answers; one is kept.
        if (!reply.isError() && wanted_ && descriptor_ < 0) descriptor_ = dup(reply.value().fileDescriptor());
    });
}

Notifier::Notifier(QObject* parent) : QObject(parent) {
    QDBusConnection::sessionBus().connect(kNotifications, kNotificationsPath, kNotifications,
                                          QStringLiteral("ActionInvoked"), this, SLOT(onAction(uint, QString)));
}

void Notifier::notify(const QString& title, const QString& words, bool urgent) {
    QDBusMessage call =
        QDBusMessage::createMethodCall(kNotifications, kNotificationsPath, kNotifications, QStringLiteral("Notify"));
    const QVariantMap hints{{QStringLiteral("urgency"), QVariant::fromValue<uchar>(urgent ? 2 : 1)},
                            {QStringLiteral("desktop-entry"), QStringLiteral("org.qlora_studio.Studio")}};
    call << QStringLiteral("QLoRA Studio") << last_ << QStringLiteral("org.qlora_studio.Studio") << title
         << words.toHtmlEscaped() << QStringList{QStringLiteral("default"), tr("Show")} << hints << -1;
    auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(call), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        const QDBusPendingReply<uint> reply = *watcher;
        watcher->deleteLater();
        if (!reply.isError()) last_ = reply.value();
    });
}

void Notifier::onAction(uint id, const QString&) {
    if (id == last_) Q_EMIT activated();
}

void tellTaskBar(double share) {
    QDBusMessage signal =
        QDBusMessage::createSignal(QStringLiteral("/org/qlora_studio/Studio"),
                                   QStringLiteral("com.canonical.Unity.LauncherEntry"), QStringLiteral("Update"));
    signal << QStringLiteral("application://org.qlora_studio.Studio.desktop")
           << QVariantMap{{QStringLiteral("progress"), std::max(0.0, share)},
                          {QStringLiteral("progress-visible"), share >= 0}};
    QDBusConnection::sessionBus().send(signal);
}

}  // namespace studio::ui
