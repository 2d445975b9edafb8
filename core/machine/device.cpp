#include "machine/device.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace studio::machine {
namespace {

bool isUuid(std::string_view text) {
    return text.starts_with("GPU-") && text.size() > 4 && text.size() <= 80 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
}

bool number(std::string_view text, int& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

std::string listed(const std::vector<CardName>& cards) {
    const std::vector<std::string> labels = cardLabels(cards);
    std::string all;
    for (std::size_t i = 0; i < cards.size(); ++i)
        all += (i == 0 ? "" : i + 1 < cards.size() ? ", " : " and ") + labels[i] + " (cuda:" + cards[i].uuid + ")";
    return all;
}

}  // namespace

Result<DeviceChoice> parseDevice(std::string_view text) {
    using Kind = DeviceChoice::Kind;
    DeviceChoice choice;
    if (text == "auto") return choice;
    choice.kind = text.starts_with("cuda") ? Kind::Cuda : Kind::Cpu;
    if (text == "cpu" || text == "cuda") return choice;
    if (text.starts_with("cuda:")) {
        const std::string_view which = text.substr(5);
        if (number(which, choice.index)) return choice;
        choice.index = -1;
        if (isUuid(which)) {
            choice.uuid = which;
            return choice;
        }
    }
    return fail(ErrorCode::InvalidArgument, "\"" + std::string(text) + "\" is no device.",
                "Write auto, cpu, cuda, a card's number as in cuda:0, or its UUID as in cuda:GPU-….");
}

Result<std::size_t> chooseCard(const DeviceChoice& choice, const std::vector<CardName>& cards) {
    for (std::size_t i = 0; i < cards.size(); ++i) {
        const bool meant = !choice.uuid.empty() ? cards[i].uuid == choice.uuid
                           : choice.index >= 0  ? cards[i].index == choice.index
                                                : i == 0;
        if (meant) return i;
    }
    if (cards.empty()) return fail(ErrorCode::Device, "There is no GPU to compute on.", "Choose the device cpu.");
    const std::string wanted =
        choice.uuid.empty() ? "number " + std::to_string(choice.index) : "with the UUID " + choice.uuid;
    return fail(ErrorCode::Device,
                "There is no GPU " + wanted + " in this machine; there " + (cards.size() == 1 ? "is " : "are ") +
                    listed(cards) + ".",
                "Set the device to one of these, or to auto.");
}

std::vector<std::string> cardLabels(const std::vector<CardName>& cards) {
    const auto twice = [&](const auto& same) { return std::count_if(cards.begin(), cards.end(), same) > 1; };
    std::vector<std::string> labels;
    for (const CardName& card : cards) {
        std::string label = card.name.empty() ? "GPU" : card.name;
        if (twice([&](const CardName& other) { return other.name == card.name; })) {
            constexpr std::size_t kBegin = 12;  // "GPU-" and eight digits
            const std::string begin = card.uuid.substr(0, kBegin);
            const bool alike = twice([&](const CardName& other) { return other.uuid.substr(0, kBegin) == begin; });
            label += " (" + (alike ? card.uuid : begin) + ")";
        }
        labels.push_back(std::move(label));
    }
    return labels;
}

std::vector<CardName> visibleCards(const std::vector<CardName>& cards, const char* cuda_visible_devices) {
    if (cuda_visible_devices == nullptr) return cards;
    const bool one_kind =
        std::all_of(cards.begin(), cards.end(), [&](const CardName& card) { return card.name == cards.front().name; });
    std::vector<CardName> seen;
    std::string_view rest = cuda_visible_devices;
    while (!rest.empty()) {
        const std::string_view entry = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
        int index = -1;
        const bool by_number = number(entry, index);
        if (by_number && !one_kind) return cards;
        // A UUID may be cut short where it is still one card's. What is no card ends the list, as CUDA does it.
        const auto card = std::find_if(cards.begin(), cards.end(), [&](const CardName& one) {
            return by_number ? one.index == index : isUuid(entry) && one.uuid.starts_with(entry);
        });
        if (card == cards.end()) break;
        CardName named = *card;
        named.index = static_cast<int>(seen.size());
        seen.push_back(std::move(named));
    }
    return seen;
}

}  // namespace studio::machine
