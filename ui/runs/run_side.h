// Beside the plots: how far it is, what it runs on, its checkpoints, what it was made from, what it noticed.
#pragma once

#include <QWidget>

#include "machine/nvml.h"
#include "ui/runs/run_data.h"

class QProgressBar;

namespace studio::ui {

class CheckpointTable;
class FactList;
class Text;

class RunSide : public QWidget {
    Q_OBJECT
  public:
    explicit RunSide(QWidget* parent = nullptr);
    void setRun(const RunData* run, const LiveRun* live);
    void setCheckpoints(const RunData& run);
    void setMemory(const QString& memory);                   // empty: not known
    void setCard(std::optional<machine::CardReading> card);  // the one that computes; nothing: none tells
    void setNotices(const QStringList& notices);
    const FactList& facts() const { return *facts_; }
    int checkpointCount() const;

  Q_SIGNALS:
    void checkpointMarked(qint64 step);
    void evaluateWanted(const QString& checkpoint);
    void chatWanted(const QString& checkpoint);
    void folderWanted(const QString& checkpoint);

  private:
    QProgressBar* bar_;
    Text *steps_, *left_;
    FactList *facts_, *recipe_;
    Text *checkpoints_title_, *recipe_title_, *notices_title_, *notices_;
    CheckpointTable* checkpoints_;
    QString memory_;
    std::optional<machine::CardReading> card_;
};

}  // namespace studio::ui
