#include "ui/recipe/findings_view.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/session/recipe_document.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/flow_layout.h"

namespace studio::ui {
namespace {

// A rounded ground.
class Card final : public QWidget {
  public:
    Card(Hue ground, bool outlined, QWidget* parent) : QWidget(parent), ground_(ground), outlined_(outlined) {}

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setBrush(colour(ground_, this));
        painter.setPen(outlined_ ? QPen(colour(Hue::Line, this), 1) : QPen(Qt::NoPen));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5);
    }

  private:
    Hue ground_;
    bool outlined_;
};

class Sign final : public QWidget {
  public:
    Sign(Glyph glyph, Hue hue, QWidget* parent) : QWidget(parent), glyph_(glyph), hue_(hue) {
        const int size = QFontMetrics(font()).height();
        setFixedSize(size, size);
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        drawGlyph(painter, glyph_, QRectF(rect()).adjusted(2, 2, -2, -2), colour(hue_, this));
    }

  private:
    Glyph glyph_;
    Hue hue_;
};

Text* wrapped(Text::Kind kind, const QString& words, QWidget* parent) {
    auto* label = new Text(kind, words, parent);
    label->setWordWrap(true);
    return label;
}

}  // namespace

FindingsView::FindingsView(QWidget* parent) : QWidget(parent), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(2 * kSpace);
}

void FindingsView::addCard(const Finding& finding) {
    const bool bad = finding.kind == Finding::Kind::Bad;
    auto* card = new Card(bad ? Hue::BadWash : Hue::CarefulWash, false, this);
    auto* layout = new QHBoxLayout(card);
    layout->setContentsMargins(2 * kSpace, 2 * kSpace, 3 * kSpace, 2 * kSpace);
    layout->setSpacing(2 * kSpace);
    const Hue hue = bad ? Hue::Bad : Hue::Careful;
    layout->addWidget(new Sign(bad ? Glyph::Cross : Glyph::Careful, hue, card), 0, Qt::AlignTop);
    auto* lines = new QVBoxLayout;
    lines->setSpacing(kSpace);
    layout->addLayout(lines, 1);
    auto* sentence = wrapped(Text::Kind::Strong, finding.sentence, card);
    sentence->setHue(hue);
    lines->addWidget(sentence);
    if (!finding.hint.isEmpty()) {
        auto* hint = wrapped(Text::Kind::Secondary, finding.hint, card);
        hint->setHue(Hue::Text);
        lines->addWidget(hint);
    }
    auto* buttons = new FlowLayout(2 * kSpace);
    if (!finding.cure.isEmpty()) {
        auto* cure = new QPushButton(finding.cure, card);
        cure->setAutoDefault(false);
        connect(cure, &QPushButton::clicked, this, [this, finding] {
            if (finding.cure_page)
                Q_EMIT pageWanted(*finding.cure_page);
            else
                Q_EMIT cureWanted(finding.cure_key, finding.cure_value);
        });
        buttons->addWidget(cure);
    }
    if (!finding.key.isEmpty()) {
        auto* field = new LinkButton(fieldLabel(utf8(finding.key)), card);
        field->setAccessibleName(tr("Go to the field %1").arg(fieldLabel(utf8(finding.key))));
        connect(field, &QToolButton::clicked, this, [this, key = finding.key] { Q_EMIT fieldWanted(key); });
        buttons->addWidget(field);
    }
    if (buttons->count() > 0)
        lines->addLayout(buttons);
    else
        delete buttons;
    column_->addWidget(card);
}

void FindingsView::setFindings(const std::vector<Finding>& findings) {
    QString all;
    for (const Finding& finding : findings)
        all += QString::number(static_cast<int>(finding.kind)) + finding.sentence + finding.hint + finding.cure +
               QLatin1Char('\n');
    if (all == shown_) return;
    shown_ = all;
    findings_ = findings;
    rebuild();
}

void FindingsView::rebuild() {
    while (QLayoutItem* item = column_->takeAt(0)) {
        if (QWidget* old = item->widget()) old->hide(), old->deleteLater();
        delete item;
    }
    Card* ticks = nullptr;
    QVBoxLayout* lines = nullptr;
    for (const Finding& finding : findings_) {
        if (finding.kind != Finding::Kind::Good) {
            addCard(finding);
            continue;
        }
        if (!ticks) {
            ticks = new Card(Hue::Surface, true, this);
            lines = new QVBoxLayout(ticks);
            lines->setContentsMargins(2 * kSpace, 2 * kSpace, 3 * kSpace, 2 * kSpace);
            lines->setSpacing(kSpace);
            column_->addWidget(ticks);
        }
        auto* row = new QHBoxLayout;
        row->setSpacing(2 * kSpace);
        row->addWidget(new Sign(Glyph::Tick, Hue::Good, ticks), 0, Qt::AlignTop);
        row->addWidget(wrapped(Text::Kind::Body, finding.sentence, ticks), 1);
        lines->addLayout(row);
    }
}

}  // namespace studio::ui
