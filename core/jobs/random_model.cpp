#include "jobs/random_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "io/file.h"
#include "io/json.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

struct Tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    enum class Values { Normal, One, Zero } values = Values::Normal;
    std::uint64_t elements() const {
        std::uint64_t count = 1;
        for (const std::int64_t d : shape) count *= static_cast<std::uint64_t>(d);
        return count;
    }
};

// IEEE binary16 of a normal number between 2⁻¹⁴ and 65,504 in size; smaller ones become zero.
std::uint16_t toHalf(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    const int exponent = static_cast<int>(bits >> 23 & 255u) - 127 + 15;
    if (exponent <= 0) return sign;
    return static_cast<std::uint16_t>(sign |
                                      (((static_cast<std::uint32_t>(exponent) << 10) + ((bits >> 13) & 0x3ffu))));
}

// Quantiles of the normal distribution, by bisection of erf.
std::vector<std::uint16_t> normalTable() {
    constexpr int kSteps = 4096;
    std::vector<std::uint16_t> table(kSteps);
    for (int i = 0; i < kSteps; ++i) {
        const double wanted = (i + 0.5) / kSteps;
        double low = -5, high = 5;
        for (int round = 0; round < 40; ++round) {
            const double middle = (low + high) / 2;
            (0.5 * (1 + std::erf(middle / std::sqrt(2.0))) < wanted ? low : high) = middle;
        }
        table[static_cast<std::size_t>(i)] = toHalf(static_cast<float>(0.02 * low));
    }
    return table;
}

std::vector<Tensor> tensorsOf(const RandomModel& s) {
    using Values = Tensor::Values;
    std::vector<Tensor> all = {{"model.embed_tokens.weight", {s.vocab, s.hidden}, Values::Normal}};
    const auto linear = [&](const std::string& name, int out, int in) {
        all.push_back({name + ".weight", {out, in}, Values::Normal});
        all.push_back({name + ".bias", {out}, Values::Zero});
    };
    const auto norm = [&](const std::string& name) {
        all.push_back({name + ".weight", {s.hidden}, Values::One});
        all.push_back({name + ".bias", {s.hidden}, Values::Zero});
    };
    for (int layer = 0; layer < s.layers; ++layer) {
        const std::string prefix = fmt::format("model.layers.{}.", layer);
        norm(prefix + "input_layernorm");
        for (const char* part : {"q_proj", "k_proj", "v_proj", "dense"})
            linear(prefix + "self_attn." + part, s.hidden, s.hidden);
        linear(prefix + "mlp.fc1", s.intermediate, s.hidden);
        linear(prefix + "mlp.fc2", s.hidden, s.intermediate);
    }
    norm("model.final_layernorm");
    linear("lm_head", s.vocab, s.hidden);
    return all;
}

io::Json configJson(const RandomModel& s) {
    return {{"architectures", {"PhiForCausalLM"}},
            {"model_type", "phi"},
            {"vocab_size", s.vocab},
            {"hidden_size", s.hidden},
            {"intermediate_size", s.intermediate},
            {"num_hidden_layers", s.layers},
            {"num_attention_heads", s.heads},
            {"num_key_value_heads", s.heads},
            {"max_position_embeddings", s.context},
            {"hidden_act", "gelu_new"},
            {"layer_norm_eps", 1e-5},
            {"partial_rotary_factor", 0.4},
            {"rope_theta", 10000.0},
            {"tie_word_embeddings", false},
            {"attention_dropout", 0.0},
            {"embd_pdrop", 0.0},
            {"resid_pdrop", 0.0},
            {"qk_layernorm", false},
            {"bos_token_id", 50256 % s.vocab},
            {"eos_token_id", 50256 % s.vocab},
            {"torch_dtype", "float16"}};
}

class ShardWriter {
  public:
    ShardWriter(const std::vector<std::uint16_t>& table, const JobContext& job) : table_(table), job_(job) {}

    Result<void> write(const fs::path& path, std::span<const Tensor> tensors, std::uint64_t first_number) {
        io::Json header = io::Json::object();
        std::uint64_t at = 0;
        for (const Tensor& t : tensors) {
            header[t.name] = {{"dtype", "F16"}, {"shape", t.shape}, {"data_offsets", {at, at + 2 * t.elements()}}};
            at += 2 * t.elements();
        }
        std::string text = header.dump();
        text.resize((text.size() + 7) / 8 * 8, ' ');
        std::ofstream file(path, std::ios::binary);
        const std::uint64_t length = text.size();
        file.write(reinterpret_cast<const char*>(&length), sizeof length);
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
        for (const Tensor& t : tensors) STUDIO_CHECK(data(file, t, first_number++));
        file.flush();
        if (!file)
            return fail(ErrorCode::Io, fmt::format("The file {} could not be written.", path.string()),
                        "Make room on the disk, or choose another folder with --model_path.");
        return {};
    }

  private:
    Result<void> data(std::ofstream& file, const Tensor& t, std::uint64_t number) {
        constexpr std::uint64_t kPiece = 1u << 20;
        std::uint64_t state = number * 0x9E3779B97F4A7C15u + 1;
        for (std::uint64_t done = 0; done < t.elements(); done += kPiece) {
            if (job_.stopped()) return cancelled();
            const std::uint64_t count = std::min(kPiece, t.elements() - done);
            piece_.assign(count, t.values == Tensor::Values::One ? 0x3c00 : 0);
            for (std::uint64_t i = 0; t.values == Tensor::Values::Normal && i < count; ++i) {
                if (i % 5 == 0) {  // five times 12 bits of one 64-bit number (xorshift64*, S. Vigna)
                    state ^= state >> 12;
                    state ^= state << 25;
                    state ^= state >> 27;
                    bits_ = state * 0x2545F4914F6CDD1Du;
                }
                piece_[i] = table_[bits_ >> 52];
                bits_ <<= 12;
            }
            file.write(reinterpret_cast<const char*>(piece_.data()), static_cast<std::streamsize>(count * 2));
            written_ += count * 2;
            job_.report({"Making a random model", written_ >> 20, 0, "MB"});
        }
        return {};
    }

    const std::vector<std::uint16_t>& table_;
    const JobContext& job_;
    std::vector<std::uint16_t> piece_;
    std::uint64_t bits_ = 0, written_ = 0;
};

}  // namespace

Result<void> makeRandomModel(const fs::path& folder, const RandomModel& shape, const JobContext& job) {
    const std::string config = configJson(shape).dump(2) + "\n";
    // config.json is written last: where it is, the shards are whole.
    if (std::ifstream there(folder / "config.json"); there) {
        const std::string text((std::istreambuf_iterator<char>(there)), std::istreambuf_iterator<char>());
        if (text == config) return {};
        return fail(ErrorCode::AlreadyExists,
                    fmt::format("The folder {} holds another model already.", folder.string()),
                    "Choose another folder.");
    }
    std::error_code ec;
    fs::create_directories(folder, ec);
    if (ec) return fail(io::systemError(ec.value(), "The folder", folder));
    const auto table = normalTable();
    const auto tensors = tensorsOf(shape);
    std::uint64_t bytes = 0;
    for (const Tensor& t : tensors) bytes += 2 * t.elements();
    if (const auto room = fs::space(folder, ec); !ec && room.available < bytes + (bytes >> 6))
        return fail(ErrorCode::Io,
                    fmt::format("A random model takes {} MB, and {} MB are free in {}.", bytes >> 20,
                                room.available >> 20, folder.string()),
                    "Make room on the disk, or name a model with --model_path.");
    const std::size_t half = tensors.size() * 7 / 8;
    ShardWriter writer(table, job);
    const std::string names[] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
    const std::span all(tensors);
    STUDIO_CHECK(writer.write(folder / names[0], all.first(half), 0));
    STUDIO_CHECK(writer.write(folder / names[1], all.subspan(half), half));
    io::Json map = io::Json::object();
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        map[tensors[i].name] = names[i < half ? 0 : 1];
        total += 2 * tensors[i].elements();
    }
    const io::Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
    STUDIO_CHECK(io::writeFileAtomic(folder / "model.safetensors.index.json", index.dump() + "\n"));
    return io::writeFileAtomic(folder / "config.json", config);
}

}  // namespace studio::jobs
