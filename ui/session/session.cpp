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
    if (runs_.active())
        return fail(ErrorCode::Busy, utf8(tr("A run of this project is active.")),
                    utf8(tr("Stop it first, or open the other project in a second window.")));
    STUDIO_TRY(project::Project next, project::Project::open(folder));
    return take(std::move(next));
}

Result<void> Session::create(const std::filesystem::path& folder, const QString& title) {
    if (runs_.active())
        return fail(ErrorCode::Busy, utf8(tr("A run of this project is active.")), utf8(tr("Stop it first.")));
    STUDIO_TRY(project::Project next, project::Project::create(folder, utf8(title)));
    return take(std::move(next));
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
