#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/nearest.h"
#include "config/scalar.h"

namespace studio::config {
namespace {

tl::unexpected<Error> wrongType(const Node& node, std::string_view wanted, std::string hint) {
    if (node.kind == Node::Kind::Null)
        return fail(ErrorCode::InvalidArgument, "has no value.", "Give it one, or leave the line out for the default.");
    return fail(ErrorCode::InvalidArgument, fmt::format("needs {}, and {} is none.", wanted, shown(node)),
                std::move(hint));
}

// One reader for each type. Those of numbers check the range, which goes for every number in the field.
struct Reader {
    const Field& field;

    Result<void> read(const Node& node, bool& into) const {
        if (node.kind != Node::Kind::Plain) return wrongType(node, "true or false", "Write true or false, unquoted.");
        STUDIO_TRY(into, parseBool(node.text));
        return {};
    }
    Result<void> read(const Node& node, std::int64_t& into) const {
        if (node.kind != Node::Kind::Plain)
            return wrongType(node, "a whole number", "Write one whole number, unquoted.");
        STUDIO_TRY(const std::int64_t value, parseInteger(node.text));
        STUDIO_CHECK(inRange(static_cast<double>(value), node.text));
        into = value;
        return {};
    }
    Result<void> read(const Node& node, double& into) const {
        if (node.kind != Node::Kind::Plain) return wrongType(node, "a number", "Write one number, unquoted.");
        STUDIO_TRY(const double value, parseReal(node.text));
        STUDIO_CHECK(inRange(value, node.text));
        into = value;
        return {};
    }
    Result<void> read(const Node& node, std::string& into) const {
        if (!node.isScalar()) return wrongType(node, "one text", "Write one text.");
        if (!field.choices.empty()) STUDIO_CHECK(isChoice(node.text));
        into = node.text;
        return {};
    }
    template <class T>
    Result<void> read(const Node& node, std::optional<T>& into) const {
        if (node.kind == Node::Kind::Null) {
            into.reset();
            return {};
        }
        T value{};
        STUDIO_CHECK(read(node, value));
        into = std::move(value);
        return {};
    }
    // One value stands for a list of one; null for an empty list.
    template <class T>
    Result<void> read(const Node& node, std::vector<T>& into) const {
        std::vector<T> values;
        if (node.kind == Node::Kind::List) {
            for (const Node& item : node.items) STUDIO_CHECK(read(item, values.emplace_back()));
        } else if (node.kind != Node::Kind::Null) {
            STUDIO_CHECK(read(node, values.emplace_back()));
        }
        into = std::move(values);
        return {};
    }
    Result<void> read(const Node& node, ModuleSelection& into) const {
        if (node.kind == Node::Kind::Null) {
            into = std::monostate{};
        } else if (node.kind == Node::Kind::List) {
            std::vector<std::string> names;
            STUDIO_CHECK(read(node, names));
            if (std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.empty(); }))
                return fail(ErrorCode::InvalidArgument, "has an empty name in its list.", "Take it out.");
            into = std::move(names);
        } else {
            std::string text;
            STUDIO_CHECK(read(node, text));
            if (text.empty())
                return fail(ErrorCode::InvalidArgument, "is an empty text.", "Name modules, or write null.");
            into = std::move(text);
        }
        return {};
    }
    template <class T>
    Result<void> read(const Node& node, Pattern<T>& into) const {
        Pattern<T> pattern;
        if (node.kind != Node::Kind::Map && node.kind != Node::Kind::Null)
            return wrongType(node, "a map of module patterns to numbers", "Write {\"pattern\": number}, or {}.");
        for (const auto& [key, value] : node.entries) {
            T number{};
            STUDIO_CHECK(read(value, number));
            pattern.emplace_back(key.text, number);
        }
        into = std::move(pattern);
        return {};
    }
    Result<void> read(const Node& node, SchedulerKwargs& into) const {
        SchedulerKwargs kwargs;
        if (node.kind != Node::Kind::Map && node.kind != Node::Kind::Null)
            return wrongType(node, "a map", "Write {min_lr: 1.0e-5}, {min_lr_rate: 0.1} or {}.");
        for (const auto& [key, value] : node.entries) {
            const bool half_wave = key.text == "num_cycles" && (value.text == "0.5" || value.kind == Node::Kind::Null);
            if (key.text == "min_lr") {
                STUDIO_CHECK(read(value, kwargs.min_lr));
            } else if (key.text == "min_lr_rate") {
                STUDIO_CHECK(read(value, kwargs.min_lr_rate));
            } else if (!half_wave) {
                return fail(ErrorCode::Unsupported,
                            fmt::format("has {}: {}, which is not offered.", key.text, shown(value)),
                            "Only min_lr and min_lr_rate are known.");
            }
        }
        into = kwargs;
        return {};
    }

  private:
    Result<void> inRange(double value, std::string_view text) const {
        if (field.range.contains(value)) return {};
        return fail(ErrorCode::OutOfRange, fmt::format("is {}; it must be {}.", text, field.range.text()),
                    fmt::format("Write a number {}.", field.range.text()));
    }
    Result<void> isChoice(const std::string& text) const {
        std::vector<std::string_view> names;
        for (const Choice& choice : field.choices) {
            if (choice.value == text) return {};
            names.push_back(choice.value);
        }
        Result<void> accepted;
        if (field.accepts != nullptr && (accepted = field.accepts(text))) return {};
        for (const Refusal& refusal : field.refusals)
            if (refusal.value == text)
                return fail(ErrorCode::Unsupported, fmt::format("is {}, which is refused: {}.", text, refusal.reason),
                            fmt::format("Use {}.", joined(names, "or")));
        if (!accepted)
            return fail(ErrorCode::InvalidArgument, fmt::format("is {}, which is none of its values.", quote(text)),
                        accepted.error().hint);
        return fail(ErrorCode::InvalidArgument, fmt::format("is {}, which is none of its values.", quote(text)),
                    fmt::format("Did you mean {}? Its values are {}.", nearest(text, names), joined(names, "and")));
    }
};

}  // namespace

Result<void> readField(const Field& field, const Node& node, Recipe& into) {
    if (field.null_is_default && node.kind == Node::Kind::Null) return {};
    return std::visit(
        [&](auto member) -> Result<void> {
            auto value = member(into);  // a copy, so that an error leaves the field as it was
            STUDIO_CHECK(Reader{field}.read(node, value));
            member(into) = std::move(value);
            return {};
        },
        field.binding);
}

}  // namespace studio::config
