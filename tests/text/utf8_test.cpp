#include "text/utf8.h"

#include <QtTest>

using namespace studio::text;

class Utf8Test : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void everyCharacterSurvives() {
        for (char32_t c = 0; c < 0x110000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            std::string text;
            appendUtf8(c, text);
            const CodePoint first = firstCodePoint(text);
            if (!first.valid || first.value != c || static_cast<std::size_t>(first.length) != text.size())
                QFAIL(qPrintable(QString("U+%1").arg(c, 4, 16)));
            // Every cut of it may still become a character.
            for (std::size_t cut = 1; cut < text.size(); ++cut) {
                const CodePoint part = firstCodePoint(std::string_view(text).substr(0, cut));
                if (part.valid || !part.cut_off || static_cast<std::size_t>(part.length) != cut)
                    QFAIL(qPrintable(QString("U+%1 cut at %2").arg(c, 4, 16).arg(cut)));
            }
        }
    }

    // The parts that Unicode 16, table 3-8 and following, replaces by one U+FFFD each.
    void illFormedSequencesAreCutAsUnicodeAdvises_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("length");
        QTest::addColumn<bool>("cut_off");
        const auto row = [](const char* name, const char* bytes, int length, bool cut_off) {
            QTest::newRow(name) << QByteArray(bytes) << length << cut_off;
        };
        row("continuation alone", "\x80", 1, false);
        row("overlong", "\xC0\xAF", 1, false);
        row("overlong of three", "\xE0\x80\xAF", 1, false);
        row("overlong of four", "\xF0\x80\x80\xAF", 1, false);
        row("surrogate", "\xED\xA0\x80", 1, false);
        row("above Unicode", "\xF4\x91\x92\x93", 1, false);
        row("no lead byte", "\xFF", 1, false);
        row("broken off by a letter", "\xE1\x80\x41", 2, false);
        row("broken off by another lead", "\xF1\x80\x80\xE1", 3, false);
        row("cut off after one", "\xF1", 1, true);
        row("cut off after three", "\xF1\x80\x80", 3, true);
        row("cut off inside a surrogate", "\xED\xA0", 1, false);
    }
    void illFormedSequencesAreCutAsUnicodeAdvises() {
        QFETCH(QByteArray, bytes);
        const CodePoint first = firstCodePoint(bytes.toStdString());
        QVERIFY(!first.valid);
        QTEST(first.length, "length");
        QTEST(first.cut_off, "cut_off");
    }

    void validPrefixStopsAtTheFirstIllFormedByte() {
        QCOMPARE(validPrefix(""), std::size_t{0});
        QCOMPARE(validPrefix("aä€🙂"), std::size_t{10});
        QCOMPARE(validPrefix("aä\xFFz"), std::size_t{3});
        QCOMPARE(validPrefix("a\xE2\x82"), std::size_t{1});
    }
};

QTEST_APPLESS_MAIN(Utf8Test)
#include "utf8_test.moc"
