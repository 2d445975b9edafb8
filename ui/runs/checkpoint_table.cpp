#include "ui/runs/checkpoint_table.h"

#include <QContextMenuEvent>
#include <QHeaderView>
#include <QMenu>

#include "ui/look/colours.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kFolderRole = Qt::UserRole, kStepRole = Qt::UserRole + 1;

}  // namespace

CheckpointTable::CheckpointTable(QWidget* parent) : RowTable(parent) {
    setModel(&rows_);
    setAccessibleName(tr("Checkpoints"));
    horizontalHeader()->hide();
    horizontalHeader()->setMinimumSectionSize(10);
    horizontalHeader()->setStretchLastSection(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

CheckpointTable::~CheckpointTable() {
    setModel(nullptr);
}

QSize CheckpointTable::sizeHint() const {
    return {120, rows_.rowCount() * verticalHeader()->defaultSectionSize() + 2};
}

void CheckpointTable::setCheckpoints(const std::vector<CheckpointRow>& checkpoints) {
    const auto same = [](const CheckpointRow& a, const CheckpointRow& b) {
        return a.folder == b.folder && a.best == b.best && a.loss == b.loss;
    };
    // Asked with every message of the live run; rows that stay keep their hover and selection.
    if (std::equal(checkpoints.begin(), checkpoints.end(), shown_.begin(), shown_.end(), same)) return;
    shown_ = checkpoints;
    filling_ = true;
    const int current = currentIndex().row();
    rows_.setRowCount(static_cast<int>(checkpoints.size()));
    for (std::size_t i = 0; i < checkpoints.size(); ++i) {
        const CheckpointRow& row = checkpoints[i];
        const QString cells[] = {number(row.step), row.best ? tr("best") : tr("kept"), number(row.loss, 4)};
        for (int c = 0; c < 3; ++c) {
            auto* item = new QStandardItem(cells[c]);
            item->setTextAlignment((c == 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
            item->setData(pathText(row.folder), kFolderRole);
            item->setData(QVariant::fromValue(row.step), kStepRole);
            item->setData(row.best, kStrongRole);
            if (c == 1 && !row.best) item->setData(static_cast<int>(Hue::Secondary), kHueRole);
            item->setToolTip(tr("Saved %1").arg(ago(row.age)));
            rows_.setItem(static_cast<int>(i), c, item);
        }
    }
    if (current >= 0 && current < rows_.rowCount()) selectRow(current);
    filling_ = false;
    updateGeometry();
}

void CheckpointTable::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
    RowTable::currentChanged(current, previous);
    if (!filling_ && current.isValid()) Q_EMIT marked(current.data(kStepRole).toLongLong());
}

void CheckpointTable::resizeEvent(QResizeEvent* event) {
    RowTable::resizeEvent(event);
    const int third = viewport()->width() * 30 / 100;
    setColumnWidth(0, third);
    setColumnWidth(1, third);
    setColumnWidth(2, viewport()->width() - 2 * third);
}

void CheckpointTable::contextMenuEvent(QContextMenuEvent* event) {
    if (!currentIndex().isValid()) return;
    const QString folder = currentIndex().data(kFolderRole).toString();
    QMenu menu(this);
    menu.addAction(tr("Evaluate This Checkpoint"), this, [this, folder] { Q_EMIT evaluateWanted(folder); });
    menu.addAction(tr("Chat With This Checkpoint"), this, [this, folder] { Q_EMIT chatWanted(folder); });
    menu.addAction(tr("Show Folder"), this, [this, folder] { Q_EMIT folderWanted(folder); });
    menu.exec(event->globalPos());
}

}  // namespace studio::ui
