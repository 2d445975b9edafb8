// An adapter bound to the model's linears.
#pragma once

#include <span>
#include <vector>

#include "engine/api/types.h"
#include "engine/model/adapter_parameters.h"
#include "engine/model/lora_stack.h"

namespace studio::engine {

struct BlockAdapter {
    LoraStack input;  // q, k, v, fc1: output columns as in the block's input group
    LoraStack dense, fc2;
    bool empty() const { return input.empty() && dense.empty() && fc2.empty(); }
};

struct Adapter {
    Adapter() = default;
    Adapter(Adapter&&) = default;
    Adapter& operator=(Adapter&&) = default;

    AdapterParameters parameters;
    std::vector<BlockAdapter> blocks;  // views of `parameters`
    int lowest = 0;                    // first block with an adapted linear: nothing below it needs a gradient
    std::int64_t input_rank = 0, dense_rank = 0, fc2_rank = 0;  // largest of any block

    // Lays the tensors out: in each block the A of linears that share an input stand one above the other. Values are
    // zero. Errors: a name that is no linear of the model, one that occurs twice, r < 1, scaling not finite.
    static Result<Adapter> layOut(const BlockShape& shape, int layers, const api::LoraSpec& spec);

    // A: U(−1/√in, 1/√in), a function of (seed, tensor name, element); B: zero.
    void initialise(std::uint64_t seed);
    // Errors name the tensor: missing, extra, misshapen, a type that is not a float, values that are not finite.
    Result<void> fill(std::span<const io::TensorView> tensors);
};

// "model.layers.3.self_attn.q_proj"
std::string linearName(int layer, Linear linear);

}  // namespace studio::engine
