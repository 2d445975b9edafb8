#include "jobs/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/adapter_config.h"
#include "config/model_config.h"
#include "corpus/importer.h"
#include "dataset/prepared.h"
#include "io/gguf.h"
#include "io/safetensors.h"
#include "jobs/model_search.h"
#include "jobs/run_record.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"
#include "project/run_log.h"
#include "text/tokenizer.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kListedTensors = 40;

std::string shapeText(const std::vector<std::int64_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

void problem(Inspection& i, std::string sentence) {
    i.sound = false;
    i.problems.push_back(std::move(sentence));
}

Inspection inspectSafetensors(const io::SafetensorsFile& file) {
    Inspection i;
    i.kind = "safetensors file";
    std::uint64_t elements = 0, bytes = 0;
    std::map<std::string, int> types;
    io::Json tensors = io::Json::array();
    for (const io::TensorInfo& t : file.tensors()) {
        elements += t.elements();
        bytes += t.bytes();
        ++types[t.dtype_name];
        tensors.push_back({{"name", t.name}, {"dtype", t.dtype_name}, {"shape", t.shape}});
    }
    std::string type_text;
    for (const auto& [type, count] : types)
        type_text += fmt::format("{}{} ×{}", type_text.empty() ? "" : ", ", type, count);
    i.lines.push_back(
        fmt::format("{} tensors ({}), {} elements, {} bytes", file.tensors().size(), type_text, elements, bytes));
    for (const auto& [key, value] : file.metadata()) i.lines.push_back(fmt::format("metadata {} = {}", key, value));
    std::size_t shown = 0;
    for (const io::TensorInfo& t : file.tensors()) {
        if (++shown > kListedTensors) {
            i.lines.push_back(
                fmt::format("… and {} more (--json lists them all)", file.tensors().size() - kListedTensors));
            break;
        }
        i.lines.push_back(fmt::format("{:<8} {:<16} {}", t.dtype_name, shapeText(t.shape), t.name));
    }
    i.json = {{"tensors", std::move(tensors)}, {"elements", elements}, {"bytes", bytes}, {"metadata", file.metadata()}};
    return i;
}

Inspection inspectGguf(const io::GgufInfo& info) {
    Inspection i;
    i.kind = "GGUF file";
    i.lines.push_back(fmt::format("version {}, {}, {} tensors, {} parameters", info.version,
                                  info.architecture.empty() ? "no architecture named" : info.architecture,
                                  info.tensors.size(), info.parameters));
    io::Json metadata = io::Json::object();
    for (const auto& [key, value] : info.metadata) {
        i.lines.push_back(fmt::format("{} = {}", key, value));
        metadata[key] = value;
    }
    i.json = {{"version", info.version},
              {"architecture", info.architecture},
              {"parameters", info.parameters},
              {"tensors", info.tensors.size()},
              {"metadata", std::move(metadata)}};
    return i;
}

Result<Inspection> inspectAdapter(const fs::path& folder) {
    STUDIO_TRY(const auto config, config::readAdapterConfig(folder));
    STUDIO_TRY(const auto file, io::SafetensorsFile::open(folder / "adapter_model.safetensors"));
    Inspection i = inspectSafetensors(file);
    i.kind = "adapter";
    std::uint64_t modules = 0, parameters = 0;
    for (const auto& t : file.tensors()) {
        parameters += t.elements();
        if (t.name.ends_with(".lora_B.weight") && !file.find(t.name.substr(0, t.name.size() - 13) + "lora_A.weight"))
            problem(i, fmt::format("{} has no A.", t.name));
        if (!t.name.ends_with(".lora_A.weight")) continue;
        ++modules;
        const std::string other = t.name.substr(0, t.name.size() - 13) + "lora_B.weight";
        const auto* b = file.find(other);
        if (!b)
            problem(i, fmt::format("{} has no {}.", t.name, other));
        else if (t.shape.size() != 2 || b->shape.size() != 2 || t.shape[0] != b->shape[1])
            problem(i, fmt::format("{} and its B do not fit together.", t.name));
    }
    for (const std::string& warning : config.warnings) i.lines.push_back(warning);
    i.lines.insert(i.lines.begin(),
                   fmt::format("LoRA r {}, alpha {}, dropout {} on {} modules, {} parameters; base {}", config.lora.r,
                               config.lora.lora_alpha, config.lora.lora_dropout, modules, parameters,
                               config.base_model_name_or_path.value_or("not named")));
    i.json["r"] = config.lora.r;
    i.json["lora_alpha"] = config.lora.lora_alpha;
    i.json["modules"] = modules;
    i.json["parameters"] = parameters;
    return i;
}

Result<Inspection> inspectCheckpoint(const fs::path& folder) {
    STUDIO_TRY(Inspection i, inspectAdapter(folder));
    i.kind = "checkpoint";
    if (const auto sound = project::verifyCheckpoint(folder); !sound) problem(i, sound.error().text());
    return i;
}

Result<Inspection> inspectRun(const fs::path& folder) {
    STUDIO_TRY(const project::RunInfo info, project::readRun(folder));
    Inspection i;
    i.kind = "run";
    i.lines.push_back(fmt::format("{}: {}", info.name, project::name(info.state)));
    if (!info.failure.empty()) i.lines.push_back(info.failure);
    i.json = {{"name", info.name}, {"state", project::name(info.state)}, {"failure", info.failure}};
    if (const auto record = runRecord(info.details)) {
        i.lines.push_back(fmt::format("base {}, {} steps planned, {} examples, {} held out",
                                      record->base_folder.string(), record->total_steps, record->train_examples,
                                      record->validation_examples));
        i.json["total_steps"] = record->total_steps;
    } else {
        problem(i, record.error().text());
    }
    if (const auto metrics = project::readMetrics(folder)) {
        i.json["steps"] = metrics->steps.size();
        if (!metrics->steps.empty())
            i.lines.push_back(fmt::format("{} steps logged, the last loss {:.4f}", metrics->steps.size(),
                                          metrics->steps.back().loss));
    } else {
        problem(i, metrics.error().text());
    }
    io::Json checkpoints = io::Json::array();
    for (const auto& c : project::listCheckpoints(folder)) {
        const auto sound = project::verifyCheckpoint(c.folder);
        i.lines.push_back(fmt::format("checkpoint {}: {}", c.step, sound ? "sound" : sound.error().text()));
        checkpoints.push_back({{"step", c.step}, {"sound", sound.has_value()}});
        if (!sound) problem(i, sound.error().text());
    }
    i.json["checkpoints"] = std::move(checkpoints);
    return i;
}

Inspection inspectModel(const fs::path& folder) {
    Inspection i;
    i.kind = "model";
    if (const auto phi = config::readPhiConfig(folder)) {
        i.lines.push_back(
            fmt::format("phi, {} parameters: {} layers, hidden {}, {} heads × {}, vocabulary {}, context {}",
                        config::parameterCount(*phi), phi->num_hidden_layers, phi->hidden_size,
                        phi->num_attention_heads, phi->head_dim, phi->vocab_size, phi->max_position_embeddings));
        for (const std::string& warning : phi->warnings) i.lines.push_back(warning);
        i.json = {{"parameters", config::parameterCount(*phi)},
                  {"layers", phi->num_hidden_layers},
                  {"hidden", phi->hidden_size}};
    }
    // The same check as that of the list of models.
    const BaseModel model = inspectBase(folder);
    if (const auto weights = io::SafetensorsFolder::open(folder)) {
        i.lines.push_back(
            fmt::format("{} tensors ({}), {} bytes", weights->tensors().size(), model.dtype, weights->totalBytes()));
        i.json["bytes"] = weights->totalBytes();
    }
    if (const auto tokenizer = text::loadTokenizer(folder))
        i.lines.push_back(fmt::format("tokenizer with {} tokens, end of text is {} ({})", (*tokenizer)->size(),
                                      (*tokenizer)->eosText(), (*tokenizer)->eos()));
    if (!model.licence.empty()) i.lines.push_back(fmt::format("licence {}", model.licence));
    if (!model.usable) problem(i, model.to_do.empty() ? model.problem : model.problem + " " + model.to_do);
    return i;
}

Result<Inspection> inspectPrepared(const fs::path& folder, const JobContext& job) {
    Inspection i;
    i.kind = "prepared data";
    const auto read = dataset::readPrepared(folder, job);
    if (!read) {
        if (read.error().cancelled()) return fail(read.error());
        problem(i, read.error().text());
        return i;
    }
    const dataset::Prepared& prepared = *read;
    const auto& s = prepared.examples.statistics;
    i.lines.push_back(fmt::format("{} conversations, {} examples ({} held out), {} tokens, {} supervised",
                                  s.conversations, s.examples, prepared.examples.of(dataset::Split::Validation).size(),
                                  s.tokens, s.supervised_tokens));
    for (const auto& source : prepared.provenance.sources)
        i.lines.push_back(fmt::format("from {} ({} bytes, sha256 {})", source.name, source.bytes, source.sha256));
    i.json = {{"conversations", s.conversations},
              {"examples", s.examples},
              {"tokens", s.tokens},
              {"supervised_tokens", s.supervised_tokens}};
    return i;
}

Result<Inspection> inspectConversations(const fs::path& path, const JobContext& job) {
    STUDIO_TRY(corpus::Store store, corpus::Store::openMemory());
    corpus::ImportOptions options;
    options.accept_truncated = true;
    STUDIO_TRY(const corpus::ImportReport report, corpus::importFile(store, path, options, job));
    Inspection i;
    i.kind = "conversations";
    i.lines.push_back(report.summary());
    for (const auto& r : report.rejected) problem(i, fmt::format("line {}: {}", r.line, r.reason));
    if (report.truncated) problem(i, *report.truncated);
    i.json = {{"messages", report.messages},
              {"trees", report.trees},
              {"orphans", report.orphan_count},
              {"rejected", report.rejected_count}};
    return i;
}

Result<Inspection> inspectAny(const fs::path& path, const JobContext& job) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (!fs::exists(status))
        return fail(ErrorCode::NotFound, fmt::format("There is no {}.", path.string()), "Check the path.");
    if (fs::is_directory(status)) {
        if (project::isRunFolder(path)) return inspectRun(path);
        if (dataset::isPreparedFolder(path)) return inspectPrepared(path, job);
        if (fs::exists(path / "trainer_state.json") && fs::exists(path / "adapter_config.json"))
            return inspectCheckpoint(path);
        if (fs::exists(path / "adapter_config.json")) return inspectAdapter(path);
        if (fs::exists(path / "config.json")) return inspectModel(path);
        return fail(
            ErrorCode::Unsupported, fmt::format("{} is no model, adapter, run or prepared folder.", path.string()),
            "A model has config.json, an adapter adapter_config.json, a run run.json, prepared data manifest.json.");
    }
    if (path.extension() == ".safetensors") {
        STUDIO_TRY(const auto file, io::SafetensorsFile::open(path));
        return inspectSafetensors(file);
    }
    if (path.extension() == ".gguf") {
        STUDIO_TRY(const auto info, io::readGgufInfo(path));
        return inspectGguf(info);
    }
    const std::string name = path.filename().string();
    if (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")) return inspectConversations(path, job);
    return fail(ErrorCode::Unsupported, fmt::format("{} is of no kind that can be inspected.", path.string()),
                "Give a .safetensors, .gguf or .jsonl file, or a model, adapter, run or prepared folder.");
}

}  // namespace

Result<Inspection> inspect(const fs::path& path, const JobContext& job) {
    STUDIO_TRY(Inspection i, inspectAny(path, job));
    i.json["kind"] = i.kind;
    i.json["sound"] = i.sound;
    i.json["problems"] = i.problems;
    return i;
}

}  // namespace studio::jobs
