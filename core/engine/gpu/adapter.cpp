#include "engine/gpu/adapter.h"

#include <algorithm>
#include <cmath>

#include "engine/kernels/adamw_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

Result<std::unique_ptr<GpuAdapter>> GpuAdapter::make(Adapter host, const BlockShape& shape, Stream stream) {
    auto adapter = std::unique_ptr<GpuAdapter>(new GpuAdapter(std::move(host), stream));
    adapter->shape_ = shape;
    STUDIO_TRY(adapter->values_, Memory::allocate(adapter->bytes(), stream));
    STUDIO_TRY(adapter->sums_, Memory::allocate((k::kNormParts + 1) * sizeof(double), stream));
    STUDIO_CHECK(adapter->storeValues(adapter->host().values()));
    adapter->bind(shape);
    return adapter;
}

LoraPartStack GpuAdapter::bindStack(const LoraStack& stack, const BlockShape& shape) {
    LoraPartStack bound;
    const float* values = host_.parameters.values().data();
    for (const LoraLinear& linear : stack.linears) {
        LoraPart part;
        part.linear = linear.linear;
        part.r = linear.a.rows;
        part.in = shape.in(linear.linear);
        part.out = shape.out(linear.linear);
        part.scaling = linear.scaling;
        const std::ptrdiff_t a = linear.a.f32() - values, b = linear.b.f32() - values;
        part.a = floats(values_) + a;
        part.b = floats(values_) + b;
        if (gradients_.bytes() > 0) {
            part.da = floats(gradients_) + a;
            part.db = floats(gradients_) + b;
        }
        part.out_begin = linear.out_begin;
        part.u_begin = bound.width;
        part.u_width = roundUp8(part.r);
        bound.width += part.u_width;
        bound.contiguous = bound.contiguous && part.u_width == part.r;
        bound.parts.push_back(part);
    }
    return bound;
}

void GpuAdapter::bind(const BlockShape& shape) {
    blocks_.clear();
    widths_ = {};
    for (const BlockAdapter& block : host_.blocks) {
        blocks_.push_back({bindStack(block.input, shape), bindStack(block.dense, shape), bindStack(block.fc2, shape)});
        widths_[0] = std::max(widths_[0], blocks_.back().input.width);
        widths_[1] = std::max(widths_[1], blocks_.back().dense.width);
        widths_[2] = std::max(widths_[2], blocks_.back().fc2.width);
    }
}

Result<void> GpuAdapter::needGradients() {
    if (gradients_.bytes() > 0) return {};
    STUDIO_TRY(gradients_, Memory::allocate(bytes(), stream_, true));
    bind(shape_);
    return {};
}

Result<void> GpuAdapter::zeroGradients() {
    if (gradients_.bytes() == 0) return needGradients();
    return k::zero(stream_, gradients_.data(), gradients_.bytes());
}

Result<double> GpuAdapter::gradientNorm() {
    STUDIO_CHECK(needGradients());
    auto* sums = reinterpret_cast<double*>(sums_.data());
    k::sumOfSquares(stream_, floats(gradients_), count(), sums + 1, sums);
    STUDIO_CHECK(k::launched("adding up the gradient"));
    double sum = 0;
    STUDIO_CHECK(k::copyToHost(stream_, &sum, sums, sizeof sum));
    STUDIO_CHECK(k::finish(stream_));
    return std::sqrt(sum);
}

Result<void> GpuAdapter::update(const kernels::AdamWStep& step) {
    if (exp_avg_.bytes() == 0 || exp_avg_sq_.bytes() == 0) STUDIO_CHECK(resetMoments());
    STUDIO_CHECK(needGradients());
    ++changes_;
    k::adamW(stream_, step, count(), floats(values_), floats(gradients_), floats(exp_avg_), floats(exp_avg_sq_));
    return k::launched("updating the adapter");
}

Result<void> GpuAdapter::resetMoments() {
    for (Memory* moment : {&exp_avg_, &exp_avg_sq_}) {
        if (moment->bytes() != 0) continue;
        STUDIO_TRY(*moment, Memory::allocate(bytes(), stream_));
    }
    STUDIO_CHECK(k::zero(stream_, exp_avg_.data(), bytes()));
    return k::zero(stream_, exp_avg_sq_.data(), bytes());
}

Result<void> GpuAdapter::fetch(std::span<float> into, const Memory& from) {
    if (into.size_bytes() != bytes()) return fail(ErrorCode::Internal, "A copy of the adapter has another length.");
    if (from.bytes() == 0) {
        std::fill(into.begin(), into.end(), 0.0f);
        return {};
    }
    STUDIO_CHECK(k::copyToHost(stream_, into.data(), from.data(), bytes()));
    return k::finish(stream_);
}

Result<void> GpuAdapter::store(const Memory& into, std::span<const float> from) {
    if (from.size_bytes() != bytes()) return fail(ErrorCode::Internal, "A copy of the adapter has another length.");
    STUDIO_CHECK(k::copyToDevice(stream_, into.data(), from.data(), bytes()));
    return k::finish(stream_);
}

Result<void> GpuAdapter::fetchValues(std::span<float> into) {
    return fetch(into, values_);
}

Result<void> GpuAdapter::storeValues(std::span<const float> from) {
    ++changes_;
    return store(values_, from);
}

Result<void> GpuAdapter::fetchGradients(std::span<float> into) {
    return fetch(into, gradients_);
}

Result<void> GpuAdapter::fetchMoments(std::span<float> exp_avg, std::span<float> exp_avg_sq) {
    STUDIO_CHECK(fetch(exp_avg, exp_avg_));
    return fetch(exp_avg_sq, exp_avg_sq_);
}

Result<void> GpuAdapter::storeMoments(std::span<const float> exp_avg, std::span<const float> exp_avg_sq) {
    STUDIO_CHECK(resetMoments());
    STUDIO_CHECK(store(exp_avg_, exp_avg));
    return store(exp_avg_sq_, exp_avg_sq);
}

}  // namespace studio::engine::gpu
