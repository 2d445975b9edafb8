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

namespace {

// Words that wrap need more height in less width.
int heightOf(const QLayoutItem* item, int width) {
    return item->hasHeightForWidth() ? item->heightForWidth(width) : item->sizeHint().height();
}

}  // namespace

int FlowLayout::place(const QRect& box, bool move) const {
    int y = box.top();
    std::vector<std::pair<QLayoutItem*, int>> line;  // with their widths
    int used = 0, high = 0;
    const auto flush = [&] {
        const int left_over = std::max(0, box.width() - used), several = std::max(1, static_cast<int>(line.size()));
        const int more = filling_ ? left_over / several : 0;
        int x = right_ && !filling_ ? box.left() + left_over : box.left();
        for (const auto& [item, wide] : line) {
            const bool last = filling_ && item == line.back().first;
            const int width = last ? box.right() + 1 - x : wide + more;
            const int height = heightOf(item, width);
            if (move) item->setGeometry({x, y + (high - height) / 2, width, height});
            x += width + gap_;
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
        high = std::max(high, heightOf(item, wide));
    }
    flush();
    return y - box.top();
}

}  // namespace studio::ui
