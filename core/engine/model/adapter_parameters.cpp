#include "engine/model/adapter_parameters.h"

#include <algorithm>

namespace studio::engine {

AdapterParameters::AdapterParameters(std::vector<AdapterTensor> tensors) : tensors_(std::move(tensors)) {
    std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::size_t total = 0;
    for (const AdapterTensor& tensor : tensors_) total += tensor.size();
    values_.resize(total);
    gradients_.resize(total);
}

const AdapterTensor* AdapterParameters::find(std::string_view name) const {
    const auto at =
        std::lower_bound(tensors_.begin(), tensors_.end(), name,
                         [](const AdapterTensor& tensor, std::string_view key) { return tensor.name < key; });
    return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

void AdapterParameters::zeroGradients() {
    std::fill(gradients_.begin(), gradients_.end(), 0.0f);
}

std::vector<io::TensorView> AdapterParameters::viewsOf(std::span<const float> flat, std::string_view prefix) const {
    std::vector<io::TensorView> views;
    views.reserve(tensors_.size());
    for (const AdapterTensor& tensor : tensors_)
        views.push_back({std::string(prefix) + tensor.name,
                         io::DType::F32,
                         {tensor.rows, tensor.cols},
                         flat.data() + tensor.offset,
                         tensor.size() * sizeof(float)});
    return views;
}

}  // namespace studio::engine
