// The short run that is killed, and the one it is compared with.
#pragma once

#include "ui/session/session.h"

namespace studio::ui::testing {

inline config::Recipe killRecipe(Session& session) {
    config::Recipe recipe = session.recipe().recipe();
    recipe.training.max_steps = 10;
    recipe.training.per_device_train_batch_size = 1;
    recipe.training.max_seq_length = 96;
    recipe.training.validation_fraction = 0.2;
    recipe.training.paths = "best";
    recipe.training.sample_prompts = {};
    recipe.training.eval_strategy = "no";
    recipe.training.save_steps = 3;
    recipe.training.threads = 1;
    recipe.qlora.lora_dropout = 0.05;
    return recipe;
}

}  // namespace studio::ui::testing
