#include "ui/shell/rail.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>
#include <thread>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/session/card_words.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/memory_bar.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

Glyph pageGlyph(PageId page) {
    switch (page) {
        case PageId::Data:
            return Glyph::Data;
        case PageId::Recipe:
            return Glyph::Recipe;
        case PageId::Runs:
            return Glyph::Runs;
        case PageId::Evaluate:
            return Glyph::Evaluate;
        case PageId::Chat:
            return Glyph::Chat;
        case PageId::Models:
            break;
    }
    return Glyph::Models;
}

// A page's place in the rail: its icon, its name, a wash when it is the one shown.
class RailButton final : public QToolButton {
  public:
    explicit RailButton(PageId page) : page_(page) {
        const QString title = pageTitle(page);
        setCheckable(true);
        setText(title);
        setAccessibleName(title);
        setToolTip(QCoreApplication::translate("Rail", "%1 (Ctrl+%2)").arg(title).arg(static_cast<int>(page) + 1));
        setFocusPolicy(Qt::TabFocus);
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    }
    QSize sizeHint() const override {
        const int height = controlHeight(font()) + kSpace;
        return {compact ? height + 2 * kSpace : characterWidth(font()) * 20, height};
    }
    QSize minimumSizeHint() const override { return sizeHint(); }
    bool compact = false;

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter p(this);
        p.setRenderHint(QPainter::Antialiasing);
        const QRectF box = QRectF(rect()).adjusted(0.5, 1, -0.5, -1);
        if (isChecked() || underMouse()) {
            p.setPen(Qt::NoPen);
            p.setBrush(colour(isChecked() ? Hue::AccentWash : Hue::Chip, this));
            p.drawRoundedRect(box, 4, 4);
        }
        if (hasFocus()) {
            p.setPen(QPen(colour(Hue::Accent, this), 2));
            p.setBrush(Qt::NoBrush);
            p.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4);
        }
        const QColor ink = colour(isChecked() ? Hue::Accent : Hue::Text, this);
        const double side = std::round(fontMetrics().height() * 0.85);
        const double left = compact ? (width() - side) / 2 : 2.5 * kSpace;
        drawGlyph(p, pageGlyph(page_), QRectF(left, (height() - side) / 2, side, side), ink);
        if (compact) return;
        p.setFont(isChecked() ? strongFont(font()) : font());
        p.setPen(ink);
        p.drawText(QRectF(left + side + 2.5 * kSpace, 0, width(), height()),
                   static_cast<int>(Qt::AlignVCenter | Qt::TextSingleLine), text());
    }

  private:
    PageId page_;
};

}  // namespace

QString pageTitle(PageId page) {
    switch (page) {
        case PageId::Data:
            return QCoreApplication::translate("Rail", "Data");
        case PageId::Recipe:
            return QCoreApplication::translate("Rail", "Recipe");
        case PageId::Runs:
            return QCoreApplication::translate("Rail", "Runs");
        case PageId::Evaluate:
            return QCoreApplication::translate("Rail", "Evaluate");
        case PageId::Chat:
            return QCoreApplication::translate("Rail", "Chat");
        case PageId::Models:
            break;
    }
    return QCoreApplication::translate("Rail", "Models");
}

Rail::Rail(Session& session, QWidget* parent)
    : QWidget(parent), session_(session), buttons_(new QButtonGroup(this)), foot_(new QWidget) {
    setAccessibleName(tr("Pages"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2 * kSpace, 2 * kSpace, 2 * kSpace + 1, 2 * kSpace);
    column->setSpacing(kSpace / 2);
    for (int i = 0; i < 6; ++i) {
        auto* button = new RailButton(static_cast<PageId>(i));
        buttons_->addButton(button, i);
        column->addWidget(button);
    }
    column->addStretch(1);
    connect(buttons_, &QButtonGroup::idClicked, this, [this](int id) { Q_EMIT chosen(static_cast<PageId>(id)); });

    auto* foot = new QVBoxLayout(foot_);
    foot->setContentsMargins(kSpace, 0, kSpace, 0);
    foot->setSpacing(kSpace / 2);
    foot->addWidget(new Hairline(Qt::Horizontal));
    foot->addSpacing(kSpace);
    device_ = new ElidedText(Text::Kind::Section);
    held_ = new ElidedText(Text::Kind::Secondary);
    memory_ = new Text(Text::Kind::Secondary);
    unload_ = new LinkButton(tr("Unload"));
    unload_->setFont(secondaryFont(font()));
    unload_->setToolTip(tr("Gives the memory of the loaded model back"));
    foot->addWidget(device_);
    card_ = new QWidget;
    auto* card = new QVBoxLayout(card_);
    card->setContentsMargins(0, 0, 0, 0);
    card->setSpacing(kSpace / 2);
    card_memory_ = new Text(Text::Kind::Secondary);
    heat_ = new Text(Text::Kind::Secondary);
    auto* figures = new QHBoxLayout;
    figures->addWidget(card_memory_);
    figures->addStretch(1);
    figures->addWidget(heat_);
    card->addLayout(figures);
    bar_ = new MemoryBar;
    bar_->setFixedHeight(kSpace);
    bar_->setAccessibleName(tr("Memory of the card"));
    card->addWidget(bar_);
    busy_ = new Text(Text::Kind::Secondary);
    card->addWidget(busy_);
    card_->hide();
    foot->addWidget(card_);
    foot->addWidget(held_);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(memory_);
    row->addStretch(1);
    row->addWidget(unload_);
    foot->addLayout(row);
    column->addWidget(foot_);
    connect(unload_, &QToolButton::clicked, this, [this] { session_.engine().unload(); });
    connect(&session_.engine(), &EngineThread::changed, this, &Rail::tellDevice);
    connect(&session_.runs(), &RunService::stateChanged, this, &Rail::tellDevice);
    connect(&session_.settings(), &Settings::changed, this, &Rail::tellDevice);
    connect(&session_.cards(), &CardWatch::changed, this, &Rail::tellDevice);
    session_.cards().showIn(foot_);
    tellDevice();
}

void Rail::setCurrent(PageId page) {
    buttons_->button(static_cast<int>(page))->setChecked(true);
}

void Rail::setCompact(bool compact) {
    if (compact == compact_) return;
    compact_ = compact;
    for (QAbstractButton* button : buttons_->buttons()) {
        static_cast<RailButton*>(button)->compact = compact;
        button->updateGeometry();
    }
    foot_->setVisible(!compact);
}

const CardWatch::Card* Rail::card() const {
    const CardWatch& watch = session_.cards();
    const EngineThread& engine = session_.engine();
    if (watch.cards().empty()) return nullptr;
    // What computes now, else what was chosen, else what the engine would take.
    if (engine.held() && !engine.held()->device.kind.empty()) return watch.find(engine.held()->device.uuid);
    const std::string chosen = utf8(session_.settings().device());
    if (chosen == "cpu" || (engine.device() && engine.device()->kind == "cpu")) return nullptr;
    if (const auto choice = machine::parseDevice(chosen); choice && !choice->uuid.empty())
        if (const auto* card = watch.find(choice->uuid)) return card;
    if (engine.device())
        if (const auto* card = watch.find(engine.device()->uuid)) return card;
    return &watch.cards().front();
}

void Rail::tellCard(const CardWatch::Card& card) {
    const machine::CardReading& reading = card.reading;
    device_->setText(card.label);
    card_memory_->setText(cardMemory(reading));
    heat_->setText(cardTemperature(reading));
    busy_->setText(cardBusy(reading));
    bar_->setVisible(reading.memory_used && reading.memory_total);
    bar_->setParts({reading.memory_used.value_or(0)}, reading.memory_total.value_or(0));
    bar_->setAccessibleDescription(cardMemory(reading));
    card_->setToolTip(toolTipText(cardSummary(card)));
}

void Rail::tellDevice() {
    const auto& device = session_.engine().device();
    const auto& held = session_.engine().held();
    const CardWatch::Card* shown = card();
    card_->setVisible(shown != nullptr);
    if (shown != nullptr)
        tellCard(*shown);
    else if (held && held->device.kind == "cuda")
        device_->setText(text(held->device.name));
    else if (device)
        device_->setText(device->kind == "cuda" ? text(device->name)
                                                : tr("CPU, %n thread(s)", nullptr, device->threads));
    else
        device_->setText(tr("CPU, %n thread(s)", nullptr, static_cast<int>(std::thread::hardware_concurrency())));
    held_->setText(held ? held->label : tr("No model loaded"));
    memory_->setText(held && held->bytes > 0 ? memory(held->bytes) : QString());
    unload_->setVisible(held && !session_.runs().active());
    unload_->setEnabled(session_.engine().busyWith().isEmpty());
}

void Rail::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(width() - 1, 0, 1, height(), colour(Hue::Line, this));
}

}  // namespace studio::ui
