// Form → file → form, the wheel, typed numbers.
#include <QComboBox>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QWheelEvent>
#include <clocale>

#include "config/presets.h"
#include "config/random_recipe.h"
#include "config/recipe_file.h"
#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/recipe/recipe_form.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

class RecipeFormTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        bench_ = std::make_unique<Bench>();
        form_ = std::make_unique<RecipeForm>(bench_->session().recipe(), nullptr);
        form_->rebuild(pathText(bench_->session().paths().folder));
        form_->resize(460, 800);
        form_->show();
    }
    void cleanupTestCase() {
        form_.reset();
        bench_.reset();
    }

    void everyFieldOfTheTableHasARow() {
        for (const config::Field& field : config::fields())
            QVERIFY2(form_->row(field.key), std::string(field.key).c_str());
    }

    void randomRecipesSurviveFormFileForm() {
        for (std::uint32_t seed = 1; seed <= 200; ++seed) {
            const config::Recipe recipe = studio::test::RandomRecipe(seed).draw();
            compareRoundTrip(recipe, QStringLiteral("seed %1").arg(seed));
            if (QTest::currentTestFailed()) return;
        }
    }

    void everyPresetSurvivesFormFileForm() {
        const auto presets = config::listPresets(jobs::resourceFolder());
        QVERIFY(presets && presets->size() >= 5);
        for (const config::Preset& preset : *presets) {
            const auto recipe = config::loadPreset(jobs::resourceFolder(), preset.name);
            QVERIFY2(recipe, preset.name.c_str());
            compareRoundTrip(*recipe, ui::text(preset.name));
        }
    }

    void theWheelChangesNothing() {
        const config::Recipe before = recipe().recipe();
        const QStringList shown = texts();
        for (FieldRow* row : form_->rows()) {
            row->show();
            QList<QWidget*> parts = row->findChildren<QWidget*>();
            parts << row;
            for (QWidget* part : parts) {
                part->setFocus();
                for (const int delta : {120, -120}) {
                    QWheelEvent wheel(QPointF(5, 5), part->mapToGlobal(QPointF(5, 5)), {0, delta / 4}, {0, delta},
                                      Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
                    QApplication::sendEvent(part, &wheel);
                }
            }
        }
        form_->commitAll();
        QCOMPARE(texts(), shown);
        QVERIFY(recipe().recipe() == before);
    }

    void numbersSurviveExactlyInEveryLocale_data() {
        QTest::addColumn<QString>("typed");
        for (const char* typed : {"1e-5", "2e-4", "3.3333e-5", "0.0001", "1E-4"})
            QTest::newRow(typed) << QString::fromLatin1(typed);
    }
    void numbersSurviveExactlyInEveryLocale() {
        QFETCH(QString, typed);
        std::setlocale(LC_ALL, "de_DE.UTF-8");
        QLocale::setDefault(QLocale(QLocale::German, QLocale::Germany));
        auto* edit = qobject_cast<QLineEdit*>(form_->row("learning_rate")->control()->entry());
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, typed);
        QTest::keyClick(edit, Qt::Key_Return);
        const double expected = std::strtod("0", nullptr) + typed.toDouble();
        QCOMPARE(recipe().recipe().training.learning_rate, expected);
        QCOMPARE(edit->text(), typed);  // stays as it was typed
        QVERIFY(waitSaved());
        const auto read =
            config::readRecipe(bench_->session().paths().trainingConfig(), bench_->session().paths().qloraConfig());
        QVERIFY(read);
        QCOMPARE(read->recipe.training.learning_rate, expected);
        // A form that was not there while it was typed shows the same number.
        RecipeForm fresh(recipe(), nullptr);
        fresh.rebuild({});
        const QString shown = fresh.row("learning_rate")->control()->text();
        QCOMPARE(QLocale::c().toDouble(shown), expected);
        std::setlocale(LC_ALL, "C");
        QLocale::setDefault(QLocale::c());
    }

    void fieldsAreFoundByWordsAndKey() {
        form_->showOnly(QStringLiteral("learning"), false);
        QVERIFY(form_->row("learning_rate")->isVisibleTo(form_.get()));
        QVERIFY(!form_->row("r")->isVisibleTo(form_.get()));
        form_->showOnly(QStringLiteral("adam_beta2"), false);
        QVERIFY(form_->row("adam_beta2")->isVisibleTo(form_.get()));
        form_->showOnly({}, false);
        QVERIFY(form_->row("r")->isVisibleTo(form_.get()));
        QVERIFY(!form_->row("adam_beta2")->isVisibleTo(form_.get()));
    }

    void aRareFieldThatDiffersShowsItself() {
        QVERIFY(recipe().set("adam_beta2", "0.95"));
        form_->refresh();
        QVERIFY(form_->row("adam_beta2")->isVisibleTo(form_.get()));
        recipe().undoStack()->undo();
        form_->refresh();
        QVERIFY(!form_->row("adam_beta2")->isVisibleTo(form_.get()));
    }

  private:
    RecipeDocument& recipe() { return bench_->session().recipe(); }
    bool waitSaved() {
        return waitFor([this] {
            const auto read =
                config::readRecipe(bench_->session().paths().trainingConfig(), bench_->session().paths().qloraConfig());
            return read && read->recipe.training == recipe().recipe().training;
        });
    }
    QStringList texts() const {
        QStringList all;
        for (const FieldRow* row : form_->rows()) all << row->control()->text();
        return all;
    }
    // What the controls say, as a recipe, through the two files, and back into the controls.
    void compareRoundTrip(const config::Recipe& recipe, const QString& name) {
        this->recipe().replace(recipe, QStringLiteral("test"));
        form_->refresh();
        config::Recipe said;
        for (const FieldRow* row : form_->rows()) {
            const auto taken =
                config::setFromText(said, row->field().key, fileText(row->field(), row->control()->text()));
            QVERIFY2(taken, qPrintable(QStringLiteral("%1, %2: %3")
                                           .arg(name, ui::text(row->field().key),
                                                taken ? QString() : ui::text(taken.error().message))));
        }
        said.description = recipe.description;
        for (const FieldRow* row : form_->rows()) {
            const auto a = config::valueText(said, row->field().key), b = config::valueText(recipe, row->field().key);
            QVERIFY2(*a == *b, qPrintable(QStringLiteral("%1, %2: %3 and %4")
                                              .arg(name, ui::text(row->field().key), ui::text(*a), ui::text(*b))));
        }
        QVERIFY2(said == recipe, qPrintable(name));
        config::ReadRecipe read;
        QVERIFY(config::parseTrainingConfig(config::formatTrainingConfig(said), "training_config.yaml", read));
        QVERIFY(config::parseQloraConfig(config::formatQloraConfig(said.qlora), "qlora_config.json", read));
        QVERIFY2(read.recipe.training == recipe.training && read.recipe.qlora == recipe.qlora, qPrintable(name));
        const QStringList before = texts();
        this->recipe().replace(read.recipe, QStringLiteral("again"));
        form_->refresh();
        QCOMPARE(texts(), before);
    }

    std::unique_ptr<Bench> bench_;
    std::unique_ptr<RecipeForm> form_;
};

STUDIO_WIDGET_TEST(RecipeFormTest)
#include "form_test.moc"
