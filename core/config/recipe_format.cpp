#include <fmt/format.h>

#include "config/codec.h"
#include "config/recipe_file.h"
#include "config/scalar.h"

namespace studio::config {
namespace {

constexpr std::size_t kLineWidth = 100;

// Words of `text` as comment lines.
void comment(std::string_view text, std::string& out) {
    std::size_t width = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (width == 0 || width + 1 + word.size() > kLineWidth) {
            out += width == 0 ? "# " : "\n# ";
            width = 2;
        } else {
            out += ' ';
            ++width;
        }
        out += word;
        width += word.size();
    }
    out += '\n';
}

// Control characters would end the comment or break the file.
void description(std::string_view text, std::string& out) {
    while (true) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string line(text.substr(0, end));
        for (char& c : line)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
        out += line.empty() ? "#\n" : "# " + line + "\n";
        if (end == text.size()) return;
        text.remove_prefix(end + 1);
    }
}

// A list of more than one path or prompt has a line for each.
std::string yamlLine(const Field& field, const Recipe& recipe) {
    const auto* list = std::get_if<Member<std::vector<std::string>>>(&field.binding);
    if (!list) return fmt::format("{}: {}\n", field.key, writeField(field, recipe, true));
    const std::vector<std::string>& values = valueOf(*list, recipe);
    if (values.empty()) return fmt::format("{}: []\n", field.key);
    if (values.size() == 1) return fmt::format("{}: {}\n", field.key, yamlText(values.front()));
    std::string out = fmt::format("{}:\n", field.key);
    for (const std::string& value : values) out += fmt::format("  - {}\n", yamlText(value));
    return out;
}

}  // namespace

std::string formatTrainingConfig(const Recipe& recipe) {
    std::string out;
    if (!recipe.description.empty()) description(recipe.description, out);
    std::optional<Group> group;
    for (const Field& field : fields()) {
        if (field.file != File::Training) continue;
        if (group != field.group) out += fmt::format("\n## {}\n", name(field.group));
        group = field.group;
        comment(field.help, out);
        out += yamlLine(field, recipe);
    }
    return out;
}

std::string formatQloraConfig(const QloraConfig& qlora) {
    Recipe recipe;
    recipe.qlora = qlora;
    std::string out = "{";
    for (const Field& field : fields())
        if (field.file == File::Qlora)
            out +=
                fmt::format("{}\n  \"{}\": {}", out.size() > 1 ? "," : "", field.key, writeField(field, recipe, false));
    return out + "\n}\n";
}

}  // namespace studio::config
