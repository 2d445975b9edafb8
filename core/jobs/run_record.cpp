#include "jobs/run_record.h"

#include <fmt/format.h>

#include <set>

#include "config/recipe_file.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "io/sha256.h"

namespace studio::jobs {
namespace {

constexpr int kSchema = 1;

io::Json toJson(const dataset::Provenance& p) {
    io::Json sources = io::Json::array();
    for (const auto& s : p.sources) sources.push_back({{"name", s.name}, {"sha256", s.sha256}, {"bytes", s.bytes}});
    return {{"sources", sources},
            {"filter", p.filter},
            {"template", p.chat_template},
            {"tokenizer_sha256", p.tokenizer_sha256},
            {"vocab_size", p.vocab_size},
            {"eos", p.eos},
            {"validation_fraction", p.validation_fraction},
            {"seed", p.seed}};
}

dataset::Provenance provenance(const io::Json& json) {
    dataset::Provenance p;
    for (const auto& s : json.at("sources"))
        p.sources.push_back(
            {s.at("name").get<std::string>(), s.at("sha256").get<std::string>(), s.at("bytes").get<std::uint64_t>()});
    p.filter = json.at("filter").get<std::string>();
    p.chat_template = json.at("template").get<std::string>();
    p.tokenizer_sha256 = json.at("tokenizer_sha256").get<std::string>();
    p.vocab_size = json.at("vocab_size").get<int>();
    p.eos = json.at("eos").get<int>();
    p.validation_fraction = json.at("validation_fraction").get<double>();
    p.seed = json.at("seed").get<std::uint64_t>();
    return p;
}

// Where a run is written, how it is called and how often it tells: none of it changes a number.
config::Recipe withoutIndifferent(config::Recipe recipe) {
    const config::TrainingConfig defaults;
    recipe.description.clear();
    auto& t = recipe.training;
    t.output_dir = defaults.output_dir;
    t.run_name = defaults.run_name;
    t.logging_steps = defaults.logging_steps;
    t.save_total_limit = defaults.save_total_limit;
    t.threads = defaults.threads;
    t.device = defaults.device;
    t.gradient_checkpointing = defaults.gradient_checkpointing;          // what is computed again is the same
    t.per_device_eval_batch_size = defaults.per_device_eval_batch_size;  // noticed below
    t.model_name_or_path = defaults.model_name_or_path;                  // compared by hash
    t.data_path = defaults.data_path;                                    // compared by hash
    return recipe;
}

// The lines in which two recipes' files differ, as "key: a → b".
std::string differences(const config::Recipe& a, const config::Recipe& b) {
    const auto lines = [](const config::Recipe& recipe) {
        const std::string text = config::formatTrainingConfig(recipe) + config::formatQloraConfig(recipe.qlora);
        std::vector<std::string> out;
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            std::string line = text.substr(begin, end - begin);
            if (!line.empty() && line[0] != '#') out.push_back(line);
            begin = end + 1;
        }
        return out;
    };
    const auto of_a = lines(a), of_b = lines(b);
    const std::set<std::string> known(of_b.begin(), of_b.end());
    std::string text;
    for (const std::string& line : of_a) {
        if (known.count(line)) continue;
        text += (text.empty() ? "" : "; ") + line.substr(line.find_first_not_of(' '));
    }
    return text;
}

}  // namespace

io::Json toJson(const RunRecord& r) {
    io::Json data = io::Json::array();
    for (const auto& path : r.data) data.push_back(path.string());
    return {{"schema", kSchema},
            {"training_config", config::formatTrainingConfig(r.recipe)},
            {"qlora_config", config::formatQloraConfig(r.recipe.qlora)},
            {"model", {{"folder", r.base_folder.string()}, {"hash", r.base_hash}}},
            {"adapter", r.adapter_folder.string()},
            {"data", std::move(data)},
            {"provenance", toJson(r.provenance)},
            {"total_steps", r.total_steps},
            {"train_examples", r.train_examples},
            {"validation_examples", r.validation_examples},
            {"trainable_parameters", r.trainable_parameters},
            {"build", r.build},
            {"device",
             {{"kind", r.device.kind},
              {"name", r.device.name},
              {"uuid", r.device.uuid},
              {"memory_bytes", r.device.memory_bytes},
              {"threads", r.device.threads}}}};
}

Result<RunRecord> runRecord(const io::Json& json) {
    try {
        if (const int schema = json.at("schema").get<int>(); schema > kSchema)
            return fail(ErrorCode::Unsupported,
                        fmt::format("run.json has schema {}; this program knows {}.", schema, kSchema),
                        "Update the program.");
        RunRecord r;
        config::ReadRecipe read;
        STUDIO_CHECK(
            config::parseTrainingConfig(json.at("training_config").get<std::string>(), "training_config.yaml", read));
        STUDIO_CHECK(config::parseQloraConfig(json.at("qlora_config").get<std::string>(), "qlora_config.json", read));
        r.recipe = std::move(read.recipe);
        r.base_folder = json.at("model").at("folder").get<std::string>();
        r.base_hash = json.at("model").at("hash").get<std::string>();
        r.adapter_folder = json.at("adapter").get<std::string>();
        for (const auto& path : json.at("data")) r.data.emplace_back(path.get<std::string>());
        r.provenance = provenance(json.at("provenance"));
        r.total_steps = json.at("total_steps").get<std::int64_t>();
        r.train_examples = json.at("train_examples").get<std::int64_t>();
        r.validation_examples = json.at("validation_examples").get<std::int64_t>();
        r.trainable_parameters = json.at("trainable_parameters").get<std::int64_t>();
        r.build = json.at("build").get<std::string>();
        const auto& device = json.at("device");
        r.device.kind = device.at("kind").get<std::string>();
        r.device.name = device.at("name").get<std::string>();
        r.device.uuid = device.at("uuid").get<std::string>();
        r.device.memory_bytes = device.at("memory_bytes").get<std::uint64_t>();
        r.device.threads = device.at("threads").get<int>();
        return r;
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorCode::Corrupt, fmt::format("run.json lacks something or holds a wrong type ({}).", e.what()),
                    "The folder may come from another program; its checkpoints can still be used (--adapter on the "
                    "command line).");
    }
}

Result<std::string> baseHash(const std::filesystem::path& folder) {
    STUDIO_TRY(std::string all, io::readFile(folder / "config.json", 16u << 20));
    STUDIO_TRY(const auto weights, io::SafetensorsFolder::open(folder));
    for (const auto& entry : weights.tensors()) {
        all += fmt::format("\n{} {} {}", entry.tensor->name, entry.tensor->dtype_name, entry.tensor->bytes());
        for (const auto extent : entry.tensor->shape) all += fmt::format(" {}", extent);
        std::vector<std::byte> head(std::min<std::uint64_t>(entry.tensor->bytes(), 4096));
        STUDIO_CHECK(entry.file->read(*entry.tensor, head));
        all.append(reinterpret_cast<const char*>(head.data()), head.size());
    }
    return io::sha256(all);
}

Result<void> checkResume(const RunRecord& before, const RunRecord& now, std::vector<std::string>& notices) {
    const auto refuse = [](std::string what) {
        return fail(ErrorCode::InvalidArgument, std::move(what),
                    "Resume with what the run was started with, or start a new run from its weights: "
                    "--adapter CHECKPOINT --output_dir NEW.");
    };
    if (before.base_hash != now.base_hash) return refuse("The run was started on another base model.");
    const auto hashes = [](const RunRecord& r) {
        std::string all;
        for (const auto& s : r.provenance.sources) all += s.sha256 + " ";
        return all;
    };
    if (hashes(before) != hashes(now)) return refuse("The data is not the one the run was started with.");
    if (before.provenance.tokenizer_sha256 != now.provenance.tokenizer_sha256)
        return refuse("The tokenizer is not the one the run was started with.");
    if (!(before.provenance == now.provenance))
        return refuse("The data was prepared otherwise (filter, template or split) than when the run was started.");
    const auto a = withoutIndifferent(before.recipe), b = withoutIndifferent(now.recipe);
    if (!(a == b)) return refuse("The recipe differs from the run's: " + differences(a, b) + ".");
    if (before.train_examples != now.train_examples || before.total_steps != now.total_steps)
        return refuse("The data gives other examples than when the run was started.");
    if (before.recipe.training.per_device_eval_batch_size != now.recipe.training.per_device_eval_batch_size)
        notices.push_back(
            "per_device_eval_batch_size is another than when the run was started: held-out losses may differ in the "
            "last bits.");
    if (before.build != now.build)
        notices.push_back(
            fmt::format("The run was started by {}, this is {}: the continuation may differ in the last bits.",
                        before.build, now.build));
    if (before.device.name != now.device.name || before.device.threads != now.device.threads)
        notices.push_back(
            fmt::format("The run was started on {} with {} threads, this is {} with {}: the continuation "
                        "may differ in the last bits.",
                        before.device.name, before.device.threads, now.device.name, now.device.threads));
    if (now.device.kind == "cuda" && !now.recipe.training.full_determinism)
        notices.push_back(
            "full_determinism is false: on a GPU the continuation differs in the last bits from what the run would "
            "have been without a stop.");
    return {};
}

}  // namespace studio::jobs
