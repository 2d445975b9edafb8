// What the kernels compute on.
#pragma once

#include "engine/api/types.h"

namespace studio::engine::kernels {

api::DeviceInfo deviceInfo();

}  // namespace studio::engine::kernels
