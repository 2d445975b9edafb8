// The graphics cards as the driver tells of them, read every two seconds while something shows them.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <QWidget>
#include <memory>
#include <optional>

#include "machine/card_reader.h"

namespace studio::ui {

class CardWatch : public QObject {
    Q_OBJECT
  public:
    explicit CardWatch(QObject* parent = nullptr);

    // Another driver's library than the installed one; tests have one of their own.
    void setLibrary(const std::string& library);
    // Readings go on while `viewer` is on the screen.
    void showIn(QWidget* viewer);
    // One reading, whoever is on the screen.
    void refresh();

    bool known() const { return known_; }  // there was an answer, or the driver has kept silent for too long
    // Those that CUDA may use (CUDA_VISIBLE_DEVICES), each with a label that no other has.
    struct Card {
        machine::CardReading reading;
        QString label;
    };
    const std::vector<Card>& cards() const { return cards_; }
    const Card* find(std::string_view uuid) const;
    QString driver() const { return driver_; }  // its version; empty: not told
    // Why there are no readings: no driver, one that does not answer, every card hidden. A sentence and what to do.
    const std::optional<Error>& problem() const { return problem_; }

  Q_SIGNALS:
    void changed();

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    bool watched() const;
    void tick();
    void ask();
    void look();
    void take(const Result<machine::CardReport>& report);

    std::string library_ = machine::Nvml::kLibrary;
    std::unique_ptr<machine::CardReader> reader_;  // made by the first question
    QTimer rhythm_, answer_;
    QElapsedTimer asked_;
    std::vector<QPointer<QWidget>> viewers_;
    std::vector<Card> cards_;
    QString driver_;
    std::optional<Error> problem_;
    bool known_ = false, silent_ = false;
};

}  // namespace studio::ui
