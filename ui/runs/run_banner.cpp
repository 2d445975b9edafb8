#include "ui/runs/run_banner.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/flow_layout.h"

namespace studio::ui {

RunBanner::RunBanner(QWidget* parent)
    : QWidget(parent),
      sentence_(new Text(Text::Kind::Strong)),
      hint_(new Text(Text::Kind::Body)),
      amount_(new Text(Text::Kind::Secondary)),
      bar_(new QProgressBar),
      buttons_(new FlowLayout(2 * kSpace)) {
    const int glyph = QFontMetrics(QApplication::font()).height();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(glyph + 5 * kSpace, 2 * kSpace + 1, 3 * kSpace, 2 * kSpace + 1);
    column->setSpacing(kSpace + 2);
    for (Text* label : {sentence_, hint_}) {
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        column->addWidget(label);
    }
    sentence_->setAccessibleName(tr("State of the run"));
    hint_->setAccessibleName(tr("What it means"));
    auto* progress = new QHBoxLayout;
    progress->setSpacing(3 * kSpace);
    bar_->setTextVisible(false);
    bar_->setFixedHeight(6);
    bar_->setAccessibleName(tr("Progress of this phase"));
    progress->addWidget(bar_, 1);
    progress->addWidget(amount_);
    column->addLayout(progress);
    column->addLayout(buttons_);
    hide();
}

void RunBanner::setNotice(const RunNotice& notice) {
    const bool same_acts = notice.acts == notice_.acts;
    notice_ = notice;
    setVisible(!notice.sentence.isEmpty());
    sentence_->setText(notice.sentence);
    hint_->setText(notice.hint);
    hint_->setVisible(!notice.hint.isEmpty());
    bar_->setVisible(notice.bar);
    amount_->setVisible(notice.bar && notice.total > 0);
    if (notice.bar) {
        // In thousandths: amounts may be bytes beyond an int.
        bar_->setRange(0, notice.total > 0 ? 1000 : 0);
        if (notice.total > 0) {
            const double share = static_cast<double>(notice.done) / static_cast<double>(notice.total);
            bar_->setValue(static_cast<int>(1000 * share));
            amount_->setText(percent(share, 0));
        }
    }
    if (!same_acts) {
        for (auto& [act, button] : acts_) delete button;
        acts_.clear();
        for (const auto& [act, words] : notice.acts) {
            auto* button = new QPushButton(words);
            if (acts_.empty() && act != RunAct::Cancel && act != RunAct::StopNow) setPrimary(button);
            connect(button, &QPushButton::clicked, this, [this, what = act] { Q_EMIT acted(what); });
            buttons_->addWidget(button);
            acts_.emplace_back(act, button);
        }
    }
    update();
}

QPushButton* RunBanner::button(RunAct wanted) const {
    for (const auto& [act, button] : acts_) {
        if (act == wanted) return button;
    }
    return nullptr;
}

void RunBanner::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour(notice_.ground, this));
    painter.drawRoundedRect(rect(), 5, 5);
    const int glyph = QFontMetrics(QApplication::font()).height();
    drawGlyph(painter, notice_.glyph, QRectF(3 * kSpace, sentence_->y() + 1, glyph - 2, glyph - 2),
              colour(notice_.hue, this));
}

}  // namespace studio::ui
