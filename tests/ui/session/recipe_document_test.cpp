// The recipe's document: files, undo steps, presets, and what a killed program leaves.
#include <QSignalSpy>
#include <fstream>

#include <atomic>
#include <thread>

#include "config/field.h"
#include "config/recipe_file.h"
#include "io/file.h"
#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/session/recipe_document.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;
namespace fs = std::filesystem;

class RecipeDocumentTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void init() {
        home_ = std::make_unique<PrivateHome>();
        files_ = std::make_unique<TaskThread>();
        auto made = project::Project::create(ui::path(home_->path()) / "project", "test");
        QVERIFY(made);
        project_.emplace(std::move(*made));
        document_ = std::make_unique<RecipeDocument>(*files_);
        document_->open(project_->paths());
    }
    void cleanup() {
        document_.reset();
        files_.reset();
        project_.reset();
        home_.reset();
    }

    void aNewProjectStartsFromThePresetDemoOnItsOwnCorpus() {
        QCOMPARE(document_->preset(), QStringLiteral("demo"));
        QCOMPARE(document_->recipe().training.data_path, std::vector<std::string>{project_->paths().folder.string()});
        QVERIFY(document_->recipe() == document_->reference());
        QVERIFY(document_->issues().empty());
        QVERIFY(saved());
        QVERIFY(onDisk() == document_->recipe());
    }

    void stepsAreNamedUndoneAndRedone() {
        QVERIFY(document_->set("learning_rate", "3.3333e-5"));
        QVERIFY(document_->set("r", "4"));
        QCOMPARE(document_->undoStack()->undoText(), QStringLiteral("Change Rank R"));
        document_->undoStack()->undo();
        QCOMPARE(document_->recipe().qlora.r, 16);
        QCOMPARE(document_->undoStack()->undoText(), QStringLiteral("Change Learning Rate"));
        document_->undoStack()->redo();
        QCOMPARE(document_->recipe().qlora.r, 4);
        QVERIFY(document_->set("r", "4"));  // no step
        QCOMPARE(document_->undoStack()->count(), 2);
        QVERIFY(!document_->set("r", "0"));
        QCOMPARE(document_->recipe().qlora.r, 4);
    }

    void theFilesAreValidAfterEveryEditAndHoldTheLast() {
        for (int i = 1; i <= 40; ++i) {
            QVERIFY(document_->set("r", std::to_string(i)));
            // What a killed program would leave: always a whole recipe, of this edit or an earlier one.
            const bool saved_once =
                fs::exists(project_->paths().trainingConfig()) && fs::exists(project_->paths().qloraConfig());
            const auto read = config::readRecipe(project_->paths().trainingConfig(), project_->paths().qloraConfig());
            if (saved_once) {
                QVERIFY(read && !config::hasErrors(read->issues));
                QVERIFY(read->recipe.qlora.r <= i || read->recipe.qlora.r == 16);
            }
        }
        QVERIFY(saved());
        QCOMPARE(onDisk().qlora.r, 40);
    }

    void whatWaitsIsSavedOnClose() {
        // The thread is held up, as by an import.
        std::atomic<bool> go = false;
        files_->post([&go] {
            while (!go) std::this_thread::yield();
        });
        QVERIFY(document_->set("r", "3"));
        QVERIFY(document_->set("r", "5"));
        document_.reset();
        go = true;
        QCOMPARE(onDisk().qlora.r, 5);
        QVERIFY(saved());
        QCOMPARE(onDisk().qlora.r, 5);
    }

    void itIsAsItWasTheNextDay() {
        QVERIFY(document_->usePreset(QStringLiteral("guanaco")));
        QVERIFY(document_->set("filter", "lang:en \"a phrase\""));
        const config::Recipe before = document_->recipe();
        reopen();
        QVERIFY(document_->recipe() == before);
        QCOMPARE(document_->preset(), QStringLiteral("guanaco"));
        QVERIFY(document_->reference().training.filter != before.training.filter);
    }

    void everyPresetCanBeUsedAndUndone() {
        const config::Recipe before = document_->recipe();
        for (const QString& name : document_->presets()) {
            QVERIFY2(document_->usePreset(name), qPrintable(name));
            QVERIFY(!config::hasErrors(document_->issues()));
            QCOMPARE(document_->recipe().training.data_path, before.training.data_path);
        }
        while (document_->undoStack()->canUndo()) document_->undoStack()->undo();
        QVERIFY(document_->recipe() == before);
        QCOMPARE(document_->preset(), QStringLiteral("demo"));
    }

    void ownPresetsStandBesideTheProgramsWhichAreNeverChanged() {
        QVERIFY(document_->set("r", "7"));
        QVERIFY(!document_->saveAsPreset(QStringLiteral("demo")));
        QVERIFY(document_->saveAsPreset(QStringLiteral("my own")));
        QVERIFY(document_->isOwnPreset());
        QVERIFY(document_->presets().contains(document_->preset()));
        QVERIFY(document_->recipe() == document_->reference());
        QVERIFY(document_->usePreset(QStringLiteral("demo")));
        QCOMPARE(document_->recipe().qlora.r, 16);
        QVERIFY(document_->usePreset(QStringLiteral("my-own")));
        QCOMPARE(document_->recipe().qlora.r, 7);
    }

    void aFileThatIsNoRecipeIsKept() {
        QVERIFY(saved());
        document_->close();
        write(project_->paths().trainingConfig(), "learning_rate: [1, 2\n");
        QSignalSpy told(document_.get(), &RecipeDocument::loadFailed);
        document_->open(project_->paths());
        QCOMPARE(told.count(), 1);
        QVERIFY(fs::exists(project_->paths().trainingConfig().string() + ".broken"));
        QCOMPARE(document_->recipe().training.learning_rate, document_->reference().training.learning_rate);
        QVERIFY(saved());
        QVERIFY(onDisk() == document_->recipe());
    }

    void aFieldThatIsWrongInTheFileIsAnIssueUntilItIsChanged() {
        QVERIFY(saved());
        document_->close();
        const auto text = io::readFile(project_->paths().trainingConfig(), 1u << 20);
        std::string changed = *text;
        changed.replace(changed.find("learning_rate: 0.001"), 20, "learning_rate: much");
        write(project_->paths().trainingConfig(), changed);
        document_->open(project_->paths());
        QVERIFY(config::hasErrors(document_->issues()));
        QCOMPARE(document_->issues().front().key, std::string("learning_rate"));
        QVERIFY(document_->set("learning_rate", "1e-4"));
        QVERIFY(!config::hasErrors(document_->issues()));
    }

    void aProjectThatMovedFindsItsOwnConversations() {
        QVERIFY(saved());
        document_->close();
        project_.reset();
        const fs::path old = ui::path(home_->path()) / "project", here = ui::path(home_->path()) / "elsewhere";
        fs::rename(old, here);
        auto opened = project::Project::open(here);
        QVERIFY(opened);
        project_.emplace(std::move(*opened));
        document_->open(project_->paths());
        QCOMPARE(document_->recipe().training.data_path, std::vector<std::string>{here.string()});
    }

    void aCopyOfAProjectUsesItsOwnConversations() {
        QVERIFY(saved());
        document_->close();
        project_.reset();
        const fs::path old = ui::path(home_->path()) / "project", copy = ui::path(home_->path()) / "copy";
        fs::copy(old, copy, fs::copy_options::recursive);
        auto opened = project::Project::open(copy);
        QVERIFY(opened);
        project_.emplace(std::move(*opened));
        document_->open(project_->paths());
        QCOMPARE(document_->recipe().training.data_path, std::vector<std::string>{copy.string()});
    }

    void everyFieldHasWords() {
        for (const config::Field& field : config::fields())
            QVERIFY2(fieldLabel(field.key) != ui::text(field.key), std::string(field.key).c_str());
    }

  private:
    bool saved() {
        return waitFor([this] { return files_->idle(); });
    }
    config::Recipe onDisk() {
        auto read = config::readRecipe(project_->paths().trainingConfig(), project_->paths().qloraConfig());
        return read ? read->recipe : config::Recipe{};
    }
    void reopen() {
        document_.reset();
        document_ = std::make_unique<RecipeDocument>(*files_);
        document_->open(project_->paths());
    }
    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

    std::unique_ptr<PrivateHome> home_;
    std::unique_ptr<TaskThread> files_;
    std::optional<project::Project> project_;
    std::unique_ptr<RecipeDocument> document_;
};

STUDIO_WIDGET_TEST(RecipeDocumentTest)
#include "recipe_document_test.moc"
