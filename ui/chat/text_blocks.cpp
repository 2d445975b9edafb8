#include "ui/chat/text_blocks.h"

#include <QFontMetrics>
#include <algorithm>
#include <cmath>

#include "ui/look/colours.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr qsizetype kLongest = 2000;     // characters of one layout; longer lines are divided
constexpr qsizetype kShown = 64 * 1024;  // of a message; the rest is told and can be copied

bool isSpace(QChar c) {
    return c == QLatin1Char(' ') || c == QLatin1Char('\t');
}

// **bold**, *italic*, `code`. What does not close is ordinary text.
QString inlineFormats(const QString& line, const QFont& code, const QColor& code_ground,
                      QList<QTextLayout::FormatRange>& ranges) {
    QString out;
    out.reserve(line.size());
    const auto add = [&](const QString& words, const QTextCharFormat& format) {
        ranges.push_back({static_cast<int>(out.size()), static_cast<int>(words.size()), format});
        out += words;
    };
    for (qsizetype i = 0; i < line.size();) {
        const QChar c = line[i];
        if (c == QLatin1Char('`')) {
            const qsizetype close = line.indexOf(QLatin1Char('`'), i + 1);
            if (close > i + 1) {
                QTextCharFormat format;
                format.setFontFamilies(code.families());
                format.setFontFixedPitch(true);
                format.setBackground(code_ground);
                add(line.mid(i + 1, close - i - 1), format);
                i = close + 1;
                continue;
            }
        } else if (c == QLatin1Char('*')) {
            const bool bold = i + 1 < line.size() && line[i + 1] == QLatin1Char('*');
            const QString mark = bold ? QStringLiteral("**") : QStringLiteral("*");
            const qsizetype begin = i + mark.size();
            const qsizetype close = line.indexOf(mark, begin);
            if (close > begin && !isSpace(line[begin]) && !isSpace(line[close - 1])) {
                QTextCharFormat format;
                if (bold)
                    format.setFontWeight(QFont::Bold);
                else
                    format.setFontItalic(true);
                add(line.mid(begin, close - begin), format);
                i = close + mark.size();
                continue;
            }
        }
        out += c;
        ++i;
    }
    return out;
}

// Length of "- ", "* ", "12. " at `at`; 0: no list item.
qsizetype itemMark(QStringView line, qsizetype at) {
    if (at + 1 < line.size() && (line[at] == QLatin1Char('-') || line[at] == QLatin1Char('*')) && isSpace(line[at + 1]))
        return 2;
    qsizetype digits = 0;
    while (at + digits < line.size() && digits < 4 && line[at + digits] >= QLatin1Char('0') &&
           line[at + digits] <= QLatin1Char('9'))
        ++digits;
    if (digits == 0 || at + digits + 1 >= line.size()) return 0;
    return line[at + digits] == QLatin1Char('.') && isSpace(line[at + digits + 1]) ? digits + 2 : 0;
}

}  // namespace

void TextBlocks::setText(const QString& text, bool markdown) {
    QString shown = text.size() > kShown ? text.left(kShown) : text;
    if (!shown.isEmpty() && shown.back().isHighSurrogate()) shown.chop(1);
    shown = visibleText(shown);
    if (text.size() > kShown) shown += QStringLiteral("\n… %1 / %2").arg(kShown).arg(text.size());
    if (shown == text_ && markdown == markdown_ && !blocks_.empty()) return;
    const bool grew = markdown == markdown_ && !blocks_.empty() && shown.startsWith(text_);
    text_ = shown;
    markdown_ = markdown;
    if (!grew) {
        blocks_.clear();
        parseFrom(0, false);
    } else {
        // The last line may have become another; those before it stand.
        const qsizetype line = text_.lastIndexOf(QLatin1Char('\n'), blocks_.back().begin - 1) + 1;
        while (!blocks_.empty() && blocks_.back().begin >= line) blocks_.pop_back();
        parseFrom(line, !blocks_.empty() && blocks_.back().code_after);
    }
    height_ = -1;
}

void TextBlocks::parseFrom(qsizetype position, bool in_code) {
    for (;;) {
        const qsizetype end = text_.indexOf(QLatin1Char('\n'), position);
        addLine(position, end < 0 ? text_.size() : end, in_code);
        if (end < 0) return;
        position = end + 1;
    }
}

void TextBlocks::addLine(qsizetype begin, qsizetype end, bool& in_code) {
    const QStringView line = QStringView(text_).mid(begin, end - begin);
    if (markdown_ && line.trimmed().startsWith(QLatin1String("```"))) {
        in_code = !in_code;
        Block fence;
        fence.begin = begin;
        fence.end = end;
        fence.hidden = true;
        fence.code_after = in_code;
        blocks_.push_back(std::move(fence));
        return;
    }
    qsizetype at = begin;
    do {
        Block block;
        block.begin = at;
        block.end = std::min(end, at + kLongest);
        // Divided behind a word, never inside of one or of a character.
        if (block.end < end) {
            const qsizetype space = text_.lastIndexOf(QLatin1Char(' '), block.end - 1);
            if (space > at + kLongest / 2) block.end = space + 1;
            if (text_[block.end - 1].isHighSurrogate()) --block.end;
        }
        block.code_after = in_code;
        block.kind = in_code ? Kind::Code : Kind::Paragraph;
        at = block.end;
        blocks_.push_back(std::move(block));
    } while (at < end);
    if (!markdown_ || in_code || end - begin > kLongest) return;
    Block& block = blocks_.back();
    qsizetype space = 0;
    while (space < line.size() && isSpace(line[space])) ++space;
    if (const qsizetype mark = itemMark(line, space)) {
        block.kind = Kind::Item;
        block.indent = 1 + static_cast<int>(std::min<qsizetype>(space / 2, 4));
        const QStringView written = line.mid(space, mark - 1);
        block.marker = written.size() == 1 ? QStringLiteral("•") : written.toString();
        block.words = line.mid(space + mark).toString();
    } else if (line.startsWith(QLatin1Char('#'))) {
        qsizetype level = 0;
        while (level < line.size() && level < 6 && line[level] == QLatin1Char('#')) ++level;
        if (level < line.size() && isSpace(line[level])) {
            block.kind = Kind::Heading;
            block.words = line.mid(level + 1).toString();
        }
    }
}

void TextBlocks::layOutBlock(Block& block, int width) const {
    const QFontMetrics metrics(font_);
    const QFont code = codeFont(font_);
    block.ranges.clear();
    QFont font = font_;
    QString words = block.kind == Kind::Item || block.kind == Kind::Heading
                        ? block.words
                        : text_.mid(block.begin, block.end - block.begin);
    if (block.kind == Kind::Code)
        font = code;
    else if (block.kind == Kind::Heading)
        font = strongFont(font_);
    if (markdown_ && block.kind != Kind::Code)
        words = inlineFormats(words, code, colour(Hue::Chip, palette_), block.ranges);
    block.x = block.indent * characterWidth(metrics) * 2 + (block.kind == Kind::Code ? 2 * kSpace : 0);
    block.layout = std::make_unique<QTextLayout>(words, font);
    block.layout->setFormats(block.ranges);
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    option.setTabStopDistance(characterWidth(metrics) * 4.0);
    block.layout->setTextOption(option);
    block.layout->beginLayout();
    qreal y = 0;
    for (;;) {
        QTextLine line = block.layout->createLine();
        if (!line.isValid()) break;
        line.setLineWidth(std::max(width - block.x, characterWidth(metrics) * 4));
        line.setPosition({0, y});
        y += std::ceil(line.height() * 1.16);
    }
    block.layout->endLayout();
    block.height = std::max(static_cast<int>(y), metrics.height());
}

int TextBlocks::gapAbove(std::size_t index) const {
    return index > 0 && blocks_[index].kind == Kind::Heading ? kSpace : 0;
}

int TextBlocks::layOut(int width, const QFont& font, const QPalette& palette) {
    const bool anew = width != width_ || font != font_ || palette.cacheKey() != palette_.cacheKey();
    if (!anew && height_ >= 0) return height_;
    width_ = width;
    font_ = font;
    palette_ = palette;
    int y = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        Block& block = blocks_[i];
        if (block.hidden) {
            block.y = y;
            block.height = 0;
            y += kSpace;
            continue;
        }
        if (anew || !block.layout) layOutBlock(block, width);
        y += gapAbove(i);
        block.y = y;
        y += block.height;
    }
    return height_ = y;
}

int TextBlocks::usedWidth() const {
    qreal used = 0;
    for (const Block& block : blocks_) {
        if (!block.layout) continue;
        for (int i = 0; i < block.layout->lineCount(); ++i)
            used = std::max(used, block.x + block.layout->lineAt(i).naturalTextWidth());
    }
    return std::min(static_cast<int>(std::ceil(used)), width_);
}

TextBlocks::Place TextBlocks::end() const {
    const int last = static_cast<int>(blocks_.size()) - 1;
    if (last < 0) return {};
    const auto& layout = blocks_[static_cast<std::size_t>(last)].layout;
    return {last, layout ? static_cast<int>(layout->text().size()) : 0};
}

QRect TextBlocks::endBox() const {
    const QFontMetrics metrics(font_);
    const int wide = characterWidth(metrics);
    if (blocks_.empty() || !blocks_.back().layout || blocks_.back().layout->lineCount() == 0)
        return {0, std::max(height_ - metrics.height(), 0), wide, metrics.height()};
    const Block& block = blocks_.back();
    const QTextLine line = block.layout->lineAt(block.layout->lineCount() - 1);
    return {block.x + static_cast<int>(line.naturalTextWidth()) + 2, block.y + static_cast<int>(line.y()), wide,
            metrics.height()};
}

TextBlocks::Place TextBlocks::placeAt(const QPoint& point) const {
    auto found = std::partition_point(blocks_.begin(), blocks_.end(),
                                      [&](const Block& block) { return block.y + block.height <= point.y(); });
    if (found == blocks_.end()) return end();
    const int index = static_cast<int>(found - blocks_.begin());
    if (!found->layout) return {index, 0};
    const qreal y = point.y() - found->y;
    for (int i = 0; i < found->layout->lineCount(); ++i) {
        const QTextLine line = found->layout->lineAt(i);
        const qreal below = i + 1 < found->layout->lineCount() ? found->layout->lineAt(i + 1).y() : found->height;
        if (y < below) return {index, line.xToCursor(point.x() - found->x)};
    }
    return {index, static_cast<int>(found->layout->text().size())};
}

QString TextBlocks::selected(const Selection& selection) const {
    QString out;
    for (int i = selection.from.block; i <= selection.to.block && i < static_cast<int>(blocks_.size()); ++i) {
        const Block& block = blocks_[static_cast<std::size_t>(i)];
        if (!block.layout) continue;
        const int from = i == selection.from.block ? selection.from.at : 0;
        const int to = i == selection.to.block ? selection.to.at : static_cast<int>(block.layout->text().size());
        // Pieces of one long line belong together.
        if (!out.isEmpty() && (block.begin == 0 || text_[block.begin - 1] == QLatin1Char('\n')))
            out += QLatin1Char('\n');
        if (from == 0 && !block.marker.isEmpty()) out += block.marker + QLatin1Char(' ');
        out += block.layout->text().mid(from, to - from);
    }
    return out;
}

void TextBlocks::paint(QPainter& painter, const QPoint& origin, const QRect& clip, const QColor& ink,
                       const Selection& selection) const {
    const int top = clip.top() - origin.y(), bottom = clip.bottom() - origin.y();
    auto first = std::partition_point(blocks_.begin(), blocks_.end(),
                                      [&](const Block& block) { return block.y + block.height < top; });
    painter.setPen(ink);
    for (; first != blocks_.end() && first->y <= bottom; ++first) {
        const Block& block = *first;
        if (!block.layout) continue;
        if (block.kind == Kind::Code)
            painter.fillRect(QRect(origin.x(), origin.y() + block.y, width_, block.height),
                             colour(Hue::Chip, palette_));
        if (!block.marker.isEmpty()) {
            painter.setFont(font_);
            const QRect box(origin.x(), origin.y() + block.y, block.x - kSpace, QFontMetrics(font_).height());
            painter.drawText(box, static_cast<int>(Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine),
                             block.marker);
        }
        QList<QTextLayout::FormatRange> chosen;
        const int index = static_cast<int>(first - blocks_.begin());
        if (!selection.empty() && index >= selection.from.block && index <= selection.to.block) {
            const int from = index == selection.from.block ? selection.from.at : 0;
            const int to =
                index == selection.to.block ? selection.to.at : static_cast<int>(block.layout->text().size());
            QTextCharFormat format;
            format.setBackground(palette_.color(QPalette::Highlight));
            format.setForeground(palette_.color(QPalette::HighlightedText));
            if (to > from) chosen.push_back({from, to - from, format});
        }
        block.layout->draw(&painter, QPointF(origin.x() + block.x, origin.y() + block.y), chosen,
                           QRectF(clip).adjusted(0, -40, 0, 40));
    }
}

}  // namespace studio::ui
