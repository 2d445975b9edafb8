#include "ui/data/import_report_view.h"

#include <QApplication>
#include <QClipboard>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollArea>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

using corpus::ImportReport;

QString tr(const char* words, int n = -1) {
    return QCoreApplication::translate("ImportReport", words, nullptr, n);
}

QString nameOf(const ImportOutcome& outcome) {
    return visibleLine(QFileInfo(outcome.file).fileName());
}

QString counted(const char* words, quint64 n) {
    return tr(words, static_cast<int>(std::min<quint64>(n, 0x7fffffff)));
}

struct Listed {
    QString line, message, reason, beginning;
};

// Rejected lines, orphans: a line number, which message, why.
class ListedModel : public QAbstractTableModel {
  public:
    ListedModel(std::vector<Listed> rows, bool with_beginning, QObject* parent)
        : QAbstractTableModel(parent), rows_(std::move(rows)), columns_(with_beginning ? 4 : 3) {}
    int rowCount(const QModelIndex& parent) const override {
        return parent.isValid() ? 0 : static_cast<int>(rows_.size());
    }
    int columnCount(const QModelIndex& parent) const override { return parent.isValid() ? 0 : columns_; }
    QVariant data(const QModelIndex& index, int role) const override {
        if (role == Qt::TextAlignmentRole)
            return static_cast<int>((index.column() == 0 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
        const Listed& row = rows_[static_cast<std::size_t>(index.row())];
        const QString& words = index.column() == 0   ? row.line
                               : index.column() == 1 ? row.reason
                               : index.column() == 2 ? row.message
                                                     : row.beginning;
        if (role == Qt::ToolTipRole) return toolTipText(words);
        return index.column() == 0 ? words + QStringLiteral("  ") : words;  // numbers keep off the column beside
    }
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override {
        if (orientation == Qt::Horizontal && role == Qt::TextAlignmentRole)
            return static_cast<int>((section == 0 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
        return QStringList{tr("Line"), tr("Reason"), tr("Message"), tr("Beginning of the line")}.value(section);
    }

  private:
    std::vector<Listed> rows_;
    int columns_;
};

QTableView* table(std::vector<Listed> rows, bool with_beginning, const QString& name, QWidget* parent) {
    const auto count = static_cast<int>(rows.size());
    auto* view = new QTableView(parent);
    view->setModel(new ListedModel(std::move(rows), with_beginning, view));
    view->setAccessibleName(name);
    view->verticalHeader()->hide();
    const int row = rowHeight(QApplication::font());
    view->verticalHeader()->setDefaultSectionSize(row);
    view->horizontalHeader()->setHighlightSections(false);
    view->setShowGrid(false);
    view->setWordWrap(false);
    view->setTabKeyNavigation(false);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    const int character = characterWidth(view->font());
    view->setColumnWidth(0, 8 * character);
    view->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    view->setColumnWidth(2, with_beginning ? 16 * character : 40 * character);
    if (with_beginning) view->horizontalHeader()->setSectionResizeMode(3, QHeaderView::Stretch);
    view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view->setFixedHeight(std::min(count, 10) * row + view->horizontalHeader()->sizeHint().height() + 4 +
                         2 * view->frameWidth());
    return view;
}

std::vector<Listed> rejectedRows(const ImportReport& report) {
    std::vector<Listed> rows;
    for (const auto& entry : report.rejected)
        rows.push_back({number(static_cast<qint64>(entry.line)),
                        entry.message_id.empty() ? absent() : visibleLine(text(entry.message_id)),
                        visibleLine(text(entry.reason)), visibleLine(text(entry.excerpt)).left(200)});
    return rows;
}

std::vector<Listed> orphanRows(const ImportReport& report) {
    std::vector<Listed> rows;
    for (const auto& entry : report.orphans)
        rows.push_back({number(static_cast<qint64>(entry.line)),
                        visibleLine(text(entry.message_id)),
                        visibleLine(text(entry.reason)),
                        {}});
    return rows;
}

QString headline(const ImportReport& report) {
    if (report.already_imported) return tr("Imported already. The project holds this very file; nothing was changed.");
    return QStringLiteral("%1 · %2").arg(counted("%Ln message(s) kept", report.messages),
                                         counted("%Ln conversation(s)", report.trees));
}

std::vector<FactList::Fact> factsOf(const ImportReport& report) {
    std::vector<FactList::Fact> facts{
        {tr("Lines read"), number(static_cast<qint64>(report.lines))},
        {tr("Messages kept"), number(static_cast<qint64>(report.messages)), Hue::Text, true},
        {tr("Stored before, the same"), number(static_cast<qint64>(report.merged))},
        {tr("Rejected"), number(static_cast<qint64>(report.rejected_count)),
         report.rejected_count ? Hue::Bad : Hue::Text},
        {tr("Orphans"), number(static_cast<qint64>(report.orphan_count)),
         report.orphan_count ? Hue::Careful : Hue::Text},
    };
    if (report.adopted > 0)
        facts.push_back({tr("Earlier orphans that found their parent"), number(static_cast<qint64>(report.adopted))});
    for (const auto& [field, count] : report.dropped_values)
        facts.push_back({tr("Impossible values of %1, stored as absent").arg(visibleLine(text(field))),
                         number(static_cast<qint64>(count))});
    facts.push_back({tr("Time"), duration(report.seconds)});
    return facts;
}

QString orphanSentence() {
    return tr(
        "Orphans answer a message that the project does not hold. They are kept, but left out of training unless "
        "a filter asks for them; importing the file with their parents mends them.");
}

}  // namespace

QString reportText(const std::vector<ImportOutcome>& outcomes) {
    QStringList out;
    for (const ImportOutcome& outcome : outcomes) {
        out << nameOf(outcome);
        if (!outcome.report) {
            out << text(outcome.report.error().text()) << QString();
            continue;
        }
        const ImportReport& report = *outcome.report;
        out << headline(report);
        if (report.truncated) out << text(*report.truncated);
        if (report.already_imported) {
            out << QString();
            continue;
        }
        for (const auto& fact : factsOf(report)) out << QStringLiteral("  %1: %2").arg(fact.name, fact.value);
        for (const auto& [title, rows] :
             {std::pair(tr("Rejected"), rejectedRows(report)), std::pair(tr("Orphans"), orphanRows(report))}) {
            if (rows.empty()) continue;
            out << title;
            for (const Listed& row : rows)
                out << QStringLiteral("  %1\t%2\t%3\t%4").arg(row.line, row.message, row.reason, row.beginning);
        }
        out << QString();
    }
    return out.join(QLatin1Char('\n'));
}

ImportReportView::ImportReportView(QWidget* parent)
    : QWidget(parent),
      header_(new PaneHeader(tr("Import report"))),
      copy_(new QPushButton(tr("Copy report"))),
      close_(new QPushButton(tr("Show the conversations"))),
      scroll_(new QScrollArea) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    header_->row()->addWidget(copy_);
    header_->row()->addWidget(close_);
    setPrimary(close_);
    copy_->setAccessibleName(copy_->text());
    close_->setAccessibleName(close_->text());
    column->addWidget(header_);
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setWidgetResizable(true);
    scroll_->setFocusPolicy(Qt::StrongFocus);
    scroll_->setAccessibleName(tr("Import report"));
    scroll_->viewport()->setBackgroundRole(QPalette::Window);
    column->addWidget(scroll_, 1);
    connect(copy_, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(text_); });
    connect(close_, &QPushButton::clicked, this, &ImportReportView::closed);
}

void ImportReportView::setCloseText(const QString& words) {
    close_->setText(words);
    close_->setAccessibleName(words);
}

QWidget* ImportReportView::section(const ImportOutcome& outcome) {
    auto* box = new QWidget;
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2 * kSpace);
    const bool bad = !outcome.report;
    const bool careful = !bad && (outcome.report->rejected_count > 0 || outcome.report->truncated);
    auto* top = new QHBoxLayout;
    top->setSpacing(2 * kSpace);
    auto* mark = new Chip(bad       ? (outcome.report.error().cancelled() ? tr("stopped") : tr("✕ not imported"))
                          : careful ? tr("▲ with rejections")
                          : outcome.report->already_imported ? tr("imported already")
                                                             : tr("✓ imported"));
    if (bad && !outcome.report.error().cancelled())
        mark->setHues(Hue::Bad, Hue::BadWash);
    else if (careful)
        mark->setHues(Hue::Careful, Hue::CarefulWash);
    else if (!bad && !outcome.report->already_imported)
        mark->setHues(Hue::Good, Hue::GoodWash);
    auto* title = new Text(Text::Kind::Title, nameOf(outcome));
    title->setTextInteractionFlags(Qt::TextSelectableByMouse);
    title->setAccessibleName(title->text());
    title->setToolTip(toolTipText(outcome.file));
    top->addWidget(title);
    top->addWidget(mark);
    top->addStretch(1);
    column->addLayout(top);
    const auto sentence = [&](const QString& words, Text::Kind kind = Text::Kind::Body) {
        auto* label = new Text(kind, words);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setAccessibleName(words);
        column->addWidget(label);
    };
    if (bad) {
        sentence(outcome.report.error().cancelled() ? tr("Stopped. Nothing of this file was imported.")
                                                    : text(outcome.report.error().text()));
        if (outcome.breaks_off) {
            auto* keep = new QPushButton(tr("Keep the readable part"));
            keep->setAccessibleName(keep->text());
            connect(keep, &QPushButton::clicked, this, [this, file = outcome.file] { Q_EMIT keepReadable(file); });
            auto* row = new QHBoxLayout;
            row->addWidget(keep);
            row->addStretch(1);
            column->addLayout(row);
        }
        return box;
    }
    const ImportReport& report = *outcome.report;
    sentence(headline(report));
    if (report.truncated) sentence(text(*report.truncated));
    if (report.already_imported) return box;
    auto* facts = new FactList;
    facts->setFacts(factsOf(report));
    facts->setMaximumWidth(52 * characterWidth(font()));
    column->addWidget(facts);
    if (report.rejected_count > 0) {
        column->addSpacing(kSpace);
        const auto listed = static_cast<quint64>(report.rejected.size());
        const QString words =
            listed < report.rejected_count
                ? tr("Rejected lines, the first %1 of %2")
                      .arg(number(static_cast<qint64>(listed)), number(static_cast<qint64>(report.rejected_count)))
                : counted("%Ln rejected line(s) or message(s)", report.rejected_count);
        column->addWidget(new Text(Text::Kind::Section, words));
        column->addWidget(table(rejectedRows(report), true, tr("Rejected lines"), box));
    }
    if (report.orphan_count > 0) {
        column->addSpacing(kSpace);
        column->addWidget(new Text(Text::Kind::Section, counted("%Ln orphan(s)", report.orphan_count)));
        sentence(orphanSentence(), Text::Kind::Secondary);
        column->addWidget(table(orphanRows(report), false, tr("Orphans"), box));
    }
    return box;
}

void ImportReportView::show(const std::vector<ImportOutcome>& outcomes) {
    text_ = reportText(outcomes);
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(4 * kSpace, 4 * kSpace, 4 * kSpace, 4 * kSpace);
    column->setSpacing(4 * kSpace);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (i > 0) column->addWidget(new Hairline(Qt::Horizontal));
        column->addWidget(section(outcomes[i]));
    }
    column->addStretch(1);
    scroll_->setWidget(page);
}

}  // namespace studio::ui
