#include "support/fake_nvml.h"

#include <cstring>
#include <thread>

using namespace studio::test;

namespace {

constexpr int kNotSupported = 3, kLost = 15;

FakeDriver& driver() {
    static FakeDriver one;
    return one;
}
int copy(const std::string& from, char* to, unsigned bytes) {
    if (bytes == 0) return 7;
    std::strncpy(to, from.c_str(), bytes);  // not ended where it does not fit
    return 0;
}
struct Memory {
    unsigned long long total, free, used;
};
struct Rates {
    unsigned gpu, memory;
};
template <class Answer>
int tell(void* card, const Answer& answer) {
    const auto& one = *static_cast<const FakeCard*>(card);
    if (!one.tells) return kNotSupported;
    answer(one);
    return 0;
}

}  // namespace

extern "C" {
FakeDriver* fakeNvml() {
    return &driver();
}
int nvmlInit_v2() {
    driver().open += driver().init == 0 ? 1 : 0;
    return driver().init;
}
int nvmlShutdown() {
    --driver().open;
    return 0;
}
const char* nvmlErrorString(int code) {
    return code == 9 ? "Driver Not Loaded" : code == 18 ? "Driver/library version mismatch" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char* text, unsigned bytes) {
    return copy(driver().version, text, bytes);
}
int nvmlDeviceGetCount_v2(unsigned* count) {
    ++driver().asked;
    while (driver().hangs) std::this_thread::yield();
    ++driver().readings;
    *count = static_cast<unsigned>(driver().cards.size());
    return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** card) {
    *card = &driver().cards.at(index);
    return driver().cards[index].lost ? kLost : 0;
}
int nvmlDeviceGetName(void* card, char* text, unsigned bytes) {
    return copy(static_cast<FakeCard*>(card)->name, text, bytes);
}
int nvmlDeviceGetUUID(void* card, char* text, unsigned bytes) {
    return copy(static_cast<FakeCard*>(card)->uuid, text, bytes);
}
int nvmlDeviceGetMemoryInfo(void* card, Memory* memory) {
    return tell(card, [&](const FakeCard& c) { *memory = {c.total, c.total - c.used, c.used}; });
}
int nvmlDeviceGetUtilizationRates(void* card, Rates* rates) {
    return tell(card, [&](const FakeCard& c) { *rates = {c.busy, 40}; });
}
int nvmlDeviceGetTemperature(void* card, int, unsigned* celsius) {
    return tell(card, [&](const FakeCard& c) { *celsius = c.celsius; });
}
int nvmlDeviceGetPowerUsage(void* card, unsigned* milliwatt) {
    return tell(card, [&](const FakeCard& c) { *milliwatt = c.milliwatt; });
}
}
