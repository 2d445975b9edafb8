// Valid recipes drawn from the table of fields.
#pragma once

#include <cmath>
#include <random>

#include "config/field.h"
#include "config/recipe_file.h"

namespace studio::test {

class RandomRecipe {
  public:
    explicit RandomRecipe(std::uint64_t seed) : random_(seed) {}

    config::Recipe draw() {
        while (true) {
            config::Recipe recipe;
            for (const config::Field& field : config::fields())
                std::visit([&](auto member) { fill(field, member(recipe)); }, field.binding);
            recipe.description = chance(3) ? std::string() : text() + "\n\n" + text();
            for (char& c : recipe.description)
                if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f) c = '_';
            consistent(recipe);
            if (!config::hasErrors(config::checkRecipe(recipe))) return recipe;
        }
    }

  private:
    bool chance(int one_in) { return random_() % static_cast<unsigned>(one_in) == 0; }
    double unit() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    // Over many orders of magnitude, and often a number people write.
    double number(const config::Range& range) {
        const double low = std::isfinite(range.low) ? range.low : -1e6,
                     high = std::isfinite(range.high) ? range.high : 1e6;
        if (range.also && chance(4)) return *range.also;
        constexpr double kUsual[] = {1e-5, 2e-4, 3.3333e-5, 0.03, 0.1, 0.3, 1, 16, 500};
        for (int i = 0; i < 50; ++i) {
            const double value = chance(3)   ? kUsual[random_() % std::size(kUsual)]
                                 : chance(2) ? low + unit() * (high - low)
                                             : low + std::pow(10, -12 + 12 * unit()) * (high - low);
            if (range.contains(value)) return value;
        }
        return high;
    }

    std::string text() {
        constexpr const char* kPieces[] = {
            "phi-2", "runs/",     "ä",        "日本語",       "😀",      " ",  "#", ": ", "\"", "\\", "'",
            "- ",    "{",         "no",       "null",         "1e3",    "\t", "%", "&x", "*",  "|",  ">",
            "~",     "e\xCC\x81", "\xC2\xA0", "\xE2\x80\xA8", "0.5",    "[",  "]", ",",  "!",  "?",  "@",
            "`",     "\x7f",      "\x01",     "\n",           "x.jsonl"};
        std::string out;
        for (unsigned i = 0; i < 1 + random_() % 6; ++i) out += kPieces[random_() % std::size(kPieces)];
        return out == "null" ? "nul" : out;  // which no assignment can tell from null
    }
    std::string module() {
        constexpr const char* kNames[] = {"q_proj",
                                          "k_proj",
                                          "v_proj",
                                          "dense",
                                          "fc1",
                                          "fc2",
                                          "self_attn.q_proj",
                                          "mlp.fc1",
                                          "layers\\.[0-3]\\..*",
                                          "model.layers.7.mlp.fc2"};
        return kNames[random_() % std::size(kNames)];
    }

    void fill(const config::Field&, bool& into) { into = chance(2); }
    void fill(const config::Field& field, std::int64_t& into) {
        into = std::llround(std::floor(number(wholes(field.range))));
    }
    static config::Range wholes(config::Range range) {
        range.high = std::min(range.high, 1e6);
        return range;
    }
    void fill(const config::Field& field, double& into) { into = number(field.range); }
    void fill(const config::Field& field, std::string& into) {
        into = field.choices.empty() ? text() : std::string(field.choices[random_() % field.choices.size()].value);
    }
    template <class T>
    void fill(const config::Field& field, std::optional<T>& into) {
        if (chance(2)) fill(field, into.emplace());
    }
    template <class T>
    void fill(const config::Field& field, std::vector<T>& into) {
        const std::size_t count = random_() % 4;
        for (std::size_t i = 0; i < count; ++i) fill(field, into.emplace_back());
    }
    void fill(const config::Field&, config::ModuleSelection& into) {
        std::vector<std::string> names(1 + random_() % 4);
        for (std::string& name : names) name = module();
        if (chance(2))
            into = names;
        else if (chance(2))
            into = chance(2) ? std::string("all-linear") : ".*\\." + module();
    }
    template <class T>
    void fill(const config::Field& field, config::Pattern<T>& into) {
        const std::size_t count = random_() % 3;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string key = module();
            bool twice = false;
            for (const auto& entry : into) twice = twice || entry.first == key;
            if (twice) continue;
            into.emplace_back(key, T{});
            fill(field, into.back().second);
        }
    }
    void fill(const config::Field& field, config::SchedulerKwargs& into) {
        if (chance(2)) (chance(2) ? into.min_lr : into.min_lr_rate) = number(field.range);
    }

    // What fields say together.
    void consistent(config::Recipe& recipe) {
        config::TrainingConfig& t = recipe.training;
        config::QloraConfig& q = recipe.qlora;
        if (t.data_path.empty()) t.data_path = {text()};
        if (t.bf16) t.fp16 = false;
        if (t.max_steps > 0) t.warmup_steps = std::min(t.warmup_steps, static_cast<double>(t.max_steps));
        config::SchedulerKwargs& kwargs = t.lr_scheduler_kwargs;
        if (t.lr_scheduler_type == "cosine_with_min_lr" && !kwargs.min_lr && !kwargs.min_lr_rate)
            kwargs.min_lr_rate = 0.1;
        if (kwargs.min_lr) kwargs.min_lr = std::min(*kwargs.min_lr, t.learning_rate);
        if (std::holds_alternative<std::string>(q.target_modules)) q.layers_to_transform.clear();
        for (std::string& pattern : q.layers_pattern) pattern = "layers";
        if (q.layers_to_transform.empty()) q.layers_pattern.clear();
    }

    std::mt19937_64 random_;
};

}  // namespace studio::test
