// How the graphics cards are doing, as NVIDIA's management library tells it. It comes with the driver and is opened at
// run time; without it there are no readings and nothing else is missing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/device.h"

namespace studio::machine {

// What a card does not tell is absent, never 0.
struct CardReading {
    CardName card;                                           // its index in the driver's order
    std::optional<std::uint64_t> memory_total, memory_used;  // bytes, of all programs
    std::optional<int> busy;                                 // per cent of the last moments in which it computed
    std::optional<int> temperature;                          // °C
    std::optional<double> power;                             // W
};

struct CardReport {
    std::string driver;  // its version; empty: not told
    std::vector<CardReading> cards;
};

class Nvml {
  public:
    static constexpr const char* kLibrary = "libnvidia-ml.so.1";

    // Errors: no driver, a broken one, a library that is something else. May take long where the driver is busy.
    static Result<std::unique_ptr<Nvml>> open(const std::string& library = kLibrary);
    ~Nvml();
    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;

    Result<CardReport> read() const;

  private:
    struct Functions;
    explicit Nvml(std::unique_ptr<Functions> functions);
    std::unique_ptr<Functions> functions_;
};

}  // namespace studio::machine
