#include "ui/shell/banners.h"

#include <QAccessible>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/shell/system_report.h"
#include "ui/widgets/basics.h"

namespace studio::ui {
namespace {

constexpr int kAtOnce = 3;
constexpr int kLinesEach = 14;  // of the window's height, so that the page below keeps its room

Hue inkOf(Message::Kind kind) {
    switch (kind) {
        case Message::Kind::Good:
            return Hue::Good;
        case Message::Kind::Careful:
            return Hue::Careful;
        case Message::Kind::Bad:
            return Hue::Bad;
        case Message::Kind::Info:
            break;
    }
    return Hue::Accent;
}

Hue groundOf(Message::Kind kind) {
    switch (kind) {
        case Message::Kind::Good:
            return Hue::GoodWash;
        case Message::Kind::Careful:
            return Hue::CarefulWash;
        case Message::Kind::Bad:
            return Hue::BadWash;
        case Message::Kind::Info:
            break;
    }
    return Hue::AccentWash;
}

Glyph glyphOf(Message::Kind kind) {
    switch (kind) {
        case Message::Kind::Good:
            return Glyph::Tick;
        case Message::Kind::Careful:
            return Glyph::Careful;
        case Message::Kind::Bad:
            return Glyph::Cross;
        case Message::Kind::Info:
            break;
    }
    return Glyph::Info;
}

class Banner final : public QWidget {
  public:
    Banner(Messages& messages, const Message& message) : kind_(message.kind) {
        setAccessibleName(joined(message.what, message.to_do));
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(6 * kSpace + fontMetrics().height(), 2 * kSpace, 2 * kSpace, 2 * kSpace);
        row->setSpacing(2 * kSpace);
        auto* words = new QVBoxLayout;
        words->setSpacing(kSpace / 2);
        auto* what = new Text(Text::Kind::Strong, message.what);
        what->setWordWrap(true);
        what->setTextInteractionFlags(Qt::TextSelectableByMouse);
        words->addWidget(what);
        if (!message.to_do.isEmpty()) {
            auto* to_do = new Text(Text::Kind::Body, message.to_do);
            to_do->setWordWrap(true);
            words->addWidget(to_do);
        }
        if (!message.details.isEmpty()) {
            auto* details = new Text(Text::Kind::Code, message.details);
            details->setWordWrap(true);
            details->setTextInteractionFlags(Qt::TextSelectableByMouse);
            details->hide();
            words->addWidget(details);
            auto* more = new LinkButton(Banners::tr("Details"));
            QObject::connect(more, &QToolButton::clicked, details,
                             [details] { details->setVisible(details->isHidden()); });
            row->addLayout(words, 1);
            row->addWidget(more, 0, Qt::AlignTop);
        } else {
            row->addLayout(words, 1);
        }
        if (!message.action.isEmpty()) {
            auto* act = new QPushButton(message.action);
            act->setAccessibleName(message.action);
            QObject::connect(act, &QPushButton::clicked, &messages, [&messages, id = message.id, call = message.act] {
                messages.dismiss(id);
                if (call) call();
            });
            row->addWidget(act, 0, Qt::AlignTop);
        }
        if (message.kind == Message::Kind::Bad) {
            auto* copy = new LinkButton(Banners::tr("Copy report"));
            QObject::connect(copy, &QToolButton::clicked, copy,
                             [message] { QGuiApplication::clipboard()->setText(reportOf(message)); });
            row->addWidget(copy, 0, Qt::AlignTop);
        }
        auto* close = new QToolButton;
        close->setIcon(icon(Glyph::Close));
        close->setAutoRaise(true);
        close->setAccessibleName(Banners::tr("Close this message"));
        close->setToolTip(Banners::tr("Close (Esc). Help > Past Messages keeps it."));
        QObject::connect(close, &QToolButton::clicked, &messages,
                         [&messages, id = message.id] { messages.dismiss(id); });
        row->addWidget(close, 0, Qt::AlignTop);
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter p(this);
        p.fillRect(rect(), colour(groundOf(kind_), this));
        p.fillRect(0, height() - 1, width(), 1, colour(Hue::Line, this));
        const double side = QFontMetrics(font()).height();
        drawGlyph(p, glyphOf(kind_), QRectF(4 * kSpace, 2 * kSpace, side, side), colour(inkOf(kind_), this));
    }

  private:
    Message::Kind kind_;
};

}  // namespace

Banners::Banners(Messages& messages, QWidget* parent)
    : QWidget(parent), messages_(messages), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(0);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    connect(&messages_, &Messages::changed, this, &Banners::rebuild, Qt::QueuedConnection);
    rebuild();
}

void Banners::fit() {
    if (atOnce() != at_once_) rebuild();
}

int Banners::atOnce() const {
    return std::clamp(window()->height() / std::max(1, fontMetrics().height()) / kLinesEach, 1, kAtOnce);
}

bool Banners::closeNewest() {
    if (messages_.shown().isEmpty()) return false;
    messages_.dismiss(QString(messages_.shown().back().id));
    return true;
}

void Banners::rebuild() {
    while (QLayoutItem* item = column_->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    const QList<Message>& shown = messages_.shown();
    setVisible(!shown.isEmpty());
    at_once_ = atOnce();
    const qsizetype earlier = std::max<qsizetype>(0, shown.size() - at_once_);
    if (earlier > 0) {
        auto* more = new Text(Text::Kind::Secondary, tr("%n earlier message(s): close one below to see them", nullptr,
                                                        static_cast<int>(earlier)));
        more->setContentsMargins(4 * kSpace, kSpace, 4 * kSpace, kSpace);
        column_->addWidget(more);
    }
    for (qsizetype i = earlier; i < shown.size(); ++i) {
        auto* banner = new Banner(messages_, shown[i]);
        column_->addWidget(banner);
        QAccessibleEvent event(banner, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
}

}  // namespace studio::ui
