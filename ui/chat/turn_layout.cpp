#include "ui/chat/turn_layout.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <algorithm>

#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr int kMargin = 4 * kSpace, kSideLine = 3, kIndent = 3 * kSpace + kSideLine;
constexpr int kReadable = 92;  // characters of a line that are still read with ease

QString say(const char* words) {
    return QCoreApplication::translate("studio::ui::TurnLayout", words);
}

}  // namespace

QString words(TurnAction action) {
    switch (action) {
        case TurnAction::Copy:
            return say("Copy");
        case TurnAction::Regenerate:
            return say("Regenerate");
        case TurnAction::Edit:
            return say("Edit");
        case TurnAction::Previous:
            return say("Previous Branch");
        case TurnAction::Next:
            return say("Next Branch");
        case TurnAction::TryAgain:
            return say("Try Again");
        case TurnAction::UseRunsModel:
            return say("Use the Run's Model");
        case TurnAction::OpenModels:
            return say("Open Models");
    }
    return {};
}

std::pair<Hue, Glyph> endLook(project::ChatEnd end) {
    switch (end) {
        case project::ChatEnd::ByItself:
            return {Hue::Good, Glyph::Tick};
        case project::ChatEnd::Failed:
            return {Hue::Bad, Glyph::Cross};
        case project::ChatEnd::Stopped:
        case project::ChatEnd::Growing:
            return {Hue::Secondary, Glyph::Stop};
        case project::ChatEnd::StopString:
            return {Hue::Secondary, Glyph::Tick};
        case project::ChatEnd::MaxTokens:
        case project::ChatEnd::ContextFull:
        case project::ChatEnd::RunEnded:
            break;
    }
    return {Hue::Careful, Glyph::Careful};
}

void TurnLayout::setTurn(const TurnView& turn) {
    turn_ = turn;
    columns_.resize(turn.answer ? turn.replies.size() : 1);
    if (!turn.answer) {
        columns_[0].text.setText(turn.prompt, false);
        return;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        columns_[i].text.setText(turn.replies[i].text, true);
        columns_[i].error.setText(turn.replies[i].error, false);
    }
}

int TurnLayout::branchWidth() const {
    if (turn_.branches < 2) return 0;
    const QFontMetrics metrics(small_);
    return metrics.horizontalAdvance(say("%1 of %2").arg(turn_.branches).arg(turn_.branches)) + 2 * metrics.height() +
           2 * kSpace;
}

int TurnLayout::layOut(int width, const QFont& font, const QPalette& palette) {
    width_ = width;
    font_ = font;
    small_ = secondaryFont(font);
    palette_ = palette;
    hits_.clear();
    branch_box_ = {};
    return height_ = turn_.answer ? layOutReplies(width) : layOutPrompt(width);
}

void TurnLayout::addHit(TurnAction action, int reply, QPoint& at) {
    const QFontMetrics metrics(small_);
    const int w = metrics.horizontalAdvance(words(action));
    hits_.push_back({QRect(at.x(), at.y(), w, metrics.height()).adjusted(-kSpace, -2, kSpace, 2), action, reply});
    at.rx() += w + 3 * kSpace;
}

int TurnLayout::layOutPrompt(int width) {
    Column& column = columns_[0];
    const QFontMetrics metrics(font_), small(small_);
    const int inner = std::min((width - 2 * kMargin) * 3 / 4, characterWidth(metrics) * kReadable) - 6 * kSpace;
    const int height = column.text.layOut(std::max(inner, 80), font_, palette_);
    const int used = std::max(column.text.usedWidth(), characterWidth(metrics));
    const int right = width - kMargin;
    column.box = QRect(right - 3 * kSpace - used, kSpace * 2 + kSpace, used, height);
    int y = column.box.bottom() + 2 * kSpace + kSpace;
    QPoint at(0, y);
    const int actions = small.horizontalAdvance(words(TurnAction::Edit)) +
                        small.horizontalAdvance(words(TurnAction::Copy)) + 3 * kSpace;
    at.setX(right - actions);
    if (turn_.branches > 1) {
        branch_box_ = QRect(at.x() - branchWidth() - 3 * kSpace, y - 2, branchWidth(), small.height() + 4);
        const int arrow = branch_box_.height();
        hits_.push_back({QRect(branch_box_.topLeft(), QSize(arrow, arrow)), TurnAction::Previous, 0});
        hits_.push_back({QRect(branch_box_.right() - arrow + 1, branch_box_.top(), arrow, arrow), TurnAction::Next, 0});
    }
    addHit(TurnAction::Copy, 0, at);
    addHit(TurnAction::Edit, 0, at);
    return y + small.height() + 2 * kSpace;
}

int TurnLayout::layOutReplies(int width) {
    const QFontMetrics metrics(font_), small(small_), label(strongFont(small_));
    const int count = static_cast<int>(columns_.size());
    const int gap = 6 * kSpace, whole = width - 2 * kMargin;
    const int column_width = count == 1 ? whole : (whole - gap * (count - 1)) / count;
    int bottom = 0;
    for (int i = 0; i < count; ++i) {
        Column& column = columns_[static_cast<std::size_t>(i)];
        const ReplyView& reply = turn_.replies[static_cast<std::size_t>(i)];
        const int left = kMargin + i * (column_width + gap);
        column.label_y = kSpace;
        if (i == 0 && turn_.branches > 1) {
            const int x =
                left + std::min(label.horizontalAdvance(reply.label), column_width - branchWidth()) + 2 * kSpace;
            branch_box_ = QRect(x, column.label_y - 1, branchWidth(), small.height() + 4);
            const int arrow = branch_box_.height();
            hits_.push_back({QRect(branch_box_.topLeft(), QSize(arrow, arrow)), TurnAction::Previous, 0});
            hits_.push_back(
                {QRect(branch_box_.right() - arrow + 1, branch_box_.top(), arrow, arrow), TurnAction::Next, 0});
        }
        const int text_width =
            std::min(column_width - kIndent, characterWidth(metrics) * (count == 1 ? kReadable : 200));
        int y = column.label_y + label.height() + 2 * kSpace;
        const int height = reply.text.isEmpty() ? metrics.height() : column.text.layOut(text_width, font_, palette_);
        column.box = QRect(left + kIndent, y, text_width, height);
        y += height + kSpace;
        column.error_y = y;
        if (!reply.error.isEmpty()) {
            if (reply.text.isEmpty()) column.error_y = y = column.box.top();
            y += column.error.layOut(text_width - metrics.height() - 2 * kSpace, font_, palette_) + kSpace;
            column.box.setBottom(std::max(column.box.bottom(), y - kSpace));
            QPoint at(column.box.left() + metrics.height() + 2 * kSpace, y + kSpace);
            for (const TurnAction remedy : reply.remedies) addHit(remedy, i, at);
            y += small.height() + 2 * kSpace;
            if (!reply.remedies.empty()) column.box.setBottom(y - kSpace);
        }
        bottom = std::max(bottom, layOutFacts(column, i, left, column_width, y + kSpace));
    }
    return bottom + 3 * kSpace;
}

// Figures, how it ended, what can be done: in a row that goes on in the next line. Returns where it ends.
int TurnLayout::layOutFacts(Column& column, int reply, int left, int width, int y) {
    const ReplyView& r = turn_.replies[static_cast<std::size_t>(reply)];
    const QFontMetrics small(small_);
    const int line = small.height() + kSpace;
    int x = left;
    const auto place = [&](int wide) {
        if (x > left && x + wide > left + width) {
            x = left;
            y += line;
        }
        const QPoint at(x, y);
        x += wide + 3 * kSpace;
        return at;
    };
    column.figures.clear();
    for (const QString& figure : r.figures) column.figures.push_back(place(small.horizontalAdvance(figure)));
    if (!r.ending.isEmpty()) column.ending = place(small.height() + kSpace + small.horizontalAdvance(r.ending));
    if (r.end == project::ChatEnd::Growing) return y + line;
    std::vector<TurnAction> offered;
    if (!r.text.isEmpty()) offered.push_back(TurnAction::Copy);
    if (reply == 0 && r.end != project::ChatEnd::Failed) offered.push_back(TurnAction::Regenerate);
    int wide = 0;
    for (const TurnAction action : offered) wide += small.horizontalAdvance(words(action)) + 3 * kSpace;
    if (offered.empty()) return y + line;
    x += 2 * kSpace;
    QPoint at = place(wide - 3 * kSpace);
    for (const TurnAction action : offered) addHit(action, reply, at);
    return y + line;
}

std::optional<TurnLayout::Spot> TurnLayout::spotAt(const QPoint& point) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (turn_.answer && turn_.replies[i].text.isEmpty()) continue;
        const int column = static_cast<int>(i);
        if (columns_[i].box.adjusted(0, 0, 2 * kSpace, 0).contains(point)) return Spot{column, placeIn(column, point)};
    }
    return std::nullopt;
}

TextBlocks::Place TurnLayout::placeIn(int column, const QPoint& point) const {
    const Column& c = columns_[static_cast<std::size_t>(column)];
    return c.text.placeAt(point - c.box.topLeft());
}

QString TurnLayout::selected(int column, const TextBlocks::Selection& selection) const {
    return columns_[static_cast<std::size_t>(column)].text.selected(selection);
}

void TurnLayout::paint(QPainter& painter, const QPoint& origin, const QRect& clip, const State& state) const {
    painter.setRenderHint(QPainter::Antialiasing);
    if (turn_.answer) {
        for (std::size_t i = 0; i < columns_.size(); ++i) paintReply(painter, origin, clip, i, state);
    } else {
        paintPrompt(painter, origin, clip, state);
    }
    paintHits(painter, origin, state);
    if (state.current) {
        painter.setPen(QPen(colour(Hue::Accent, palette_), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(origin.x() + kSpace, origin.y(), width_ - 2 * kSpace, height_ - 2), 4, 4);
    }
}

void TurnLayout::paintPrompt(QPainter& painter, const QPoint& origin, const QRect& clip, const State& state) const {
    const Column& column = columns_[0];
    const QRect bubble = column.box.adjusted(-3 * kSpace, -2 * kSpace, 3 * kSpace, 2 * kSpace).translated(origin);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour(Hue::Chip, palette_));
    painter.drawRoundedRect(bubble, 6, 6);
    column.text.paint(painter, origin + column.box.topLeft(), clip, colour(Hue::Text, palette_),
                      state.selected_column == 0 ? state.selection : TextBlocks::Selection{});
}

void TurnLayout::paintReply(QPainter& painter, const QPoint& origin, const QRect& clip, std::size_t index,
                            const State& state) const {
    const Column& column = columns_[index];
    const ReplyView& reply = turn_.replies[index];
    const QColor hue = colour(reply.base ? Hue::Base : Hue::Adapted, palette_);
    const QFontMetrics metrics(font_);
    painter.setFont(strongFont(small_));
    painter.setPen(hue);
    const int left = origin.x() + column.box.left() - kIndent;
    const QRect label(left, origin.y() + column.label_y, column.box.width() + kIndent, painter.fontMetrics().height());
    const int room = label.width() - (index == 0 ? branchWidth() : 0);
    painter.drawText(label, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine),
                     painter.fontMetrics().elidedText(reply.label, Qt::ElideRight, room));

    // The base's line is dotted, so that the two differ without colour.
    painter.setPen(QPen(hue, kSideLine, reply.base ? Qt::DotLine : Qt::SolidLine, Qt::FlatCap));
    const QRect box = column.box.translated(origin);
    const int x = left + kSideLine / 2;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.drawLine(x, box.top(), x, box.bottom());
    painter.setRenderHint(QPainter::Antialiasing);

    if (!reply.text.isEmpty()) {
        column.text.paint(painter, box.topLeft(), clip, colour(Hue::Text, palette_),
                          state.selected_column == static_cast<int>(index) ? state.selection : TextBlocks::Selection{});
        // Where it is being written.
        if (reply.end == project::ChatEnd::Growing) {
            const QRect next = column.text.endBox().translated(box.topLeft());
            painter.fillRect(next.adjusted(0, next.height() / 6, 0, -next.height() / 6), hue);
        }
    } else if (reply.end == project::ChatEnd::Growing || (reply.error.isEmpty() && reply.text.isEmpty())) {
        painter.setFont(font_);
        painter.setPen(colour(Hue::Secondary, palette_));
        painter.drawText(box, static_cast<int>(Qt::AlignLeft | Qt::AlignTop | Qt::TextSingleLine),
                         metrics.elidedText(reply.end == project::ChatEnd::Growing ? reply.waiting : say("No text."),
                                            Qt::ElideRight, box.width()));
    }
    if (!reply.error.isEmpty()) {
        const int side = metrics.height();
        const QPoint at(box.left(), origin.y() + column.error_y);
        drawGlyph(painter, Glyph::Cross, QRectF(at.x(), at.y() + 1, side - 2, side - 2), colour(Hue::Bad, palette_));
        column.error.paint(painter, at + QPoint(side + 2 * kSpace, 0), clip, colour(Hue::Text, palette_));
    }
    paintFacts(painter, origin, index);
}

void TurnLayout::paintFacts(QPainter& painter, const QPoint& origin, std::size_t index) const {
    const Column& column = columns_[index];
    const ReplyView& reply = turn_.replies[index];
    painter.setFont(small_);
    const QFontMetrics small(small_);
    painter.setPen(colour(Hue::Secondary, palette_));
    for (std::size_t i = 0; i < column.figures.size(); ++i)
        painter.drawText(origin + column.figures[i] + QPoint(0, small.ascent()),
                         reply.figures[static_cast<qsizetype>(i)]);
    if (reply.ending.isEmpty()) return;
    const auto [hue, glyph] = endLook(reply.end);
    const QColor ink = colour(hue, palette_);
    const int side = small.height() - 2;
    const QPoint at = origin + column.ending;
    drawGlyph(painter, glyph, QRectF(at.x(), at.y() + 1, side, side), ink);
    painter.setPen(ink);
    painter.drawText(at + QPoint(side + kSpace, small.ascent()), reply.ending);
}

void TurnLayout::paintHits(QPainter& painter, const QPoint& origin, const State& state) const {
    painter.setFont(small_);
    const QFontMetrics small(small_);
    if (!branch_box_.isNull()) {
        const QRect box = branch_box_.translated(origin);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour(Hue::Chip, palette_));
        painter.drawRoundedRect(box, box.height() / 2.0, box.height() / 2.0);
        painter.setPen(colour(Hue::Secondary, palette_));
        painter.drawText(box, static_cast<int>(Qt::AlignCenter),
                         say("%1 of %2").arg(turn_.branch + 1).arg(turn_.branches));
    }
    for (std::size_t i = 0; i < hits_.size(); ++i) {
        const Hit& hit = hits_[i];
        const QRect box = hit.rect.translated(origin);
        const bool hot = state.hot == static_cast<int>(i);
        if (hit.action == TurnAction::Previous || hit.action == TurnAction::Next) {
            const bool can = hit.action == TurnAction::Previous ? turn_.branch > 0 : turn_.branch + 1 < turn_.branches;
            const double inset = box.height() * 0.26;
            drawGlyph(painter, hit.action == TurnAction::Previous ? Glyph::Left : Glyph::Right,
                      QRectF(box).adjusted(inset, inset, -inset, -inset),
                      colour(!can  ? Hue::Line
                             : hot ? Hue::Accent
                                   : Hue::Secondary,
                             palette_));
            continue;
        }
        // A prompt's actions come with the pointer or with the keyboard's place, so that the page stays calm.
        if (!turn_.answer && !state.hovered && !state.current) continue;
        QFont font = small_;
        font.setUnderline(hot);
        painter.setFont(font);
        painter.setPen(colour(Hue::Accent, palette_));
        painter.drawText(box, static_cast<int>(Qt::AlignCenter | Qt::TextSingleLine), words(hit.action));
    }
}

}  // namespace studio::ui
