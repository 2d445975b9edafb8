// Checks of a Result in Qt Test, with the error's sentence in the failure.
#pragma once

#include <QtTest>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/result.h"

// The result holds a value.
#define EXPECT_OK(result)                                                                               \
    do {                                                                                                \
        const auto& expect_result = (result);                                                           \
        QVERIFY2(expect_result.has_value(), expect_result ? "" : expect_result.error().text().c_str()); \
    } while (false)

// The result is an error whose message or hint contains `phrase` and is a whole sentence with something to do.
#define EXPECT_ERROR(result, phrase)                                                                  \
    do {                                                                                              \
        const auto& expect_result = (result);                                                         \
        QVERIFY2(!expect_result.has_value(), "there was no error");                                   \
        const std::string expect_text = expect_result.error().text();                                 \
        QVERIFY2(expect_text.find(phrase) != std::string::npos, expect_text.c_str());                 \
        QVERIFY2(expect_result.error().message.ends_with('.') && !expect_result.error().hint.empty(), \
                 expect_text.c_str());                                                                \
    } while (false)

namespace studio::test {

inline void put(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The template of a temporary folder in memory, where there is one: for tests that sync thousands of times.
inline QString fastTemporary() {
    const QFileInfo memory("/dev/shm");
    return (memory.isDir() && memory.isWritable() ? memory.filePath() : QDir::tempPath()) + "/studio-XXXXXX";
}

inline std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace studio::test
