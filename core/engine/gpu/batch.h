// A batch's plan on the device: one copy for all of its numbers.
#pragma once

#include "engine/gpu/weights.h"
#include "engine/kernels/attention_cuda.h"
#include "engine/model/row_plan.h"

namespace studio::engine::gpu {

struct DeviceBatch {
    const int *tokens = nullptr, *positions = nullptr;
    const int *key_row = nullptr, *reader_begin = nullptr, *readers = nullptr;  // null without context
    int key_rows = 0;
    const int* target_row = nullptr;
    kernels::RowTargets targets;
    kernels::gpu::DeviceSequences sequences;
};

class BatchUpload {
  public:
    // Valid until the next call.
    Result<DeviceBatch> upload(const RowPlan& plan, Stream stream);
    std::uint64_t bytes() const { return device_.bytes(); }

  private:
    Pinned host_;
    Memory device_;
};

}  // namespace studio::engine::gpu
