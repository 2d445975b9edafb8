#include "ui/recipe/field_text.h"

#include <QCoreApplication>
#include <QStringList>

#include "config/recipe_file.h"
#include "config/scalar.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

QString tr(const char* source) {
    return QCoreApplication::translate("FieldText", source);
}

// Control characters as their pictures (␤ for a line break inside a text), so that a line can hold and show them.
constexpr char16_t kPictures = 0x2400, kDeletePicture = 0x2421;

QString withPictures(QString words) {
    for (QChar& c : words) {
        if (c.unicode() < 0x20) c = QChar(static_cast<char16_t>(kPictures + c.unicode()));
        if (c.unicode() == 0x7f) c = QChar(kDeletePicture);
    }
    return words;
}

QString withControls(QString words) {
    for (QChar& c : words) {
        if (c.unicode() >= kPictures && c.unicode() < kPictures + 0x20)
            c = QChar(static_cast<char16_t>(c.unicode() - kPictures));
        if (c.unicode() == kDeletePicture) c = QChar(0x7f);
    }
    return words;
}

// YAML's flow list of texts.
std::string listText(const QStringList& items) {
    std::string out = "[";
    for (const QString& item : items) {
        if (item.isEmpty()) continue;
        out += (out.size() > 1 ? ", " : "") + config::quote(utf8(withControls(item)));
    }
    return out + "]";
}

QString linesOf(const std::vector<std::string>& items) {
    QStringList lines;
    for (const std::string& item : items) lines << withPictures(text(item));
    return lines.join(QLatin1Char('\n'));
}

QString inFile(const config::Field& field, const config::Recipe& recipe) {
    return text(config::valueText(recipe, field.key).value_or(std::string()));
}

}  // namespace

FieldShape shapeOf(const config::Field& field) {
    using namespace config;
    if (!field.choices.empty()) return FieldShape::Choice;
    if (field.key == "data_path") return FieldShape::Data;
    return std::visit(
        Overloaded{[](Member<bool>) { return FieldShape::Check; }, [](Member<std::string>) { return FieldShape::Line; },
                   [](Member<std::optional<std::string>>) { return FieldShape::Line; },
                   [](Member<std::vector<std::string>>) { return FieldShape::Lines; },
                   [](Member<std::vector<std::int64_t>>) { return FieldShape::Numbers; },
                   [](Member<ModuleSelection>) { return FieldShape::Modules; },
                   [](Member<Pattern<std::int64_t>>) { return FieldShape::Map; },
                   [](Member<Pattern<double>>) { return FieldShape::Map; },
                   [](Member<SchedulerKwargs>) { return FieldShape::Map; }, [](auto) { return FieldShape::Number; }},
        field.binding);
}

QString editText(const config::Field& field, const config::Recipe& recipe) {
    using namespace config;
    return std::visit(Overloaded{
                          [&](Member<std::string> member) { return withPictures(text(valueOf(member, recipe))); },
                          [&](Member<std::optional<std::string>> member) {
                              return withPictures(text(valueOf(member, recipe).value_or("")));
                          },
                          [&](Member<std::vector<std::string>> member) { return linesOf(valueOf(member, recipe)); },
                          [&](Member<double> member) { return text(formatNumber(valueOf(member, recipe))); },
                          [&](Member<std::optional<double>> member) {
                              const auto& value = valueOf(member, recipe);
                              return value ? text(formatNumber(*value)) : QString();
                          },
                          [&](Member<std::optional<std::int64_t>> member) {
                              const auto& value = valueOf(member, recipe);
                              return value ? QString::number(*value) : QString();
                          },
                          [&](Member<std::vector<std::int64_t>> member) {
                              QStringList numbers;
                              for (const std::int64_t value : valueOf(member, recipe))
                                  numbers << QString::number(value);
                              return numbers.join(QStringLiteral(", "));
                          },
                          [&](auto) { return inFile(field, recipe); },
                      },
                      field.binding);
}

std::string fileText(const config::Field& field, const QString& edited) {
    using namespace config;
    const QString trimmed = edited.trimmed();
    return std::visit(
        Overloaded{
            [&](Member<std::string>) { return utf8(withControls(edited)); },
            [&](Member<std::optional<std::string>>) {
                return edited.isEmpty() ? std::string("null") : utf8(withControls(edited));
            },
            [&](Member<std::vector<std::string>>) { return listText(edited.split(QLatin1Char('\n'))); },
            [&](Member<std::optional<double>>) { return trimmed.isEmpty() ? std::string("null") : utf8(trimmed); },
            [&](Member<std::optional<std::int64_t>>) {
                return trimmed.isEmpty() ? std::string("null") : utf8(trimmed);
            },
            [&](Member<std::vector<std::int64_t>>) {
                return trimmed.isEmpty() ? std::string("null") : "[" + utf8(trimmed) + "]";
            },
            [&](Member<Pattern<std::int64_t>>) { return trimmed.isEmpty() ? std::string("{}") : utf8(trimmed); },
            [&](Member<Pattern<double>>) { return trimmed.isEmpty() ? std::string("{}") : utf8(trimmed); },
            [&](Member<SchedulerKwargs>) { return trimmed.isEmpty() ? std::string("{}") : utf8(trimmed); },
            [&](auto) { return utf8(trimmed); },
        },
        field.binding);
}

QString shortText(const config::Field& field, const config::Recipe& recipe) {
    switch (shapeOf(field)) {
        case FieldShape::Check:
            return std::get<config::Member<bool>>(field.binding)(const_cast<config::Recipe&>(recipe)) ? tr("on")
                                                                                                      : tr("off");
        case FieldShape::Data:
            return tr("this project");
        case FieldShape::Lines: {
            const qsizetype lines = editText(field, recipe).split(QLatin1Char('\n'), Qt::SkipEmptyParts).size();
            return lines == 0
                       ? tr("none")
                       : QCoreApplication::translate("FieldText", "%n line(s)", nullptr, static_cast<int>(lines));
        }
        case FieldShape::Modules: {
            QString words = editText(field, recipe);
            if (words == QLatin1String("null")) return tr("not given");
            return words.remove(QLatin1Char('[')).remove(QLatin1Char(']')).remove(QLatin1Char('"'));
        }
        default: {
            const QString words = editText(field, recipe);
            return words.isEmpty() ? tr("empty") : words;
        }
    }
}

QString meaningOfNothing(const config::Field& field) {
    if (field.key == "max_seq_length") return tr("the model's context");
    if (field.key == "data_seed") return tr("as seed");
    if (field.key == "eval_steps") return tr("as console");
    if (field.key == "save_total_limit") return tr("all");
    if (field.key == "run_name") return tr("the folder's name");
    if (field.key == "view") return tr("none");
    if (field.key == "filter") return tr("all messages");
    if (field.key == "layers_to_transform") return tr("all layers");
    if (field.key == "layers_pattern") return tr("any");
    return {};
}

}  // namespace studio::ui
