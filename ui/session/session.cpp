#include "ui/session/session.h"

#include "jobs/places.h"
#include "ui/look/format.h"

namespace studio::ui {

Session::Session(Settings& settings, std::shared_ptr<Logger> log, QObject* parent)
    : QObject(parent),
      settings_(settings),
      log_(std::move(log)),
      engine_(log_),
      recipe_(saving_),
      runs_(engine_, files_, log_) {
    connect(&recipe_, &RecipeDocument::saveFailed, this,
            [this](const Error& error) { messages_.fail(QStringLiteral("recipe-save"), error); });
    connect(&recipe_, &RecipeDocument::saved, this, [this] { messages_.dismiss(QStringLiteral("recipe-save")); });
    connect(&recipe_, &RecipeDocument::loadFailed, this,
            [this](const Error& error) { messages_.fail(QStringLiteral("recipe-load"), error); });
}

Session::~Session() = default;

Result<void> Session::open(const std::filesystem::path& folder) {
    if (hasProject() && paths().folder == std::filesystem::absolute(folder).lexically_normal()) return {};
    STUDIO_CHECK(free());
    STUDIO_TRY(project::Project next, project::Project::open(folder));
    return take(std::move(next));
}

Result<void> Session::create(const std::filesystem::path& folder, const QString& title) {
    STUDIO_CHECK(free());
    STUDIO_TRY(project::Project next, project::Project::create(folder, utf8(title)));
    return take(std::move(next));
}

// Another project ends what the open one has at work: the person decides that.
Result<void> Session::free() const {
    if (runs_.active())
        return fail(ErrorCode::Busy, utf8(tr("A run of this project is active.")),
                    utf8(tr("Wait until it ends, or stop it, then open the other project.")));
    if (!work_.all().isEmpty())
        return fail(ErrorCode::Busy, utf8(tr("This project is busy: %1.").arg(work_.all().front().name)),
                    utf8(tr("Wait until it ends, or cancel it, then open the other project.")));
    return {};
}

Result<void> Session::take(project::Project next) {
    close();
    project_.emplace(std::move(next));
    settings_.addRecentProject(pathText(paths().folder));
    recipe_.open(paths());
    runs_.openProject(paths());
    Q_EMIT projectOpened();
    return {};
}

void Session::close() {
    if (!project_) return;
    recipe_.close();
    runs_.closeProject();
    engine_.unload();
    project_.reset();
    messages_.dismissAll();
    Q_EMIT projectClosed();
}

std::filesystem::path Session::sampleProjectFolder() {
    return jobs::dataFolder() / "projects" / "oasst1-sample";
}

std::filesystem::path Session::sampleFile() {
    return jobs::resourceFolder() / "demo" / "sample" / "oasst1-en-validation.messages.jsonl.gz";
}

}  // namespace studio::ui
