// How one token is drawn from its logits: what of a request and its history that depends on. Also for the CUDA
// compiler.
#pragma once

namespace studio::engine::api {

struct Draw {
    double temperature = 0, top_p = 1;
    int top_k = 0;
    int vocab = 0;       // ids below it are possible
    double uniform = 0;  // the number drawn, in [0, 1)
};

}  // namespace studio::engine::api
