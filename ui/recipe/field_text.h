// A field's value as the form shows it and as the file has it.
#pragma once

#include <QString>
#include <string>

#include "config/field.h"

namespace studio::ui {

// How a field is edited.
enum class FieldShape {
    Check,
    Choice,
    Number,   // whole or real, also one that may be left open
    Line,     // a text
    Lines,    // a list of texts, one a line
    Numbers,  // a list of whole numbers: 0, 1, 2
    Data,     // where the conversations come from
    Modules,
    Map,  // as in the file: {min_lr: 1.0e-5}
};
FieldShape shapeOf(const config::Field& field);

// What the control shows. Numbers are written as in the file, in every locale; nothing stands for null.
QString editText(const config::Field& field, const config::Recipe& recipe);

// What the control says, as config::setFromText takes it.
std::string fileText(const config::Field& field, const QString& edited);

// Short, for "was 16": "on", "none", "q_proj, v_proj".
QString shortText(const config::Field& field, const config::Recipe& recipe);

// What an empty control means: "the model's context"; empty where it means nothing.
QString meaningOfNothing(const config::Field& field);

}  // namespace studio::ui
