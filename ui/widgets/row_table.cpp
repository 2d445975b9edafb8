#include "ui/widgets/row_table.h"

#include <QHeaderView>
#include <QPainter>

#include "ui/look/colours.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

namespace studio::ui {
namespace {

// Words in secondary ink over a hairline; an arrow where it is sorted.
class RowHeader final : public QHeaderView {
  public:
    explicit RowHeader(QWidget* parent) : QHeaderView(Qt::Horizontal, parent) {
        setSectionsClickable(true);
        setHighlightSections(false);
        setStretchLastSection(true);
        viewport()->setAutoFillBackground(false);
    }

  protected:
    QSize sectionSizeFromContents(int section) const override {
        const QFontMetrics metrics(secondaryFont(font()));
        const QString words = model()->headerData(section, Qt::Horizontal, Qt::DisplayRole).toString();
        return {metrics.horizontalAdvance(words) + 6 * kSpace + metrics.height() / 2, metrics.height() + 3 * kSpace};
    }
    void paintSection(QPainter* painter, const QRect& rect, int section) const override {
        painter->save();
        painter->fillRect(rect, colour(Hue::Window, this));
        painter->setPen(colour(Hue::Line, this));
        painter->drawLine(rect.bottomLeft(), rect.bottomRight());
        const QFont small = secondaryFont(font());
        painter->setFont(small);
        painter->setPen(colour(Hue::Secondary, this));
        const QString words = model()->headerData(section, Qt::Horizontal, Qt::DisplayRole).toString();
        const int align = model()->headerData(section, Qt::Horizontal, Qt::TextAlignmentRole).toInt();
        const bool right = align & Qt::AlignRight;
        const bool sorted = isSortIndicatorShown() && sortIndicatorSection() == section;
        const QFontMetrics metrics(small);
        const int arrow = sorted ? metrics.height() / 2 + 2 : 0;
        QRect box = rect.adjusted(2 * kSpace, 0, -2 * kSpace, 0);
        const QString shown = metrics.elidedText(words, Qt::ElideRight, box.width() - arrow);
        const int wide = metrics.horizontalAdvance(shown);
        const int x = right ? box.right() - wide - arrow : box.left();
        painter->drawText(QRect(x, box.top(), wide + 2, box.height()), Qt::AlignLeft | Qt::AlignVCenter, shown);
        if (sorted) {
            const bool up = sortIndicatorOrder() == Qt::AscendingOrder;
            const double half = metrics.height() / 5.0, cx = x + wide + 4 + half, cy = rect.center().y() + 1;
            const double tip = up ? cy - half : cy + half, base = up ? cy + half * 0.6 : cy - half * 0.6;
            painter->setRenderHint(QPainter::Antialiasing);
            painter->setBrush(painter->pen().color());
            painter->drawPolygon(QPolygonF{{cx - half, base}, {cx + half, base}, {cx, tip}});
        }
        painter->restore();
    }
};

}  // namespace

RowTable::RowTable(QWidget* parent) : QTableView(parent) {
    setHorizontalHeader(new RowHeader(this));
    setItemDelegate(new RowDelegate(this));
    setSelectionBehavior(SelectRows);
    setSelectionMode(SingleSelection);
    setEditTriggers(NoEditTriggers);
    setFrameShape(QFrame::NoFrame);
    setShowGrid(false);
    setTabKeyNavigation(false);
    setWordWrap(false);
    setHorizontalScrollMode(ScrollPerPixel);
    setVerticalScrollMode(ScrollPerPixel);
    viewport()->setAutoFillBackground(false);
    verticalHeader()->hide();
    restyle();
}

void RowTable::restyle() {
    verticalHeader()->setDefaultSectionSize(ui::rowHeight(font()) + kSpace / 2);
}

void RowTable::focusInEvent(QFocusEvent* event) {
    QTableView::focusInEvent(event);
    // The focus is seen on a row; the view makes one the current without choosing it.
    const bool tabbed = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
    if (tabbed && selectionModel() && !selectionModel()->hasSelection() && model()->rowCount() > 0)
        selectRow(std::max(0, currentIndex().row()));
}

void RowTable::changeEvent(QEvent* event) {
    QTableView::changeEvent(event);
    if (event->type() == QEvent::FontChange) restyle();
}

void RowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    painter->save();
    const QPalette& palette = option.palette;
    const bool chosen = option.state & QStyle::State_Selected;
    if (chosen) painter->fillRect(option.rect, colour(Hue::AccentWash, palette));
    const QVariant hue = index.data(RowTable::kHueRole);
    painter->setPen(colour(hue.isValid() ? static_cast<Hue>(hue.toInt()) : Hue::Text, palette));
    painter->setFont(index.data(RowTable::kStrongRole).toBool() ? strongFont(option.font) : option.font);
    const QRect box = option.rect.adjusted(2 * kSpace, 0, -2 * kSpace, 0);
    const QString words = index.data().toString();
    const QFontMetrics metrics(painter->font());
    const bool right = index.data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight;
    if (right && metrics.horizontalAdvance(words) <= box.width())
        drawFigures(*painter, box, words);
    else
        painter->drawText(box, (right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter | Qt::TextSingleLine,
                          metrics.elidedText(words, Qt::ElideRight, box.width()));
    // The focus frame goes round the whole row.
    const auto* table = qobject_cast<const QTableView*>(option.widget);
    if (chosen && table && table->hasFocus()) {
        painter->setPen(QPen(colour(Hue::Accent, palette), 2));
        const QRect row = option.rect;
        painter->drawLine(row.left(), row.top() + 1, row.right(), row.top() + 1);
        painter->drawLine(row.left(), row.bottom(), row.right(), row.bottom());
    }
    painter->restore();
}

}  // namespace studio::ui
