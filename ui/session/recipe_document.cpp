#include "ui/session/recipe_document.h"

#include <algorithm>

#include "config/field.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "io/file.h"
#include "jobs/places.h"
#include "project/run_folder.h"
#include "ui/look/format.h"
#include "ui/session/recipe_writer.h"

namespace studio::ui {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFirstPreset = "demo";

fs::path ownPresets() {
    return jobs::dataFolder() / "presets";
}

std::vector<config::Preset> presetsIn(const fs::path& folder) {
    std::error_code ec;
    if (!fs::is_directory(folder, ec)) return {};
    return config::listPresetsIn(folder).value_or(std::vector<config::Preset>{});
}

// The project at `other` is this one, moved or copied.
bool sameProject(const fs::path& other, const project::ProjectPaths& here) {
    if (!project::isProjectFolder(other) || other == here.folder) return false;
    const auto there = io::readFile(project::projectPaths(other).record(), 1u << 20);
    const auto own = io::readFile(here.record(), 1u << 20);
    return there && own && *there == *own;
}

// A single data_path that named the project where it once lay.
bool namesOldPlace(const std::vector<std::string>& data_path, const project::ProjectPaths& here) {
    if (data_path.size() != 1) return false;
    const fs::path named(data_path.front());
    if (!named.is_absolute() || named == here.folder) return false;
    std::error_code ec;
    if (!fs::exists(named, ec)) return !named.has_extension();
    return sameProject(named, here);
}

// Keeps what cannot be read, so that the next save does not lose it.
QString keptAs(const fs::path& file) {
    std::error_code ec;
    const fs::path kept = file.string() + ".broken";
    fs::copy_file(file, kept, fs::copy_options::overwrite_existing, ec);
    return ec ? QString() : pathText(kept);
}

// "Change Learning Rate": the label as menus write it.
QString inTitleCase(QString label) {
    for (qsizetype i = 0; i < label.size(); ++i)
        if (i == 0 || label.at(i - 1) == QLatin1Char(' ')) label[i] = label.at(i).toUpper();
    return label;
}

}  // namespace

class RecipeDocument::Edit final : public QUndoCommand {
  public:
    struct State {
        config::Recipe recipe;
        QString preset;
    };
    Edit(RecipeDocument& document, State before, State after, const QString& text)
        : QUndoCommand(text), document_(document), before_(std::move(before)), after_(std::move(after)) {}

    void undo() override { document_.apply(before_.recipe, before_.preset); }
    void redo() override { document_.apply(after_.recipe, after_.preset); }

  private:
    RecipeDocument& document_;
    State before_, after_;
};

RecipeDocument::RecipeDocument(TaskThread& files, QObject* parent) : QObject(parent), files_(files) {
    undo_.setUndoLimit(500);
}

RecipeDocument::~RecipeDocument() {
    if (writer_) (void)writer_->writeWaiting();
}

void RecipeDocument::open(const project::ProjectPaths& paths) {
    close();
    paths_ = paths;
    writer_ = std::make_shared<Writer>(paths);
    open_ = true;
    std::error_code ec;
    const auto existing = [&](const fs::path& file) { return fs::exists(file, ec) ? file : fs::path(); };
    const fs::path training = existing(paths.trainingConfig()), qlora = existing(paths.qloraConfig());

    QString preset = QLatin1String(kFirstPreset);
    if (const auto name = io::readFile(presetNameFile(paths), 4096)) {
        const QString known = text(*name).trimmed();
        if (presets().contains(known)) preset = known;
    }
    setPreset(preset);
    recipe_ = reference_;
    bool save_it = training.empty() || qlora.empty();

    // Each file on its own: one that is broken takes nothing of the other along.
    config::ReadRecipe read;
    read.recipe = recipe_;
    std::vector<Error> failures;
    for (const bool first : {true, false}) {
        const fs::path& file = first ? training : qlora;
        if (file.empty()) continue;
        const std::string name = file.filename().string();
        config::ReadRecipe part;
        if (first) part.recipe.qlora = read.recipe.qlora;
        const auto bytes = io::readFile(file, 1u << 20);
        const Result<void> ok = !bytes  ? Result<void>(fail(bytes.error()))
                                : first ? config::parseTrainingConfig(*bytes, name, part)
                                        : config::parseQloraConfig(*bytes, name, part);
        const bool wrong = ok && config::hasErrors(part.issues);
        if (ok) {
            if (first) read.recipe.training = part.recipe.training, read.recipe.description = part.recipe.description;
            if (!first) read.recipe.qlora = part.recipe.qlora;
            read.issues.insert(read.issues.end(), part.issues.begin(), part.issues.end());
        }
        if (ok && !wrong) continue;
        const QString kept = keptAs(file);
        const QString what = ok ? tr("Some fields of %1 cannot be used and stand at their defaults.").arg(text(name))
                                : tr("%1 is no recipe: %2 The preset's values take its place.")
                                      .arg(text(name), text(ok.error().message));
        failures.push_back({ok ? ErrorCode::InvalidArgument : ErrorCode::Corrupt, utf8(what),
                            kept.isEmpty() ? std::string() : utf8(tr("The file as it was is kept as %1.").arg(kept))});
        save_it = save_it || !ok;
    }
    recipe_ = read.recipe;
    for (const config::FieldIssue& issue : read.issues)
        if (issue.severity == config::Severity::Error) file_issues_.push_back(issue);
    if (namesOldPlace(recipe_.training.data_path, paths_)) {
        recipe_.training.data_path = {corpusPath()};
        save_it = true;
    }
    check();
    if (save_it) save();
    Q_EMIT changed();
    for (const Error& failure : failures) Q_EMIT loadFailed(failure);
}

void RecipeDocument::close() {
    if (writer_)
        if (const auto written = writer_->writeWaiting(); !written) Q_EMIT saveFailed(written.error());
    writer_.reset();
    open_ = false;
    undo_.clear();
    issues_.clear();
    file_issues_.clear();
    recipe_ = reference_ = {};
    preset_.clear();
}

Result<void> RecipeDocument::set(std::string_view key, const std::string& value) {
    config::Recipe next = recipe_;
    STUDIO_CHECK(config::setFromText(next, key, value));
    const auto settled =
        std::remove_if(file_issues_.begin(), file_issues_.end(), [&](const auto& issue) { return issue.key == key; });
    const bool was_wrong = settled != file_issues_.end();
    file_issues_.erase(settled, file_issues_.end());
    if (next == recipe_) {
        if (was_wrong) apply(recipe_, preset_);
        return {};
    }
    push(next, preset_, tr("Change %1").arg(inTitleCase(fieldLabel(key))));
    return {};
}

void RecipeDocument::replace(const config::Recipe& recipe, const QString& step) {
    file_issues_.clear();
    if (recipe == recipe_) return;
    push(recipe, preset_, step);
}

Result<void> RecipeDocument::usePreset(const QString& name) {
    STUDIO_TRY(config::Recipe next, presetRecipe(name));
    // A preset says how to train; on what, the project says.
    next.training.filter = recipe_.training.filter;
    file_issues_.clear();
    if (next == recipe_ && name == preset_) return {};
    push(next, name, tr("Use Preset %1").arg(name));
    return {};
}

Result<void> RecipeDocument::saveAsPreset(const QString& name) {
    const std::string folder = project::folderName(utf8(name));
    for (const config::Preset& preset : presetsIn(jobs::resourceFolder() / "config"))
        if (preset.name == folder)
            return fail(ErrorCode::AlreadyExists,
                        utf8(tr("“%1” is a preset of the program, which is never changed.").arg(text(folder))),
                        utf8(tr("Choose another name.")));
    std::error_code ec;
    const fs::path place = ownPresets() / folder;
    fs::create_directories(place, ec);
    if (ec) return fail(io::systemError(ec.value(), "create", place));
    STUDIO_CHECK(config::writeRecipe(recipe_, place / config::fileName(config::File::Training),
                                     place / config::fileName(config::File::Qlora)));
    setPreset(text(folder));
    apply(recipe_, preset_);
    return {};
}

QStringList RecipeDocument::presets() const {
    QStringList names;
    for (const fs::path& folder : {jobs::resourceFolder() / "config", ownPresets()})
        for (const config::Preset& preset : presetsIn(folder))
            if (!names.contains(text(preset.name))) names << text(preset.name);
    return names;
}

bool RecipeDocument::isOwnPreset() const {
    const auto program = presetsIn(jobs::resourceFolder() / "config");
    return std::none_of(program.begin(), program.end(), [&](const auto& p) { return text(p.name) == preset_; });
}

Result<config::Recipe> RecipeDocument::presetRecipe(const QString& name) const {
    config::Recipe recipe;
    const auto own = presetsIn(ownPresets());
    const auto found = std::find_if(own.begin(), own.end(), [&](const auto& p) { return text(p.name) == name; });
    const auto program = presetsIn(jobs::resourceFolder() / "config");
    const bool shipped =
        std::any_of(program.begin(), program.end(), [&](const auto& p) { return text(p.name) == name; });
    if (!shipped && found != own.end()) {
        STUDIO_TRY(recipe, config::loadRecipe(found->training_config, found->qlora_config, {}));
    } else {
        STUDIO_TRY(recipe, config::loadPreset(jobs::resourceFolder(), utf8(name)));
    }
    if (open_) recipe.training.data_path = {corpusPath()};
    return recipe;
}

std::string RecipeDocument::corpusPath() const {
    std::error_code ec;
    return fs::absolute(paths_.folder, ec).lexically_normal().string();
}

void RecipeDocument::setPreset(const QString& name) {
    preset_ = name;
    if (auto recipe = presetRecipe(name)) reference_ = std::move(*recipe);
}

void RecipeDocument::push(const config::Recipe& recipe, const QString& preset, const QString& step) {
    undo_.push(new Edit(*this, {recipe_, preset_}, {recipe, preset}, step));
}

void RecipeDocument::apply(const config::Recipe& recipe, const QString& preset) {
    recipe_ = recipe;
    if (preset != preset_) setPreset(preset);
    check();
    save();
    Q_EMIT changed();
}

void RecipeDocument::check() {
    issues_ = file_issues_;
    for (config::FieldIssue& issue : config::checkRecipe(recipe_)) {
        const bool known = std::any_of(file_issues_.begin(), file_issues_.end(),
                                       [&](const auto& other) { return other.key == issue.key; });
        if (!known) issues_.push_back(std::move(issue));
    }
}

void RecipeDocument::save() {
    if (!open_ || !writer_->put(recipe_, preset_)) return;
    files_.run<bool>(
        this, [writer = writer_](const JobContext&) { return writer->writeWaiting(); },
        [this](const Result<bool>& written) {
            if (!written) {
                Q_EMIT saveFailed(written.error());
            } else {
                Q_EMIT saved();
            }
        });
}

}  // namespace studio::ui
