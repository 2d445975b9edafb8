#include "ui/data/reader_pane.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/data/facet_widgets.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// What the two shapes of the map stand for.
class Legend : public QWidget {
  public:
    explicit Legend(QWidget* parent = nullptr) : QWidget(parent) {
        setFixedHeight(QFontMetrics(secondaryFont(QApplication::font())).height() + kSpace);
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setFont(secondaryFont(font()));
        const double side = painter.fontMetrics().height() * 0.55;
        double x = 1;
        const auto entry = [&](Hue hue, bool round, const QString& words) {
            const QRectF box(x, (height() - side) / 2, side, side);
            painter.setPen(Qt::NoPen);
            painter.setBrush(colour(hue, this));
            if (round)
                painter.drawEllipse(box);
            else
                painter.drawRoundedRect(box, 1.5, 1.5);
            x += side + kSpace + 1;
            painter.setPen(colour(Hue::Secondary, this));
            painter.drawText(QRectF(x, 0, width() - x, height()), static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                             words);
            x += painter.fontMetrics().horizontalAdvance(words) + 3 * kSpace;
        };
        entry(Hue::Prompter, false, ReaderPane::tr("prompter"));
        entry(Hue::Assistant, true, ReaderPane::tr("assistant, rank (0 best)"));
    }
};

}  // namespace

ReaderPane::ReaderPane(Session& session, Library& library, QWidget* parent)
    : QWidget(parent),
      session_(session),
      library_(library),
      header_(new PaneHeader({})),
      proof_button_(new QPushButton(tr("Proof sheet"))),
      map_button_(new QPushButton),
      body_(new QStackedWidget),
      splitter_(new QSplitter(Qt::Horizontal)),
      view_(new ConversationView(reading_)),
      side_(new QWidget),
      map_(new TreeMap(reading_)),
      map_scroll_(new QScrollArea),
      map_title_(new Text(Text::Kind::Section)),
      facts_(new FactList),
      proof_(new ProofView(session)),
      nothing_(new EmptyState(Glyph::Data, tr("No conversation chosen"), tr("Choose one from the list."))) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    proof_button_->setCheckable(true);
    proof_button_->setAccessibleName(proof_button_->text());
    proof_button_->setToolTip(tr("This conversation as the trainer has it: tokens and targets (Ctrl+P)"));
    connect(proof_button_, &QPushButton::toggled, this, &ReaderPane::setProof);
    map_button_->setText(tr("Tree"));
    map_button_->setCheckable(true);
    map_button_->setAccessibleName(tr("Tree and facts"));
    map_button_->setToolTip(tr("Shows the tree of messages and the conversation's facts"));
    connect(map_button_, &QPushButton::toggled, this, &ReaderPane::showMap);
    header_->row()->addWidget(map_button_);
    header_->row()->addWidget(proof_button_);
    column->addWidget(header_);

    auto* side = new QVBoxLayout(side_);
    side->setContentsMargins(3 * kSpace, 3 * kSpace, 2 * kSpace, 3 * kSpace);
    side->setSpacing(2 * kSpace);
    map_title_->setWordWrap(true);
    side->addWidget(map_title_);
    map_scroll_->setWidget(map_);
    map_scroll_->setWidgetResizable(true);
    map_scroll_->setFrameShape(QFrame::NoFrame);
    map_scroll_->setFocusPolicy(Qt::NoFocus);
    map_scroll_->viewport()->setBackgroundRole(QPalette::Window);
    map_->setAutoFillBackground(false);
    connect(map_, &TreeMap::currentMoved, map_scroll_, [this](const QRect& around) {
        map_scroll_->ensureVisible(around.center().x(), around.center().y(), 40, 40);
    });
    map_scroll_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Expanding);
    side->addWidget(map_scroll_, 100);
    side->addWidget(new Legend);
    side->addSpacing(kSpace);
    side->addWidget(new Text(Text::Kind::Section, tr("This conversation")));
    facts_->setMaximumWidth(60 * characterWidth(font()));
    side->addWidget(facts_);
    side->addStretch(1);
    side_->setMinimumWidth(34 * characterWidth(font()));

    splitter_->addWidget(view_);
    splitter_->addWidget(side_);
    splitter_->setStretchFactor(0, 5);
    splitter_->setStretchFactor(1, 2);
    splitter_->setChildrenCollapsible(false);
    splitter_->setHandleWidth(1);
    splitter_->setSizes({520, 250});
    body_->addWidget(splitter_);
    body_->addWidget(proof_);
    body_->addWidget(nothing_);
    column->addWidget(body_, 1);

    connect(view_, &ConversationView::menuRequested, this, &ReaderPane::showMenu);
    connect(&reading_, &Reading::conversationChanged, this, &ReaderPane::showFacts);
    open(-1);
    showMap();
}

void ReaderPane::open(std::int32_t tree, const QString& wanted, const QString& branch) {
    const auto listing = library_.listing();
    const quint64 asked = ++asked_;
    if (tree < 0 || !listing || static_cast<std::size_t>(tree) >= listing->catalogue->trees().size()) {
        tree_ = -1;
        reading_.clear();
        return;
    }
    tree_ = tree;
    library_.conversation(this, listing->catalogue->trees()[static_cast<std::size_t>(tree)].row,
                          [this, asked, wanted, branch](Result<std::shared_ptr<const corpus::Conversation>> read) {
                              if (asked != asked_) return;
                              if (!read) {
                                  reading_.clear();
                                  if (!read.error().cancelled()) Q_EMIT failed(read.error());
                                  return;
                              }
                              reading_.show(std::move(*read), wanted, branch);
                              showVerdicts();
                              if (proofShown()) proof_->open(library_.listing()->catalogue, tree_);
                          });
}

void ReaderPane::showVerdicts() {
    const auto listing = library_.listing();
    if (reading_.empty() || !listing || listing->selection->verdicts.empty()) return;
    std::vector<corpus::Verdict> verdicts;
    for (const corpus::Message& message : reading_.conversation().messages) {
        const auto index = listing->catalogue->indexOf(message.row);
        if (!index) return;
        verdicts.push_back(listing->selection->verdicts[static_cast<std::size_t>(*index)]);
    }
    reading_.setVerdicts(std::move(verdicts));
    showFacts();
}

bool ReaderPane::proofShown() const {
    return proof_button_->isChecked();
}

void ReaderPane::setProof(bool on) {
    proof_button_->setChecked(on);
    if (on && tree_ >= 0 && library_.listing()) proof_->open(library_.listing()->catalogue, tree_);
    showFacts();
    Q_EMIT proofToggled(on);
}

void ReaderPane::setNarrow(bool narrow) {
    if (narrow_ == narrow) return;
    narrow_ = narrow;
    showMap();
}

// In a narrow window the tree takes the place of the messages while its button is pressed in.
void ReaderPane::showMap() {
    map_button_->setVisible(narrow_);
    const bool map = !narrow_ || map_button_->isChecked();
    side_->setVisible(map);
    view_->setVisible(!narrow_ || !map);
}

void ReaderPane::showFacts() {
    const bool empty = reading_.empty();
    body_->setCurrentWidget(empty          ? static_cast<QWidget*>(nothing_)
                            : proofShown() ? static_cast<QWidget*>(proof_)
                                           : splitter_);
    header_->setVisible(!empty);
    if (empty) {
        const auto listing = library_.listing();
        nothing_->setVisible(listing && !listing->rows.empty());
        return;
    }
    const corpus::Conversation& c = reading_.conversation();
    const corpus::Message& first = c.messages.front();
    QString title = visibleLine(text(first.text).trimmed().section(QLatin1Char('\n'), 0, 0).left(300));
    header_->setTitle(title.isEmpty() ? tr("(no text)") : title);
    int turns = 0, deleted = 0, kept = 0;
    for (std::size_t i = 0; i < c.messages.size(); ++i) {
        turns = std::max(turns, c.messages[i].depth + 1);
        deleted += c.messages[i].deleted;
        kept += reading_.verdict(static_cast<int>(i)).value_or(corpus::Verdict::Kept) == corpus::Verdict::Kept;
    }
    const auto n = static_cast<int>(c.messages.size());
    map_scroll_->setMaximumHeight(map_->sizeHint().height() + 2);
    map_title_->setText(
        tr("Tree · %1, %2").arg(tr("%Ln message(s)", nullptr, n), tr("%Ln turn(s) deep", nullptr, turns)));
    std::vector<FactList::Fact> facts{
        {tr("Language"), first.lang ? languageName(text(*first.lang)) : absent()},
        {tr("Direct replies"), number(static_cast<qint64>(first.replies))},
        {tr("Kept by the filter"),
         tr("%1 of %2").arg(number(static_cast<qint64>(kept)), number(static_cast<qint64>(n)))},
    };
    if (deleted > 0) facts.push_back({tr("Deleted messages"), number(static_cast<qint64>(deleted))});
    facts.push_back({tr("Written"), first.created_date ? text(*first.created_date).left(10) : absent()});
    facts.push_back({tr("State"), first.tree_state ? visibleLine(text(*first.tree_state)).left(40) : absent()});
    facts_->setFacts(facts);
}

void ReaderPane::copyMarkdown() {
    if (!reading_.empty()) QApplication::clipboard()->setText(reading_.asMarkdown());
}

void ReaderPane::showMenu(const QPoint& at) {
    if (reading_.empty()) return;
    QMenu menu(this);
    menu.addAction(tr("&Copy"), QKeySequence::Copy, view_, &ConversationView::copy);
    menu.addAction(tr("Copy Branch as &Markdown"), this, &ReaderPane::copyMarkdown);
    menu.addAction(tr("Copy Message &Id"), this, [this] { QApplication::clipboard()->setText(reading_.currentId()); });
    menu.addSeparator();
    menu.addAction(tr("Select &All"), QKeySequence::SelectAll, view_, &ConversationView::selectAll);
    menu.exec(at);
}

}  // namespace studio::ui
