#include "corpus/id_table.h"

#include <QtTest>
#include <string>

using namespace studio::corpus;

class IdTableTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void keysAreTheIds_data() {
        QTest::addColumn<QByteArray>("a");
        QTest::addColumn<QByteArray>("b");
        QTest::newRow("case") << QByteArray("e0cf4fa2-e944-44fb-b502-11f155062092")
                              << QByteArray("E0CF4FA2-E944-44FB-B502-11F155062092");
        QTest::newRow("hyphens") << QByteArray("e0cf4fa2-e944-44fb-b502-11f155062092")
                                 << QByteArray("e0cf4fa2e94444fbb50211f155062092");
        QTest::newRow("last digit") << QByteArray("e0cf4fa2-e944-44fb-b502-11f155062092")
                                    << QByteArray("e0cf4fa2-e944-44fb-b502-11f155062093");
        QTest::newRow("length") << QByteArray("a") << QByteArray("aa");
        QTest::newRow("NUL") << QByteArray("a\0b", 3) << QByteArray("a\0c", 3);
        // Written to be taken for the hash of "abc" (the digest's first 128 bits).
        QTest::newRow("a hash as a UUID") << QByteArray("abc") << QByteArray("ba7816bf-8f01-cfea-4141-40de5dae2223");
    }
    void keysAreTheIds() {
        QFETCH(QByteArray, a);
        QFETCH(QByteArray, b);
        const IdKey key = IdKey::of(a.toStdString());
        QVERIFY(!key.empty());
        QVERIFY(key == IdKey::of(a.toStdString()));
        QVERIFY(!(key == IdKey::of(b.toStdString())));
    }

    void numbersInOrderOfAppearance() {
        IdTable table;
        QVERIFY(!table.find(IdKey::of("0")));
        for (std::uint32_t i = 0; i < 5000; ++i) {
            const auto entry = table.add(IdKey::of(std::to_string(i)));
            QVERIFY(entry.added);
            QCOMPARE(entry.index, i);
        }
        for (std::uint32_t i = 0; i < 5000; ++i) {
            QCOMPARE(table.find(IdKey::of(std::to_string(i))), std::optional(i));
            QVERIFY(!table.add(IdKey::of(std::to_string(i))).added);
        }
        QVERIFY(!table.find(IdKey::of("5000")));
        QCOMPARE(table.size(), 5000u);
    }
};

QTEST_APPLESS_MAIN(IdTableTest)
#include "id_table_test.moc"
