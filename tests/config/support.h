// What the tests of this room share.
#pragma once

#include <QByteArray>
#include <QString>
#include <filesystem>
#include <string>

#include "io/file.h"

namespace studio::test {

inline std::filesystem::path source(const char* relative) {
    return std::filesystem::path(STUDIO_SOURCE_DIR) / relative;
}
inline std::filesystem::path resources() {
    return source("resources");
}
inline std::filesystem::path golden(const std::string& name) {
    return source("tests/reference/data/config") / name;
}
inline std::string read(const std::filesystem::path& path) {
    auto text = io::readFile(path, 1u << 22);
    return text ? *text : std::string("cannot be read: " + text.error().text());
}
inline QByteArray bytes(const std::string& text) {
    return QByteArray::fromStdString(text);
}
inline QString q(const std::string& text) {
    return QString::fromStdString(text);
}

}  // namespace studio::test

// The value of a Result, or a failure with its message.
#define GET(declaration, expression) GET_(STUDIO_CONCAT(get_, __LINE__), declaration, expression)
#define GET_(temporary, declaration, expression)                                         \
    auto temporary = (expression);                                                       \
    if (!temporary) QFAIL(qPrintable(QString::fromStdString(temporary.error().text()))); \
    declaration = std::move(*temporary)
