#include "machine/nvml.h"

#include <dlfcn.h>

#include <cstring>
#include <type_traits>

namespace studio::machine {
namespace {

// The part of NVML's documented binary interface that is used here
// (https://docs.nvidia.com/deploy/nvml-api/index.html).
using Return = int;
using Device = struct Opaque*;
constexpr Return kSuccess = 0, kDriverNotLoaded = 9, kVersionMismatch = 18;
constexpr unsigned kTemperatureOfGpu = 0;
constexpr unsigned kTextBytes = 96;
struct Memory {
    unsigned long long total, free, used;
};
struct Utilization {
    unsigned gpu, memory;
};

}  // namespace

struct Nvml::Functions {
    Return (*init)() = nullptr;
    Return (*shutdown)() = nullptr;
    const char* (*error_string)(Return) = nullptr;
    Return (*driver_version)(char*, unsigned) = nullptr;
    Return (*count)(unsigned*) = nullptr;
    Return (*handle)(unsigned, Device*) = nullptr;
    Return (*name)(Device, char*, unsigned) = nullptr;
    Return (*uuid)(Device, char*, unsigned) = nullptr;
    // Drivers and cards differ in what they tell: these may be missing.
    Return (*memory)(Device, Memory*) = nullptr;
    Return (*utilization)(Device, Utilization*) = nullptr;
    Return (*temperature)(Device, unsigned, unsigned*) = nullptr;
    Return (*power)(Device, unsigned*) = nullptr;  // mW

    void find(void* library) {
        const auto find = [library](const char* symbol, auto& function) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
        };
        find("nvmlInit_v2", init);
        find("nvmlShutdown", shutdown);
        find("nvmlErrorString", error_string);
        find("nvmlSystemGetDriverVersion", driver_version);
        find("nvmlDeviceGetCount_v2", count);
        find("nvmlDeviceGetHandleByIndex_v2", handle);
        find("nvmlDeviceGetName", name);
        find("nvmlDeviceGetUUID", uuid);
        find("nvmlDeviceGetMemoryInfo", memory);
        find("nvmlDeviceGetUtilizationRates", utilization);
        find("nvmlDeviceGetTemperature", temperature);
        find("nvmlDeviceGetPowerUsage", power);
    }
    bool complete() const { return init && shutdown && count && handle && name && uuid; }
    std::string reason(Return code) const {
        const char* words = error_string ? error_string(code) : nullptr;
        return words ? words : "error " + std::to_string(code);
    }
};

namespace {

// Ends before the first byte that is 0, wherever that is.
template <class Ask>
std::string told(const Ask& ask) {
    char text[kTextBytes] = {};
    if (ask(text) != kSuccess) return {};
    return {text, strnlen(text, sizeof text)};
}

}  // namespace

Nvml::Nvml(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}

Nvml::~Nvml() {
    functions_->shutdown();
}

Result<std::unique_ptr<Nvml>> Nvml::open(const std::string& library) {
    // Never closed: a driver's library does not expect to be.
    void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr)
        return fail(ErrorCode::NotFound, "No NVIDIA driver is installed.",
                    "With a card in this machine, install its driver, version 580 or later.");
    auto functions = std::make_unique<Functions>();
    functions->find(opened);
    if (!functions->complete())
        return fail(ErrorCode::Unsupported, "The NVIDIA driver's library " + library + " is too old or damaged.",
                    "Install a driver of version 580 or later.");
    if (const Return code = functions->init(); code != kSuccess) {
        const bool restart = code == kDriverNotLoaded || code == kVersionMismatch;
        return fail(ErrorCode::Device, "The NVIDIA driver does not answer (" + functions->reason(code) + ").",
                    restart ? "Restart the machine: the driver was just installed or renewed, or is not loaded."
                            : "Look at what `nvidia-smi` says.");
    }
    return std::unique_ptr<Nvml>(new Nvml(std::move(functions)));
}

Result<CardReport> Nvml::read() const {
    const Functions& f = *functions_;
    unsigned count = 0;
    if (const Return code = f.count(&count); code != kSuccess)
        return fail(ErrorCode::Device, "The NVIDIA driver does not tell its cards (" + f.reason(code) + ").",
                    "Look at what `nvidia-smi` says.");
    CardReport report;
    if (f.driver_version) report.driver = told([&](char* text) { return f.driver_version(text, kTextBytes); });
    for (unsigned i = 0; i < count; ++i) {
        Device device = nullptr;
        if (f.handle(i, &device) != kSuccess) continue;  // lost, or not ours to see
        CardReading reading;
        reading.card.index = static_cast<int>(i);
        reading.card.name = told([&](char* text) { return f.name(device, text, kTextBytes); });
        reading.card.uuid = told([&](char* text) { return f.uuid(device, text, kTextBytes); });
        if (Memory memory{}; f.memory && f.memory(device, &memory) == kSuccess) {
            reading.memory_total = memory.total;
            reading.memory_used = memory.used;
        }
        if (Utilization rates{}; f.utilization && f.utilization(device, &rates) == kSuccess)
            reading.busy = static_cast<int>(rates.gpu);
        if (unsigned celsius = 0; f.temperature && f.temperature(device, kTemperatureOfGpu, &celsius) == kSuccess)
            reading.temperature = static_cast<int>(celsius);
        if (unsigned milliwatt = 0; f.power && f.power(device, &milliwatt) == kSuccess)
            reading.power = milliwatt / 1000.0;
        report.cards.push_back(std::move(reading));
    }
    return report;
}

}  // namespace studio::machine
