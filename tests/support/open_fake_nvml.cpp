#include <dlfcn.h>

#include "support/fake_nvml.h"

namespace studio::test {

FakeDriver* openFakeNvml(const char* library) {
    void* opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) return nullptr;
    const auto entry = reinterpret_cast<FakeNvmlEntry>(dlsym(opened, kFakeNvmlName));
    return entry == nullptr ? nullptr : entry();
}

}  // namespace studio::test
