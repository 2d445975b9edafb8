// NVIDIA's management library as the tests want it: a shared library (target fake_nvml) whose answers are set through
// fakeNvml(), found with dlsym in the library that the program opened.
#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace studio::test {

struct FakeCard {
    std::string name = "NVIDIA H100 80GB HBM3", uuid = "GPU-3f2a81bc-0000-4000-8000-000000000001";
    unsigned long long total = 85'520'809'984, used = 13'314'398'618;
    unsigned busy = 98, celsius = 61, milliwatt = 412'300;
    bool tells = true;  // false: it has a name, and no figures
    bool lost = false;
};

struct FakeDriver {
    int init = 0;  // what nvmlInit answers
    std::string version = "580.65.06";
    std::vector<FakeCard> cards{FakeCard{}};
    std::atomic<bool> hangs = false;  // while it is set, nvmlDeviceGetCount does not return
    std::atomic<int> asked = 0, readings = 0, open = 0;
};

inline constexpr const char* kFakeNvmlName = "fakeNvml";
using FakeNvmlEntry = FakeDriver* (*)();

// The driver inside of the library file; null: it cannot be opened.
FakeDriver* openFakeNvml(const char* library);

}  // namespace studio::test
