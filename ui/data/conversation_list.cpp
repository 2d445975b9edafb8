#include "ui/data/conversation_list.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr qsizetype kMaxTitles = 20000;  // kept; beyond it they are read again

}  // namespace

ConversationList::ConversationList(Library& library, QObject* parent) : QAbstractListModel(parent), library_(library) {
    fetch_.setSingleShot(true);
    fetch_.setInterval(0);
    connect(&fetch_, &QTimer::timeout, this, &ConversationList::fetch);
}

void ConversationList::show(std::shared_ptr<const Listing> listing) {
    beginResetModel();
    listing_ = std::move(listing);
    wanted_.clear();
    pending_.clear();
    if (!listing_ || titled_ != listing_->catalogue) titles_.clear();
    titled_ = listing_ ? listing_->catalogue : nullptr;
    if (listing_) {
        for (std::size_t i = 0; i < listing_->first_titles.size(); ++i)
            titles_.insert(listing_->rows[i], listing_->first_titles[i]);
    }
    endResetModel();
}

int ConversationList::rowOfTree(std::int32_t tree) const {
    if (!listing_ || tree < 0 || static_cast<std::size_t>(tree) >= listing_->places.size()) return -1;
    return listing_->places[static_cast<std::size_t>(tree)];
}

std::int32_t ConversationList::treeAt(int row) const {
    if (!listing_ || row < 0 || static_cast<std::size_t>(row) >= listing_->rows.size()) return -1;
    return listing_->rows[static_cast<std::size_t>(row)];
}

int ConversationList::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !listing_ ? 0 : static_cast<int>(listing_->rows.size());
}

QString ConversationList::title(int row) const {
    const std::int32_t tree = treeAt(row);
    if (const auto found = titles_.constFind(tree); found != titles_.constEnd())
        return found->isEmpty() ? tr("(no text)") : *found;
    if (!pending_.contains(tree)) {
        wanted_.insert(tree);
        const_cast<QTimer&>(fetch_).start();
    }
    return {};
}

QString ConversationList::spoken(int row) const {
    const auto& tree = listing_->catalogue->trees()[static_cast<std::size_t>(treeAt(row))];
    const QString quality =
        tree.best_quality ? tr("quality %1").arg(number(static_cast<double>(*tree.best_quality), 2)) : tr("not rated");
    return tr("%1. %2, %3, %4, %5")
        .arg(title(row), text(listing_->catalogue->languages()[static_cast<std::size_t>(tree.language)]),
             tr("%Ln message(s)", nullptr, tree.messages), tr("%Ln turn(s) deep", nullptr, tree.turns), quality);
}

QVariant ConversationList::data(const QModelIndex& index, int role) const {
    const std::int32_t tree_index = treeAt(index.row());
    if (tree_index < 0 || index.column() != 0) return {};
    const auto& tree = listing_->catalogue->trees()[static_cast<std::size_t>(tree_index)];
    switch (role) {
        case Qt::DisplayRole:
        case TitleRole:
            return title(index.row());
        case Qt::AccessibleTextRole:
            return spoken(index.row());
        case LanguageRole:
            return text(listing_->catalogue->languages()[static_cast<std::size_t>(tree.language)]);
        case MessagesRole:
            return tree.messages;
        case TurnsRole:
            return int{tree.turns};
        case QualityRole:
            return tree.best_quality ? QVariant(static_cast<double>(*tree.best_quality)) : QVariant();
        case TreeRole:
            return tree_index;
        default:
            return {};
    }
}

void ConversationList::fetch() {
    if (wanted_.empty()) return;
    std::vector<std::int32_t> trees(wanted_.begin(), wanted_.end());
    pending_.insert(wanted_.begin(), wanted_.end());
    wanted_.clear();
    library_.titles(this, std::move(trees), [this, catalogue = titled_](const Library::Titles& titles) {
        if (catalogue != titled_) return;
        if (titles_.size() > kMaxTitles) titles_.clear();
        for (const auto& [tree, title] : titles) {
            titles_.insert(tree, title);
            pending_.erase(tree);
            if (const int row = rowOfTree(tree); row >= 0)
                Q_EMIT dataChanged(index(row), index(row), {Qt::DisplayRole, TitleRole});
        }
    });
}

}  // namespace studio::ui
