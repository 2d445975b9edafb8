#include "ui/models/adapter_table.h"

#include <QPainter>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

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
        if (index.column() == Peft && !a.sound) return text(a.problem);
        return index.column() == Name ? pathText(a.folder) : data(index, Qt::DisplayRole);
    }
    if (role == Qt::UserRole && index.column() == Peft) return a.sound;
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
            return a.r == 0 ? absent() : tr("%1 · %2").arg(number(qint64(a.r)), text(a.modules));
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
    painter->save();
    const QPalette& palette = option.palette;
    const bool chosen = option.state & QStyle::State_Selected;
    if (chosen) painter->fillRect(option.rect, colour(Hue::AccentWash, palette));
    painter->fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1),
                      colour(Hue::Line, palette));
    if (chosen && option.state & QStyle::State_Active && index.column() == 0 && option.widget &&
        option.widget->hasFocus())
        painter->fillRect(QRect(option.rect.left(), option.rect.top(), 3, option.rect.height()),
                          colour(Hue::Accent, palette));
    QRect inner = option.rect.adjusted(3 * kSpace, 0, -3 * kSpace, -1);
    painter->setFont(option.font);
    const QString words = index.data().toString();
    QColor ink = colour(Hue::Text, palette);
    if (index.column() == AdapterTable::Peft) {
        const bool sound = index.data(Qt::UserRole).toBool();
        const int side = option.fontMetrics.height() - 2;
        const QColor mark = colour(sound ? Hue::Good : Hue::Careful, palette);
        drawGlyph(*painter, sound ? Glyph::Tick : Glyph::Careful,
                  QRectF(inner.left(), inner.center().y() - side / 2.0, side, side), mark);
        inner.setLeft(inner.left() + side + 2 * kSpace);
        if (!sound) ink = mark;
    }
    painter->setPen(ink);
    if (index.column() == AdapterTable::Validation || index.column() == AdapterTable::Size)
        drawFigures(*painter, inner, words);
    else
        painter->drawText(inner, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine),
                          option.fontMetrics.elidedText(words, Qt::ElideRight, inner.width()));
    painter->restore();
}

}  // namespace studio::ui
