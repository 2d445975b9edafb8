// Measures the real window: `bench start` and `bench ui`.
#include <QAbstractItemView>
#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFile>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTimer>
#include <QWheelEvent>
#include <algorithm>
#include <chrono>
#include <numeric>

#include "config/presets.h"
#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/shell/main_window.h"
#include "ui/shell/strip.h"
#include "ui/shell/window_app.h"

namespace studio::ui {
namespace {

std::int64_t steadyNow() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::uint64_t residentBytes() {
    QFile file(QStringLiteral("/proc/self/status"));
    if (!file.open(QIODevice::ReadOnly)) return 0;
    for (const QByteArray& line : file.readAll().split('\n'))
        if (line.startsWith("VmRSS:")) return line.mid(6).simplified().split(' ').first().toULongLong() * 1024;
    return 0;
}

// Calls back once, after the first paint of a widget for which `wanted` holds.
class PaintWatch final : public QObject {
  public:
    PaintWatch(std::function<bool(QWidget*)> wanted, std::function<void()> painted)
        : wanted_(std::move(wanted)), painted_(std::move(painted)) {
        qApp->installEventFilter(this);
    }
    bool eventFilter(QObject* object, QEvent* event) override {
        if (event->type() == QEvent::Paint && painted_ && object->isWidgetType() &&
            wanted_(static_cast<QWidget*>(object))) {
            // The event is handled after this filter; the next turn of the loop is after it.
            QTimer::singleShot(0, this, std::exchange(painted_, nullptr));
        }
        return false;
    }

  private:
    std::function<bool(QWidget*)> wanted_;
    std::function<void()> painted_;
};

bool isFilledList(QWidget* widget) {
    const auto* view = qobject_cast<QAbstractItemView*>(widget->parentWidget());
    return view && view->viewport() == widget && view->model() && view->model()->rowCount() > 0;
}

// How long the event loop did not come round: a timer of 2 ms that measures how late it is.
class GapMeter final : public QObject {
  public:
    GapMeter() {
        timer_.setTimerType(Qt::PreciseTimer);
        timer_.setInterval(kInterval);
        connect(&timer_, &QTimer::timeout, this, [this] {
            const double ms = static_cast<double>(clock_.nsecsElapsed()) / 1e6;
            clock_.restart();
            gaps_.push_back(std::max(0.0, ms - kInterval));
        });
    }
    void start() {
        gaps_.clear();
        clock_.start();
        timer_.start();
    }
    void stop() { timer_.stop(); }
    double longest() const { return gaps_.empty() ? 0 : *std::max_element(gaps_.begin(), gaps_.end()); }
    // Of the time spent: the gap that 99 % of all moments stay below (long gaps weigh by their length).
    double p99() const {
        std::vector<double> sorted = gaps_;
        std::sort(sorted.begin(), sorted.end());
        double total = 0, sum = 0;
        for (const double g : sorted) total += g + kInterval;
        for (const double g : sorted)
            if ((sum += g + kInterval) >= 0.99 * total) return g;
        return 0;
    }

  private:
    static constexpr int kInterval = 2;
    QTimer timer_;
    QElapsedTimer clock_;
    std::vector<double> gaps_;
};

bool spin(const std::function<bool()>& until, double seconds) {
    QElapsedTimer timer;
    timer.start();
    while (!until()) {
        if (static_cast<double>(timer.elapsed()) > seconds * 1e3) return false;
        // Rests between two looks, as a window does.
        QEventLoop loop;
        QTimer::singleShot(10, &loop, &QEventLoop::quit);
        loop.exec();
    }
    return true;
}

// What a busy person does, one act at a time.
class Hand final : public QObject {
  public:
    explicit Hand(MainWindow& window) : window_(window) {
        timer_.setInterval(80);
        connect(&timer_, &QTimer::timeout, this, &Hand::act);
    }
    void start() { timer_.start(); }
    void stop() { timer_.stop(); }

  private:
    void act() {
        const int turn = turn_++;
        if (turn % 25 == 0) window_.showPage(static_cast<PageId>((turn / 25) % 5));
        Page& page = window_.page(window_.current());
        switch (window_.current()) {
            case PageId::Data:
                if (turn % 25 < 12)
                    scroll(page, turn % 2 ? 5 : -3);
                else
                    type(page, turn % 25 - 12);
                break;
            case PageId::Runs:
                zoom(page, turn);
                break;
            case PageId::Chat:
                if (turn % 25 == 1) ask(page);
                scroll(page, 2);
                break;
            default:
                scroll(page, turn % 3 ? 4 : -6);
        }
    }
    static void scroll(QWidget& page, int lines) {
        for (QScrollBar* bar : page.findChildren<QScrollBar*>())
            if (bar->isVisible() && bar->maximum() > 0)
                bar->setValue(bar->value() + lines * std::max(1, bar->singleStep()));
    }
    void type(Page& page, int at) {
        page.focusSearch();
        static constexpr const char* kText = "quality>=0.6";
        QWidget* focus = QApplication::focusWidget();
        if (!focus) return;
        if (at == 0) {
            if (auto* edit = qobject_cast<QPlainTextEdit*>(focus)) edit->clear();
        }
        const char c = kText[std::min(at, 11)];
        QKeyEvent press(QEvent::KeyPress, 0, Qt::NoModifier, QString(QLatin1Char(c)));
        QCoreApplication::sendEvent(focus, &press);
    }
    static void zoom(QWidget& page, int turn) {
        for (QWidget* plot : page.findChildren<QWidget*>()) {
            if (!plot->isVisible() || !plot->inherits("QCustomPlot")) continue;
            const QPointF middle = plot->rect().center();
            QWheelEvent wheel(middle, plot->mapToGlobal(middle), {}, {0, turn % 2 ? 120 : -120}, Qt::NoButton,
                              Qt::ControlModifier, Qt::NoScrollPhase, false);
            QCoreApplication::sendEvent(plot, &wheel);
            return;
        }
    }
    static void ask(QWidget& page) {
        for (auto* edit : page.findChildren<QPlainTextEdit*>()) {
            if (!edit->isVisible() || edit->isReadOnly()) continue;
            edit->setFocus();
            edit->setPlainText(QStringLiteral("Why is the sky blue?"));
            QKeyEvent press(QEvent::KeyPress, Qt::Key_Return, Qt::ControlModifier, QStringLiteral("\r"));
            QCoreApplication::sendEvent(edit, &press);
            return;
        }
    }

    MainWindow& window_;
    QTimer timer_;
    int turn_ = 0;
};

// Milliseconds from `act` until the pill of the run is painted anew.
double untilShown(const std::function<void()>& act) {
    bool painted = false;
    const PaintWatch watch([](QWidget* w) { return qobject_cast<RunPill*>(w) != nullptr; }, [&] { painted = true; });
    QElapsedTimer timer;
    timer.start();
    act();
    spin([&] { return painted; }, 10);
    return static_cast<double>(timer.nsecsElapsed()) / 1e6;
}

void name(QApplication& application, const WindowOptions& options) {
    application.setApplicationName(QStringLiteral("qlora-studio"));
    application.setApplicationVersion(options.version);
    application.setQuitOnLastWindowClosed(false);
}

}  // namespace

Result<StartFigures> benchStart(int argc, char** argv, const WindowOptions& options, std::int64_t start_ns) {
    QApplication application(argc, argv);
    name(application, options);
    Settings settings;
    applyTheme(settings.theme());
    Session session(settings, options.log);
    MainWindow window(session);
    StartFigures figures;
    const PaintWatch watch(isFilledList, [&] {
        figures.first_list_painted_ms = static_cast<double>(steadyNow() - start_ns) / 1e6;
        figures.rss_bytes = residentBytes();
    });
    window.show();
    window.openSample();
    if (!spin([&] { return figures.rss_bytes > 0; }, 30))
        return fail(ErrorCode::Internal, "The list was not painted within 30 seconds.", "Help > Log says more.");
    return figures;
}

Result<UiFigures> benchUi(int argc, char** argv, const WindowOptions& options, const UiBench& bench) {
    QApplication application(argc, argv);
    name(application, options);
    Settings settings;
    applyTheme(settings.theme());
    Session session(settings, options.log);
    MainWindow window(session);
    window.resize(1440, 900);
    window.show();
    window.openSample();
    bool painted = false;
    const PaintWatch watch(isFilledList, [&] { painted = true; });
    spin([&] { return painted; }, 30);

    RunService& runs = session.runs();
    double tokens = 0, spent = 0;
    std::optional<Error> failure;
    QObject::connect(&runs, &RunService::steps, &window, [&](const std::vector<project::StepRecord>& records) {
        for (const auto& r : records) {
            tokens += static_cast<double>(r.tokens);
            spent += r.seconds;
        }
    });
    QObject::connect(&runs, &RunService::ended, &window, [&](const RunEnd& end) { failure = end.error; });
    if (bench.train) {
        config::Recipe recipe = session.recipe().recipe();
        recipe.training.max_steps = 1'000'000;  // longer than the measurement
        recipe.training.save_steps = 20;
        if (!bench.device.empty()) recipe.training.device = bench.device;
        if (!bench.model.empty()) {
            recipe.training.model_name_or_path = bench.model;
            recipe.training.save_steps = 200;  // a checkpoint of a large adapter is a second of writing
        }
        STUDIO_CHECK(runs.start(recipe, QStringLiteral("bench"), session.recipe().configFile()));
        if (!spin([&] { return runs.stepping() || !runs.active(); }, 120) || !runs.active())
            return fail(
                failure.value_or(Error{ErrorCode::Internal, "The run did not begin.", "Help > Log says more."}));
        spin([] { return false; }, 3);
    }
    UiFigures figures;
    tokens = spent = 0;
    GapMeter meter;
    Hand hand(window);
    meter.start();
    hand.start();
    spin([] { return false; }, bench.seconds);
    hand.stop();
    meter.stop();
    figures.longest_gap_ms = meter.longest();
    figures.p99_gap_ms = meter.p99();
    figures.tokens_per_s = spent > 0 ? tokens / spent : 0;
    if (!bench.train) return figures;

    figures.pause_ms = untilShown([&] { runs.pause(); });
    spin([&] { return runs.live() && runs.live()->state == project::RunState::Paused; }, 60);
    runs.unpause();
    spin([&] { return runs.live() && runs.live()->state == project::RunState::Running; }, 60);
    tokens = spent = 0;
    spin([] { return false; }, 10);
    figures.tokens_per_s_alone = spent > 0 ? tokens / spent : 0;
    figures.stop_ms = untilShown([&] { runs.stopAfterStep(); });
    spin([&] { return !runs.active(); }, 60);
    STUDIO_CHECK(runs.resume(session.paths().runs() / "bench"));
    spin([&] { return runs.stepping() || !runs.active(); }, 120);
    figures.close_ms = untilShown([&] { window.quitGently(); });
    spin([&] { return !runs.active(); }, 60);
    return figures;
}

}  // namespace studio::ui
