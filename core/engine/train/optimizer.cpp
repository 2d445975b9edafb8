#include "engine/train/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>

namespace studio::engine {
namespace {

constexpr std::string_view kExpAvg = "exp_avg.";
constexpr std::string_view kExpAvgSq = "exp_avg_sq.";

}  // namespace

Result<Optimizer> Optimizer::create(const AdapterParameters& adapter) try {
    Optimizer optimizer;
    optimizer.exp_avg_.resize(adapter.values().size());
    optimizer.exp_avg_sq_.resize(adapter.values().size());
    return optimizer;
} catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory,
                fmt::format("There is not enough memory for the optimizer: it needs {} MB.",
                            (2 * adapter.values().size_bytes()) >> 20),
                "Lower r or the number of target_modules, or close other programs.");
}

void Optimizer::update(AdapterParameters& adapter, const AdamWStep& step) {
    adamW(step, adapter.values(), adapter.gradients(), exp_avg_, exp_avg_sq_);
}

Result<void> Optimizer::store(const AdapterParameters& adapter, DeviceParameters& device) const {
    STUDIO_CHECK(device.storeValues(adapter.values()));
    return device.storeMoments(exp_avg_, exp_avg_sq_);
}

Result<void> Optimizer::fetch(AdapterParameters& adapter, DeviceParameters& device) {
    STUDIO_CHECK(device.fetchValues(adapter.values()));
    return device.fetchMoments(exp_avg_, exp_avg_sq_);
}

std::vector<io::TensorView> Optimizer::views(const AdapterParameters& adapter) const {
    std::vector<io::TensorView> all = adapter.viewsOf(exp_avg_, kExpAvg);
    for (io::TensorView& view : adapter.viewsOf(exp_avg_sq_, kExpAvgSq)) all.push_back(std::move(view));
    return all;
}

Result<void> Optimizer::load(const AdapterParameters& adapter, std::span<const io::TensorView> tensors) {
    if (tensors.size() != 2 * adapter.tensors().size()) {
        return fail(ErrorCode::Corrupt,
                    fmt::format("The checkpoint's optimizer has {} tensors, the adapter needs {}.", tensors.size(),
                                2 * adapter.tensors().size()),
                    "Resume with the qlora_config the run was started with, or from another checkpoint.");
    }
    std::vector<float> mean(exp_avg_.size()), square(exp_avg_sq_.size());
    STUDIO_CHECK(fillFlat(adapter, kExpAvg, tensors, mean));
    STUDIO_CHECK(fillFlat(adapter, kExpAvgSq, tensors, square));
    exp_avg_ = std::move(mean);
    exp_avg_sq_ = std::move(square);
    return {};
}

Result<void> fillFlat(const AdapterParameters& adapter, std::string_view prefix,
                      std::span<const io::TensorView> tensors, std::span<float> flat) {
    std::map<std::string_view, const io::TensorView*> by_name;
    for (const io::TensorView& tensor : tensors) by_name[tensor.name] = &tensor;
    std::vector<const io::TensorView*> sources;
    for (const AdapterTensor& tensor : adapter.tensors()) {
        const std::string name = std::string(prefix) + tensor.name;
        const auto found = by_name.find(name);
        const char* hint = "Resume with the qlora_config the run was started with, or from another checkpoint.";
        if (found == by_name.end())
            return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor {}.", name), hint);
        const io::TensorView& source = *found->second;
        const std::vector<std::int64_t> shape{tensor.rows, tensor.cols};
        if (source.dtype != io::DType::F32 || source.shape != shape || source.bytes != tensor.size() * sizeof(float)) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("The checkpoint's tensor {} is {} [{}], not F32 [{}].", name,
                                    io::name(source.dtype), fmt::join(source.shape, ", "), fmt::join(shape, ", ")),
                        hint);
        }
        sources.push_back(&source);
    }
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (sources[i]->bytes > 0)
            std::memcpy(flat.data() + adapter.tensors()[i].offset, sources[i]->data, sources[i]->bytes);
    return {};
}

}  // namespace studio::engine
