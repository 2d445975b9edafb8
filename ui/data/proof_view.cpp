#include "ui/data/proof_view.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// What the boxes look like and mean.
// What the marks mean; as many lines as the width asks for.
class ProofLegend : public QWidget {
  public:
    using QWidget::QWidget;

  protected:
    void resizeEvent(QResizeEvent*) override { setFixedHeight(flow(nullptr)); }
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        flow(&painter);
    }

  private:
    struct Entry {
        bool filled, end;
        QString words;
    };
    // Lays the entries out, painting them where there is a painter. The height they take.
    int flow(QPainter* painter) const {
        const QFont small = secondaryFont(font());
        const QFontMetrics metrics(small);
        const int line = metrics.height() + 2 * kSpace;
        double x = 1, y = 0;
        for (const Entry& entry : {Entry{false, false, ProofView::tr("only read")},
                                   Entry{true, false, ProofView::tr("learned (underlined)")},
                                   Entry{true, true, ProofView::tr("end of text, learned (framed)")}}) {
            const double wide = line * 0.95 + kSpace + 2 + metrics.horizontalAdvance(entry.words);
            if (x > 1 && x + wide > width()) {
                x = 1;
                y += line;
            }
            if (painter) {
                painter->setFont(small);
                paintEntry(*painter, entry, {x + 0.5, y + 4.5, line * 0.95, line - 9.0},
                           {x + line * 0.95 + kSpace + 2, y, wide, double(line)});
            }
            x += wide + 4 * kSpace;
        }
        return static_cast<int>(y) + line;
    }
    void paintEntry(QPainter& painter, const Entry& entry, const QRectF& box, const QRectF& words) const {
        painter.setPen(QPen(colour(entry.end ? Hue::Assistant : Hue::Line, this), entry.end ? 1.5 : 1));
        painter.setBrush(colour(entry.filled ? Hue::GoodWash : Hue::Surface, this));
        painter.drawRoundedRect(box, 3, 3);
        if (entry.filled)
            painter.fillRect(QRectF(box.left() + 3, box.bottom() - 2.5, box.width() - 6, 2),
                             colour(Hue::Assistant, this));
        painter.setPen(colour(Hue::Secondary, this));
        painter.drawText(words, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter), entry.words);
    }
};

}  // namespace

void TokenTable::show(const jobs::ProofExample* example) {
    beginResetModel();
    example_ = example;
    endResetModel();
}

int TokenTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !example_ ? 0 : static_cast<int>(example_->tokens.size());
}

QVariant TokenTable::data(const QModelIndex& index, int role) const {
    if (!example_ || !index.isValid()) return {};
    const auto& token = example_->tokens[static_cast<std::size_t>(index.row())];
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((index.column() < 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
    switch (index.column()) {
        case 0:
            return token.position;
        case 1:
            return token.id;
        case 2:
            return tokenText(token);
        case 3:
            return kindText(token);
        default:
            return token.supervised ? tr("✓ learned") : tr("read");
    }
}

QVariant TokenTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section < 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    return QStringList{tr("Position"), tr("Id"), tr("Text"), tr("Part"), tr("Loss")}.value(section);
}

ProofView::ProofView(Session& session, QWidget* parent)
    : QWidget(parent),
      session_(session),
      tokenizers_(std::make_shared<jobs::TokenizerCache>()),
      summary_(new Text(Text::Kind::Secondary)),
      figures_(new Text(Text::Kind::Body)),
      place_(new Text(Text::Kind::Body)),
      previous_(new QToolButton),
      next_(new QToolButton),
      switch_(new QWidget),
      flow_(new TokenFlow),
      table_(new TokenTable(this)),
      table_view_(new QTableView),
      body_(new QStackedWidget),
      nothing_(new EmptyState(Glyph::Info, {})) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(3 * kSpace, 2 * kSpace, 3 * kSpace, kSpace);
    head->setSpacing(kSpace);
    summary_->setWordWrap(true);
    summary_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    head->addWidget(summary_);
    auto* line = new QHBoxLayout;
    line->setSpacing(2 * kSpace);
    figures_->setWordWrap(true);
    line->addWidget(figures_, 1);
    auto* switch_row = new QHBoxLayout(switch_);
    switch_row->setContentsMargins(0, 0, 0, 0);
    switch_row->setSpacing(kSpace);
    previous_->setIcon(icon(Glyph::Left));
    next_->setIcon(icon(Glyph::Right));
    previous_->setAccessibleName(tr("Previous example"));
    next_->setAccessibleName(tr("Next example"));
    connect(previous_, &QToolButton::clicked, this, [this] { showExample(example_ - 1); });
    connect(next_, &QToolButton::clicked, this, [this] { showExample(example_ + 1); });
    switch_row->addWidget(previous_);
    switch_row->addWidget(place_);
    switch_row->addWidget(next_);
    line->addWidget(switch_);
    head->addLayout(line);
    head->addWidget(new ProofLegend);

    auto* sheet = new QWidget;
    auto* sheet_column = new QVBoxLayout(sheet);
    sheet_column->setContentsMargins(0, 0, 0, 0);
    sheet_column->setSpacing(0);
    sheet_column->addLayout(head);
    sheet_column->addWidget(new Hairline(Qt::Horizontal));
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setHandleWidth(1);
    table_view_->setModel(table_);
    table_view_->setAccessibleName(tr("Table of tokens"));
    table_view_->verticalHeader()->hide();
    table_view_->verticalHeader()->setDefaultSectionSize(rowHeight(font()));
    table_view_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table_view_->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);  // the text
    table_view_->horizontalHeader()->setResizeContentsPrecision(40);
    table_view_->horizontalHeader()->setHighlightSections(false);
    table_view_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table_view_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_view_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_view_->setShowGrid(false);
    table_view_->setTabKeyNavigation(false);
    table_view_->setFrameShape(QFrame::NoFrame);
    // In a low window they give way to the words above.
    flow_->setMinimumHeight(3 * rowHeight(font()));
    table_view_->setMinimumHeight(2 * rowHeight(font()));
    splitter->addWidget(flow_);
    splitter->addWidget(table_view_);
    splitter->setSizes({520, 200});
    splitter->setChildrenCollapsible(false);
    sheet_column->addWidget(splitter, 1);
    body_->addWidget(sheet);
    recipe_button_ = nothing_->addButton(tr("Open the recipe"));
    connect(recipe_button_, &QPushButton::clicked, this,
            [this] { Q_EMIT session_.go().showField(recipe_button_->property("field").toString()); });
    body_->addWidget(nothing_);
    column->addWidget(body_, 1);
    nothing_->setSentence(tr("Setting the proof sheet…"));
    recipe_button_->hide();
    body_->setCurrentIndex(1);

    connect(flow_, &TokenFlow::currentChanged, this, [this](int token) { table_view_->selectRow(token); });
    connect(table_view_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex& now) { flow_->setCurrent(now.row()); });
    connect(&session_.recipe(), &RecipeDocument::changed, this, &ProofView::again);
}

void ProofView::again() {
    stale_ = true;
    if (isVisible() && catalogue_) open(catalogue_, tree_);
}

void ProofView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (stale_ && catalogue_) open(catalogue_, tree_);
}

void ProofView::open(std::shared_ptr<const corpus::Catalogue> catalogue, std::int32_t tree) {
    catalogue_ = std::move(catalogue);
    tree_ = tree;
    stale_ = false;
    const quint64 asked = ++asked_;
    using Sheet = std::shared_ptr<const jobs::ProofSheet>;
    session_.files().run<Sheet>(
        this,
        [store_path = session_.paths().corpus(), shared = catalogue_, tree, recipe = session_.recipe().recipe(),
         config = session_.recipe().configFile(), cache = tokenizers_](const JobContext& job) -> Result<Sheet> {
            STUDIO_TRY(corpus::Store store, corpus::Store::openFile(store_path));
            STUDIO_TRY(jobs::ProofSheet sheet, jobs::proofSheet(store, *shared, tree, recipe, config, *cache, job));
            return Sheet(std::make_shared<const jobs::ProofSheet>(std::move(sheet)));
        },
        [this, asked](Result<Sheet> sheet) {
            if (asked != asked_) return;
            if (!sheet) return showError(sheet.error());
            sheet_ = std::move(*sheet);
            showSheet();
        });
}

void ProofView::showError(const Error& error) {
    if (error.cancelled()) return;
    sheet_ = nullptr;
    flow_->show(nullptr);
    table_->show(nullptr);
    nothing_->setSentence(tr("The proof sheet needs the tokenizer of the recipe's base model"), text(error.text()));
    recipe_button_->setProperty("field", QStringLiteral("model_name_or_path"));
    recipe_button_->show();
    body_->setCurrentIndex(1);
    Q_EMIT shown();
}

void ProofView::showSheet() {
    if (sheet_->examples.empty()) {
        flow_->show(nullptr);
        table_->show(nullptr);
        nothing_->setSentence(text(sheet_->left_out),
                              sheet_->filter.empty() ? QString() : tr("Its filter is %1").arg(text(sheet_->filter)));
        recipe_button_->setProperty("field", QStringLiteral("filter"));
        recipe_button_->show();
        body_->setCurrentIndex(1);
        Q_EMIT shown();
        return;
    }
    const QString filter = sheet_->filter.empty() ? tr("no filter") : tr("filter %1").arg(text(sheet_->filter));
    summary_->setText(
        tr("As the recipe has it: tokenizer of %1, template %2, paths %3, learned: %4, at most %5 tokens, %6.")
            .arg(visibleLine(text(sheet_->tokenizer_name)), text(sheet_->template_name),
                 text(dataset::name(sheet_->paths)), text(dataset::name(sheet_->train_on)),
                 number(static_cast<qint64>(sheet_->max_seq_length)), filter));
    summary_->setAccessibleName(summary_->text());
    body_->setCurrentIndex(0);
    showExample(0);
    Q_EMIT shown();
}

void ProofView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fitWords();
}

// Wrapped words keep the height they need.
void ProofView::fitWords() {
    const int wide = width() - 6 * kSpace;
    // A label that never had words has no height for a width (-1).
    summary_->setMinimumHeight(std::max(0, summary_->heightForWidth(wide)));
    const int beside = switch_->isHidden() ? 0 : switch_->sizeHint().width() + 2 * kSpace;
    figures_->setMinimumHeight(std::max(0, figures_->heightForWidth(wide - beside)));
}

void ProofView::showExample(int index) {
    if (!sheet_ || index < 0 || index >= static_cast<int>(sheet_->examples.size())) return;
    example_ = index;
    const auto& example = sheet_->examples[static_cast<std::size_t>(index)];
    const auto count = static_cast<int>(sheet_->examples.size());
    switch_->setVisible(count > 1);
    place_->setText(
        tr("example %1 of %2").arg(number(static_cast<qint64>(index + 1)), number(static_cast<qint64>(count))));
    previous_->setEnabled(index > 0);
    next_->setEnabled(index + 1 < count);
    const auto tokens = static_cast<qint64>(example.tokens.size());
    QString figures =
        tr("%1 tokens, %2 of them learned").arg(number(tokens), number(static_cast<qint64>(example.supervised)));
    if (sheet_->cut_tokens > 0)
        figures = tr("%1; %2 beyond the length are cut").arg(figures, number(static_cast<qint64>(sheet_->cut_tokens)));
    figures_->setText(figures);
    fitWords();
    flow_->show(&example);
    table_->show(&example);
}

}  // namespace studio::ui
