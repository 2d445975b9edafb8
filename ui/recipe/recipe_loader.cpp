#include "ui/recipe/recipe_loader.h"

#include <QCoreApplication>

#include "config/field.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

// The fields of `file` that a text sets, from one recipe into the other.
void take(const config::ReadRecipe& from, config::File file, config::Recipe& into) {
    for (const config::KeyPlace& place : from.places) {
        const auto field = config::findField(place.key);
        if (!field || field->file != file) continue;
        if (const auto value = config::valueText(from.recipe, place.key))
            (void)config::setFromText(into, place.key, *value);
    }
}

}  // namespace

Result<config::ReadRecipe> readTexts(const std::vector<RecipeText>& texts, const config::Recipe& base) {
    config::ReadRecipe all;
    all.recipe = base;
    for (const RecipeText& given : texts) {
        config::ReadRecipe training, qlora;
        const auto as_training = config::parseTrainingConfig(given.text, given.name, training);
        const auto as_qlora = config::parseQloraConfig(given.text, given.name, qlora);
        if (!as_training && !as_qlora) return fail(as_training.error());
        if (training.places.empty() && qlora.places.empty())
            return fail(
                ErrorCode::InvalidArgument,
                utf8(
                    QCoreApplication::translate("RecipeLoader", "%1 sets no field of a recipe.").arg(text(given.name))),
                utf8(QCoreApplication::translate("RecipeLoader",
                                                 "Choose a training_config.yaml, a qlora_config.json, or both.")));
        const bool is_qlora = qlora.places.size() > training.places.size();
        const config::ReadRecipe& chosen = is_qlora ? qlora : training;
        take(chosen, is_qlora ? config::File::Qlora : config::File::Training, all.recipe);
        all.issues.insert(all.issues.end(), chosen.issues.begin(), chosen.issues.end());
        all.without_effect.insert(all.without_effect.end(), chosen.without_effect.begin(), chosen.without_effect.end());
        all.places.insert(all.places.end(), chosen.places.begin(), chosen.places.end());
    }
    return all;
}

}  // namespace studio::ui
