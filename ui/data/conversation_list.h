// The listed conversations as an item model: one row a tree. First lines come as they are looked at.
#pragma once

#include <QAbstractListModel>
#include <QHash>
#include <QTimer>
#include <memory>
#include <set>

#include "ui/data/library.h"

namespace studio::ui {

class ConversationList : public QAbstractListModel {
    Q_OBJECT
  public:
    enum Role {
        TitleRole = Qt::UserRole,  // QString; null while it is not read yet
        LanguageRole,              // QString
        MessagesRole,              // int
        TurnsRole,                 // int
        QualityRole,               // double; invalid where there is none
        TreeRole,                  // int: index into the catalogue
    };
    explicit ConversationList(Library& library, QObject* parent = nullptr);

    void show(std::shared_ptr<const Listing> listing);
    const std::shared_ptr<const Listing>& listing() const { return listing_; }
    int rowOfTree(std::int32_t tree) const;  // −1: not listed
    std::int32_t treeAt(int row) const;      // −1: no such row

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

  private:
    QString title(int row) const;
    QString spoken(int row) const;
    void fetch();

    Library& library_;
    std::shared_ptr<const Listing> listing_;
    std::shared_ptr<const corpus::Catalogue> titled_;  // the catalogue that titles_ belong to
    mutable QHash<std::int32_t, QString> titles_;
    mutable std::set<std::int32_t> wanted_;  // asked for by the view, not read yet
    std::set<std::int32_t> pending_;
    QTimer fetch_;
};

}  // namespace studio::ui
