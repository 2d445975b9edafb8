#include "ui/session/card_watch.h"

#include <QEvent>
#include <algorithm>
#include <cstdlib>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kRhythm = 2000;   // ms between two readings
constexpr int kLook = 40;       // ms between two looks for the answer
constexpr int kSilence = 8000;  // ms after which a reading is no longer of now

}  // namespace

CardWatch::CardWatch(QObject* parent) : QObject(parent) {
    rhythm_.setInterval(kRhythm);
    answer_.setInterval(kLook);
    connect(&rhythm_, &QTimer::timeout, this, &CardWatch::tick);
    connect(&answer_, &QTimer::timeout, this, &CardWatch::look);
}

void CardWatch::setLibrary(const std::string& library) {
    library_ = library;
    reader_.reset();
    answer_.stop();
    cards_.clear();
    driver_.clear();
    problem_.reset();
    known_ = silent_ = false;
    if (watched()) ask();
}

void CardWatch::showIn(QWidget* viewer) {
    viewers_.emplace_back(viewer);
    viewer->installEventFilter(this);
    if (viewer->isVisible()) ask();
}

bool CardWatch::watched() const {
    return std::any_of(viewers_.begin(), viewers_.end(), [](const QPointer<QWidget>& viewer) {
        return viewer && viewer->isVisible() && !viewer->window()->isMinimized();
    });
}

bool CardWatch::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Show && !rhythm_.isActive()) ask();
    return QObject::eventFilter(watched, event);
}

void CardWatch::tick() {
    watched() ? ask() : rhythm_.stop();
}

void CardWatch::refresh() {
    ask();
}

void CardWatch::ask() {
    if (!reader_) reader_ = std::make_unique<machine::CardReader>(library_);
    if (!reader_->waiting()) {
        reader_->request();
        asked_.start();
    }
    answer_.start();
    // Without a driver there is nothing to go back to; whoever wants to know again says refresh().
    if (!(problem_ && problem_->code == ErrorCode::NotFound)) rhythm_.start();
}

void CardWatch::look() {
    if (const auto report = reader_->take()) {
        answer_.stop();
        take(*report);
    } else if (!silent_ && asked_.hasExpired(kSilence)) {
        take(fail(ErrorCode::Device, utf8(tr("The NVIDIA driver does not answer.")),
                  utf8(tr("Look at what `nvidia-smi` says; restarting the machine helps."))));
        silent_ = true;
    }
}

void CardWatch::take(const Result<machine::CardReport>& report) {
    known_ = true;
    silent_ = false;
    cards_.clear();
    problem_.reset();
    if (report) {
        driver_ = text(report->driver);
        std::vector<machine::CardName> all;
        for (const auto& reading : report->cards) all.push_back(reading.card);
        const auto seen = machine::visibleCards(all, std::getenv("CUDA_VISIBLE_DEVICES"));
        const std::vector<std::string> labels = machine::cardLabels(seen);
        for (std::size_t i = 0; i < seen.size(); ++i) {
            const auto reading = std::find_if(report->cards.begin(), report->cards.end(),
                                              [&](const auto& one) { return one.card.uuid == seen[i].uuid; });
            cards_.push_back({*reading, text(labels[i])});
            cards_.back().reading.card.index = seen[i].index;
        }
        if (cards_.empty())
            problem_ = all.empty() ? Error{ErrorCode::Device, utf8(tr("The NVIDIA driver sees no card.")),
                                           utf8(tr("Look at what `nvidia-smi` says."))}
                                   : Error{ErrorCode::Device, utf8(tr("CUDA_VISIBLE_DEVICES hides every card.")),
                                           utf8(tr("Start the program without this environment variable to use one."))};
    } else {
        problem_ = report.error();
        if (problem_->code == ErrorCode::NotFound) rhythm_.stop();
    }
    Q_EMIT changed();
}

const CardWatch::Card* CardWatch::find(std::string_view uuid) const {
    for (const Card& card : cards_)
        if (card.reading.card.uuid == uuid) return &card;
    return nullptr;
}

}  // namespace studio::ui
