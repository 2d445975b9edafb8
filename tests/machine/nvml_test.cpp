// Readings of the cards, from a driver's library that the test plays.
#include "machine/nvml.h"

#include <QTest>

#include "machine/card_reader.h"
#include "support/fake_nvml.h"

using namespace studio;
using namespace studio::machine;
using studio::test::FakeCard;

class NvmlTest : public QObject {
    Q_OBJECT

    test::FakeDriver* driver_ = nullptr;

    CardReport report() {
        const auto nvml = Nvml::open(STUDIO_FAKE_NVML);
        if (!nvml) return {};
        auto read = (*nvml)->read();
        return read ? std::move(*read) : CardReport{};
    }
    std::optional<Result<CardReport>> answer(CardReader& reader) {
        std::optional<Result<CardReport>> taken;
        (void)QTest::qWaitFor([&] { return (taken = reader.take()).has_value(); }, 10000);
        return taken;
    }

  private Q_SLOTS:
    void initTestCase() {
        driver_ = test::openFakeNvml(STUDIO_FAKE_NVML);
        QVERIFY(driver_);
    }
    void init() {
        driver_->init = 0;
        driver_->version = "580.65.06";
        driver_->cards = {FakeCard{}};
    }

    void aCardTellsHowItIs() {
        const CardReport read = report();
        QCOMPARE(read.driver, std::string("580.65.06"));
        QCOMPARE(read.cards.size(), std::size_t{1});
        const CardReading& card = read.cards.front();
        QCOMPARE(card.card.name, std::string("NVIDIA H100 80GB HBM3"));
        QVERIFY(card.card.uuid.starts_with("GPU-"));
        QCOMPARE(card.memory_total.value(), std::uint64_t{85'520'809'984});
        QCOMPARE(card.memory_used.value(), std::uint64_t{13'314'398'618});
        QCOMPARE(card.busy.value(), 98);
        QCOMPARE(card.temperature.value(), 61);
        QCOMPARE(card.power.value(), 412.3);
        QCOMPARE(driver_->open.load(), 0);  // given back
    }

    void whatACardDoesNotTellIsMissingNotZero() {
        driver_->cards.front().tells = false;
        const CardReading card = report().cards.at(0);
        QVERIFY(!card.memory_total && !card.memory_used && !card.busy && !card.temperature && !card.power);
        QVERIFY(!card.card.name.empty());
    }

    void aLostCardIsLeftOut() {
        driver_->cards = {FakeCard{}, FakeCard{}};
        driver_->cards[0].lost = true;
        const CardReport read = report();
        QCOMPARE(read.cards.size(), std::size_t{1});
        QCOMPARE(read.cards[0].card.index, 1);
    }

    void aNameWithoutAnEndIsCut() {
        driver_->cards.front().name = std::string(500, 'x');
        QCOMPARE(report().cards.at(0).card.name, std::string(96, 'x'));
    }

    void noDriverIsASentence() {
        const auto none = Nvml::open("libnvidia-ml.so.none");
        QVERIFY(!none && none.error().code == ErrorCode::NotFound);
        QVERIFY(!none.error().hint.empty());
        const auto other = Nvml::open(STUDIO_OTHER_LIBRARY);
        QVERIFY(!other && other.error().code == ErrorCode::Unsupported);
    }

    void aDriverThatDoesNotAnswerIsASentence() {
        driver_->init = 18;
        const auto opened = Nvml::open(STUDIO_FAKE_NVML);
        QVERIFY(!opened);
        QVERIFY(opened.error().message.find("version mismatch") != std::string::npos);
        QVERIFY(opened.error().hint.find("Restart") != std::string::npos);
    }

    void aReadingComesFromAThreadOfItsOwn() {
        CardReader reader(STUDIO_FAKE_NVML);
        QVERIFY(!reader.waiting() && !reader.take());
        reader.request();
        const auto first = answer(reader);
        QVERIFY(first && *first && (*first)->cards.size() == 1);
        QVERIFY(!reader.take());  // once
        driver_->cards.front().busy = 3;
        reader.request();
        const auto second = answer(reader);
        QCOMPARE((*second)->cards.at(0).busy.value(), 3);
    }

    void aDriverThatHangsHoldsNobody() {
        const int before = driver_->readings, asked = driver_->asked;
        driver_->hangs = true;
        {
            CardReader reader(STUDIO_FAKE_NVML);
            reader.request();
            QVERIFY(QTest::qWaitFor([&] { return driver_->asked == asked + 1; }, 10000));
            QVERIFY(reader.waiting());
            reader.request();  // is not asked twice
            QVERIFY(!reader.take());
        }  // gone at once, although no answer has come
        driver_->hangs = false;
        QVERIFY(QTest::qWaitFor([&] { return driver_->open == 0; }, 10000));
        QCOMPARE(driver_->readings.load(), before + 1);
    }
};

QTEST_GUILESS_MAIN(NvmlTest)
#include "nvml_test.moc"
