#include "jobs/trainer_state.h"

#include <fmt/format.h>

#include "io/json.h"

namespace studio::jobs {
namespace {

// One list for both directions. `f(key, member)`.
template <class State, class F>
void eachMember(State& s, F&& f) {
    f("step", s.step);
    f("epoch", s.position.epoch);
    f("micro_batch", s.position.micro_batch);
    f("loss_sum", s.loss_sum);
    f("weight_sum", s.weight_sum);
    f("tokens", s.tokens);
    f("supervised_tokens", s.supervised_tokens);
    f("seconds", s.seconds);
    f("last_eval_loss", s.last_eval_loss);
    f("last_eval_step", s.last_eval_step);
    f("has_eval_loss", s.has_eval_loss);
    f("best_eval_loss", s.best_eval_loss);
    f("best_step", s.best_step);
    f("skipped_updates", s.skipped_updates);
    f("skipped_in_a_row", s.skipped_in_a_row);
}

constexpr int kSchema = 1;

}  // namespace

std::string formatTrainerState(const engine::api::TrainerState& state) {
    io::Json json{{"schema", kSchema}};
    eachMember(state, [&](const char* key, const auto& member) { json[key] = member; });
    return json.dump(2) + "\n";
}

Result<engine::api::TrainerState> parseTrainerState(std::string_view text, std::string_view name) {
    STUDIO_TRY(const io::Json json, io::parseJson(text, name));
    engine::api::TrainerState state;
    try {
        if (json.at("schema").get<int>() > kSchema)
            return fail(ErrorCode::Unsupported, fmt::format("{} was written by a newer version.", name),
                        "Update the program to resume this run.");
        eachMember(state, [&](const char* key, auto& member) { json.at(key).get_to(member); });
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorCode::Corrupt, fmt::format("{} cannot be read ({}).", name, e.what()),
                    "Resume from an earlier checkpoint.");
    }
    if (state.step < 0 || state.position.epoch < 0 || state.position.micro_batch < 0)
        return fail(ErrorCode::Corrupt, fmt::format("{} holds a negative position.", name),
                    "Resume from an earlier checkpoint.");
    return state;
}

}  // namespace studio::jobs
