#include "ui/data/message_block.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <algorithm>
#include <map>

#include "ui/data/conversation_delegate.h"
#include "ui/data/reading.h"
#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/icons.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr qsizetype kParagraphs = 400;
constexpr qsizetype kChunk = 4000;  // characters of a paragraph that are laid out together

QString tr(const char* words, int n = -1) {
    return QCoreApplication::translate("MessageBlock", words, nullptr, n);
}

// The emojis of OASST by their names; those that only steer its web page are not shown.
QString emojiText(const std::string& name, const QFont& font) {
    static const std::map<std::string, const char16_t*> known = {
        {"+1", u"👍"},          {"-1", u"👎"},       {"red_heart", u"❤"}, {"laughing", u"😆"},     {"rofl", u"🤣"},
        {"thinking", u"🤔"}, {"confused", u"😕"}, {"eyes", u"👀"},      {"disappointed", u"😞"}, {"red_flag", u"🚩"},
        {"heart_eyes", u"😍"},  {"poop", u"💩"},     {"skull", u"💀"},     {"100", u"💯"}};
    if (const auto found = known.find(name); found != known.end()) {
        const QString emoji = QString::fromUtf16(found->second);
        if (QFontMetrics(font).inFontUcs4(emoji.toUcs4().value(0))) return emoji;
    }
    return name.starts_with('_') ? QString() : visibleLine(text(name)).replace(QLatin1Char('_'), QLatin1Char(' '));
}

QString verdictText(corpus::Verdict verdict) {
    switch (verdict) {
        case corpus::Verdict::Kept:
            return {};
        case corpus::Verdict::Deleted:
            return tr("deleted, left out");
        case corpus::Verdict::Orphan:
            return tr("without its parent, left out");
        case corpus::Verdict::Filtered:
            return tr("left out by the filter");
        case corpus::Verdict::Below:
            return tr("left out with the one above");
    }
    return {};
}

Hue hueOf(corpus::Role role) {
    return role == corpus::Role::Prompter    ? Hue::Prompter
           : role == corpus::Role::Assistant ? Hue::Assistant
                                             : Hue::Secondary;
}

double chipWidth(const QFont& font, const QString& words) {
    return QFontMetricsF(font).horizontalAdvance(words) + 4 * kSpace;
}

void paintChip(QPainter& painter, const QRectF& box, const QString& words, const QColor& ink, const QColor& ground) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(ground);
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2);
    painter.setPen(ink);
    painter.drawText(box, static_cast<int>(Qt::AlignCenter), words);
}

}  // namespace

MessageBlock::MessageBlock(const corpus::Message& message, const BlockPlace& place, const BlockFonts& fonts, int width,
                           qsizetype shown)
    : role_(message.role), place_(place), fonts_(fonts), width_(width), original_(text(message.text)) {
    text_ = visibleText(original_.left(shown));
    hidden_ = original_.size() - text_.size();
    right_to_left_ = text_.left(400).isRightToLeft();
    if (message.rank) rank_ = tr("rank %1").arg(*message.rank);
    if (place.verdict) left_out_ = verdictText(*place.verdict);
    if (left_out_.isEmpty() && message.deleted) left_out_ = tr("deleted");
    if (place.replies > 1) {
        const QString words = message.role == corpus::Role::Prompter ? tr("message %1 of %2") : tr("reply %1 of %2");
        switch_text_ = words.arg(QString::number(place.reply + 1), QString::number(place.replies));
    }
    length_ =
        QCoreApplication::translate("MessageBlock", "%Ln character(s)", nullptr, static_cast<int>(message.length));
    if (const auto label = message.labels.find("quality"); label != message.labels.end())
        quality_ = label->second.value;
    quality_text_ = tr("quality  %1").arg(number(quality_, 2));
    QStringList more;
    if (const auto label = message.labels.find("toxicity"); label != message.labels.end() && label->second.value)
        more << tr("toxicity  %1").arg(number(label->second.value, 2));
    if (message.synthetic) more << tr("written by a model");
    QStringList emojis;
    for (const auto& [name, count] : message.emojis)
        if (const QString emoji = emojiText(name, fonts_.small); !emoji.isEmpty() && count > 0)
            emojis << emoji + QLatin1Char(' ') + number(static_cast<qint64>(count));
    if (!emojis.isEmpty()) more << emojis.join(QStringLiteral("   "));
    more_labels_ = more.join(QStringLiteral("  ·  "));

    const QFontMetricsF small(fonts_.small), strong(fonts_.strong);
    const double chip = small.height() + 2;
    header_height_ = std::max(strong.height(), chip);
    double x = kBlockIndent + strong.height() * 0.9 + strong.horizontalAdvance(roleText(role_)) + 2 * kSpace;
    double y = 2 * kSpace;
    const double right = width_ - 2 * kSpace;
    const double length_width = small.horizontalAdvance(length_) + 2 * kSpace;
    const auto put = [&](const QString& words, QRectF& box, double extra = 0) {
        if (words.isEmpty()) return;
        const double wide = chipWidth(fonts_.small, words) + extra;
        const double limit = y > 3 * kSpace ? right : right - length_width;
        if (x + wide > limit && x > kBlockIndent + 1) {
            x = kBlockIndent;
            y += chip + kSpace;
        }
        box = QRectF(x, y + (header_height_ - chip) / 2, wide, chip);
        x += wide + 2 * kSpace;
    };
    put(rank_, rank_box_);
    put(switch_text_, switch_box_, 2 * chip);
    put(left_out_, left_out_box_);
    placeSwitch();
    layOutText(y + header_height_ + kSpace);
}

void MessageBlock::placeSwitch() {
    if (switch_text_.isEmpty()) return;
    const double side = switch_box_.height() + kSpace;
    previous_box_ = QRectF(switch_box_.left(), switch_box_.top() - 3, side, switch_box_.height() + 6);
    next_box_ = QRectF(switch_box_.right() - side, switch_box_.top() - 3, side, switch_box_.height() + 6);
}

void MessageBlock::layOutText(double top) {
    const double available = std::max(40, width_ - kBlockIndent - 3 * kSpace);
    double y = top;
    const QFontMetricsF body(fonts_.body), small(fonts_.small);
    // A paragraph has a layout of its own; thousands of short ones share some.
    const bool many = text_.count(QLatin1Char('\n')) > kParagraphs;
    for (qsizetype begin = 0; begin <= text_.size();) {
        qsizetype end = many && begin + kChunk < text_.size() ? text_.lastIndexOf(QLatin1Char('\n'), begin + kChunk)
                        : many                                ? text_.size()
                                                              : text_.indexOf(QLatin1Char('\n'), begin);
        if (many && end <= begin) end = std::min(begin + kChunk, text_.size());
        if (end < 0) end = text_.size();
        const qsizetype paragraph_end = end;
        if (end - begin > kChunk) {
            end = begin + kChunk;
            while (end > begin + kChunk / 2 && !text_[end].isSpace()) --end;
            if (end <= begin + kChunk / 2) end = begin + kChunk;
            if (text_[end].isLowSurrogate()) --end;
        }
        Chunk chunk;
        chunk.begin = begin;
        chunk.top = y;
        QString words = text_.mid(begin, end - begin);
        if (many) words.replace(QLatin1Char('\n'), QChar::LineSeparator);
        chunk.layout = std::make_unique<QTextLayout>(words, fonts_.body);
        QTextOption option;
        option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
        option.setTextDirection(right_to_left_ ? Qt::RightToLeft : Qt::LayoutDirectionAuto);
        option.setTabStopDistance(body.horizontalAdvance(QLatin1Char(' ')) * 4);
        chunk.layout->setTextOption(option);
        chunk.layout->setCacheEnabled(true);
        chunk.layout->beginLayout();
        double height = 0;
        for (;;) {
            QTextLine line = chunk.layout->createLine();
            if (!line.isValid()) break;
            line.setLineWidth(available);
            line.setPosition({0, height});
            height += line.height() + 1;
        }
        chunk.layout->endLayout();
        chunk.height = std::max(height, begin == end ? body.height() * 0.6 : 0.0);
        y += chunk.height;
        chunks_.push_back(std::move(chunk));
        begin = end < text_.size() && text_[end] == QLatin1Char('\n') ? end + 1 : end;
        if (begin < text_.size() && end < paragraph_end && text_[begin].isSpace()) ++begin;
        if (end >= text_.size()) break;
    }
    if (hidden_ > 0) {
        y += kSpace;
        more_top_ = y;
        const QString words = QCoreApplication::translate("MessageBlock", "Show more: %Ln character(s) are left",
                                                          nullptr, static_cast<int>(hidden_));
        more_box_ = QRectF(kBlockIndent, y, small.horizontalAdvance(words) + 2 * kSpace, small.height() + 2 * kSpace);
        y += more_box_.height();
    }
    labels_top_ = y + kSpace;
    height_ = static_cast<int>(labels_top_ + small.height() + 2 * kSpace + 0.5);
}

void MessageBlock::paintHeader(QPainter& painter, const QPointF& at, const QPalette& palette) const {
    const QFontMetricsF strong(fonts_.strong);
    const QColor hue = colour(hueOf(role_), palette);
    const double side = strong.height() * 0.5;
    const QRectF cue(at.x() + kBlockIndent, at.y() + 2 * kSpace + (header_height_ - side) / 2, side, side);
    painter.setPen(Qt::NoPen);
    painter.setBrush(hue);
    if (role_ == corpus::Role::Assistant)
        painter.drawEllipse(cue);
    else if (role_ == corpus::Role::Prompter)
        painter.drawRoundedRect(cue, 1.5, 1.5);
    else
        painter.drawPolygon(
            QPolygonF({{cue.center().x(), cue.top()}, {cue.right(), cue.bottom()}, {cue.left(), cue.bottom()}}));
    painter.setFont(fonts_.strong);
    painter.setPen(hue);
    const QRectF name(cue.left() + strong.height() * 0.9, at.y() + 2 * kSpace, width_, header_height_);
    painter.drawText(name, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter), roleText(role_));

    painter.setFont(fonts_.small);
    const QColor ground = colour(Hue::Chip, palette), ink = colour(Hue::Text, palette);
    if (!rank_.isEmpty()) paintChip(painter, rank_box_.translated(at), rank_, hue, ground);
    if (!left_out_.isEmpty())
        paintChip(painter, left_out_box_.translated(at), left_out_, colour(Hue::Careful, palette),
                  colour(Hue::CarefulWash, palette));
    if (!switch_text_.isEmpty()) {
        paintChip(painter, switch_box_.translated(at), switch_text_, ink, ground);
        const double edge = switch_box_.height() * 0.62;
        const auto arrow = [&](Glyph glyph, const QRectF& box, bool enabled) {
            drawGlyph(painter, glyph,
                      QRectF(box.center().x() - edge / 2, box.center().y() - edge / 2, edge, edge).translated(at),
                      colour(enabled ? Hue::Text : Hue::BarFaint, palette));
        };
        arrow(Glyph::Left, previous_box_, place_.reply > 0);
        arrow(Glyph::Right, next_box_, place_.reply + 1 < place_.replies);
    }
    painter.setPen(colour(Hue::Secondary, palette));
    painter.drawText(QRectF(at.x(), at.y() + 2 * kSpace, width_ - 2 * kSpace, header_height_),
                     static_cast<int>(Qt::AlignRight | Qt::AlignVCenter), length_);
}

void MessageBlock::paintLabels(QPainter& painter, const QPointF& at, const QPalette& palette) const {
    painter.setFont(fonts_.small);
    painter.setPen(colour(Hue::Secondary, palette));
    const QFontMetricsF small(fonts_.small);
    // On one baseline: an emoji's own font would move a text that is centred.
    const double top = at.y() + labels_top_, baseline = top + small.ascent();
    double x = at.x() + kBlockIndent;
    painter.drawText(QPointF(x, baseline), quality_text_);
    x += small.horizontalAdvance(quality_text_) + 2 * kSpace;
    if (quality_) {
        const double bar = small.averageCharWidth() * 8;
        paintShareBar(&painter, QRectF(x, baseline - small.xHeight() / 2 - 2, bar, 4), *quality_, palette);
        x += bar + 2 * kSpace;
    }
    if (more_labels_.isEmpty()) return;
    painter.setPen(colour(Hue::Secondary, palette));
    painter.drawText(QPointF(x, baseline), QStringLiteral("·  ") + more_labels_);
}

void MessageBlock::paint(QPainter& painter, const QPointF& at, const QPalette& palette, qsizetype from, qsizetype to,
                         bool current, bool focus) const {
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF whole(at.x(), at.y(), width_, height_);
    if (current) {
        painter.setPen(focus ? QPen(colour(Hue::Accent, palette), 1.5) : QPen(Qt::NoPen));
        painter.setBrush(colour(Hue::Surface, palette));
        painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 4, 4);
    }
    painter.fillRect(QRectF(at.x() + 2, at.y() + 2, 3, height_ - 4), colour(hueOf(role_), palette));
    paintHeader(painter, at, palette);
    const bool dimmed = place_.verdict && *place_.verdict != corpus::Verdict::Kept;
    painter.setPen(colour(dimmed ? Hue::Faint : Hue::Text, palette));
    painter.setFont(fonts_.body);
    const QRectF clip = painter.hasClipping() ? painter.clipBoundingRect() : whole;
    for (const Chunk& chunk : chunks_) {
        const double top = at.y() + chunk.top;
        if (top > clip.bottom() || top + chunk.height < clip.top()) continue;
        QList<QTextLayout::FormatRange> selections;
        const qsizetype length = chunk.layout->text().size();
        const qsizetype begin = std::clamp(from - chunk.begin, qsizetype{0}, length);
        const qsizetype end = std::clamp(to - chunk.begin, qsizetype{0}, length);
        if (begin < end) {
            QTextLayout::FormatRange range;
            range.start = static_cast<int>(begin);
            range.length = static_cast<int>(end - begin);
            range.format.setBackground(palette.highlight());
            range.format.setForeground(palette.highlightedText());
            selections << range;
        }
        chunk.layout->draw(&painter, QPointF(at.x() + kBlockIndent, top), selections, clip);
    }
    if (hidden_ > 0) {
        painter.setFont(fonts_.small);
        painter.setPen(colour(Hue::Accent, palette));
        painter.drawText(more_box_.translated(at), static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                         QCoreApplication::translate("MessageBlock", "Show more: %Ln character(s) are left", nullptr,
                                                     static_cast<int>(hidden_)));
    }
    paintLabels(painter, at, palette);
}

MessageBlock::Part MessageBlock::partAt(const QPointF& point) const {
    if (previous_box_.contains(point)) return Part::Previous;
    if (next_box_.contains(point)) return Part::Next;
    if (hidden_ > 0 && more_box_.contains(point)) return Part::More;
    const double bottom = hidden_ > 0 ? more_top_ : labels_top_;
    if (!chunks_.empty() && point.y() >= chunks_.front().top && point.y() < bottom && point.x() >= kBlockIndent)
        return Part::Text;
    return Part::Nothing;
}

qsizetype MessageBlock::positionAt(const QPointF& point) const {
    for (const Chunk& chunk : chunks_) {
        if (point.y() >= chunk.top + chunk.height && &chunk != &chunks_.back()) continue;
        const double y = point.y() - chunk.top;
        if (y < 0) return chunk.begin;
        for (int i = 0; i < chunk.layout->lineCount(); ++i) {
            const QTextLine line = chunk.layout->lineAt(i);
            if (y < line.y() + line.height() + 1) return chunk.begin + line.xToCursor(point.x() - kBlockIndent);
        }
        return chunk.begin + chunk.layout->text().size();
    }
    return 0;
}

double MessageBlock::lineTop(qsizetype position) const {
    for (const Chunk& chunk : chunks_) {
        const qsizetype at = position - chunk.begin;
        if (at > chunk.layout->text().size()) continue;
        const QTextLine line = chunk.layout->lineForTextPosition(static_cast<int>(std::max<qsizetype>(0, at)));
        return chunk.top + (line.isValid() ? line.y() : 0);
    }
    return 0;
}

}  // namespace studio::ui
