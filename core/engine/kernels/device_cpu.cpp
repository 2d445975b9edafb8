#include "engine/kernels/device.h"

#include <unistd.h>

#include <fstream>

#include "engine/kernels/parallel.h"

namespace studio::engine::kernels {
namespace {

std::string processorName() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name"))
            if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
    return "CPU";
}

}  // namespace

api::DeviceInfo deviceInfo() {
    api::DeviceInfo info;
    info.kind = "cpu";
    info.name = processorName();
    info.memory_bytes =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    info.threads = threads();
    return info;
}

}  // namespace studio::engine::kernels
