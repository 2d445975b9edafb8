// Devices by name: which words are one, and which card is meant.
#include "machine/device.h"

#include <QTest>

using namespace studio;
using namespace studio::machine;

class DeviceTest : public QObject {
    Q_OBJECT

    const std::vector<CardName> two_ = {{0, "NVIDIA H100", "GPU-aaaaaaaa-1"}, {1, "NVIDIA H100", "GPU-bbbbbbbb-2"}};

  private Q_SLOTS:
    void wordsThatAreDevices() {
        using Kind = DeviceChoice::Kind;
        QCOMPARE(static_cast<int>(parseDevice("auto")->kind), static_cast<int>(Kind::Auto));
        QCOMPARE(static_cast<int>(parseDevice("cpu")->kind), static_cast<int>(Kind::Cpu));
        QCOMPARE(static_cast<int>(parseDevice("cuda")->kind), static_cast<int>(Kind::Cuda));
        QCOMPARE(parseDevice("cuda:1")->index, 1);
        QCOMPARE(parseDevice("cuda:GPU-bbbbbbbb-2")->uuid, std::string("GPU-bbbbbbbb-2"));
    }

    void otherWordsAreNone() {
        for (const char* word : {"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", "cuda:GPU-",
                                 "cuda:GPU-a b", "cuda0", "cpu:0", "mps"}) {
            const auto parsed = parseDevice(word);
            QVERIFY2(!parsed, word);
            QVERIFY(!parsed.error().hint.empty());
        }
    }

    void theCardThatIsMeant() {
        QCOMPARE(*chooseCard(*parseDevice("cuda"), two_), std::size_t{0});
        QCOMPARE(*chooseCard(*parseDevice("cuda:1"), two_), std::size_t{1});
        QCOMPARE(*chooseCard(*parseDevice("cuda:GPU-bbbbbbbb-2"), two_), std::size_t{1});
        // A card may be left out for being too old: numbers are CUDA's, not positions.
        QCOMPARE(*chooseCard(*parseDevice("cuda:3"), {{1, "a", "GPU-1"}, {3, "b", "GPU-3"}}), std::size_t{1});
    }

    void aCardThatIsNotThereIsASentenceWithThoseThatAre() {
        for (const char* word : {"cuda:GPU-cccccccc-3", "cuda:2"}) {
            const auto chosen = chooseCard(*parseDevice(word), two_);
            QVERIFY(!chosen);
            const std::string said = chosen.error().text();
            QVERIFY2(said.find("NVIDIA H100 (GPU-aaaaaaaa) (cuda:GPU-aaaaaaaa-1) and") != said.npos, said.c_str());
            QVERIFY(said.find("cuda:GPU-bbbbbbbb-2") != said.npos && said.find("auto") != said.npos);
        }
        QVERIFY(!chooseCard(*parseDevice("cuda"), {}));
    }

    void cardsOfOneNameAreToldApart() {
        QCOMPARE(cardLabels({{0, "A", "GPU-1"}, {1, "B", "GPU-2"}}), (std::vector<std::string>{"A", "B"}));
        QCOMPARE(cardLabels(two_),
                 (std::vector<std::string>{"NVIDIA H100 (GPU-aaaaaaaa)", "NVIDIA H100 (GPU-bbbbbbbb)"}));
        QCOMPARE(cardLabels({{0, "A", "GPU-11111111-1"}, {1, "A", "GPU-11111111-2"}}),
                 (std::vector<std::string>{"A (GPU-11111111-1)", "A (GPU-11111111-2)"}));
    }

    void whatCudaWillSee() {
        const auto seen = [&](const std::vector<CardName>& cards, const char* variable) {
            std::string all;
            for (const CardName& card : visibleCards(cards, variable)) all += card.uuid.substr(4, 1);
            return all;
        };
        QCOMPARE(seen(two_, nullptr), std::string("ab"));
        QCOMPARE(seen(two_, ""), std::string());
        QCOMPARE(seen(two_, "-1"), std::string());
        QCOMPARE(seen(two_, "1,0"), std::string("ba"));
        QCOMPARE(seen(two_, "1,7,0"), std::string("b"));
        QCOMPARE(seen(two_, "GPU-b"), std::string("b"));
        // Of unlike cards the fastest is number 0 to CUDA, whatever the driver's order.
        QCOMPARE(seen({{0, "A", "GPU-a"}, {1, "B", "GPU-b"}}, "1"), std::string("ab"));
        QCOMPARE(visibleCards(two_, "1").front().index, 0);
    }
};

QTEST_GUILESS_MAIN(DeviceTest)
#include "device_test.moc"
