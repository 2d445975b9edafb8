#include "ui/data/token_flow.h"

#include <QAccessible>
#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

#include "text/utf8.h"
#include "ui/data/reading.h"
#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr int kMargin = 3 * kSpace;

bool isEnd(const jobs::ProofToken& token) {
    return token.kind == text::SpanKind::AssistantEnd || token.kind == text::SpanKind::PrompterEnd;
}

}  // namespace

bool learnedEnd(const jobs::ProofToken& token) {
    return token.supervised && isEnd(token);
}

QString tokenText(const jobs::ProofToken& token) {
    const QByteArray bytes = QByteArray::fromStdString(token.bytes);
    QString shown = QString::fromUtf8(bytes);
    if (shown.contains(QChar::ReplacementCharacter) || shown.toUtf8() != bytes)
        return QStringLiteral("0x") + QString::fromLatin1(bytes.toHex());
    shown.replace(QLatin1Char('\n'), QChar(0x23CE)).replace(QLatin1Char(' '), QChar(0x00B7));
    shown.replace(QLatin1Char('\t'), QChar(0x21E5)).replace(QChar(0x2581), QChar(0x00B7));
    return visibleLine(shown);
}

QString kindText(const jobs::ProofToken& token) {
    switch (token.kind) {
        case text::SpanKind::Marker:
            return TokenFlow::tr("marker");
        case text::SpanKind::SystemText:
            return TokenFlow::tr("system text");
        case text::SpanKind::PrompterText:
            return TokenFlow::tr("prompt");
        case text::SpanKind::PrompterEnd:
            return TokenFlow::tr("end of prompt");
        case text::SpanKind::AssistantText:
            return TokenFlow::tr("answer");
        case text::SpanKind::AssistantEnd:
            return TokenFlow::tr("end of answer");
    }
    return {};
}

TokenFlow::TokenFlow(QWidget* parent) : QAbstractScrollArea(parent) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Tokens"));
    viewport()->setMouseTracking(true);
}

void TokenFlow::show(const jobs::ProofExample* example) {
    example_ = example;
    current_ = 0;
    verticalScrollBar()->setValue(0);
    layOut();
}

void TokenFlow::layOut() {
    boxes_.clear();
    heads_.clear();
    double y = kMargin;
    if (example_) {
        const QFontMetricsF code(codeFont(QApplication::font())), small(secondaryFont(QApplication::font()));
        const double height = code.height() + 6, right = viewport()->width() - kMargin;
        for (const auto& message : example_->messages) {
            heads_.emplace_back(y, tr("%1 · %Ln token(s)", nullptr, message.tokens).arg(roleText(message.role)));
            y += small.height() + kSpace;
            double x = kMargin;
            for (int i = message.first; i < message.first + message.tokens; ++i) {
                const auto& token = example_->tokens[static_cast<std::size_t>(i)];
                QString words = tokenText(token);
                if (words.isEmpty()) words = QStringLiteral("∅");
                words = code.elidedText(words, Qt::ElideRight, right - kMargin - 8);
                const double width = std::max(code.averageCharWidth() * 1.2, code.horizontalAdvance(words)) + 7;
                if (x + width > right && x > kMargin) {
                    x = kMargin;
                    y += height + 3;
                }
                boxes_.push_back({QRectF(x, y, width, height), words});
                x += width + 2;
                if (token.bytes.find('\n') != std::string::npos && x > kMargin && !isEnd(token)) {
                    x = kMargin;
                    y += height + 3;
                }
            }
            y += height + 4 * kSpace;
        }
    }
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(y) - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(QFontMetrics(QApplication::font()).height() * 2);
    viewport()->update();
}

void TokenFlow::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    painter.setRenderHint(QPainter::Antialiasing);
    if (!example_) return;
    const double scroll = verticalScrollBar()->value();
    painter.translate(0, -scroll);
    const QRectF seen(0, scroll + event->rect().top() - 40, viewport()->width(), event->rect().height() + 80);
    painter.setFont(strongFont(secondaryFont(QApplication::font())));
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        if (heads_[i].first < seen.top() || heads_[i].first > seen.bottom()) continue;
        const auto role = example_->messages[i].role;
        painter.setPen(colour(role == text::Role::Assistant  ? Hue::Assistant
                              : role == text::Role::Prompter ? Hue::Prompter
                                                             : Hue::Secondary,
                              this));
        painter.drawText(QRectF(kMargin, heads_[i].first, viewport()->width(), painter.fontMetrics().height()),
                         static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter), heads_[i].second);
    }
    painter.setFont(codeFont(QApplication::font()));
    const auto first = std::lower_bound(boxes_.begin(), boxes_.end(), seen.top(),
                                        [](const Box& box, double y) { return box.box.bottom() < y; });
    for (auto box = first; box != boxes_.end() && box->box.top() < seen.bottom(); ++box) {
        const auto i = static_cast<std::size_t>(box - boxes_.begin());
        const auto& token = example_->tokens[i];
        const QRectF frame = box->box.adjusted(0.5, 0.5, -0.5, -0.5);
        const bool marked = static_cast<int>(i) == current_ && hasFocus();
        painter.setPen(QPen(colour(marked              ? Hue::Accent
                                   : learnedEnd(token) ? Hue::Assistant
                                                       : Hue::Line,
                                   this),
                            marked              ? 2
                            : learnedEnd(token) ? 1.5
                                                : 1));
        painter.setBrush(colour(token.supervised ? Hue::GoodWash : Hue::Surface, this));
        painter.drawRoundedRect(frame, 3, 3);
        if (token.supervised)
            painter.fillRect(QRectF(frame.left() + 3, frame.bottom() - 2, frame.width() - 6, 1.5),
                             colour(Hue::Assistant, this));
        const bool plain = token.kind != text::SpanKind::Marker;
        painter.setPen(colour(plain ? Hue::Text : Hue::Secondary, this));
        painter.drawText(box->box, static_cast<int>(Qt::AlignCenter), box->text);
    }
}

int TokenFlow::tokenAt(const QPointF& point) const {
    for (std::size_t i = 0; i < boxes_.size(); ++i)
        if (boxes_[i].box.adjusted(-1, -1.5, 1, 1.5).contains(point)) return static_cast<int>(i);
    return -1;
}

QString TokenFlow::spoken(int index) const {
    const auto& token = example_->tokens[static_cast<std::size_t>(index)];
    return tr("%1 · id %2 · %3 · position %4 · %5")
        .arg(boxes_[static_cast<std::size_t>(index)].text, QString::number(token.id), kindText(token),
             QString::number(token.position), token.supervised ? tr("learned") : tr("only read"));
}

void TokenFlow::setCurrent(int token) {
    if (!example_ || token < 0 || token >= static_cast<int>(boxes_.size())) return;
    if (token != current_) {
        current_ = token;
        setAccessibleDescription(spoken(token));
        QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
        QAccessible::updateAccessibility(&changed);
        Q_EMIT currentChanged(token);
    }
    const QRectF box = boxes_[static_cast<std::size_t>(token)].box;
    QScrollBar* bar = verticalScrollBar();
    if (box.top() < bar->value() + kMargin) bar->setValue(static_cast<int>(box.top()) - 3 * kMargin);
    if (box.bottom() > bar->value() + viewport()->height())
        bar->setValue(static_cast<int>(box.bottom()) - viewport()->height() + kMargin);
    viewport()->update();
}

void TokenFlow::keyPressEvent(QKeyEvent* event) {
    if (!example_ || boxes_.empty()) return QAbstractScrollArea::keyPressEvent(event);
    const QRectF box = boxes_[static_cast<std::size_t>(current_)].box;
    const double step = box.height() + 3;
    const auto vertical = [&](double by) {
        for (double y = box.center().y() + by; y > 0 && y<boxes_.back().box.bottom() + step; y += by> 0 ? 4 : -4) {
            int best = -1;
            for (std::size_t i = 0; i < boxes_.size(); ++i) {
                if (boxes_[i].box.top() > y || boxes_[i].box.bottom() < y) continue;
                const auto away = [&](std::size_t j) {
                    return std::abs(boxes_[j].box.center().x() - box.center().x());
                };
                if (best < 0 || away(i) < away(static_cast<std::size_t>(best))) best = static_cast<int>(i);
            }
            if (best >= 0) return setCurrent(best);
        }
    };
    switch (event->key()) {
        case Qt::Key_Left:
            return setCurrent(current_ - 1);
        case Qt::Key_Right:
            return setCurrent(current_ + 1);
        case Qt::Key_Up:
            return vertical(-step);
        case Qt::Key_Down:
            return vertical(step);
        case Qt::Key_Home:
            return setCurrent(0);
        case Qt::Key_End:
            return setCurrent(static_cast<int>(boxes_.size()) - 1);
        default:
            QAbstractScrollArea::keyPressEvent(event);
    }
}

void TokenFlow::mousePressEvent(QMouseEvent* event) {
    setCurrent(tokenAt(event->position() + QPointF(0, verticalScrollBar()->value())));
}

bool TokenFlow::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip && example_) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int token = tokenAt(QPointF(help->pos()) + QPointF(0, verticalScrollBar()->value()));
        if (token < 0)
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), spoken(token).toHtmlEscaped(), this);
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void TokenFlow::resizeEvent(QResizeEvent*) {
    layOut();
}

void TokenFlow::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::ApplicationFontChange) layOut();
}

void TokenFlow::focusInEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void TokenFlow::focusOutEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

}  // namespace studio::ui
