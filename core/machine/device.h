// Devices by name: what `device` and --device may say, and which card is meant by it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::machine {

// A card as it is told apart from others.
struct CardName {
    int index = 0;           // as CUDA counts
    std::string name, uuid;  // "NVIDIA H100 80GB HBM3", "GPU-…"
};

struct DeviceChoice {
    enum class Kind { Auto, Cpu, Cuda } kind = Kind::Auto;
    int index = -1;    // of "cuda:0"
    std::string uuid;  // of "cuda:GPU-…"; neither: the first card
};

// "auto", "cpu", "cuda", "cuda:0" or "cuda:GPU-…".
Result<DeviceChoice> parseDevice(std::string_view text);

// Position in `cards` of the one that is meant; the error names those there are.
Result<std::size_t> chooseCard(const DeviceChoice& choice, const std::vector<CardName>& cards);

// A name for each; cards of one name are told apart by the beginning of their UUID.
std::vector<std::string> cardLabels(const std::vector<CardName>& cards);

// The cards that CUDA will see, given the environment variable CUDA_VISIBLE_DEVICES (null: not set). `cards` in the
// driver's order. Where numbers stand in it and the cards differ, CUDA may count in another order: then all of them.
std::vector<CardName> visibleCards(const std::vector<CardName>& cards, const char* cuda_visible_devices);

}  // namespace studio::machine
