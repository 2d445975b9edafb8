#include "ui/data/facet_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QScrollBar>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

using corpus::Trait;
constexpr int kShownLanguages = 6;
constexpr Trait kOrder[] = {Trait::Deleted, Trait::Spam, Trait::Rejected, Trait::NotReviewed, Trait::Synthetic};

QString traitName(Trait trait) {
    switch (trait) {
        case Trait::Deleted:
            return FacetPanel::tr("deleted");
        case Trait::Spam:
            return FacetPanel::tr("spam");
        case Trait::Rejected:
            return FacetPanel::tr("rejected");
        case Trait::NotReviewed:
            return FacetPanel::tr("not reviewed");
        case Trait::Synthetic:
            return FacetPanel::tr("written by a model");
    }
    return {};
}

// Chips one after the other, in as many rows as they need.
class ChipFlow : public QWidget {
  public:
    using QWidget::QWidget;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return place(width, false); }
    QSize sizeHint() const override { return {120, place(std::max(120, width()), false)}; }

  protected:
    void resizeEvent(QResizeEvent*) override {
        const int height = place(width(), true);
        if (minimumHeight() != height) setMinimumHeight(height);
    }
    bool event(QEvent* event) override {
        if (event->type() == QEvent::LayoutRequest) {
            setMinimumHeight(place(width(), true));
            updateGeometry();
        }
        return QWidget::event(event);
    }

  private:
    int place(int width, bool move) const {
        int x = 0, y = 0, row = 0;
        for (QObject* child : children()) {
            auto* chip = qobject_cast<QWidget*>(child);
            if (!chip || chip->isHidden()) continue;
            const QSize size = chip->sizeHint();
            if (x > 0 && x + size.width() > width) {
                x = 0;
                y += row + kSpace;
                row = 0;
            }
            if (move) chip->setGeometry(x, y, std::min(size.width(), width), size.height());
            x += size.width() + kSpace + 2;
            row = std::max(row, size.height());
        }
        return y + row;
    }
};

}  // namespace

FacetPanel::FacetPanel(QWidget* parent) : QWidget(parent) {
    build();
}

void FacetPanel::build() {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
    column->setSpacing(kSpace);
    const auto heading = [&](const QString& words, QWidget* right) {
        auto* row = new QHBoxLayout;
        row->setSpacing(2 * kSpace);
        auto* label = new Text(Text::Kind::Section, words);
        row->addWidget(label, 1);
        if (right) row->addWidget(right);
        column->addLayout(row);
    };
    clear_ = new LinkButton(tr("Clear"));
    clear_->setToolTip(tr("Empties the filter (Esc)"));
    connect(clear_, &QToolButton::clicked, this, [this] { Q_EMIT filterWanted({}); });
    auto* top = new QHBoxLayout;
    top->addWidget(new Text(Text::Kind::Strong, tr("Filter")), 1);
    top->addWidget(clear_);
    column->addLayout(top);
    column->addSpacing(kSpace);

    heading(tr("Language"), nullptr);
    languages_ = new QVBoxLayout;
    languages_->setSpacing(0);
    column->addLayout(languages_);
    more_languages_ = new LinkButton(tr("All languages"));
    connect(more_languages_, &QToolButton::clicked, this, &FacetPanel::showAllLanguages);
    column->addWidget(more_languages_, 0, Qt::AlignLeft);
    column->addSpacing(2 * kSpace);

    quality_range_ = new Text(Text::Kind::Secondary);
    heading(tr("Quality of best reply"), quality_range_);
    quality_ = new Histogram;
    quality_->setAccessibleName(tr("Quality of best reply"));
    connect(quality_, &Histogram::chosen, this, [this](int bar, bool) { chooseQuality(bar); });
    column->addWidget(quality_);
    unrated_ = new Text(Text::Kind::Secondary);
    column->addWidget(unrated_);
    column->addSpacing(2 * kSpace);

    turns_range_ = new Text(Text::Kind::Secondary);
    heading(tr("Turns"), turns_range_);
    turns_ = new Histogram;
    turns_->setAccessibleName(tr("Turns"));
    connect(turns_, &Histogram::chosen, this, &FacetPanel::chooseTurns);
    column->addWidget(turns_);
    column->addSpacing(2 * kSpace);

    heading(tr("Leave out"), nullptr);
    chip_box_ = new ChipFlow;
    for (const Trait trait : kOrder) {
        auto* chip = new ToggleChip(traitName(trait), chip_box_);
        connect(chip, &QAbstractButton::clicked, this,
                [this, trait] { Q_EMIT filterWanted(toggleLeftOut(filter_, trait)); });
        chips_[trait] = chip;
    }
    column->addWidget(chip_box_);
    column->addStretch(1);
    auto* import = new LinkButton(tr("Import conversations…"));
    import->setToolTip(tr("Reads more files into the project (Ctrl+I)"));
    connect(import, &QToolButton::clicked, this, &FacetPanel::importWanted);
    column->addWidget(import, 0, Qt::AlignLeft);
}

void FacetPanel::show(const std::shared_ptr<const Listing>& listing) {
    listing_ = listing;
    showState();
}

void FacetPanel::setFilter(const QString& filter) {
    filter_ = filter;
    state_ = readFacets(filter);
    showState();
}

void FacetPanel::showAllLanguages() {
    all_languages_ = !all_languages_;
    showState();
}

void FacetPanel::showState() {
    clear_->setEnabled(!filter_.isEmpty());
    if (!listing_) return;
    const Facets& facets = listing_->facets;
    const auto n = static_cast<int>(facets.languages.size());
    while (static_cast<int>(language_rows_.size()) < n) {
        auto* row = new LanguageRow;
        connect(row, &QAbstractButton::clicked, this,
                [this, row] { Q_EMIT filterWanted(toggleLanguage(filter_, row->code())); });
        languages_->addWidget(row);
        language_rows_.push_back(row);
    }
    for (int i = 0; i < static_cast<int>(language_rows_.size()); ++i) {
        LanguageRow* row = language_rows_[static_cast<std::size_t>(i)];
        if (i >= n) {
            row->hide();
            continue;
        }
        const Facets::Language& language = facets.languages[static_cast<std::size_t>(i)];
        const bool active = state_.languages.contains(language.code);
        row->setCount(language, active);
        row->setVisible(all_languages_ || i < kShownLanguages || active);
    }
    more_languages_->setVisible(n > kShownLanguages);
    more_languages_->setText(all_languages_ ? tr("Fewer languages") : tr("All %Ln language(s)", nullptr, n));
    more_languages_->setAccessibleName(more_languages_->text());

    constexpr int kBins = Facets::kQualityBins;
    QStringList names;
    for (int i = 0; i < kBins; ++i)
        names << tr("%1 to %2")
                     .arg(number(static_cast<double>(i) / kBins, 2), number(static_cast<double>(i + 1) / kBins, 2));
    quality_->setBars(facets.quality, names, QStringLiteral("0"), QStringLiteral("1"));
    const auto from = state_.quality;
    quality_->setRange(from ? std::optional(std::pair(static_cast<int>(*from * kBins + 1e-6), kBins - 1))
                            : std::nullopt);
    quality_range_->setText(from ? tr("%1 – 1").arg(number(*from, 2)) : QString());
    unrated_->setText(tr("%Ln without a rated reply", nullptr, static_cast<int>(facets.unrated.total)));
    unrated_->setVisible(facets.unrated.total > 0);

    names.clear();
    const int longest = static_cast<int>(facets.turns.size());
    for (int i = 0; i < longest; ++i) names << tr("%Ln turn(s) deep", nullptr, i + 1);
    turns_->setBars(facets.turns, names, longest > 0 ? number(qint64{1}) : QString(),
                    longest > 1 ? number(static_cast<qint64>(longest)) : QString());
    if (state_.turns_from || state_.turns_to) {
        const int first = state_.turns_from.value_or(1), last = state_.turns_to.value_or(std::max(1, longest));
        turns_->setRange(std::pair(first - 1, last - 1));
        turns_range_->setText(
            first == last ? number(static_cast<qint64>(first))
                          : tr("%1 – %2").arg(number(static_cast<qint64>(first)), number(static_cast<qint64>(last))));
    } else {
        turns_->setRange(std::nullopt);
        turns_range_->clear();
    }
    for (const auto& [trait, chip] : chips_) {
        const qint64 count = listing_->catalogue->count(trait);
        const bool active = state_.left_out.contains(trait);
        chip->setText(QStringLiteral("%1 %2").arg(traitName(trait), number(count)));
        chip->setAccessibleName(
            tr("Leave out %1, %Ln message(s)", nullptr, static_cast<int>(count)).arg(traitName(trait)));
        chip->setChecked(active);
        chip->setVisible(count > 0 || (active && trait != Trait::Deleted));
        chip->setToolTip(active ? tr("Left out, with the replies below. Press to keep them.")
                                : tr("Press to leave these messages out, with the replies below."));
    }
    chip_box_->updateGeometry();
    QCoreApplication::postEvent(chip_box_, new QEvent(QEvent::LayoutRequest));
}

void FacetPanel::chooseQuality(int bar) {
    const double from = static_cast<double>(bar) / Facets::kQualityBins;
    const bool again = state_.quality && std::abs(*state_.quality - from) < 1e-6;
    Q_EMIT filterWanted(setQuality(filter_, again || bar == 0 ? std::nullopt : std::optional(from)));
}

void FacetPanel::chooseTurns(int bar, bool extend) {
    const int turns = bar + 1;
    if (extend && state_.turns_from && state_.turns_to) {
        Q_EMIT filterWanted(setTurns(filter_, std::min(turns, *state_.turns_from), std::max(turns, *state_.turns_to)));
        return;
    }
    const bool again = state_.turns_from == turns && state_.turns_to == turns;
    Q_EMIT filterWanted(again ? setTurns(filter_, {}, {}) : setTurns(filter_, turns, turns));
}

FacetScroll::FacetScroll(QWidget* panel) {
    setWidget(panel);
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    viewport()->setBackgroundRole(QPalette::Window);
}

QSize FacetScroll::minimumSizeHint() const {
    const int content = widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width();
    return {std::max(28 * characterWidth(font()), content), QScrollArea::minimumSizeHint().height()};
}

// Other facets may need another width. (The area watches its widget itself.)
bool FacetScroll::eventFilter(QObject* watched, QEvent* event) {
    if (watched == widget() && event->type() == QEvent::LayoutRequest) updateGeometry();
    return QScrollArea::eventFilter(watched, event);
}

}  // namespace studio::ui
