// The whole window in every state that can be made without long work of the engine.
#pragma once

#include <functional>
#include <memory>

#include "ui/shell/main_window.h"
#include "ui/support/fixture.h"

namespace studio::ui::testing {

// A project of the first trees of the bundled conversations, and the real window on it.
struct Stage {
    Bench bench;
    std::unique_ptr<MainWindow> window;

    explicit Stage(int sample) : bench(sample) {}
    Session& session() { return bench.session(); }
    std::filesystem::path runs() { return session().paths().runs(); }
    template <class P>
    P& page(PageId id) {
        return static_cast<P&>(window->page(id));
    }
    // Until nothing works in the background and what it found is painted.
    bool settle();
};

struct Scene {
    QString name;
    PageId page = PageId::Data;
    int sample = 12;                           // trees; -1: all
    QStringList shows;                         // words that must be seen
    std::function<void(Stage&)> before = {};   // the window is made
    std::function<bool(Stage&)> arrange = {};  // once the page is shown; false: it could not be made
};

std::vector<Scene> scenes();
// The scene, arranged in a window of `size` that is shown; null where that failed.
std::unique_ptr<Stage> stageOf(const Scene& scene, const QSize& size);

// Everything a person or a screen reader can read in `root` now.
QString readable(const QWidget& root);

}  // namespace studio::ui::testing
