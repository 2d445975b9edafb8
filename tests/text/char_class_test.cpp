#include "text/unicode/char_class.h"

#include <QtTest>

#include "pattern.h"
#include "text/utf8.h"

using namespace studio;
using namespace studio::text;

class CharClassTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    // PCRE2 knows an older Unicode: what it does not know yet may be anything, everything else must be the same.
    void agreesWithPcre2OnEveryAssignedCharacter() {
        const CharClasses classes;
        const test::Pattern letter("^\\p{L}$"), number("^\\p{N}$"), space("^\\s$"), unassigned("^\\p{Cn}$");
        int newer = 0;
        for (char32_t c = 0; c < 0x110000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            if (c == 0x180E) continue;  // white space to PCRE2, but not since Unicode 6.3
            std::string text;
            appendUtf8(c, text);
            if (unassigned.matches(text)) {
                if (classes.of(c) != CharClass::Other) ++newer;
                continue;
            }
            const CharClass expected = letter.matches(text)   ? CharClass::Letter
                                       : number.matches(text) ? CharClass::Number
                                       : space.matches(text)  ? CharClass::Space
                                                              : CharClass::Other;
            if (classes.of(c) != expected)
                QFAIL(
                    qPrintable(QString("U+%1 is %2, not %3").arg(c, 4, 16).arg(int(classes.of(c))).arg(int(expected))));
        }
        QVERIFY(newer < 12000);  // Unicode 16.0 has 9,392 letters and numbers more than 14.0
    }

    void isUnicode16() {
        const CharClasses classes;
        QCOMPARE(classes.of(0x180E), CharClass::Other);
        QCOMPARE(classes.of(0x1C89), CharClass::Letter);   // 16.0
        QCOMPARE(classes.of(0x2EBF0), CharClass::Letter);  // 15.1
        QCOMPARE(classes.of(0x10D40), CharClass::Number);  // 16.0
        QCOMPARE(classes.of(0x10940), CharClass::Other);   // 17.0
    }

    void whatLiesBeyondUnicodeIsOther() {
        const CharClasses classes;
        QCOMPARE(classes.of(0x110000), CharClass::Other);
        QCOMPARE(classes.of(0xD800), CharClass::Other);
        QCOMPARE(classes.of(0xFFFFFFFF), CharClass::Other);
    }
};

QTEST_APPLESS_MAIN(CharClassTest)
#include "char_class_test.moc"
