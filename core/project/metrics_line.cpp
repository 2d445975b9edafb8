#include "project/metrics_line.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "io/json.h"

namespace studio::project {
namespace {

std::string number(double value) {
    if (!std::isfinite(value)) return "null";
    char text[40];
    const auto result = std::to_chars(text, text + sizeof text, value);
    return {text, result.ptr};
}

std::string quoted(const std::string& text) {
    return io::Json(text).dump(-1, ' ', false, io::Json::error_handler_t::replace);
}

// Reads the fields of one line, keeping the first thing that is wrong.
class Fields {
  public:
    Fields(const io::Json& json, std::string_view name) : json_(json), name_(name) {}

    double real(const char* key) {
        const io::Json* value = find(key);
        if (!value || value->is_null()) return std::numeric_limits<double>::quiet_NaN();
        if (value->is_number()) return value->get<double>();
        wrong(key, "is no number");
        return 0;
    }
    std::int64_t integer(const char* key) {
        const io::Json* value = find(key);
        if (value && value->is_number_integer()) return value->get<std::int64_t>();
        wrong(key, "is no whole number");
        return 0;
    }
    std::string text(const char* key) {
        const io::Json* value = find(key);
        if (value && value->is_string()) return value->get<std::string>();
        wrong(key, "is no text");
        return {};
    }
    bool flag(const char* key) const {
        const auto found = json_.find(key);
        return found != json_.end() && found->is_boolean() && found->get<bool>();
    }
    Result<void> check() const {
        if (problem_.empty()) return {};
        return fail(ErrorCode::Corrupt, fmt::format("{}: {}.", name_, problem_), "The file was changed or damaged.");
    }

  private:
    const io::Json* find(const char* key) {
        const auto found = json_.find(key);
        if (found != json_.end()) return &*found;
        wrong(key, "is missing");
        return nullptr;
    }
    void wrong(const char* key, const char* what) {
        if (problem_.empty()) problem_ = fmt::format("\"{}\" {}", key, what);
    }

    const io::Json& json_;
    std::string_view name_;
    std::string problem_;
};

Result<io::Json> parseObject(std::string_view text, std::string_view name) {
    STUDIO_TRY(io::Json json, io::parseJson(text, name, {.max_bytes = 64u << 20, .max_depth = 8}));
    if (!json.is_object())
        return fail(ErrorCode::Corrupt, fmt::format("{}: it is no JSON object.", name),
                    "The file was changed or damaged.");
    return json;
}

}  // namespace

std::string formatLine(const StepRecord& r) {
    const bool finite = std::isfinite(r.loss) && std::isfinite(r.grad_norm) && std::isfinite(r.epoch) &&
                        std::isfinite(r.learning_rate) && std::isfinite(r.seconds);
    std::string suspects;
    for (const Conversation& c : r.suspects)
        suspects += fmt::format(R"({}{{"tree_id":{},"last_message_id":{}}})", suspects.empty() ? "" : ",",
                                quoted(c.tree), quoted(c.last_message));
    if (!suspects.empty()) suspects = R"(,"conversations":[)" + suspects + "]";
    return fmt::format(
        R"({{"step":{},"epoch":{},"loss":{},"learning_rate":{},"grad_norm":{},"tokens":{},"supervised_tokens":{},"seconds":{}{}{}}})"
        "\n",
        r.step, number(r.epoch), number(r.loss), number(r.learning_rate), number(r.grad_norm), r.tokens,
        r.supervised_tokens, number(r.seconds), r.skipped || !finite ? R"(,"skipped":true)" : "", suspects);
}

std::string formatLine(const EvalRecord& r) {
    return fmt::format(R"({{"step":{},"eval_loss":{}}})"
                       "\n",
                       r.step, number(r.eval_loss));
}

std::string formatLine(const SampleRecord& r) {
    return fmt::format(R"({{"step":{},"prompt":{},"text":{},"stop":{}}})"
                       "\n",
                       r.step, quoted(r.prompt), quoted(r.text), quoted(r.end));
}

Result<MetricsLine> parseMetricsLine(std::string_view text, std::string_view name) {
    STUDIO_TRY(const io::Json json, parseObject(text, name));
    Fields fields(json, name);
    MetricsLine line;
    if (json.contains("eval_loss")) {
        line.evaluation = EvalRecord{fields.integer("step"), fields.real("eval_loss")};
    } else {
        StepRecord r;
        r.step = fields.integer("step");
        r.epoch = fields.real("epoch");
        r.loss = fields.real("loss");
        r.learning_rate = fields.real("learning_rate");
        r.grad_norm = fields.real("grad_norm");
        r.tokens = fields.integer("tokens");
        r.supervised_tokens = fields.integer("supervised_tokens");
        r.seconds = fields.real("seconds");
        r.skipped = fields.flag("skipped");
        if (const auto list = json.find("conversations"); list != json.end() && list->is_array()) {
            for (const io::Json& one : *list) {
                if (!one.is_object()) continue;
                Fields of(one, name);
                r.suspects.push_back({of.text("tree_id"), of.text("last_message_id")});
                STUDIO_CHECK(of.check());
            }
        }
        line.step = r;
    }
    STUDIO_CHECK(fields.check());
    return line;
}

Result<SampleRecord> parseSampleLine(std::string_view text, std::string_view name) {
    STUDIO_TRY(const io::Json json, parseObject(text, name));
    Fields fields(json, name);
    SampleRecord record{fields.integer("step"), fields.text("prompt"), fields.text("text"), fields.text("stop")};
    STUDIO_CHECK(fields.check());
    return record;
}

}  // namespace studio::project
