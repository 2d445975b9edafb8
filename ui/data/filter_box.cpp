#include "ui/data/filter_box.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QKeyEvent>
#include <QListView>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QSyntaxHighlighter>

#include "ui/data/filter_words.h"
#include "ui/look/colours.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr int kSettle = 150;  // ms of silence before a filter is asked about
constexpr int kMaxHistory = 50;
constexpr int kShownRows = 9;
constexpr int kEdge = 2;  // between the rounded frame and the text's square ground

// A completion and what it means, on one line.
class CompletionDelegate : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const bool selected = option.state & QStyle::State_Selected;
        painter->save();
        if (selected) painter->fillRect(option.rect, colour(Hue::AccentWash, option.palette));
        QRect box = option.rect.adjusted(2 * kSpace, 0, -2 * kSpace, 0);
        painter->setFont(codeFont(option.font));
        painter->setPen(colour(Hue::Text, option.palette));
        const QString name = index.data().toString();
        painter->drawText(box, static_cast<int>(Qt::AlignVCenter | Qt::AlignLeft), name);
        box.setLeft(box.left() + std::max(characterWidth(painter->font()) * 20,
                                          painter->fontMetrics().horizontalAdvance(name) + 3 * kSpace));
        painter->setFont(secondaryFont(option.font));
        painter->setPen(colour(Hue::Secondary, option.palette));
        const QString help = index.data(Qt::ToolTipRole).toString();
        painter->drawText(box, static_cast<int>(Qt::AlignVCenter | Qt::AlignLeft),
                          painter->fontMetrics().elidedText(help, Qt::ElideRight, box.width()));
        painter->restore();
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const override {
        return {characterWidth(option.font) * 60, rowHeight(option.font)};
    }
};

}  // namespace

class FilterBox::Highlighter : public QSyntaxHighlighter {
  public:
    explicit Highlighter(FilterBox* box) : QSyntaxHighlighter(box->document()), box_(box) {}
    int error_begin = 0, error_end = 0;

  protected:
    void highlightBlock(const QString& text) override {
        using Kind = FilterToken::Kind;
        for (const FilterToken& token : filterTokens(text)) {
            QTextCharFormat format;
            Hue hue = Hue::Text;
            if (token.kind == Kind::Field) hue = Hue::Assistant;
            if (token.kind == Kind::Keyword) hue = Hue::Accent;
            if (token.kind == Kind::Quoted) hue = Hue::Adapted;
            if (token.kind == Kind::Operator) hue = Hue::Secondary;
            if (token.kind == Kind::Keyword) format.setFontWeight(QFont::DemiBold);
            format.setForeground(colour(hue, box_));
            setFormat(token.begin, token.end - token.begin, format);
        }
        for (int i = error_begin; i < std::min(error_end, static_cast<int>(text.size())); ++i) {
            QTextCharFormat wrong = format(i);
            wrong.setUnderlineStyle(QTextCharFormat::WaveUnderline);
            wrong.setUnderlineColor(colour(Hue::Bad, box_));
            wrong.setForeground(colour(Hue::Bad, box_));
            setFormat(i, 1, wrong);
        }
    }

  private:
    FilterBox* box_;
};

FilterBox::FilterBox(QWidget* parent)
    : QPlainTextEdit(parent), highlighter_(new Highlighter(this)), popup_(new QListView(this)) {
    setLineWrapMode(QPlainTextEdit::NoWrap);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTabChangesFocus(true);
    setFrameShape(QFrame::NoFrame);
    setViewportMargins(kSpace, kEdge, kSpace, kEdge);
    setAccessibleName(tr("Filter"));
    setPlaceholderText(tr("Filter, for example quality>=0.6"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    settle_.setSingleShot(true);
    settle_.setInterval(kSettle);
    connect(&settle_, &QTimer::timeout, this, &FilterBox::settled);
    connect(this, &QPlainTextEdit::textChanged, this, [this] {
        if (!walking_) history_at_ = -1;
        settle_.start();
        Q_EMIT edited();
    });
    popup_->setWindowFlags(Qt::ToolTip);
    popup_->setFocusPolicy(Qt::NoFocus);
    popup_->setFocusProxy(this);
    popup_->setAccessibleName(tr("Completions"));
    popup_->setModel(new QStandardItemModel(popup_));
    popup_->setItemDelegate(new CompletionDelegate(popup_));
    popup_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    popup_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    popup_->viewport()->installEventFilter(this);
    restyle();
}

void FilterBox::restyle() {
    styling_ = true;
    setFont(codeFont(QApplication::font()));
    const int height = std::max(controlHeight(QApplication::font()), fontMetrics().height() + 2 * kSpace);
    document()->setDocumentMargin(std::max(2.0, (height - 2 * kEdge - fontMetrics().lineSpacing()) / 2.0));
    popup_->setFont(QApplication::font());
    highlighter_->rehighlight();
    updateGeometry();
    styling_ = false;
}

QSize FilterBox::sizeHint() const {
    const int height = std::max(controlHeight(QApplication::font()), fontMetrics().height() + 2 * kSpace);
    return {characterWidth(font()) * 40, height};
}

QSize FilterBox::minimumSizeHint() const {
    return {characterWidth(font()) * 16, sizeHint().height()};
}

void FilterBox::setFilter(const QString& text) {
    if (text == filter()) return;
    QTextCursor cursor(document());
    cursor.select(QTextCursor::Document);
    cursor.insertText(text);  // keeps undo, unlike setPlainText
    popup_->hide();
    settle_.stop();
    Q_EMIT settled();
}

void FilterBox::setError(int begin, int end) {
    wrong_ = end > begin;
    update();
    if (highlighter_->error_begin == begin && highlighter_->error_end == end) return;
    highlighter_->error_begin = begin;
    highlighter_->error_end = end;
    const QSignalBlocker quiet(this);  // a highlight is no edit
    highlighter_->rehighlight();
    viewport()->update();
}

void FilterBox::setHistory(const QStringList& history) {
    history_ = history.mid(0, kMaxHistory);
}

void FilterBox::remember() {
    const QString text = filter().trimmed();
    if (text.isEmpty()) return;
    history_.removeAll(text);
    history_.prepend(text);
    history_ = history_.mid(0, kMaxHistory);
}

bool FilterBox::escape() {
    if (completing()) {
        popup_->hide();
        return true;
    }
    if (filter().isEmpty()) return false;
    remember();
    setFilter({});
    return true;
}

bool FilterBox::walkHistory(int step) {
    const int next = history_at_ + step;
    if (next < -1 || next >= history_.size()) return false;
    if (history_at_ < 0) draft_ = filter();
    history_at_ = next;
    walking_ = true;
    setFilter(next < 0 ? draft_ : history_[next]);
    walking_ = false;
    moveCursor(QTextCursor::End);
    return true;
}

bool FilterBox::completionKey(QKeyEvent* event) {
    const int row = popup_->currentIndex().row(), rows = popup_->model()->rowCount();
    const auto go = [&](int to) { popup_->setCurrentIndex(popup_->model()->index((to + rows) % rows, 0)); };
    switch (event->key()) {
        case Qt::Key_Down:
            go(row + 1);
            return true;
        case Qt::Key_Up:
            go(row < 0 ? rows - 1 : row - 1);
            return true;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (row < 0) return false;
            take(row);
            return true;
        case Qt::Key_Tab:
            take(std::max(0, row));
            return true;
        case Qt::Key_Escape:
            popup_->hide();
            return true;
        default:
            return false;
    }
}

void FilterBox::keyPressEvent(QKeyEvent* event) {
    if (completing() && completionKey(event)) return event->accept();
    switch (event->key()) {
        case Qt::Key_Return:
        case Qt::Key_Enter:
            popup_->hide();
            settle_.stop();
            remember();
            Q_EMIT settled();
            return event->accept();
        case Qt::Key_Up:
            if (walkHistory(1)) event->accept();
            return;
        case Qt::Key_Down:
            if (walkHistory(-1)) event->accept();
            return;
        case Qt::Key_Escape:
            if (!escape()) event->ignore();
            return;
        default:
            break;
    }
    const bool asked = event->key() == Qt::Key_Space && event->modifiers() == Qt::ControlModifier;
    const QString before = filter();
    if (!asked) QPlainTextEdit::keyPressEvent(event);
    if (asked || (filter() != before && !event->text().isEmpty())) complete();
}

void FilterBox::complete() {
    const auto found = completions(filter(), textCursor().position(), languages_, word_begin_);
    auto* model = static_cast<QStandardItemModel*>(popup_->model());
    model->clear();
    for (const Completion& completion : found) {
        auto* item = new QStandardItem(completion.text);
        item->setToolTip(completion.help);
        item->setAccessibleText(completion.text + QStringLiteral(". ") + completion.help);
        model->appendRow(item);
    }
    if (found.empty()) return popup_->hide();
    const int rows = std::min<int>(kShownRows, static_cast<int>(found.size()));
    popup_->resize(characterWidth(font()) * 64, rows * rowHeight(QApplication::font()) + 2 * popup_->frameWidth());
    QTextCursor cursor = textCursor();
    cursor.setPosition(word_begin_);
    popup_->move(viewport()->mapToGlobal(QPoint(cursorRect(cursor).left() - 2 * kSpace, viewport()->height() + 2)));
    popup_->setCurrentIndex({});
    popup_->show();
}

void FilterBox::take(int row) {
    const QString text = popup_->model()->index(row, 0).data().toString();
    popup_->hide();
    QTextCursor cursor = textCursor();
    const int end = cursor.position();
    cursor.setPosition(word_begin_);
    cursor.setPosition(end, QTextCursor::KeepAnchor);
    cursor.insertText(text);
    setTextCursor(cursor);
    if (text.endsWith(QLatin1Char(':'))) complete();
}

bool FilterBox::eventFilter(QObject* watched, QEvent* event) {
    if (watched == popup_->viewport() && event->type() == QEvent::MouseButtonRelease) {
        const QModelIndex index = popup_->indexAt(static_cast<QMouseEvent*>(event)->position().toPoint());
        if (index.isValid()) take(index.row());
        return true;
    }
    return QPlainTextEdit::eventFilter(watched, event);
}

void FilterBox::insertFromMimeData(const QMimeData* source) {
    insertPlainText(source->text().simplified());
}

bool FilterBox::event(QEvent* event) {
    if (event->type() != QEvent::Paint) return QPlainTextEdit::event(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double line = hasFocus() || wrong_ ? 2 : 1;
    painter.setPen(QPen(colour(wrong_ ? Hue::Bad : hasFocus() ? Hue::Accent : Hue::Line, this), line));
    painter.setBrush(colour(Hue::Surface, this));
    painter.drawRoundedRect(QRectF(rect()).adjusted(line / 2, line / 2, -line / 2, -line / 2), 4, 4);
    return true;
}

void FilterBox::focusInEvent(QFocusEvent* event) {
    QPlainTextEdit::focusInEvent(event);
    update();
}

void FilterBox::focusOutEvent(QFocusEvent* event) {
    update();
    if (event->reason() != Qt::PopupFocusReason) popup_->hide();
    QPlainTextEdit::focusOutEvent(event);
}

void FilterBox::wheelEvent(QWheelEvent* event) {
    event->ignore();  // one line does not scroll
}

void FilterBox::changeEvent(QEvent* event) {
    QPlainTextEdit::changeEvent(event);
    if (styling_) return;
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::ApplicationFontChange) restyle();
}

}  // namespace studio::ui
