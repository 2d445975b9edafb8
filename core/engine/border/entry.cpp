// The one symbol of the engine's library.
#include "engine/border/engine.h"

namespace api = studio::engine::api;

// The engine lives as long as the process, like the library, which is never closed.
extern "C" __attribute__((visibility("default"))) api::Engine* studio_engine(int api_version,
                                                                             const api::Services* services) {
    if (api_version != api::kApiVersion || !services) return nullptr;
    try {
        return new studio::engine::LocalEngine(*services);
    } catch (...) {
        return nullptr;
    }
}
