#include "jobs/evaluation_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/file.h"
#include "project/run_folder.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;

io::Json sideToJson(const SideResult& side) {
    return {{"loss", side.loss}, {"loss_stderr", side.loss_stderr}, {"perplexity", side.perplexity}};
}

SideResult sideFromJson(const io::Json& json) {
    return {json.at("loss").get<double>(), json.at("loss_stderr").get<double>(), json.at("perplexity").get<double>()};
}

// One tree alone has no interval: infinity stands as null.
double orInfinity(const io::Json& json, double sign) {
    return json.is_null() ? sign * std::numeric_limits<double>::infinity() : json.get<double>();
}

Estimate estimate(const io::Json& json) {
    Estimate e;
    e.mean = json.at("mean").get<double>();
    e.low = orInfinity(json.at("low"), -1);
    e.high = orInfinity(json.at("high"), 1);
    return e;
}

// A cell of a CSV file: quoted, and never a formula.
std::string cell(const std::string& text) {
    std::string out = "\"";
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) out += '\'';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace

Estimate lossOf(const SideResult& side, std::int64_t trees) {
    const double half = tQuantile975(static_cast<int>(trees) - 1) * side.loss_stderr;
    return {side.loss, side.loss_stderr, side.loss - half, side.loss + half};
}

io::Json toJson(const EvaluationRecord& r) {
    io::Json each = io::Json::array();
    for (const EvaluatedConversation& c : r.each) {
        each.push_back({c.last_message_id, c.tokens, c.loss, c.base ? io::Json(*c.base) : io::Json(nullptr), c.prompt});
    }
    io::Json json{{"schema", kSchema},       {"run_name", r.run_name},
                  {"run", r.run.string()},   {"checkpoint", r.checkpoint.string()},
                  {"step", r.step},          {"base_name", r.base_name},
                  {"time", r.time},          {"seconds", r.seconds},
                  {"device", r.device},      {"template", r.template_name},
                  {"data", r.data},          {"trees", r.trees},
                  {"tokens", r.tokens},      {"model", sideToJson(r.model)},
                  {"each", std::move(each)}, {"notices", r.notices}};
    if (r.base) json["base"] = sideToJson(*r.base);
    if (r.difference) json["difference"] = toJson(*r.difference);
    if (r.answers) json["answers"] = toJson(*r.answers);
    return json;
}

Result<EvaluationRecord> evaluationRecord(const io::Json& json, const std::string& name) {
    try {
        if (const int schema = json.at("schema").get<int>(); schema > kSchema)
            return fail(ErrorCode::Unsupported,
                        fmt::format("{} has schema {}; this program knows {}.", name, schema, kSchema),
                        "Update the program.");
        EvaluationRecord r;
        r.run_name = json.at("run_name").get<std::string>();
        r.run = json.at("run").get<std::string>();
        r.checkpoint = json.at("checkpoint").get<std::string>();
        r.step = json.at("step").get<std::int64_t>();
        r.base_name = json.at("base_name").get<std::string>();
        r.time = json.at("time").get<std::string>();
        r.seconds = json.at("seconds").get<double>();
        r.device = json.at("device").get<std::string>();
        r.template_name = json.at("template").get<std::string>();
        r.data = json.at("data").get<std::vector<std::string>>();
        r.trees = json.at("trees").get<std::int64_t>();
        r.tokens = json.at("tokens").get<std::int64_t>();
        r.model = sideFromJson(json.at("model"));
        if (json.contains("base")) r.base = sideFromJson(json.at("base"));
        if (json.contains("difference"))
            r.difference =
                Difference{estimate(json.at("difference")), estimate(json.at("difference").at("without_eos"))};
        for (const io::Json& row : json.at("each")) {
            EvaluatedConversation c;
            c.last_message_id = row.at(0).get<std::string>();
            c.tokens = row.at(1).get<std::int64_t>();
            c.loss = row.at(2).get<double>();
            if (!row.at(3).is_null()) c.base = row.at(3).get<double>();
            c.prompt = row.at(4).get<std::string>();
            r.each.push_back(std::move(c));
        }
        r.notices = json.at("notices").get<std::vector<std::string>>();
        if (json.contains("answers")) {
            STUDIO_TRY(r.answers, answerStatisticsFromJson(json.at("answers")));
        }
        return r;
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorCode::Corrupt, fmt::format("{} is no evaluation that can be read ({}).", name, e.what()),
                    "Evaluate the run again; the file can be deleted.");
    }
}

std::string toCsv(const EvaluationRecord& record) {
    std::string out = "last_message_id,first_prompt,tokens,base,model,difference\n";
    for (const EvaluatedConversation& c : record.each) {
        out += cell(c.last_message_id) + ',' + cell(c.prompt) + ',' + std::to_string(c.tokens) + ',' +
               (c.base ? fmt::format("{:.9g}", *c.base) : "") + ',' + fmt::format("{:.9g}", c.loss) + ',' +
               (c.base ? fmt::format("{:.9g}", *c.difference()) : "") + '\n';
    }
    return out;
}

Result<fs::path> saveEvaluation(io::FileOps& ops, const fs::path& folder, const EvaluationRecord& record) {
    std::error_code ec;
    fs::create_directories(folder, ec);
    if (ec) return fail(io::systemError(ec.value(), "The folder", folder));
    std::string stamp = record.time;
    std::erase_if(stamp, [](char c) { return c == ':' || c == '-'; });
    const fs::path file =
        folder / fmt::format("{}-{}-{}.json", stamp, project::folderName(record.run_name), record.step);
    STUDIO_CHECK(
        io::writeFileAtomic(ops, file, toJson(record).dump(-1, ' ', false, io::Json::error_handler_t::replace) + "\n"));
    return file;
}

std::vector<ListedEvaluation> listEvaluations(const fs::path& folder, std::vector<std::string>* notes) {
    std::vector<ListedEvaluation> all;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
        if (entry.path().extension() != ".json" || entry.path().filename().string().starts_with('.')) continue;
        const auto json = io::readJson(entry.path());
        auto record = json ? evaluationRecord(*json, entry.path().filename().string())
                           : Result<EvaluationRecord>(fail(json.error()));
        if (record)
            all.push_back({entry.path(), std::move(*record)});
        else if (notes)
            notes->push_back(record.error().text());
    }
    std::sort(all.begin(), all.end(), [](const ListedEvaluation& a, const ListedEvaluation& b) {
        return a.record.time != b.record.time ? a.record.time > b.record.time : a.file > b.file;
    });
    return all;
}

}  // namespace studio::jobs
