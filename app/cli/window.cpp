// The window, and the benchmarks that drive it. Only in builds with STUDIO_UI.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "cli/command.h"
#include "corpus/importer.h"
#include "corpus/store.h"
#include "io/file.h"
#include "jobs/places.h"
#include "ui/session/session.h"
#include "ui/shell/window_app.h"

namespace studio::cli {
namespace {

namespace fs = std::filesystem;

ui::WindowOptions windowOptions(Context& context) {
    ui::WindowOptions options;
    options.version = QStringLiteral(STUDIO_VERSION);
    options.log = context.log;
    options.on_signal = [&context](std::function<void()> handler) {
        context.signals.onSignal(handler ? [handler](int) { handler(); } : std::function<void(int)>());
    };
    return options;
}

// Qt wants arguments that live as long as the application.
struct Arguments {
    std::string name = "qlora-studio";
    char* values[2] = {name.data(), nullptr};
    int count = 1;
};

// A home of its own with the sample project, removed at the end.
class BenchHome {
  public:
    static Result<std::unique_ptr<BenchHome>> create() {
        std::string pattern = (fs::temp_directory_path() / "qlora-studio-bench-XXXXXX").string();
        if (!mkdtemp(pattern.data()))
            return fail(ErrorCode::Io, "No temporary folder can be made.", "Is the disk full?");
        auto home = std::unique_ptr<BenchHome>(new BenchHome(pattern));
        for (const char* variable : {"XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
            setenv(variable, (home->folder_ / variable).c_str(), 1);
        STUDIO_TRY(const project::Project made, project::Project::create(ui::Session::sampleProjectFolder(), "OASST1"));
        STUDIO_TRY(corpus::Store store, corpus::Store::openFile(made.paths().corpus()));
        STUDIO_CHECK(corpus::importFile(store, ui::Session::sampleFile(), {}, {}));
        return home;
    }
    ~BenchHome() {
        std::error_code ec;
        fs::remove_all(folder_, ec);
    }

  private:
    explicit BenchHome(fs::path folder) : folder_(std::move(folder)) {}
    fs::path folder_;
};

void offscreenWithoutDisplay() {
    if (!hasDisplay()) setenv("QT_QPA_PLATFORM", "offscreen", 1);
}

constexpr const char* kStartVariable = "STUDIO_BENCH_STARTED_NS";

// One start of the program, in a process of its own: the line it prints.
Result<io::Json> startOnce() {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) return fail(ErrorCode::Io, "No pipe can be made.", "Try again.");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    setenv(kStartVariable, std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()).c_str(),
           1);
    char name[] = "qlora-studio", bench[] = "bench", start[] = "start", json[] = "--json";
    char* arguments[] = {name, bench, start, json, nullptr};
    pid_t child = 0;
    const int rc = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    std::string out;
    char buffer[4096];
    for (ssize_t n; rc == 0 && (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
        out.append(buffer, static_cast<std::size_t>(n));
    close(pipe_ends[0]);
    int status = 0;
    if (rc == 0) waitpid(child, &status, 0);
    if (rc != 0 || status != 0)
        return fail(ErrorCode::Internal, "The measured program did not start.", "The log says more.");
    return io::parseJson(out, "bench start");
}

Result<int> benchStartChild(Context& context, std::int64_t start_ns) {
    Arguments arguments;
    STUDIO_TRY(const ui::StartFigures f,
               ui::benchStart(arguments.count, arguments.values, windowOptions(context), start_ns));
    context.print({{"first_list_painted_ms", f.first_list_painted_ms}, {"rss_bytes", f.rss_bytes}});
    return kOk;
}

Result<int> benchStart(Context& context) {
    offscreenWithoutDisplay();
    if (const char* started = std::getenv(kStartVariable)) return benchStartChild(context, std::atoll(started));
    STUDIO_TRY(const auto home, BenchHome::create());
    std::vector<double> ms, rss;
    for (int i = 0; i < 5; ++i) {
        STUDIO_TRY(const io::Json one, startOnce());
        ms.push_back(one.value("first_list_painted_ms", 0.0));
        rss.push_back(one.value("rss_bytes", 0.0));
    }
    std::sort(ms.begin(), ms.end());
    std::sort(rss.begin(), rss.end());
    if (context.json) {
        context.print({{"first_list_painted_ms", ms[2]},
                       {"rss_bytes", static_cast<std::uint64_t>(rss[2])},
                       {"slowest_ms", ms.back()}});
    } else {
        std::printf("First list painted after %.0f ms (median of 5, slowest %.0f), %s resident\n", ms[2], ms.back(),
                    bytesText(static_cast<std::uint64_t>(rss[2])).c_str());
    }
    return kOk;
}

Result<int> benchUi(Context& context, const ui::UiBench& bench) {
    offscreenWithoutDisplay();
    STUDIO_TRY(const auto home, BenchHome::create());
    Arguments arguments;
    STUDIO_TRY(const ui::UiFigures f, ui::benchUi(arguments.count, arguments.values, windowOptions(context), bench));
    if (context.json) {
        context.print({{"longest_gap_ms", f.longest_gap_ms},
                       {"p99_gap_ms", f.p99_gap_ms},
                       {"pause_ms", f.pause_ms},
                       {"stop_ms", f.stop_ms},
                       {"close_ms", f.close_ms},
                       {"tokens_per_s", f.tokens_per_s},
                       {"tokens_per_s_alone", f.tokens_per_s_alone}});
    } else {
        std::printf(
            "Longest gap of the event loop %.1f ms, 99 %% below %.1f ms; pause shown after %.0f ms, stop %.0f ms, "
            "close %.0f ms; %.0f tokens/s while used, %.0f alone\n",
            f.longest_gap_ms, f.p99_gap_ms, f.pause_ms, f.stop_ms, f.close_ms, f.tokens_per_s, f.tokens_per_s_alone);
    }
    return kOk;
}

}  // namespace

bool hasDisplay() {
    for (const char* variable : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
        if (const char* value = std::getenv(variable); value && *value) return true;
    return false;
}

Result<int> openWindow(Context& context, const std::vector<std::string>& paths) {
    ui::WindowOptions options = windowOptions(context);
    for (const std::string& path : paths) options.paths << QString::fromStdString(path);
    Arguments arguments;
    return ui::runWindow(arguments.count, arguments.values, options);
}

void addWindowBench(CLI::App& bench, Run& run) {
    CLI::App* start = bench.add_subcommand("start", "until the first list is painted, on the sample project");
    start->callback([&run] { run = benchStart; });
    CLI::App* ui = bench.add_subcommand("ui", "gaps of the window's event loop while it is used");
    const auto while_what = std::make_shared<std::string>();
    const auto options = std::make_shared<ui::UiBench>();
    CLI::Option* with_run =
        ui->add_option("--while", *while_what, "train: with a real run beside it")->check(CLI::IsMember({"train"}));
    ui->add_option("--seconds", options->seconds, "how long it is used")
        ->check(CLI::Range(1.0, 3600.0))
        ->capture_default_str();
    ui->add_option("--device", options->device, "of the run (the recipe's)")->needs(with_run);
    ui->add_option("--model_path", options->model, "of the run (built-in model)")->needs(with_run);
    ui->callback([while_what, options, &run] {
        options->train = *while_what == "train";
        run = [options](Context& c) { return benchUi(c, *options); };
    });
}

}  // namespace studio::cli
