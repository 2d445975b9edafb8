// What the checks in tests/reference ask of the engine and the program has no command for.
//
//     probe weights MODEL_DIR OUT.safetensors [--device cpu|cuda] [--double_quant true|false]
//         The linears of every layer as the engine multiplies by them, after quantising and expanding:
//         "N.input" (q, k, v, fc1 stacked) and "N.output" (dense, fc2 side by side); F32 on a processor, BF16 on a GPU.
//     probe answers MODEL_DIR PROMPTS.json OUT.safetensors [--device cpu|cuda] [--new_tokens 200] [--temperature 0]
//         An answer to each prompt ([[id, …], …]) through the cache, one token at a time: "tokens" [prompts, new] and
//         "logits" [prompts, new, vocab], those that each token was chosen from.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <map>

#include "engine/border/engine.h"
#include "engine/model/load_weights.h"
#include "io/json.h"
#ifdef STUDIO_CUDA
#include "engine/gpu/loader.h"
#endif

using namespace studio;
namespace api = engine::api;

namespace {

struct Arguments {
    std::vector<std::string> files;
    std::map<std::string, std::string> options = {
        {"device", "cpu"}, {"double_quant", "true"}, {"new_tokens", "200"}, {"temperature", "0"}};
};

struct Tensors {
    void add(std::string name, io::DType type, std::vector<std::int64_t> shape, std::vector<std::byte> bytes) {
        storage.push_back(std::move(bytes));
        views.push_back({std::move(name), type, std::move(shape), storage.back().data(), storage.back().size()});
    }
    Result<void> write(const std::string& path) const {
        return io::writeSafetensors(*io::realFileOps(), path, views, {{"format", "pt"}});
    }
    std::vector<std::vector<std::byte>> storage;
    std::vector<io::TensorView> views;
};

api::ModelSource source(const Arguments& arguments) {
    api::ModelSource source;
    source.folder = arguments.files.at(0);
    source.device = arguments.options.at("device");
    source.double_quant = arguments.options.at("double_quant") == "true";
    if (source.device != "cpu") source.compute_dtype = "bfloat16";
    return source;
}

Result<void> weightsOfProcessor(const api::ModelSource& source, Tensors& out) {
    STUDIO_TRY(const auto config, config::readPhiConfig(source.folder));
    STUDIO_TRY(const auto folder, io::SafetensorsFolder::open(source.folder));
    STUDIO_TRY(const auto weights,
               engine::loadWeights(config, folder, source, engine::HoldLinears::AsStored, nullptr, {}));
    std::vector<float> workspace(weights.workspaceFloats());
    int layer = 0;
    for (const auto& block : weights.blocks) {
        for (const auto& [name, group] : {std::pair{"input", &block.input}, {"output", &block.output}}) {
            const auto matrix = group->expand(nullptr, workspace.data());
            std::vector<std::byte> bytes(static_cast<std::size_t>(matrix.rows * matrix.cols) * sizeof(float));
            const auto row = static_cast<std::size_t>(matrix.cols) * sizeof(float);
            for (std::int64_t i = 0; i < matrix.rows; ++i)
                std::memcpy(bytes.data() + static_cast<std::size_t>(i) * row, matrix.f32() + i * matrix.ld, row);
            out.add(fmt::format("{}.{}", layer, name), io::DType::F32, {matrix.rows, matrix.cols}, std::move(bytes));
        }
        ++layer;
    }
    return {};
}

Result<void> weightsOfGpu(const api::ModelSource& source, Tensors& out) {
#ifdef STUDIO_CUDA
    namespace k = engine::kernels::gpu;
    STUDIO_TRY(const auto cards, k::cards());
    const int card = cards.front().index;
    STUDIO_TRY(const auto stream, k::openStream(card));
    STUDIO_TRY(const auto config, config::readPhiConfig(source.folder));
    STUDIO_TRY(const auto folder, io::SafetensorsFolder::open(source.folder));
    STUDIO_TRY(const auto weights, engine::gpu::loadWeights(config, folder, source, card, stream, nullptr, {}));
    int layer = 0;
    for (const auto& block : weights.blocks) {
        for (const auto& [name, group] : {std::pair{"input", &block.input}, {"output", &block.output}}) {
            const std::size_t size = static_cast<std::size_t>(group->out * group->in) * 2;
            STUDIO_TRY(const auto memory, k::Memory::allocate(size, stream));
            group->expand(stream, engine::gpu::bf16Matrix(memory.data(), group->out, group->in, group->in));
            std::vector<std::byte> bytes(size);
            STUDIO_CHECK(k::copyToHost(stream, bytes.data(), memory.data(), size));
            STUDIO_CHECK(k::finish(stream));
            out.add(fmt::format("{}.{}", layer, name), io::DType::BF16, {group->out, group->in}, std::move(bytes));
        }
        ++layer;
    }
    return {};
#else
    (void)source, (void)out;
    return fail(ErrorCode::Unsupported, "This probe was built without CUDA.", "Build it with STUDIO_CUDA.");
#endif
}

Result<void> weights(const Arguments& arguments) {
    const auto from = source(arguments);
    Tensors out;
    STUDIO_CHECK(from.device == "cpu" ? weightsOfProcessor(from, out) : weightsOfGpu(from, out));
    return out.write(arguments.files.at(1));
}

Result<void> answers(const Arguments& arguments) {
    engine::LocalEngine engine({});
    STUDIO_TRY(const auto model, engine.load(source(arguments), {}));
    STUDIO_TRY(const auto prompts, io::readJson(arguments.files.at(1)));
    const int count = std::stoi(arguments.options.at("new_tokens"));
    const auto vocab = static_cast<std::size_t>(model->info().vocab);
    std::vector<std::byte> tokens, logits;
    const auto append = [](std::vector<std::byte>& to, const void* data, std::size_t bytes) {
        const auto* from = static_cast<const std::byte*>(data);
        to.insert(to.end(), from, from + bytes);
    };
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        api::GenerateRequest request;  // without stop ids: every answer has its full length
        request.prompt = prompts[i].get<std::vector<int>>();
        request.max_new_tokens = count;
        request.temperature = std::stod(arguments.options.at("temperature"));
        request.seed = i;
        STUDIO_TRY(const auto answer, model->generate(request));
        for (int t = 0; t < count; ++t) {
            STUDIO_TRY(const auto token, answer->next());
            if (token.id < 0)
                return fail(ErrorCode::InvalidArgument, fmt::format("Prompt {} leaves no room for the answer.", i));
            append(tokens, &token.id, sizeof token.id);
            append(logits, answer->lastLogits().data(), vocab * sizeof(float));
        }
    }
    const auto rows = static_cast<std::int64_t>(prompts.size());
    Tensors out;
    out.add("tokens", io::DType::I32, {rows, count}, std::move(tokens));
    out.add("logits", io::DType::F32, {rows, count, static_cast<std::int64_t>(vocab)}, std::move(logits));
    return out.write(arguments.files.at(2));
}

int run(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    Arguments arguments;
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.rfind("--", 0) == 0 && i + 1 < argc)
            arguments.options[word.substr(2)] = argv[++i];
        else
            arguments.files.push_back(word);
    }
    const bool known =
        (what == "weights" && arguments.files.size() == 2) || (what == "answers" && arguments.files.size() == 3);
    if (!known) {
        std::fprintf(stderr, "probe weights MODEL_DIR OUT | probe answers MODEL_DIR PROMPTS OUT; see probe.cpp\n");
        return 2;
    }
    const auto done = what == "weights" ? weights(arguments) : answers(arguments);
    if (done) return 0;
    std::fprintf(stderr, "%s\n", done.error().text().c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& error) {
    std::fprintf(stderr, "probe: %s\n", error.what());
    return 2;
}
