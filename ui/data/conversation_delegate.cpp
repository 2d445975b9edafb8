#include "ui/data/conversation_delegate.h"

#include <QPainter>

#include "ui/data/conversation_list.h"
#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

namespace studio::ui {
namespace {

constexpr int kPadding = 2 * kSpace;

// Separated like the mock's: language, then the counts.
QString facts(const QModelIndex& index) {
    const QString messages =
        ConversationList::tr("%Ln message(s)", nullptr, index.data(ConversationList::MessagesRole).toInt());
    const QString turns =
        ConversationList::tr("%Ln turn(s) deep", nullptr, index.data(ConversationList::TurnsRole).toInt());
    const QString language = index.data(ConversationList::LanguageRole).toString();
    const QString gap = QStringLiteral("   ");
    return (language.isEmpty() ? absent() : language) + gap + messages + gap + turns;
}

}  // namespace

void paintShareBar(QPainter* painter, const QRectF& box, double share, const QPalette& palette) {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(colour(Hue::Line, palette));
    painter->drawRoundedRect(box, box.height() / 2, box.height() / 2);
    QRectF filled = box;
    filled.setWidth(std::max(box.height(), box.width() * std::clamp(share, 0.0, 1.0)));
    if (share > 0) {
        painter->setBrush(colour(Hue::Bar, palette));
        painter->drawRoundedRect(filled, box.height() / 2, box.height() / 2);
    }
    painter->restore();
}

QSize ConversationDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    const int height = QFontMetrics(option.font).height() + QFontMetrics(secondaryFont(option.font)).height();
    return {20 * characterWidth(option.font), height + 2 * kPadding + kSpace};
}

void ConversationDelegate::paintTitle(QPainter* painter, const QRect& box, const QString& title, bool strong,
                                      const QColor& ink) const {
    const QString key = (strong ? QLatin1Char('s') : QLatin1Char('n')) + title;
    Line* line = lines_.object(key);
    if (!line || line->width != box.width() || line->title != painter->font().key()) {
        line = new Line;
        line->title = painter->font().key();
        line->width = box.width();
        line->text.setTextFormat(Qt::PlainText);
        line->text.setText(painter->fontMetrics().elidedText(title, Qt::ElideRight, box.width()));
        line->text.prepare({}, painter->font());
        lines_.insert(key, line);
    }
    painter->setPen(ink);
    painter->drawStaticText(box.topLeft(), line->text);
}

void ConversationDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const {
    const QPalette& palette = option.palette;
    const bool selected = option.state & QStyle::State_Selected;
    painter->save();
    if (selected)
        painter->fillRect(option.rect, colour(Hue::AccentWash, palette));
    else if (option.state & QStyle::State_MouseOver)
        painter->fillRect(option.rect, colour(Hue::Chip, palette));
    painter->fillRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1, colour(Hue::Line, palette));
    if (option.state & QStyle::State_HasFocus) {
        painter->setPen(QPen(colour(Hue::Accent, palette), 2));
        painter->drawRect(option.rect.adjusted(1, 1, -1, -2));
    }
    const QRect box = option.rect.adjusted(3 * kSpace, kPadding, -3 * kSpace, -kPadding);
    const QFont small = secondaryFont(option.font);
    const int first = QFontMetrics(option.font).height(), second = QFontMetrics(small).height();

    painter->setFont(selected ? strongFont(option.font) : option.font);
    const QString title = index.data(ConversationList::TitleRole).toString();
    paintTitle(painter, {box.left(), box.top(), box.width(), first}, title, selected, colour(Hue::Text, palette));

    painter->setFont(small);
    painter->setPen(colour(Hue::Secondary, palette));
    const QRect line(box.left(), box.top() + first + kSpace, box.width(), second);
    const int bar = 7 * characterWidth(painter->font());
    const int figures = painter->fontMetrics().horizontalAdvance(QStringLiteral("0.00")) + kSpace;
    const QRect left = line.adjusted(0, 0, -(bar + figures + 4 * kSpace), 0);
    painter->drawText(left, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                      painter->fontMetrics().elidedText(facts(index), Qt::ElideRight, left.width()));
    const QVariant quality = index.data(ConversationList::QualityRole);
    const QRect value(line.right() - bar - 2 * kSpace - figures, line.top(), figures, second);
    drawFigures(*painter, value, quality.isValid() ? number(quality.toDouble(), 2) : absent());
    if (quality.isValid()) {
        const QRectF track(line.right() - bar, line.center().y() - 1.5, bar, 4);
        paintShareBar(painter, track, quality.toDouble(), palette);
    }
    painter->restore();
}

}  // namespace studio::ui
