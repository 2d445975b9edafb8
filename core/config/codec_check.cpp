#include "config/codec.h"
#include "config/recipe_parse.h"

namespace studio::config {

// Through the same door as a file: what a value is written as must be a value the field takes.
Result<void> checkField(const Field& field, const Recipe& recipe) {
    STUDIO_TRY(const Node node, parseValue(writeField(field, recipe, false)));
    Recipe scratch;
    return readField(field, node, scratch);
}

bool isText(const Field& field) {
    return std::holds_alternative<Member<std::string>>(field.binding) ||
           std::holds_alternative<Member<std::optional<std::string>>>(field.binding);
}

bool isList(const Field& field) {
    return std::holds_alternative<Member<std::vector<std::string>>>(field.binding) ||
           std::holds_alternative<Member<std::vector<std::int64_t>>>(field.binding) ||
           std::holds_alternative<Member<ModuleSelection>>(field.binding);
}

}  // namespace studio::config
