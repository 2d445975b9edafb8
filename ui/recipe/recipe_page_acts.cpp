// What the page does: start, undo, take recipes from elsewhere.
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QInputDialog>
#include <QLineEdit>

#include "io/file.h"
#include "jobs/run_record.h"
#include "project/run_folder.h"
#include "ui/look/format.h"
#include "ui/recipe/consequences_view.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/recipe_loader.h"
#include "ui/recipe/recipe_page.h"

namespace studio::ui {

void RecipePage::start() {
    form_->commitAll();
    if (const QString reason = blocked(); !reason.isEmpty()) return view_->setStartError(reason);
    QString name = view_->nameEdit()->text().trimmed();
    if (name.isEmpty()) name = session().runs().nameForNewRun(session().recipe().preset());
    const auto started = session().runs().start(session().recipe().recipe(), name, session().recipe().configFile());
    if (!started) return view_->setStartError(joined(text(started.error().message), text(started.error().hint)));
    view_->setStartError({});
    view_->nameEdit()->setModified(false);
    const QString folder = session().runs().live() ? session().runs().live()->folder : QString();
    if (!folder.isEmpty()) Q_EMIT session().go().showRun(folder);
    Q_EMIT session().go().showPage(PageId::Runs);
}

void RecipePage::undo() {
    // A text that is no value goes first; what was typed and counts becomes a step that is then undone.
    if (!form_->unusable().isEmpty()) {
        for (FieldRow* row : form_->rows()) row->discard();
        return;
    }
    form_->commitAll();
    session().recipe().undoStack()->undo();
}

void RecipePage::trainOn(const QString& filter) {
    const auto taken = session().recipe().set("filter", utf8(filter));
    if (!taken) return session().messages().fail(QStringLiteral("recipe-filter"), taken.error());
    showForm(true);
    form_->goTo("filter");
}

void RecipePage::useBase(const QString& folder) {
    const auto taken = session().recipe().set("model_name_or_path", utf8(folder));
    if (!taken) return session().messages().fail(QStringLiteral("recipe-base"), taken.error());
    showForm(true);
    form_->goTo("model_name_or_path");
}

void RecipePage::takeRecipeOf(const QString& run_folder) {
    struct Found {
        config::Recipe recipe;
        QString name;
    };
    session().files().run<Found>(
        this,
        [folder = path(run_folder)](const JobContext&) -> Result<Found> {
            STUDIO_TRY(const project::RunInfo info, project::readRun(folder));
            STUDIO_TRY(const jobs::RunRecord record, jobs::runRecord(info.details));
            return Found{record.recipe, text(info.name)};
        },
        [this](Result<Found> found) {
            if (!found) return session().messages().fail(QStringLiteral("recipe-run"), found.error());
            // The name is the run's own; a new one gets another.
            found->recipe.training.run_name = session().recipe().recipe().training.run_name;
            found->recipe.training.output_dir = session().recipe().recipe().training.output_dir;
            session().recipe().replace(found->recipe, tr("Take the Recipe of %1").arg(found->name));
            showForm(true);
        });
}

void RecipePage::loadFiles() {
    const QStringList names =
        QFileDialog::getOpenFileNames(this, tr("Load Recipe"), {}, tr("Recipes (*.yaml *.yml *.json);;All files (*)"));
    if (names.isEmpty()) return;
    session().files().run<std::vector<std::pair<QString, std::string>>>(
        this,
        [names](const JobContext&) -> Result<std::vector<std::pair<QString, std::string>>> {
            std::vector<std::pair<QString, std::string>> texts;
            for (const QString& name : names) {
                STUDIO_TRY(std::string bytes, io::readFile(path(name), 1u << 20));
                texts.emplace_back(text(path(name).filename().string()), std::move(bytes));
            }
            return texts;
        },
        [this](Result<std::vector<std::pair<QString, std::string>>> texts) {
            if (!texts) return session().messages().fail(QStringLiteral("recipe-file"), texts.error());
            takeTexts(*texts, tr("Load Recipe"));
        });
}

void RecipePage::paste() {
    const QString pasted = QApplication::clipboard()->text();
    if (pasted.trimmed().isEmpty())
        return session().messages().info(QStringLiteral("recipe-file"), tr("The clipboard holds no text."));
    takeTexts({{tr("clipboard"), utf8(pasted)}}, tr("Paste Recipe"));
}

void RecipePage::takeTexts(const std::vector<std::pair<QString, std::string>>& texts, const QString& step) {
    std::vector<RecipeText> given;
    for (const auto& [name, bytes] : texts) given.push_back({utf8(name), bytes});
    RecipeDocument& document = session().recipe();
    auto read = readTexts(given, document.recipe());
    if (!read) return session().messages().fail(QStringLiteral("recipe-file"), read.error());
    // On what to train, the project says; the file's own place means nothing here.
    read->recipe.training.data_path = document.recipe().training.data_path;
    document.replace(read->recipe, step);
    Message message;
    message.id = QStringLiteral("recipe-file");
    QStringList wrong, idle;
    for (const config::FieldIssue& issue : read->issues)
        if (issue.severity == config::Severity::Error) wrong << text(issue.text());
    for (const std::string& key : read->without_effect) idle << text(key);
    idle.removeDuplicates();
    message.kind = wrong.isEmpty() ? Message::Kind::Good : Message::Kind::Careful;
    message.what = wrong.isEmpty()
                       ? tr("The recipe is taken over. The data stays this project's.")
                       : tr("The recipe is taken over but for %n field(s).", nullptr, static_cast<int>(wrong.size()));
    if (!wrong.isEmpty()) message.to_do = wrong.first();
    if (wrong.isEmpty() && !idle.isEmpty())
        message.to_do = tr("Without effect here: %1.").arg(idle.join(QStringLiteral(", ")));
    message.details = (wrong + idle).join(QLatin1Char('\n'));
    session().messages().show(std::move(message));
}

void RecipePage::saveAsPreset() {
    form_->commitAll();
    bool accepted = false;
    const QString name =
        QInputDialog::getText(this, tr("Save as Preset"), tr("Name of the preset:"), QLineEdit::Normal,
                              session().recipe().isOwnPreset() ? session().recipe().preset() : QString(), &accepted);
    if (!accepted || name.trimmed().isEmpty()) return;
    if (const auto saved = session().recipe().saveAsPreset(name.trimmed()); !saved)
        session().messages().fail(QStringLiteral("preset"), saved.error());
    refreshPresets();
}

}  // namespace studio::ui
