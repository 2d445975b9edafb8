#include "config/target_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "config/nearest.h"
#include "config/pattern.h"

namespace studio::config {
namespace {

// A name of a list: the module itself, or the end of its name after a dot.
bool named(std::string_view key, std::string_view module) {
    return module == key ||
           (module.size() > key.size() && module.ends_with(key) && module[module.size() - key.size() - 1] == '.');
}

// Endings of the modules' names: "q_proj", "self_attn.q_proj", …; what a wrong name is compared with.
std::vector<std::string> endings(std::span<const std::string> linears) {
    std::set<std::string> known;
    std::vector<std::string> out;
    for (const std::string& module : linears) {
        const std::size_t last = module.rfind('.');
        const std::size_t before = last == module.npos || last == 0 ? module.npos : module.rfind('.', last - 1);
        for (const std::size_t dot : {last, before})
            if (dot != module.npos && known.insert(module.substr(dot + 1)).second)
                out.push_back(module.substr(dot + 1));
    }
    return out;
}

std::string leaves(std::span<const std::string> linears) {
    std::vector<std::string> names;
    for (const std::string& module : linears) {
        const std::string leaf = module.substr(module.rfind('.') + 1);
        if (std::find(names.begin(), names.end(), leaf) == names.end()) names.push_back(leaf);
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    return joined(views, "and");
}

tl::unexpected<Error> noSuchModule(std::string_view field, const std::string& key,
                                   std::span<const std::string> linears) {
    const std::string all = fmt::format("The model's linears are {}.", leaves(linears));
    const std::string message = fmt::format("{} names {}, which matches no linear of the model.", field, key);
    if (key == "lm_head" || key.ends_with(".lm_head"))
        return fail(ErrorCode::Unsupported, fmt::format("{} names lm_head, which is not adapted here.", field),
                    "Take it out. " + all);
    if (key == "embed_tokens" || key.ends_with(".embed_tokens"))
        return fail(ErrorCode::Unsupported, fmt::format("{} names embed_tokens, which is not adapted here.", field),
                    "Take it out. " + all);
    // Names of phi's first layout and of other architectures, which edit distance does not find.
    constexpr std::string_view kOther[][2] = {{"Wqkv", "q_proj, k_proj and v_proj"},
                                              {"qkv_proj", "q_proj, k_proj and v_proj"},
                                              {"query_key_value", "q_proj, k_proj and v_proj"},
                                              {"out_proj", "dense"},
                                              {"o_proj", "dense"},
                                              {"dense_h_to_4h", "fc1"},
                                              {"dense_4h_to_h", "fc2"},
                                              {"up_proj", "fc1"},
                                              {"gate_proj", "fc1"},
                                              {"down_proj", "fc2"}};
    for (const auto& [other, here] : kOther)
        if (named(other, key))
            return fail(ErrorCode::NotFound, message, fmt::format("It is called {} here. {}", here, all));
    const std::vector<std::string> known = endings(linears);
    const std::vector<std::string_view> views(known.begin(), known.end());
    return fail(ErrorCode::NotFound, message, fmt::format("Did you mean {}? {}", nearest(key, views), all));
}

// target_modules or exclude_modules, ready to match.
class Selector {
  public:
    static Result<Selector> make(const ModuleSelection& selection) {
        Selector out;
        if (const auto* names = std::get_if<std::vector<std::string>>(&selection)) out.names_ = *names;
        if (const auto* text = std::get_if<std::string>(&selection)) {
            out.all_ = isAllLinear(*text);
            if (!out.all_) {
                STUDIO_TRY(out.expression_, Expression::compile(*text));
            }
        }
        return out;
    }
    bool isList() const { return !all_ && !expression_; }
    const std::vector<std::string>& names() const { return names_; }

    Result<bool> matches(const std::string& module) const {
        if (all_) return true;
        if (expression_) return expression_->matchesWhole(module);
        return std::any_of(names_.begin(), names_.end(), [&](const std::string& key) { return named(key, module); });
    }
    bool isWholeName(const std::string& module) const {
        return std::find(names_.begin(), names_.end(), module) != names_.end();
    }

  private:
    bool all_ = false;
    std::vector<std::string> names_;
    std::optional<Expression> expression_;
};

// layers_to_transform and layers_pattern. PEFT looks at the first number in the name.
class Layers {
  public:
    static Result<Layers> make(const QloraConfig& lora) {
        Layers out;
        out.wanted_ = lora.layers_to_transform;
        if (lora.layers_pattern.empty()) {
            STUDIO_TRY(auto expression, Expression::compile(R"(.*?\.[^.]*\.(?P<idx>\d+)\.)"));
            out.expressions_.push_back(std::move(expression));
        }
        for (const std::string& pattern : lora.layers_pattern) {
            STUDIO_TRY(auto expression, Expression::compile(fmt::format(R"((?:^|.*?\.){}\.(?P<idx>\d+)\.)", pattern)));
            out.expressions_.push_back(std::move(expression));
        }
        return out;
    }
    // The wanted layer the module is in, if any.
    Result<std::optional<std::int64_t>> layerOf(const std::string& module) const {
        for (const Expression& expression : expressions_) {
            STUDIO_TRY(const std::string text, expression.indexIn(module));
            std::int64_t index = -1;
            if (std::from_chars(text.data(), text.data() + text.size(), index).ec != std::errc()) continue;
            if (std::find(wanted_.begin(), wanted_.end(), index) == wanted_.end()) return std::nullopt;
            return index;
        }
        return std::nullopt;
    }
    bool all() const { return wanted_.empty(); }
    const std::vector<std::int64_t>& wanted() const { return wanted_; }

  private:
    std::vector<std::int64_t> wanted_;
    std::vector<Expression> expressions_;
};

// rank_pattern or alpha_pattern.
template <class T>
class Overrides {
  public:
    static Result<Overrides> make(std::string_view field, const Pattern<T>& pattern) {
        Overrides out;
        out.field_ = field;
        for (const auto& [key, value] : pattern) {
            STUDIO_TRY(auto expression, Expression::compile(fmt::format(R"((.*\.)?({})$)", key)));
            out.rows_.push_back({key, std::move(expression), value, false});
        }
        return out;
    }
    Result<T> of(const std::string& module, T fallback) {
        for (Row& row : rows_) {
            STUDIO_TRY(const bool matched, row.expression.matchesWhole(module));
            if (!matched) continue;
            row.used = true;
            return row.value;
        }
        return fallback;
    }
    Result<void> allUsed(std::span<const std::string> linears) const {
        for (const Row& row : rows_)
            if (!row.used) return noSuchAdaptedModule(row.key, linears);
        return {};
    }

  private:
    struct Row {
        std::string key;
        Expression expression;
        T value;
        bool used;
    };
    tl::unexpected<Error> noSuchAdaptedModule(const std::string& key, std::span<const std::string> linears) const {
        return fail(ErrorCode::NotFound, fmt::format("{} names {}, which decides for no adapted linear.", field_, key),
                    fmt::format("Take it out or correct it. The model's linears are {}; an earlier pattern may already "
                                "match them.",
                                leaves(linears)));
    }

    std::string field_;
    std::vector<Row> rows_;
};

ModuleSelection withDefault(const ModuleSelection& selection) {
    if (!std::holds_alternative<std::monostate>(selection)) return selection;
    return phiDefaultTargets();
}

// Names of the list that match no linear at all; a text that matches none.
Result<void> everyNameMatches(const Selector& targets, const ModuleSelection& selection,
                              std::span<const std::string> linears) {
    for (const std::string& key : targets.names())
        if (std::none_of(linears.begin(), linears.end(), [&](const std::string& module) { return named(key, module); }))
            return noSuchModule("target_modules", key, linears);
    const auto* text = std::get_if<std::string>(&selection);
    if (!text) return {};
    for (const std::string& module : linears) {
        STUDIO_TRY(const bool matched, targets.matches(module));
        if (matched) return {};
    }
    return fail(
        ErrorCode::NotFound,
        fmt::format("target_modules is {}, which as an expression for the whole name matches no linear.", *text),
        fmt::format("Write a list, [\"q_proj\"], or an expression such as .*\\.q_proj. The model's linears are {}.",
                    leaves(linears)));
}

}  // namespace

std::vector<std::string> phiDefaultTargets() {
    return {"q_proj", "v_proj", "fc1", "fc2"};
}

std::vector<std::string> phiLinearNames() {
    return {"q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"};
}

bool isAllLinear(std::string_view target_modules) {
    constexpr std::string_view kWord = "all-linear";
    return std::equal(target_modules.begin(), target_modules.end(), kWord.begin(), kWord.end(),
                      [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

Result<std::vector<TargetModule>> matchTargets(const QloraConfig& lora, std::span<const std::string> linears) {
    const ModuleSelection selection = withDefault(lora.target_modules);
    STUDIO_TRY(const Selector targets, Selector::make(selection));
    STUDIO_TRY(const Selector excluded, Selector::make(lora.exclude_modules));
    STUDIO_TRY(const Layers layers, Layers::make(lora));
    STUDIO_TRY(auto ranks, Overrides<std::int64_t>::make("rank_pattern", lora.rank_pattern));
    STUDIO_TRY(auto alphas, Overrides<double>::make("alpha_pattern", lora.alpha_pattern));
    STUDIO_CHECK(everyNameMatches(targets, selection, linears));

    std::vector<TargetModule> out;
    std::set<std::int64_t> layers_seen;
    for (const std::string& module : linears) {
        STUDIO_TRY(const bool out_of_it, excluded.matches(module));
        STUDIO_TRY(const bool wanted, targets.matches(module));
        if (out_of_it || !wanted) continue;
        // A module named in full is taken whatever its layer, as in PEFT.
        if (!layers.all() && targets.isList() && !targets.isWholeName(module)) {
            STUDIO_TRY(const auto layer, layers.layerOf(module));
            if (!layer) continue;
            layers_seen.insert(*layer);
        }
        TargetModule target{module, 0, 0, 1};
        STUDIO_TRY(target.r, ranks.of(module, lora.r));
        STUDIO_TRY(target.alpha, alphas.of(module, lora.lora_alpha));
        const double r = static_cast<double>(target.r);
        target.scaling = target.alpha / (lora.use_rslora ? std::sqrt(r) : r);
        out.push_back(std::move(target));
    }
    for (const std::int64_t layer : layers.wanted())
        if (!layers_seen.contains(layer) && targets.isList())
            return fail(ErrorCode::NotFound,
                        fmt::format("layers_to_transform names layer {}, in which nothing matches.", layer),
                        "Layers count from 0; check layers_pattern too, which is \"layers\" in phi.");
    if (out.empty())
        return fail(ErrorCode::NotFound, "No linear is left to adapt.",
                    "exclude_modules takes away all that target_modules names; correct one of the two.");
    STUDIO_CHECK(ranks.allUsed(linears));
    STUDIO_CHECK(alphas.allUsed(linears));
    return out;
}

}  // namespace studio::config
