// What an import found, file by file; it stays until it is closed.
#pragma once

#include <QAbstractTableModel>
#include <QWidget>
#include <vector>

#include "ui/data/import_task.h"
#include "ui/widgets/basics.h"

class QScrollArea;
class QVBoxLayout;

namespace studio::ui {

// The report as text, for copying.
QString reportText(const std::vector<ImportOutcome>& outcomes);

class ImportReportView : public QWidget {
    Q_OBJECT
  public:
    explicit ImportReportView(QWidget* parent = nullptr);
    void show(const std::vector<ImportOutcome>& outcomes);
    void setCloseText(const QString& text);

  Q_SIGNALS:
    void closed();
    void keepReadable(const QString& file);

  private:
    QWidget* section(const ImportOutcome& outcome);
    QString text_;
    PaneHeader* header_;
    QPushButton *copy_, *close_;
    QScrollArea* scroll_;
};

}  // namespace studio::ui
