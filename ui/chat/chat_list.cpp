#include "ui/chat/chat_list.h"

#include <QDateTime>
#include <QLocale>
#include <QPainter>

#include "ui/chat/text_blocks.h"
#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

QString oneLine(const QString& text) {
    return visibleText(text).simplified();
}

// The time today, the day this year, else the date.
QString whenText(const std::string& iso) {
    const QDateTime when = QDateTime::fromString(text(iso), Qt::ISODate).toLocalTime();
    if (!when.isValid()) return {};
    const QLocale locale;
    const QDate today = QDate::currentDate();
    if (when.date() == today) {
        QString format = locale.timeFormat(QLocale::ShortFormat);
        return locale.toString(when.time(), format.remove(QStringLiteral(":ss")));
    }
    if (when.date().year() == today.year()) return locale.toString(when.date(), QStringLiteral("d MMM"));
    return locale.toString(when.date(), QLocale::ShortFormat);
}

}  // namespace

ChatListModel::ChatListModel(ChatBook& book, ModelShelf& shelf, QObject* parent)
    : QAbstractListModel(parent), book_(book), shelf_(shelf) {
    connect(&book, &ChatBook::listChanged, this, &ChatListModel::reread);
    connect(&shelf, &ModelShelf::changed, this, &ChatListModel::reread);
    reread();
}

void ChatListModel::reread() {
    std::vector<Line> lines;
    for (const project::Chat* chat : book_.order()) {
        Line line;
        line.id = text(chat->id);
        line.title = oneLine(text(chat->heading()));
        if (line.title.isEmpty()) line.title = tr("New chat");
        const project::ChatModel& key = chat->settings.model;
        if (const ModelChoice* choice = shelf_.find(key))
            line.model = choice->short_;
        else
            line.model = text(!key.run.empty() ? key.run : std::filesystem::path(key.base).filename().string());
        if (chat->settings.compare && !key.run.empty()) line.model = tr("%1 and base").arg(line.model);
        if (const int branches = chat->branches(); branches > 1)
            line.model = tr("%1 · %n branch(es)", nullptr, branches).arg(line.model);
        line.when = whenText(chat->changed);
        lines.push_back(std::move(line));
    }
    if (lines == lines_) return;
    bool same_ids = lines.size() == lines_.size();
    for (std::size_t i = 0; same_ids && i < lines.size(); ++i) same_ids = lines[i].id == lines_[i].id;
    if (same_ids) {
        lines_ = std::move(lines);
        Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    lines_ = std::move(lines);
    endResetModel();
}

int ChatListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(lines_.size());
}

QVariant ChatListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const Line& line = lines_[static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole:
        case Qt::EditRole:
            return line.title;
        case Qt::ToolTipRole:
            return toolTipText(line.title);
        case Qt::AccessibleTextRole:
            return tr("%1, %2, %3").arg(line.title, line.model, line.when);
        case IdRole:
            return line.id;
        case ModelRole:
            return line.model;
        case WhenRole:
            return line.when;
        default:
            return {};
    }
}

bool ChatListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !checkIndex(index, CheckIndexOption::IndexIsValid)) return false;
    Q_EMIT renamed(lines_[static_cast<std::size_t>(index.row())].id, value.toString());
    return true;
}

Qt::ItemFlags ChatListModel::flags(const QModelIndex& index) const {
    return QAbstractListModel::flags(index) | Qt::ItemIsEditable;
}

QModelIndex ChatListModel::indexOf(const std::string& id) const {
    const QString wanted = text(id);
    for (std::size_t i = 0; i < lines_.size(); ++i)
        if (lines_[i].id == wanted) return index(static_cast<int>(i));
    return {};
}

QSize ChatListDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {40, QFontMetrics(option.font).height() + QFontMetrics(secondaryFont(option.font)).height() + 5 * kSpace};
}

void ChatListDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                                            const QModelIndex&) const {
    editor->setGeometry(option.rect.adjusted(kSpace, kSpace, -kSpace, -kSpace));
}

void ChatListDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    painter->save();
    const QPalette& palette = option.palette;
    const QRect rect = option.rect;
    const bool chosen = option.state & QStyle::State_Selected;
    if (chosen) painter->fillRect(rect, colour(Hue::AccentWash, palette));
    painter->fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colour(Hue::Line, palette));
    if (chosen && option.state & QStyle::State_HasFocus) {
        painter->setPen(QPen(colour(Hue::Accent, palette), 2));
        painter->drawRect(rect.adjusted(1, 1, -1, -2));
    }
    const QRect inner = rect.adjusted(3 * kSpace, 2 * kSpace, -3 * kSpace, -2 * kSpace);
    painter->setFont(option.font);
    painter->setPen(colour(Hue::Text, palette));
    const QFontMetrics metrics(option.font);
    painter->drawText(QPoint(inner.left(), inner.top() + metrics.ascent()),
                      metrics.elidedText(index.data().toString(), Qt::ElideRight, inner.width()));
    const QFont small = secondaryFont(option.font);
    const QFontMetrics secondary(small);
    painter->setFont(small);
    painter->setPen(colour(Hue::Secondary, palette));
    const QString when = index.data(ChatListModel::WhenRole).toString();
    const int baseline = inner.bottom() - secondary.descent();
    const int width = secondary.horizontalAdvance(when);
    painter->drawText(QPoint(inner.right() - width, baseline), when);
    painter->drawText(QPoint(inner.left(), baseline),
                      secondary.elidedText(index.data(ChatListModel::ModelRole).toString(), Qt::ElideRight,
                                           inner.width() - width - 2 * kSpace));
    painter->restore();
}

}  // namespace studio::ui
