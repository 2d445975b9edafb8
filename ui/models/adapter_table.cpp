#include "ui/models/adapter_table.h"

#include <QPainter>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

void AdapterTable::setAdapters(std::vector<jobs::AdapterModel> adapters) {
    beginResetModel();
    adapters_ = std::move(adapters);
    endResetModel();
}

const jobs::AdapterModel* AdapterTable::at(int row) const {
    return row >= 0 && row < rowCount() ? &adapters_[static_cast<std::size_t>(row)] : nullptr;
}

int AdapterTable::rowOf(const std::filesystem::path& folder) const {
    for (std::size_t i = 0; i < adapters_.size(); ++i)
        if (adapters_[i].folder == folder) return static_cast<int>(i);
    return -1;
}

int AdapterTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(adapters_.size());
}

int AdapterTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : kColumns;
}

QVariant AdapterTable::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const jobs::AdapterModel& a = adapters_[static_cast<std::size_t>(index.row())];
    if (role == Qt::TextAlignmentRole)
        return QVariant(index.column() == Validation || index.column() == Size
                            ? Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)
                            : Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole) {
        if (index.column() == Peft && !a.sound) return toolTipText(text(a.problem));
        return toolTipText(index.column() == Name ? pathText(a.folder) : data(index, Qt::DisplayRole).toString());
    }
    if (role == Qt::UserRole && index.column() == Peft) return a.sound;
    if (role == RowTable::kHueRole && index.column() == Peft && !a.sound) return static_cast<int>(Hue::Careful);
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
        case Name:
            if (a.best) return tr("%1 · best").arg(text(a.name));
            return a.newest ? tr("%1 · newest").arg(text(a.name)) : text(a.name);
        case Run:
            return a.run_name.empty() ? tr("imported") : text(a.run_name);
        case Base:
            return a.base_name.empty() ? absent() : text(a.base_name);
        case Modules:
            if (a.r == 0) return absent();
            return a.modules.empty() ? number(qint64(a.r)) : tr("%1 · %2").arg(number(qint64(a.r)), text(a.modules));
        case Validation:
            return number(a.validation, 4);
        case Size:
            return bytes(a.bytes);
        case Peft:
            if (!a.sound) return text(a.problem);
            return a.base.empty() ? tr("sound; its base is not here") : tr("sound");
        default:
            return {};
    }
}

QVariant AdapterTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant(section == Validation || section == Size ? Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)
                                                                 : Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name:
            return tr("Adapter");
        case Run:
            return tr("From run");
        case Base:
            return tr("Base");
        case Modules:
            return tr("r · modules");
        case Validation:
            return tr("Validation");
        case Size:
            return tr("Size");
        case Peft:
            return tr("PEFT");
        default:
            return {};
    }
}

void AdapterDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    if (index.column() != AdapterTable::Peft) return RowDelegate::paint(painter, option, index);
    QStyleOptionViewItem words = option;
    const int side = option.fontMetrics.height() - 2;
    const QRect box = option.rect;
    if (option.state & QStyle::State_Selected) painter->fillRect(box, colour(Hue::AccentWash, option.palette));
    words.rect.setLeft(box.left() + side + 2 * kSpace);
    RowDelegate::paint(painter, words, index);
    const bool sound = index.data(Qt::UserRole).toBool();
    drawGlyph(*painter, sound ? Glyph::Tick : Glyph::Careful,
              QRectF(box.left() + 2 * kSpace, box.center().y() - side / 2.0 + 1, side, side),
              colour(sound ? Hue::Good : Hue::Careful, option.palette));
}

QSize AdapterDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const int glyph = index.column() == AdapterTable::Peft ? option.fontMetrics.height() + 2 * kSpace : 0;
    return RowDelegate::sizeHint(option, index) + QSize(4 * kSpace + glyph, 0);
}

}  // namespace studio::ui
