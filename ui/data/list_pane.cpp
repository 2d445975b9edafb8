#include "ui/data/list_pane.h"

#include <QApplication>
#include <QComboBox>
#include <QHBoxLayout>
#include <QListView>
#include <QScrollBar>
#include <QStackedWidget>
#include <QStyleOptionComboBox>
#include <QVBoxLayout>

#include "corpus/filter.h"
#include "ui/data/conversation_delegate.h"
#include "ui/data/filter_terms.h"
#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// A combo box that leaves the wheel to the page unless it has the focus, as wide as what it shows.
class CalmCombo : public QComboBox {
  public:
    CalmCombo() {
        connect(this, &QComboBox::currentTextChanged, this, [this] { updateGeometry(); });
    }
    QSize sizeHint() const override {
        QStyleOptionComboBox option;
        initStyleOption(&option);
        const QSize words(characterWidth(font()) + fontMetrics().horizontalAdvance(currentText()),
                          fontMetrics().height());
        return {style()->sizeFromContents(QStyle::CT_ComboBox, &option, words, this).width(),
                QComboBox::sizeHint().height()};
    }
    QSize minimumSizeHint() const override { return {8 * characterWidth(font()), sizeHint().height()}; }

  protected:
    void wheelEvent(QWheelEvent* event) override {
        if (hasFocus())
            QComboBox::wheelEvent(event);
        else
            event->ignore();
    }
};

// Characters of QString before byte `bytes` of its UTF-8.
int charactersBefore(const std::string& text, std::size_t bytes) {
    return static_cast<int>(
        QString::fromUtf8(text.data(), static_cast<qsizetype>(std::min(bytes, text.size()))).size());
}

}  // namespace

ListPane::ListPane(Library& library, QWidget* parent)
    : QWidget(parent),
      library_(library),
      filter_(new FilterBox),
      facets_(new QToolButton),
      error_mark_(new QLabel),
      sentence_(new Text(Text::Kind::Secondary)),
      count_(new Text(Text::Kind::Strong)),
      of_(new Text(Text::Kind::Body)),
      messages_(new Text(Text::Kind::Secondary)),
      train_(new QPushButton),
      scope_(new CalmCombo),
      sort_(new CalmCombo),
      list_(new QListView),
      model_(new ConversationList(library, this)),
      body_(new QStackedWidget),
      nothing_(new EmptyState(Glyph::Search, {})) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    auto* head = new QVBoxLayout;
    head->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 2 * kSpace);
    head->setSpacing(kSpace + 2);
    auto* first = new QHBoxLayout;
    first->setSpacing(2 * kSpace);
    facets_->setIcon(icon(Glyph::Filter));
    facets_->setCheckable(true);
    facets_->setAccessibleName(tr("Languages, quality, turns"));
    facets_->setToolTip(tr("Shows languages, quality and turns to choose from"));
    facets_->setVisible(false);
    first->addWidget(facets_);
    first->addWidget(filter_, 1);
    head->addLayout(first);
    auto* explained = new QHBoxLayout;
    explained->setSpacing(kSpace + 2);
    error_mark_->setVisible(false);
    explained->addWidget(error_mark_, 0, Qt::AlignTop);
    sentence_->setWordWrap(true);
    sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    explained->addWidget(sentence_, 1);
    head->addLayout(explained);
    head->addWidget(buildCount());
    column->addLayout(head);
    column->addWidget(new Hairline(Qt::Horizontal));

    list_->setModel(model_);
    list_->setItemDelegate(new ConversationDelegate(list_));
    list_->setUniformItemSizes(true);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    list_->setMouseTracking(true);
    list_->setAccessibleName(tr("Conversations"));
    list_->viewport()->setBackgroundRole(QPalette::Window);
    list_->viewport()->setAutoFillBackground(true);
    connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        // A view that gets the focus makes its first row the current one without choosing it.
        if (now.isValid() && !list_->selectionModel()->isSelected(now))
            list_->selectionModel()->select(now, QItemSelectionModel::ClearAndSelect);
        Q_EMIT treeChosen(model_->treeAt(now.row()));
    });
    body_->addWidget(list_);
    way_out_ = nothing_->addButton({});
    other_way_ = nothing_->addButton({});
    connect(way_out_, &QPushButton::clicked, this, [this] { go_way_out_(); });
    connect(other_way_, &QPushButton::clicked, this, [this] { go_other_way_(); });
    body_->addWidget(nothing_);
    body_->setMinimumHeight(3 * rowHeight(font()));  // where the window is low, the head keeps its height
    column->addWidget(body_, 1);

    connect(filter_, &FilterBox::edited, this, &ListPane::explain);
    connect(filter_, &FilterBox::settled, this, [this] {
        if (explain()) Q_EMIT settled();
    });
    explain();
}

QSize ListPane::minimumSizeHint() const {
    return QWidget::minimumSizeHint().expandedTo({34 * characterWidth(font()), 0});
}

QWidget* ListPane::buildCount() {
    auto* box = new QWidget;
    auto* grid = new QVBoxLayout(box);
    grid->setContentsMargins(0, kSpace, 0, 0);
    grid->setSpacing(kSpace + 2);
    auto* counts = new FlowLayout(kSpace + 2);
    counts->addWidget(count_);
    counts->addWidget(of_);
    counts->addWidget(messages_);
    grid->addLayout(counts);
    setPrimary(train_);
    connect(train_, &QPushButton::clicked, this, &ListPane::trainWanted);
    grid->addWidget(train_);
    auto* choices = new FlowLayout(2 * kSpace);
    choices->setFilling(true);
    scope_->setAccessibleName(tr("Conversations shown"));
    sort_->setAccessibleName(tr("Order"));
    for (QComboBox* combo : {scope_, sort_}) {
        choices->addWidget(combo);
    }
    for (const QString& name : {tr("File order"), tr("Best quality first"), tr("Lowest quality first"),
                                tr("Most turns first"), tr("Most messages first"), tr("By language")})
        sort_->addItem(name);
    fillScopes();
    const auto tell = [this] {
        if (!filling_) Q_EMIT changed();
    };
    connect(scope_, &QComboBox::currentIndexChanged, this, tell);
    connect(sort_, &QComboBox::currentIndexChanged, this, tell);
    grid->addLayout(choices);
    return box;
}

void ListPane::fillScopes() {
    filling_ = true;
    const int now = std::max(0, scope_->currentIndex());
    const auto label = [&](const QString& words, Scope scope) {
        return listing_ ? tr("%1 (%2)").arg(words, number(listing_->countOf(scope))) : words;
    };
    const QStringList names{label(tr("To train on"), Scope::Trainable), label(tr("No reply left"), Scope::WithoutReply),
                            label(tr("Any message matches"), Scope::AnyMatch), label(tr("All"), Scope::All)};
    if (scope_->count() == 0) scope_->addItems(names);
    for (int i = 0; i < names.size(); ++i) scope_->setItemText(i, names[i]);
    scope_->setCurrentIndex(now);
    filling_ = false;
}

Scope ListPane::scope() const {
    return static_cast<Scope>(std::max(0, scope_->currentIndex()));
}
SortBy ListPane::sort() const {
    return static_cast<SortBy>(std::max(0, sort_->currentIndex()));
}
void ListPane::setScope(Scope scope) {
    scope_->setCurrentIndex(static_cast<int>(scope));
}
void ListPane::setSort(SortBy sort) {
    sort_->setCurrentIndex(static_cast<int>(sort));
}

bool ListPane::explain() {
    const std::string typed = utf8(filter_->filter());
    const auto parsed = corpus::Filter::parse(typed);
    wrong_ = !parsed;
    if (parsed) {
        filter_->setError(0, 0);
        sentence_->setHue(Hue::Secondary);
        sentence_->setText(parsed->matchesEverything() ? tr("All messages but deleted ones and orphans")
                                                       : text(corpus::describe(*parsed)));
    } else {
        const corpus::FilterError& error = parsed.error();
        int begin = charactersBefore(typed, error.begin), end = charactersBefore(typed, error.end);
        if (end <= begin) end = begin + 1;
        if (begin >= filter_->filter().size()) begin = std::max(0, static_cast<int>(filter_->filter().size()) - 1);
        filter_->setError(begin, end);
        sentence_->setHue(Hue::Bad);
        sentence_->setText(joined(text(error.message), text(error.hint)));
        const int side = QFontMetrics(secondaryFont(QApplication::font())).height();
        error_mark_->setPixmap(icon(Glyph::Careful).pixmap(side, side));
    }
    error_mark_->setVisible(wrong_);
    sentence_->setAccessibleName(sentence_->text());
    filter_->setAccessibleDescription(sentence_->text());
    train_->setEnabled(!wrong_ && listing_ && listing_->countOf(Scope::Trainable) > 0);
    return !wrong_;
}

void ListPane::show(const std::shared_ptr<const Listing>& listing) {
    const std::int32_t before = selected();
    const bool same_corpus = listing_ && listing && listing_->catalogue == listing->catalogue;
    const int scroll = list_->verticalScrollBar()->value();
    const bool same_question = same_corpus && listing_->filter == listing->filter && listing_->sort == listing->sort;
    listing_ = listing;
    fillScopes();
    {
        const QSignalBlocker quiet(list_->selectionModel());
        model_->show(listing);
    }
    list_->selectionModel()->reset();
    if (same_question) list_->verticalScrollBar()->setValue(scroll);
    if (same_corpus && before >= 0) select(before);
    showCount();
    explain();
    showNothing();
}

void ListPane::showCount() {
    if (!listing_) {
        count_->clear();
        of_->clear();
        messages_->clear();
        return;
    }
    const qint64 chosen = listing_->countOf(Scope::Trainable), all = listing_->countOf(Scope::All);
    count_->setText(number(chosen));
    of_->setText(tr("of %Ln conversation(s)", nullptr, static_cast<int>(all)));
    const qint64 kept = listing_->selection->messages;
    messages_->setText(tr("%Ln message(s)", nullptr, static_cast<int>(kept)));
    messages_->setToolTip(
        tr("Messages that stay with this filter. Left out: %1 deleted, %2 without their parent, %3 by the filter, "
           "%4 below one left out.")
            .arg(number(listing_->selection->left_out.deleted), number(listing_->selection->left_out.orphans),
                 number(listing_->selection->left_out.filtered), number(listing_->selection->left_out.below)));
    const QString words = chosen == 0   ? tr("No conversation to train on")
                          : chosen == 1 ? tr("Train on this conversation")
                                        : tr("Train on these %1 conversations").arg(number(chosen));
    train_->setText(words);
    train_->setAccessibleName(words);
    train_->setToolTip(
        tr("Writes this filter into the recipe. One without an answer within the recipe's longest length "
           "is left out there; the recipe says how many those are."));
}

void ListPane::offer(QPushButton* button, const QString& words, std::function<void()> act) {
    button->setText(words);
    button->setAccessibleName(words);
    button->setVisible(!words.isEmpty());
    (button == way_out_ ? go_way_out_ : go_other_way_) = std::move(act);
}

// Why the list is empty, and the way out.
void ListPane::showNothing() {
    const bool empty = listing_ && model_->rowCount() == 0;
    body_->setCurrentIndex(empty ? 1 : 0);
    if (!empty) return;
    const QString filter = filter_->filter();
    const auto clear = [this] { Q_EMIT filterWanted({}); };
    const auto show = [this](Scope scope) { return [this, scope] { setScope(scope); }; };
    offer(other_way_, {}, [] {});
    const auto matched = static_cast<int>(listing_->selection->matched_messages);
    const auto only_prompts = static_cast<int>(listing_->countOf(Scope::WithoutReply));
    if (listing_->scope != Scope::Trainable && listing_->countOf(Scope::Trainable) > 0) {
        nothing_->setSentence(tr("No conversation of this kind"));
        offer(way_out_, tr("Show those to train on"), show(Scope::Trainable));
    } else if (only_prompts > 0) {
        nothing_->setSentence(tr("No reply is left to learn from"),
                              tr("Of %Ln conversation(s) only prompts are left.", nullptr, only_prompts));
        offer(way_out_, tr("Show them"), show(Scope::WithoutReply));
        if (!filter.isEmpty()) offer(other_way_, tr("Clear filter"), clear);
    } else if (const QString wider = withPrompts(filter); matched > 0 && !wider.isEmpty()) {
        nothing_->setSentence(
            tr("%Ln message(s) match, but no conversation is left", nullptr, matched),
            tr("A message left out takes the replies below it along, and this filter leaves the prompts out."));
        offer(way_out_, tr("Keep the prompts"), [this, wider] { Q_EMIT filterWanted(wider); });
        way_out_->setToolTip(toolTipText(wider));
        offer(other_way_, tr("Show the matches"), show(Scope::AnyMatch));
    } else {
        nothing_->setSentence(tr("No message matches this filter"), tr("Esc in the filter box clears it, too."));
        offer(way_out_, tr("Clear filter"), clear);
    }
}

void ListPane::select(std::int32_t tree) {
    const int row = tree < 0 ? -1 : model_->rowOfTree(tree);
    if (row < 0) return;
    list_->setCurrentIndex(model_->index(row));
    list_->scrollTo(model_->index(row));
}

std::int32_t ListPane::selected() const {
    return model_->treeAt(list_->currentIndex().row());
}

}  // namespace studio::ui
