#include <fmt/format.h>

#include "config/codec.h"
#include "config/scalar.h"

namespace studio::config {
namespace {

struct Writer {
    bool yaml;

    std::string write(bool value) const { return value ? "true" : "false"; }
    std::string write(std::int64_t value) const { return fmt::format("{}", value); }
    std::string write(double value) const { return formatNumber(value); }
    std::string write(const std::string& value) const { return yaml ? yamlText(value) : quote(value); }
    template <class T>
    std::string write(const std::optional<T>& value) const {
        return value ? write(*value) : "null";
    }
    // PEFT knows no empty lists of layers: null is all of them.
    template <class T>
    std::string write(const std::vector<T>& values) const {
        if (values.empty() && !yaml) return "null";
        std::string out = "[";
        for (const T& value : values) out += (out.size() > 1 ? ", " : "") + write(value);
        return out + "]";
    }
    std::string write(const ModuleSelection& value) const {
        if (const auto* text = std::get_if<std::string>(&value)) return write(*text);
        if (const auto* names = std::get_if<std::vector<std::string>>(&value)) return write(*names);
        return "null";
    }
    template <class T>
    std::string write(const Pattern<T>& pattern) const {
        std::string out = "{";
        for (const auto& [key, value] : pattern) out += (out.size() > 1 ? ", " : "") + quote(key) + ": " + write(value);
        return out + "}";
    }
    std::string write(const SchedulerKwargs& kwargs) const {
        std::string out = "{";
        if (kwargs.min_lr) out += key("min_lr") + write(*kwargs.min_lr);
        if (kwargs.min_lr_rate) out += (out.size() > 1 ? ", " : "") + key("min_lr_rate") + write(*kwargs.min_lr_rate);
        return out + "}";
    }

  private:
    std::string key(const char* name) const { return fmt::format(fmt::runtime(yaml ? "{}: " : "\"{}\": "), name); }
};

}  // namespace

std::string writeField(const Field& field, const Recipe& recipe, bool yaml) {
    return std::visit([&](auto member) { return Writer{yaml}.write(valueOf(member, recipe)); }, field.binding);
}

}  // namespace studio::config
