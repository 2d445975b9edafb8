// phi-2's own files against transformers.
#include <QtTest>
#include <random>
#include <thread>

#include "io/json.h"
#include "io/line_reader.h"
#include "support/expect.h"
#include "text/tokenizer.h"

using namespace studio;
using namespace studio::text;

namespace {

const std::filesystem::path kData = std::filesystem::path(STUDIO_SOURCE_DIR) / "tests/reference/data";

std::vector<int> withSpecials(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<int> ids;
    tokenizer.encodeWithSpecials(text, ids);
    return ids;
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

class BpeTokenizerTest : public QObject {
    Q_OBJECT

    std::shared_ptr<const Tokenizer> phi_;

  private Q_SLOTS:
    void initTestCase() {
        auto loaded = loadTokenizer(kData / "phi-2");
        EXPECT_OK(loaded);
        phi_ = *loaded;
    }

    void hasPhi2sTokens() {
        QCOMPARE(phi_->size(), 50295);
        QCOMPARE(phi_->eos(), 50256);
        QCOMPARE(phi_->eosText(), std::string_view("<|endoftext|>"));
        QVERIFY(phi_->isSpecial(50256));
        QVERIFY(!phi_->isSpecial(50257));
        QVERIFY(!phi_->isSpecial(-1) && !phi_->isSpecial(50295));
        QCOMPARE(phi_->tokenBytes(50257), std::string_view("                               "));  // 31 spaces
        QCOMPARE(phi_->tokenBytes(50294), std::string_view("\t\t"));
        QCOMPARE(phi_->tokenBytes(220), std::string_view(" "));
        QVERIFY(phi_->tokenBytes(50295).empty() && phi_->tokenBytes(-1).empty());
        QVERIFY(!phi_->addsLeadingSpace());
    }

    void knownTextsHaveTheirIds_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<std::vector<int>>("ids");
        const auto row = [](const std::string& text, std::vector<int> ids) {
            QTest::newRow(text.c_str()) << QByteArray::fromStdString(text) << ids;
        };
        row("Hello world", {15496, 995});
        row(" Hello world", {18435, 995});
        row("a  b", {64, 50286, 65});
        row("a\t\tb", {64, 50294, 65});
        row(std::string(31, ' ') + "x", {50257, 87});
        row(std::string(32, ' ') + "x", {50257, 2124});
        row("def f(x):\n    return x\n", {4299, 277, 7, 87, 2599, 198, 50284, 7783, 2124, 198});
        row("\n\n", {628});
        row("x \n y", {87, 220, 198, 331});
        row("I'm don't WE'LL we'll", {40, 1101, 836, 470, 12887, 6, 3069, 356, 1183});
        row("日本語のテキスト", {33768, 98, 17312, 105, 45739, 252, 5641, 24336, 25084, 43302});
        row("<|prompter|>hi<|endoftext|><|assistant|>",
            {27, 91, 16963, 42104, 91, 29, 5303, 50256, 27, 91, 562, 10167, 91, 29});
        row("### Human: hi### Assistant: hello", {21017, 5524, 25, 23105, 21017, 15286, 25, 23748});
        row("Instruct: Write a detailed analogy between mathematics and a lighthouse.\nOutput:",
            {43993, 25, 19430, 257, 6496, 23970, 1022, 19473, 290, 257, 46371, 13, 198, 26410, 25});
    }
    void knownTextsHaveTheirIds() {
        QFETCH(QByteArray, text);
        QFETCH(std::vector<int>, ids);
        QCOMPARE(withSpecials(*phi_, text.toStdString()), ids);
        QCOMPARE(phi_->decode(ids), text.toStdString());
    }

    void oddTextsAreThoseOfTransformers() {
        auto lines = io::LineReader::open(kData / "phi-2-tokens.jsonl");
        EXPECT_OK(lines);
        int texts = 0, differing = 0;
        while (true) {
            const auto line = lines->next();
            EXPECT_OK(line);
            if (!*line) break;
            const auto row = io::parseJson((*line)->text, "phi-2-tokens.jsonl");
            EXPECT_OK(row);
            const auto text = row->at("text").get<std::string>();
            const auto ids = row->at("ids").get<std::vector<int>>();
            const auto as_message = row->value("ids_as_message", ids);
            if (withSpecials(*phi_, text) != ids || phi_->encode(text) != as_message)
                QFAIL(qPrintable(QString("line %1").arg((*line)->number)));
            QCOMPARE(phi_->decode(ids), text);
            QCOMPARE(phi_->decode(as_message), text);
            ++texts;
            differing += ids != as_message;
        }
        QCOMPARE(texts, 520);
        QVERIFY(differing > 30);
    }

    void aMessageCannotSpellTheEnd() {
        const std::string text = "a<|endoftext|>  b";
        QCOMPARE(withSpecials(*phi_, text), (std::vector<int>{64, 50256, 50286, 65}));
        QCOMPARE(phi_->encode(text), (std::vector<int>{64, 27, 91, 437, 1659, 5239, 91, 29, 50286, 65}));
        QCOMPARE(phi_->decode({64, 50256, 65}), std::string("a<|endoftext|>b"));
        QCOMPARE(phi_->decode({64, 50256, 65}, true), std::string("ab"));
    }

    void anyBytesComeBack() {
        std::mt19937 random(11);
        for (int round = 0; round < 3000; ++round) {
            std::string text;
            const int length = static_cast<int>(random() % 60);
            for (int i = 0; i < length; ++i)  // half plain letters and spaces, half anything
                text += static_cast<char>(random() % 2 ? " \n\tabe'"[random() % 7] : static_cast<char>(random()));
            QCOMPARE(phi_->decode(phi_->encode(text)), text);
            QCOMPARE(phi_->decode(withSpecials(*phi_, text)), text);
        }
        QCOMPARE(phi_->encode("\xFF\x80"), (std::vector<int>{187, 222}));  // byte by byte
    }

    void appendsToWhatIsThere() {
        std::vector<int> ids = {1};
        phi_->encode("Hello", ids);
        phi_->encode(" world", ids);
        phi_->encode("", ids);
        QCOMPARE(ids, (std::vector<int>{1, 15496, 995}));
    }

    // Sizes at which a quadratic method would not end within the time-out.
    void hugeWordsTakeNoLongerThanTheirLength_data() {
        QTest::addColumn<QByteArray>("text");
        const auto row = [](const char* name, const std::string& text) {
            QTest::newRow(name) << QByteArray::fromStdString(text);
        };
        row("one letter", repeat("a", 4'000'000));
        row("emoji joined to families", repeat("👨‍👩‍👧", 200'000));
        row("combining marks", repeat("\u0301\u0323", 500'000));
        row("line ends", repeat("\n", 1'000'000));
        row("spaces", repeat(" ", 4'000'000));
        row("equal signs", repeat("=-", 1'000'000));
        row("ill-formed bytes", repeat("\xFF", 1'000'000));
        row("starts of the end", repeat("<|endoftext|", 300'000));
        std::string letters;
        std::mt19937 random(1);
        for (int i = 0; i < 1'000'000; ++i) letters += static_cast<char>('a' + random() % 26);
        row("random letters", letters);
    }
    void hugeWordsTakeNoLongerThanTheirLength() {
        QFETCH(QByteArray, text);
        const std::string bytes = text.toStdString();
        const std::vector<int> ids = withSpecials(*phi_, bytes);
        QVERIFY(phi_->decode(ids) == bytes);
    }

    void manyThreadsGetTheSameIds() {
        auto lines = io::LineReader::open(kData / "phi-2-tokens.jsonl");
        EXPECT_OK(lines);
        std::vector<std::string> texts;
        std::vector<std::vector<int>> expected;
        while (auto line = *lines->next()) {
            const auto row = io::parseJson(line->text, "phi-2-tokens.jsonl");
            texts.push_back(row->at("text").get<std::string>());
            expected.push_back(row->at("ids").get<std::vector<int>>());
        }
        std::atomic<int> wrong = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int round = 0; round < 5; ++round)
                    for (std::size_t i = 0; i < texts.size(); ++i) {
                        const std::size_t at = (i * 7 + static_cast<std::size_t>(t) * 131) % texts.size();
                        if (withSpecials(*phi_, texts[at]) != expected[at]) ++wrong;
                    }
            });
        for (std::thread& thread : threads) thread.join();
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_APPLESS_MAIN(BpeTokenizerTest)
#include "bpe_tokenizer_test.moc"
