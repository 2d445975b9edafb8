// One turn of the conversation, laid out and painted: a prompt's bubble, or one or two answers side by side.
#pragma once

#include <QPalette>
#include <QRect>
#include <optional>
#include <vector>

#include "project/chat_file.h"
#include "ui/chat/text_blocks.h"
#include "ui/look/colours.h"
#include "ui/look/icons.h"

namespace studio::ui {

enum class TurnAction { Copy, Regenerate, Edit, Previous, Next, TryAgain, UseRunsModel, OpenModels };
QString words(TurnAction action);

// What is shown of one reply.
struct ReplyView {
    QString label;
    bool base = false;
    QString text;
    project::ChatEnd end = project::ChatEnd::Growing;
    QString waiting;      // why there is no text yet: "Loading phi-2"
    QStringList figures;  // "96 tokens", "1,012 tok/s"
    QString ending;       // "stopped by itself"
    QString error;
    std::vector<TurnAction> remedies;  // beside an error
    bool operator==(const ReplyView&) const = default;
};

struct TurnView {
    int node = -1;
    bool answer = false;
    QString prompt;
    std::vector<ReplyView> replies;
    int branch = 0, branches = 1;  // "2 of 3": branch is 1
    bool operator==(const TurnView&) const = default;
};

// Hue and glyph of how an answer ended.
std::pair<Hue, Glyph> endLook(project::ChatEnd end);

class TurnLayout {
  public:
    struct Hit {
        QRect rect;  // relative to the turn
        TurnAction action;
        int reply = 0;
    };
    struct State {
        bool current = false, hovered = false;
        int hot = -1;  // the hit under the pointer
        int selected_column = -1;
        TextBlocks::Selection selection;
    };
    // The text under a point of the turn: which reply (or 0 of a prompt) and where in it.
    struct Spot {
        int column = 0;
        TextBlocks::Place place;
    };
    std::optional<Spot> spotAt(const QPoint& point) const;
    TextBlocks::Place placeIn(int column, const QPoint& point) const;
    QString selected(int column, const TextBlocks::Selection& selection) const;

    TurnLayout() = default;
    TurnLayout(TurnLayout&&) = default;
    TurnLayout& operator=(TurnLayout&&) = default;

    void setTurn(const TurnView& turn);
    const TurnView& turn() const { return turn_; }
    int layOut(int width, const QFont& font, const QPalette& palette);
    int height() const { return height_; }
    const std::vector<Hit>& hits() const { return hits_; }
    void paint(QPainter& painter, const QPoint& origin, const QRect& clip, const State& state) const;

  private:
    struct Column {
        TextBlocks text, error;
        QRect box;  // of the text
        int label_y = 0, error_y = 0;
        std::vector<QPoint> figures;  // where each stands
        QPoint ending;
    };
    int layOutPrompt(int width);
    int layOutReplies(int width);
    void addHit(TurnAction action, int reply, QPoint& at);
    int layOutFacts(Column& column, int reply, int left, int width, int y);
    void paintPrompt(QPainter& painter, const QPoint& origin, const QRect& clip, const State& state) const;
    void paintReply(QPainter& painter, const QPoint& origin, const QRect& clip, std::size_t index,
                    const State& state) const;
    void paintFacts(QPainter& painter, const QPoint& origin, std::size_t index) const;
    void paintHits(QPainter& painter, const QPoint& origin, const State& state) const;
    int branchWidth() const;

    TurnView turn_;
    std::vector<Column> columns_;
    std::vector<Hit> hits_;
    QRect branch_box_;
    QFont font_, small_;
    QPalette palette_;
    int width_ = 0, height_ = 0;
};

}  // namespace studio::ui
