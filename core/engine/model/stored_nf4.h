// Linears of a checkpoint that transformers and bitsandbytes saved in 4 bits. For a linear P: P.weight (codes),
// P.weight.absmax, P.weight.quant_map, P.weight.quant_state.bitsandbytes__nf4 (JSON as bytes) and, with double
// quantisation, P.weight.nested_absmax and P.weight.nested_quant_map.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/tensor_source.h"
#include "io/safetensors.h"

namespace studio::engine {

// Whether `weight` ("model.layers.0.mlp.fc1.weight") is held as bytes of codes.
bool isStoredInFourBits(const io::SafetensorsFolder& folder, const std::string& weight);

// Names of the tensors of one such linear. Error where one is missing or has another type or length than [rows, cols]
// needs.
Result<std::vector<std::string>> checkStoredNf4(const io::SafetensorsFolder& folder, const std::string& weight,
                                                std::int64_t rows, std::int64_t cols);

// Reads one that was checked. Error where its quant_state describes something else: another code, block size or shape;
// where its code table is not NF4's; where a scale is not finite.
Result<Nf4Tensor> readStoredNf4(TensorSource& source, const std::string& weight, std::int64_t rows, std::int64_t cols,
                                bool nested);

bool isNested(const io::SafetensorsFolder& folder, const std::string& weight);

}  // namespace studio::engine
