#include "engine/gpu/batch.h"

#include <algorithm>
#include <cstring>

namespace studio::engine::gpu {
namespace {

constexpr std::size_t kAlign = 256;

std::size_t padded(std::size_t bytes) {
    return (bytes + kAlign - 1) / kAlign * kAlign;
}

template <class T>
std::size_t sizeOf(const std::vector<T>& values) {
    return padded(values.size() * sizeof(T));
}

int longest(std::span<const int> cu) {
    int most = 0;
    for (std::size_t s = 1; s < cu.size(); ++s) most = std::max(most, cu[s] - cu[s - 1]);
    return most;
}

// Length of every sequence, 0 if they differ.
int equalLength(const RowPlan& plan) {
    if (plan.hasContext()) return 0;
    for (std::size_t s = 2; s < plan.cu_q.size(); ++s)
        if (plan.cu_q[s] - plan.cu_q[s - 1] != plan.cu_q[1]) return 0;
    return plan.cu_q[1];
}

}  // namespace

Result<DeviceBatch> BatchUpload::upload(const RowPlan& plan, Stream stream) {
    const std::size_t bytes = sizeOf(plan.tokens) + sizeOf(plan.positions) + sizeOf(plan.cu_q) + sizeOf(plan.cu_k) +
                              sizeOf(plan.key_row) + sizeOf(plan.reader_begin) + sizeOf(plan.readers) +
                              sizeOf(plan.target_row) + sizeOf(plan.target_begin) + sizeOf(plan.target_token) +
                              sizeOf(plan.target_weight);
    STUDIO_CHECK(kernels::gpu::finish(stream));              // the batch before may still be on its way
    if (bytes > device_.bytes() || bytes > host_.bytes()) {  // one of them may be missing after an error
        const std::size_t room = bytes + bytes / 4;
        device_ = {};
        host_ = {};
        STUDIO_TRY(device_, Memory::allocate(room, stream));
        STUDIO_TRY(host_, Pinned::allocate(room));
    }
    std::size_t used = 0;
    const auto put = [&]<class T>(const std::vector<T>& values) -> const T* {
        if (values.empty()) return nullptr;
        const std::size_t at = used;
        std::memcpy(host_.data() + at, values.data(), values.size() * sizeof(T));
        used += sizeOf(values);
        return reinterpret_cast<const T*>(device_.data() + at);
    };
    DeviceBatch batch;
    batch.tokens = put(plan.tokens);
    batch.positions = put(plan.positions);
    batch.key_row = put(plan.key_row);
    batch.key_rows = plan.keyRows();
    batch.reader_begin = put(plan.reader_begin);
    batch.readers = put(plan.readers);
    batch.target_row = put(plan.target_row);
    batch.targets = {put(plan.target_begin), put(plan.target_token), put(plan.target_weight)};
    auto& sequences = batch.sequences;
    sequences.cu_q = put(plan.cu_q);
    sequences.cu_k = plan.hasContext() ? put(plan.cu_k) : sequences.cu_q;
    sequences.count = static_cast<int>(plan.cu_q.size()) - 1;
    sequences.longest_q = longest(plan.cu_q);
    sequences.longest_k = plan.hasContext() ? longest(plan.cu_k) : sequences.longest_q;
    sequences.equal_length = equalLength(plan);
    STUDIO_CHECK(kernels::gpu::copyToDevice(stream, device_.data(), host_.data(), used));
    return batch;
}

}  // namespace studio::engine::gpu
