#include "ui/shell/single_instance.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocalSocket>

namespace studio::ui {
namespace {

constexpr int kWait = 500;  // ms
constexpr qint64 kLongest = 1 << 16;

}  // namespace

SingleInstance::SingleInstance(const QString& name, QObject* parent) : QObject(parent), name_(name) {
    server_.setSocketOptions(QLocalServer::UserAccessOption);
    connect(&server_, &QLocalServer::newConnection, this, &SingleInstance::read);
}

bool SingleInstance::handOver(const QStringList& paths) {
    QLocalSocket socket;
    socket.connectToServer(name_);
    if (!socket.waitForConnected(kWait)) return false;
    QStringList absolute;  // the other one was started in another folder
    for (const QString& path : paths) absolute << QFileInfo(path).absoluteFilePath();
    socket.write(QJsonDocument(QJsonArray::fromStringList(absolute)).toJson(QJsonDocument::Compact) + '\n');
    // Only an answer shows that somebody is alive there.
    return socket.waitForBytesWritten(kWait) && socket.waitForReadyRead(4 * kWait);
}

void SingleInstance::listen() {
    if (server_.listen(name_)) return;
    QLocalServer::removeServer(name_);  // left behind by one that did not end well
    server_.listen(name_);
}

void SingleInstance::read() {
    while (QLocalSocket* socket = server_.nextPendingConnection()) {
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
            if (socket->bytesAvailable() > kLongest) return socket->abort();
            if (!socket->canReadLine()) return;
            QStringList paths;
            for (const QJsonValue value : QJsonDocument::fromJson(socket->readLine()).array())
                paths << value.toString();
            socket->write("ok\n");
            socket->flush();
            Q_EMIT started(paths);
        });
    }
}

}  // namespace studio::ui
