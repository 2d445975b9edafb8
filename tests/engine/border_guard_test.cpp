#include <c10/util/Exception.h>

#include <QtTest>
#include <new>
#include <stdexcept>

#include "engine/border/guard.h"

using studio::Error;
using studio::ErrorCode;
using studio::Result;

namespace {

template <class Throw>
Error errorOf(Throw&& thrower) {
    const Result<int> result = studio::engine::guarded("training", [&]() -> Result<int> {
        thrower();
        return 1;
    });
    return result ? Error{} : result.error();
}

}  // namespace

class GuardTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void aValueAndAnErrorPassThrough() {
        QCOMPARE(studio::engine::guarded("training", [] { return Result<int>(3); }).value(), 3);
        const auto result = studio::engine::guarded(
            "training", []() -> Result<int> { return studio::fail(ErrorCode::Busy, "Somebody else."); });
        QVERIFY(!result && result.error().code == ErrorCode::Busy);
    }

    void memoryThatRunsOutIsNamed() {
        const Error error = errorOf([] { throw std::bad_alloc(); });
        QVERIFY(error.code == ErrorCode::OutOfMemory);
        QVERIFY(error.message.starts_with("The memory ran out while training"));
        QVERIFY(error.hint.find("max_seq_length") != std::string::npos);
        QVERIFY(errorOf([] { TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory"); }).code ==
                ErrorCode::OutOfMemory);
    }

    void torchsErrorsComeWithoutABacktrace() {
        const Error error = errorOf([] { TORCH_CHECK(false, "sizes differ"); });
        QVERIFY(error.code == ErrorCode::Internal);
        QVERIFY2(error.message.find("sizes differ") != std::string::npos, error.message.c_str());
        QVERIFY(error.message.find("frame #") == std::string::npos);
        QVERIFY(error.message.find('\n') == std::string::npos);
    }

    void anythingElseIsAnErrorToo() {
        QVERIFY(errorOf([] { throw std::out_of_range("vector"); }).message.find("vector") != std::string::npos);
        QVERIFY(errorOf([] { throw 7; }).code == ErrorCode::Internal);
    }
};

QTEST_APPLESS_MAIN(GuardTest)
#include "border_guard_test.moc"
