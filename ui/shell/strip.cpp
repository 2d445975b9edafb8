#include "ui/shell/strip.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/session/run_words.h"
#include "ui/widgets/basics.h"

namespace studio::ui {
RunPill::RunPill(Session& session, QWidget* parent) : QWidget(parent), session_(session) {
    setFocusPolicy(Qt::TabFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    connect(&session_.runs(), &RunService::stateChanged, this, &RunPill::follow);
    connect(&session_.work(), &WorkBoard::changed, this, &RunPill::follow);
    follow();
}

void RunPill::follow() {
    const auto& live = session_.runs().live();
    const QList<LongWork>& work = session_.work().all();
    setVisible(live || !work.isEmpty());
    if (live) {
        name_ = live->name;
        words_ = liveWords(*live);
        glyph_ = stateLook(live->state).glyph;
        share_ = live->state == project::RunState::Preparing
                     ? (live->total_units > 0 ? double(live->done) / double(live->total_units) : -1)
                     : (live->total > 0 ? double(live->step) / double(live->total) : -1);
    } else if (!work.isEmpty()) {
        name_ = work.front().name;
        words_ = work.front().words;
        glyph_ = work.front().page == PageId::Evaluate ? Glyph::Evaluate : Glyph::Data;
        share_ = work.front().share;
    } else {
        return;
    }
    const auto others = static_cast<int>(work.size()) - (live ? 0 : 1);
    if (others > 0) words_ = tr("%1 · %2").arg(words_, tr("%n more", nullptr, others));
    setAccessibleName(live ? tr("Active run %1: %2").arg(name_, words_) : tr("At work: %1: %2").arg(name_, words_));
    setToolTip(live ? tr("Go to this run") : tr("Go to its page"));
    updateGeometry();
    update();
}

QSize RunPill::sizeHint() const {
    const int words = QFontMetrics(secondaryFont(font())).horizontalAdvance(words_);
    const int name = QFontMetrics(strongFont(font())).horizontalAdvance(name_);
    // Steps of 40 px, so that counting digits do not make it tremble.
    return {((words + name + 130) / 40 + 1) * 40, controlHeight(font())};
}

void RunPill::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    p.setPen(QPen(colour(hasFocus() ? Hue::Accent : Hue::Line, this), hasFocus() ? 2 : 1));
    p.setBrush(colour(Hue::Surface, this));
    p.drawRoundedRect(box, height() / 2.0, height() / 2.0);
    const double side = QFontMetrics(font()).height() * 0.75;
    drawGlyph(p, glyph_, QRectF(12, (height() - side) / 2, side, side), colour(Hue::Accent, this));
    double x = 12 + side + 8;
    p.setFont(strongFont(font()));
    p.setPen(colour(Hue::Text, this));
    // The name gives way to the words, down to a third.
    const int beside =
        width() - 30 - 60 - static_cast<int>(x) - QFontMetrics(secondaryFont(font())).horizontalAdvance(words_);
    const QString name = p.fontMetrics().elidedText(name_, Qt::ElideRight, std::max(width() / 3, beside));
    p.drawText(QRectF(x, 0, width(), height()), static_cast<int>(Qt::AlignVCenter), name);
    x += p.fontMetrics().horizontalAdvance(name) + 8;
    p.setFont(secondaryFont(font()));
    p.setPen(colour(Hue::Secondary, this));
    const double bar = 60, right = width() - 14 - bar;
    p.drawText(QRectF(x, 0, right - x - 8, height()), static_cast<int>(Qt::AlignVCenter),
               p.fontMetrics().elidedText(words_, Qt::ElideRight, static_cast<int>(right - x - 8)));
    p.setPen(Qt::NoPen);
    p.setBrush(colour(Hue::Line, this));
    p.drawRoundedRect(QRectF(right, height() / 2.0 - 2, bar, 4), 2, 2);
    if (share_ >= 0) {
        p.setBrush(colour(Hue::Accent, this));
        p.drawRoundedRect(QRectF(right, height() / 2.0 - 2, bar * std::min(1.0, share_), 4), 2, 2);
    }
}

void RunPill::mouseReleaseEvent(QMouseEvent* event) {
    if (rect().contains(event->pos())) Q_EMIT clicked();
}

void RunPill::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Space) return Q_EMIT clicked();
    QWidget::keyPressEvent(event);
}

Strip::Strip(Session& session, QWidget* parent)
    : QWidget(parent),
      project_(new ElidedText(Text::Kind::Strong)),
      place_(new ElidedText(Text::Kind::Secondary)),
      dash_(new Text(Text::Kind::Secondary, QStringLiteral("—"))),
      pill_(new RunPill(session)) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(3 * kSpace, kSpace, 3 * kSpace, kSpace + 1);
    row->setSpacing(2 * kSpace);
    row->addWidget(project_);
    row->addWidget(dash_);
    row->addWidget(place_, 1);
    row->addWidget(pill_);
    setMinimumHeight(controlHeight(font()) + 3 * kSpace);
    connect(pill_, &RunPill::clicked, this, [&session] {
        if (session.runs().live()) {
            Q_EMIT session.go().showRun(session.runs().live()->folder);
            Q_EMIT session.go().showPage(PageId::Runs);
        } else if (!session.work().all().isEmpty()) {
            Q_EMIT session.go().showPage(session.work().all().front().page);
        }
    });
}

void Strip::setPlace(const QString& project, const QString& place) {
    project_->setText(project);
    place_->setText(place);
    dash_->setVisible(!place.isEmpty());
}

void Strip::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(0, height() - 1, width(), 1, colour(Hue::Line, this));
}

}  // namespace studio::ui
