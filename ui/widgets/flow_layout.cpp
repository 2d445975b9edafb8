#include "ui/widgets/flow_layout.h"

#include <QWidget>

namespace studio::ui {

FlowLayout::FlowLayout(int gap, QWidget* parent) : QLayout(parent), gap_(gap) {
    setContentsMargins(0, 0, 0, 0);
}

FlowLayout::~FlowLayout() {
    for (QLayoutItem* item : items_) delete item;
}

QLayoutItem* FlowLayout::itemAt(int index) const {
    return index >= 0 && index < count() ? items_[static_cast<std::size_t>(index)] : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index) {
    if (index < 0 || index >= count()) return nullptr;
    QLayoutItem* item = items_[static_cast<std::size_t>(index)];
    items_.erase(items_.begin() + index);
    return item;
}

QSize FlowLayout::sizeHint() const {
    int width = 0, height = 0;
    for (const QLayoutItem* item : items_) {
        if (item->isEmpty()) continue;
        width += item->sizeHint().width() + (width ? gap_ : 0);
        height = std::max(height, item->sizeHint().height());
    }
    return {width, height};
}

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const QLayoutItem* item : items_) size = size.expandedTo(item->isEmpty() ? QSize() : item->minimumSize());
    return size;
}

void FlowLayout::setGeometry(const QRect& box) {
    QLayout::setGeometry(box);
    place(box, true);
}

int FlowLayout::place(const QRect& box, bool move) const {
    int y = box.top();
    std::vector<std::pair<QLayoutItem*, int>> line;  // with their widths
    int used = 0, high = 0;
    const auto flush = [&] {
        int x = right_ ? box.left() + box.width() - used : box.left();
        for (const auto& [item, wide] : line) {
            if (move) item->setGeometry({x, y, wide, item->sizeHint().height()});
            x += wide + gap_;
        }
        y += high;
        line.clear();
        used = high = 0;
    };
    for (QLayoutItem* item : items_) {
        if (item->isEmpty()) continue;
        const int wide = std::min(item->sizeHint().width(), box.width());
        if (!line.empty() && used + gap_ + wide > box.width()) {
            flush();
            y += gap_;
        }
        used += wide + (line.empty() ? 0 : gap_);
        line.emplace_back(item, wide);
        high = std::max(high, item->sizeHint().height());
    }
    flush();
    return y - box.top();
}

}  // namespace studio::ui
