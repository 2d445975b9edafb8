// The project's chats: read once, kept in memory, saved on the files thread after every change.
#pragma once

#include <QObject>
#include <QTimer>
#include <deque>
#include <filesystem>
#include <set>

#include "project/chat_file.h"
#include "ui/session/session.h"

namespace studio::ui {

class ChatBook : public QObject {
    Q_OBJECT
  public:
    explicit ChatBook(Session& session, QObject* parent = nullptr);
    ~ChatBook() override;

    void open();  // reads the project's chats; loaded() follows
    bool isOpen() const { return open_; }
    // The one changed last comes first. Chats keep their place in memory.
    const std::deque<project::Chat*>& order() const { return order_; }
    project::Chat* find(const std::string& id) const;
    // A new one, not on the disk before it holds something.
    project::Chat* create(const project::ChatSettings& settings);
    // A turn, a title: saved now. A draft, a setting, an answer that grows: within `kLazy_ms`.
    void save(project::Chat& chat, bool lazy = false);
    void moveToFront(project::Chat& chat);
    // Into the trash; undo() brings the last one back.
    void remove(const std::string& id);
    void undoRemove(std::string id);  // by value: the banner that asks for it goes away meanwhile
    // Everything that is not yet on the disk, before the program or the project closes.
    void flush();

  Q_SIGNALS:
    void closing();  // the chats go: let go of them
    void loaded();
    void listChanged();

  private:
    void write(project::Chat& chat);
    void close();

    Session& session_;
    std::filesystem::path project_;
    bool open_ = false;
    std::vector<std::unique_ptr<project::Chat>> chats_;
    std::vector<std::unique_ptr<project::Chat>> removed_;
    std::deque<project::Chat*> order_;
    std::set<std::string> dirty_, on_disk_;
    int unconfirmed_ = 0;  // writes that are on their way
    QTimer lazy_;
};

}  // namespace studio::ui
