#include "io/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <vector>

#include "base/job.h"
#include "io/fd.h"

namespace studio::io {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha256::finish() {
    unsigned char digest[32] = {};
    EVP_DigestFinal_ex(state_->context, digest, nullptr);
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
}

std::string sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

Result<std::string> sha256File(const std::filesystem::path& path, std::stop_token stop) {
    STUDIO_TRY(const RegularFile file, openRegular(path));
    std::vector<char> buffer(1u << 20);
    Sha256 hash;
    for (;;) {
        if (stop.stop_requested()) return cancelled();
        STUDIO_TRY(const std::size_t n, readSome(file.fd.get(), buffer, path));
        hash.update({buffer.data(), n});
        if (n < buffer.size()) return hash.finish();
    }
}

}  // namespace studio::io
