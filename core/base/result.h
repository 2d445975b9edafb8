// Result and Error: how every module says that something did not work.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace studio {

enum class ErrorCode {
    InvalidArgument,  // the caller or the person gave something that cannot be used
    NotFound,
    AlreadyExists,
    Io,           // reading or writing failed; the message names file and reason
    Corrupt,      // a file's bytes contradict its format
    Unsupported,  // well formed, but not something this program does
    OutOfMemory,
    OutOfRange,
    Cancelled,   // the person asked for it; never shown as a failure
    Busy,        // somebody else holds it
    Device,      // accelerator or driver
    DeviceLost,  // the accelerator failed for good: this process cannot use it any more
    Internal,
};

// `message` says what happened, `hint` what to do next. Both are sentences for a person.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;
    std::string hint;

    bool cancelled() const { return code == ErrorCode::Cancelled; }
    std::string text() const { return hint.empty() ? message : message + " " + hint; }
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace studio

// STUDIO_CHECK(expression): return its error, if it has one.
#define STUDIO_CHECK(expression)                                                    \
    do {                                                                            \
        if (auto studio_result = (expression); !studio_result)                      \
            return tl::unexpected<studio::Error>(std::move(studio_result).error()); \
    } while (false)

#define STUDIO_CONCAT_(a, b) a##b
#define STUDIO_CONCAT(a, b) STUDIO_CONCAT_(a, b)
// STUDIO_TRY(auto value, expression): the value, or return the error.
#define STUDIO_TRY(declaration, expression) STUDIO_TRY_(STUDIO_CONCAT(studio_try_, __LINE__), declaration, expression)
#define STUDIO_TRY_(temporary, declaration, expression)                                 \
    auto temporary = (expression);                                                      \
    if (!temporary) return tl::unexpected<studio::Error>(std::move(temporary).error()); \
    declaration = std::move(*temporary)
