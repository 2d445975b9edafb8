// An engine's library whose models fail as STUDIO_TEST_FAULTS says (faulty_phi.h); STUDIO_TEST_MEMORY is the planner's
// memory in MB.
#include <cstdlib>

#include "engine/border/engine.h"
#include "engine/faulty_phi.h"

namespace api = studio::engine::api;

extern "C" __attribute__((visibility("default"))) api::Engine* studio_engine(int api_version,
                                                                             const api::Services* services) {
    if (api_version != api::kApiVersion || !services) return nullptr;
    const char *plan = std::getenv("STUDIO_TEST_FAULTS"), *memory = std::getenv("STUDIO_TEST_MEMORY");
    const auto faults = std::make_shared<studio::test::Faults>(plan != nullptr ? plan : "");
    return new studio::engine::LocalEngine(
        *services, studio::test::faultyMakers(faults, memory != nullptr ? std::atoi(memory) : 0));
}
