// One message laid out for a width: header, text, labels. Painted as often as needed, laid out once.
#pragma once

#include <QFont>
#include <QPainter>
#include <QString>
#include <QTextLayout>
#include <memory>
#include <optional>
#include <vector>

#include "corpus/catalogue.h"
#include "corpus/message.h"

namespace studio::ui {

struct BlockFonts {
    QFont body, small, strong;
};

// What a block needs to know besides its message.
struct BlockPlace {
    int reply = 0, replies = 1;  // "reply 2 of 4", counted from 0
    std::optional<corpus::Verdict> verdict;
    bool operator==(const BlockPlace&) const = default;
};

class MessageBlock {
  public:
    enum class Part { Nothing, Text, Previous, Next, More };

    MessageBlock(const corpus::Message& message, const BlockPlace& place, const BlockFonts& fonts, int width,
                 qsizetype shown);

    int height() const { return height_; }
    const BlockPlace& place() const { return place_; }
    qsizetype size() const { return text_.size(); }        // characters that are laid out
    qsizetype hidden() const { return hidden_; }           // that are not
    const QString& original() const { return original_; }  // the whole text, untouched

    // Selected characters [from, to); `current`: the one the keys act on, `focus`: and the view has the keyboard.
    void paint(QPainter& painter, const QPointF& at, const QPalette& palette, qsizetype from, qsizetype to,
               bool current, bool focus) const;
    // Relative to the block's top left corner.
    Part partAt(const QPointF& point) const;
    qsizetype positionAt(const QPointF& point) const;
    // Y of the line that holds a character.
    double lineTop(qsizetype position) const;

  private:
    struct Chunk {
        qsizetype begin = 0;  // in text_
        double top = 0, height = 0;
        std::unique_ptr<QTextLayout> layout;
    };
    void layOutText(double top);
    void paintHeader(QPainter& painter, const QPointF& at, const QPalette& palette) const;
    void paintLabels(QPainter& painter, const QPointF& at, const QPalette& palette) const;
    void placeSwitch();

    corpus::Role role_;
    BlockPlace place_;
    BlockFonts fonts_;
    int width_, height_ = 0;
    QString original_, text_;
    qsizetype hidden_ = 0;
    QString rank_, left_out_, switch_text_, length_, quality_text_, more_labels_;
    std::optional<double> quality_;
    std::vector<Chunk> chunks_;
    double header_height_ = 0, labels_top_ = 0, more_top_ = 0;
    QRectF rank_box_, left_out_box_, switch_box_, previous_box_, next_box_, more_box_;
    bool right_to_left_ = false;
};

// Space around and left of a block's contents.
inline constexpr int kBlockIndent = 18;

}  // namespace studio::ui
