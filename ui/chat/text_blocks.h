// A message as laid-out blocks: paragraphs, lists, headings and code of a small, safe part of Markdown. Never HTML.
#pragma once

#include <QPainter>
#include <QPalette>
#include <QTextLayout>
#include <memory>
#include <vector>

namespace studio::ui {

// A place between two characters as they are shown.
struct TextPlace {
    int block = 0, at = 0;
    auto operator<=>(const TextPlace&) const = default;
};
struct TextSelection {
    TextPlace from, to;
    bool empty() const { return !(from < to); }
};

class TextBlocks {
  public:
    TextBlocks() = default;
    TextBlocks(TextBlocks&&) = default;
    TextBlocks& operator=(TextBlocks&&) = default;

    // What was laid out before is kept where `text` only grew.
    void setText(const QString& text, bool markdown);
    const QString& text() const { return text_; }
    // Height at this width.
    int layOut(int width, const QFont& font, const QPalette& palette);
    using Place = TextPlace;
    using Selection = TextSelection;
    Place placeAt(const QPoint& point) const;  // relative to the text
    Place end() const;
    QRect endBox() const;  // of a character that would follow the text
    QString selected(const Selection& selection) const;

    // Width that the longest line needs, at most the one it was laid out for.
    int usedWidth() const;
    void paint(QPainter& painter, const QPoint& origin, const QRect& clip, const QColor& ink,
               const Selection& selection = {}) const;

  private:
    enum class Kind { Paragraph, Item, Heading, Code };
    struct Block {
        Kind kind = Kind::Paragraph;
        qsizetype begin = 0, end = 0;  // of text_, without the line break
        bool code_after = false;       // whether a fence is open behind this line
        bool hidden = false;           // the line of a fence
        int indent = 0;                // in steps
        QString marker;                // of a list item
        QString words;
        QList<QTextLayout::FormatRange> ranges;
        std::unique_ptr<QTextLayout> layout;
        int x = 0, y = 0, height = 0;
    };
    void parseFrom(qsizetype position, bool in_code);
    void addLine(qsizetype begin, qsizetype end, bool& in_code);
    void layOutBlock(Block& block, int width) const;
    int gapAbove(std::size_t index) const;

    QString text_;
    bool markdown_ = false;
    std::vector<Block> blocks_;
    int width_ = -1, height_ = 0;
    QFont font_;
    QPalette palette_;
};

}  // namespace studio::ui
