#include <sentencepiece_processor.h>

#include <QTemporaryDir>
#include <QtTest>
#include <random>

#include "io/json.h"
#include "io/line_reader.h"
#include "support/expect.h"
#include "text/tokenizer.h"

using namespace studio;
using namespace studio::test;
using namespace studio::text;

namespace {

const std::filesystem::path kRoot = STUDIO_SOURCE_DIR;
const std::filesystem::path kData = kRoot / "tests/reference/data/sentencepiece";

std::vector<int> withSpecials(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<int> ids;
    tokenizer.encodeWithSpecials(text, ids);
    return ids;
}

struct Probe {
    std::string text;
    std::vector<int> ids;
};
std::vector<Probe> probes(const std::filesystem::path& file) {
    std::vector<Probe> all;
    auto lines = io::LineReader::open(file);
    while (auto line = *lines->next()) {
        const auto row = io::parseJson(line->text, "tokens.jsonl");
        all.push_back({row->at("text").get<std::string>(), row->at("ids").get<std::vector<int>>()});
    }
    return all;
}

}  // namespace

class SentencepieceTest : public QObject {
    Q_OBJECT

    std::shared_ptr<const Tokenizer> llama_, unigram_, own_;

  private Q_SLOTS:
    void initTestCase() {
        const auto load = [](const std::filesystem::path& folder, std::shared_ptr<const Tokenizer>& into) {
            auto loaded = loadTokenizer(folder);
            EXPECT_OK(loaded);
            into = *loaded;
        };
        load(kData, llama_);
        load(kData / "unigram", unigram_);
        load(kRoot / "resources/demo/model", own_);
        QVERIFY(llama_ && unigram_ && own_);
    }

    void idsAreThoseOfTheLibrary() {
        int compared = 0;
        for (const Probe& probe : probes(kData / "tokens.jsonl")) {
            if (probe.text.find("<|end|>") != std::string::npos) continue;
            QVERIFY2(llama_->encode(probe.text) == probe.ids, probe.text.c_str());
            ++compared;
        }
        QVERIFY(compared > 100);
        for (const Probe& probe : probes(kData / "unigram/tokens.jsonl"))
            QVERIFY2(unigram_->encode(probe.text) == probe.ids, probe.text.c_str());
    }

    // Words are looked up and mostly merged without the library; the whole text given to it must have the same ids.
    void wordsByThemselvesAreThoseOfTheLibrary() {
        std::mt19937 random(4);
        const std::vector<std::string> parts = {"the", " and", "tion", "  ",   "\n", "\n\n", "\t",   ".\n",
                                                "a",   "e",    "q",    "Z",    "'s", "123",  "==",   "-",
                                                "日",  "é",    "🙂", "<",    "|>", " ",    "\t\t", "(",
                                                ");",  "qzx",  "\x7f", "\x01", "| ", "```"};
        for (const auto& [folder, tokenizer] :
             {std::pair(kData, llama_), std::pair(kRoot / "resources/demo/model", own_)}) {
            sentencepiece::SentencePieceProcessor library;
            QVERIFY(library.Load((folder / "tokenizer.model").string()).ok());
            for (int round = 0; round < 3000; ++round) {
                std::string text;
                const int count = static_cast<int>(random() % 30);
                for (int i = 0; i < count; ++i)
                    text += random() % 3 ? parts[random() % parts.size()]
                                         : std::string(1, static_cast<char>(32 + random() % 95));
                if (text.find("<|end|>") != std::string::npos) continue;
                std::vector<int> expected;
                QVERIFY(library.Encode(text, &expected).ok());
                QVERIFY2(tokenizer->encode(text) == expected, text.c_str());
            }
        }
    }

    void whatIsEncodedComesBack() {
        for (const Probe& probe : probes(kData / "tokens.jsonl"))
            for (const Tokenizer* tokenizer : {llama_.get(), own_.get()}) {
                QCOMPARE(tokenizer->decode(tokenizer->encode(probe.text)), probe.text);
                QCOMPARE(tokenizer->decode(withSpecials(*tokenizer, probe.text)), probe.text);
            }
    }

    void anyBytesComeBack() {
        std::mt19937 random(2);
        const std::vector<std::string> parts = {"a",
                                                "the ",
                                                " ",
                                                "  ",
                                                "\n",
                                                "\t",
                                                "ä",
                                                "日",
                                                "🙂",
                                                "\u2581",
                                                "\u2581\u2581",
                                                std::string(1, '\0'),
                                                "\xFF",
                                                "\xE2\x96",
                                                "\xC3",
                                                "7",
                                                ".",
                                                "\u0301",
                                                "</s>"};
        for (int round = 0; round < 3000; ++round) {
            std::string text;
            const int count = static_cast<int>(random() % 20);
            for (int i = 0; i < count; ++i) text += parts[random() % parts.size()];
            for (const Tokenizer* tokenizer : {llama_.get(), own_.get()}) {
                QCOMPARE(tokenizer->decode(tokenizer->encode(text)), text);
                QCOMPARE(tokenizer->decode(withSpecials(*tokenizer, text)), text);
            }
        }
    }

    void theBuiltInModelGivesTextAsItIs() {
        QVERIFY(!own_->addsLeadingSpace());
        QCOMPARE(own_->eosText(), std::string_view("</s>"));
        QVERIFY(own_->encode("").empty());
        std::string joined;
        for (const int id : own_->encode(" a b")) joined += own_->tokenBytes(id);
        QCOMPARE(joined, std::string(" a b"));
    }

    void aSpaceIsPutBeforeTheTextAndTakenAway() {
        QVERIFY(llama_->addsLeadingSpace() && unigram_->addsLeadingSpace());
        std::string joined;
        for (const int id : llama_->encode("a b")) joined += llama_->tokenBytes(id);
        QCOMPARE(joined, std::string(" a b"));
        QCOMPARE(llama_->decode(llama_->encode("a b")), std::string("a b"));
        QCOMPARE(llama_->decode(llama_->encode(" a b")), std::string(" a b"));
        QVERIFY(llama_->encode("").empty());
    }

    void aMessageCannotSpellASpecial() {
        QCOMPARE(llama_->eos(), 3);
        QCOMPARE(llama_->eosText(), std::string_view("<|end|>"));
        for (const char* text : {"<|end|>", "a<|end|>b", "<s>", "</s>", "<unk>", "a </s>"})
            for (const Tokenizer* tokenizer : {llama_.get(), own_.get(), unigram_.get()}) {
                const std::vector<int> ids = tokenizer->encode(text);
                const auto special = [&](int id) {
                    return tokenizer->isSpecial(id) && tokenizer->tokenBytes(id) != "<unk>";
                };
                QVERIFY2(std::none_of(ids.begin(), ids.end(), special), text);
            }
        QCOMPARE(llama_->decode(llama_->encode("a<|end|>b")), std::string("a<|end|>b"));
    }

    void specialsAreFoundWhereTheyAreWanted() {
        const std::vector<int> a = llama_->encode("a");
        const std::vector<int> ids = withSpecials(*llama_, "a<|end|></s><s>");
        QCOMPARE(ids, (std::vector<int>{a[0], 3, 2, 1}));
        QCOMPARE(llama_->decode(ids, true), std::string("a"));
        QCOMPARE(withSpecials(*own_, "</s>"), std::vector<int>{own_->eos()});
        // As the library finds a user-defined piece.
        for (const Probe& probe : probes(kData / "tokens.jsonl"))
            if (probe.text == "a<|end|>b") QCOMPARE(withSpecials(*llama_, probe.text), probe.ids);
    }

    void userDefinedPiecesThatAreNotSpecialStay() {
        const std::vector<int> ids = llama_->encode("x\t\ty");
        QVERIFY(std::find(ids.begin(), ids.end(), 4) != ids.end());
        QCOMPARE(llama_->tokenBytes(4), std::string_view("\t\t"));
    }

    void longTextsComeBackAndTakeNoLongerThanTheirLength() {
        const auto check = [](const Tokenizer& tokenizer, const std::string& text) {
            return tokenizer.decode(tokenizer.encode(text)) == text;
        };
        std::string words, signs;
        for (int i = 0; i < 100'000; ++i) words += "some words 日本 ";
        for (int i = 0; i < 100'000; ++i) signs += "\u2581\xFF";
        for (const Tokenizer* tokenizer : {llama_.get(), own_.get()}) {
            QVERIFY(check(*tokenizer, words));
            QVERIFY(check(*tokenizer, signs));
            QVERIFY(check(*tokenizer, std::string(1'500'000, 'a')));
        }
    }

    void tokensOfOtherFilesAreAdded() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        std::filesystem::copy_file(kData / "tokenizer.model", folder / "tokenizer.model");
        put(folder / "added_tokens.json", "{\"[PAD]\": 900, \"<x>\": 901}");
        put(folder / "tokenizer_config.json", R"({"pad_token": "[PAD]", "eos_token": "</s>"})");
        const auto tokenizer = loadTokenizer(folder);
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->size(), 902);
        QCOMPARE((*tokenizer)->eos(), 2);
        QVERIFY((*tokenizer)->isSpecial(900) && !(*tokenizer)->isSpecial(901));
        const std::vector<int> ids = (*tokenizer)->encode("[PAD]<x>");
        QVERIFY(std::find(ids.begin(), ids.end(), 900) == ids.end());
        QCOMPARE(ids.back(), 901);
        put(folder / "added_tokens.json", "{\"<x>\": 5}");
        EXPECT_ERROR(loadTokenizer(folder), "the id 5 is the piece \"<0x00>\", but \"<x>\" in the files beside it");
        put(folder / "added_tokens.json", "{\"<x>\": 900, \"<y>\": 900}");
        EXPECT_ERROR(loadTokenizer(folder), "both have the id 900");
    }

    void anEndThatIsNoSpecialPieceIsRefused() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        std::filesystem::copy_file(kData / "tokenizer.model", folder / "tokenizer.model");
        put(folder / "special_tokens_map.json", R"({"eos_token": "e"})");
        EXPECT_ERROR(loadTokenizer(folder), "the special token \"e\" is an ordinary piece");
        put(folder / "special_tokens_map.json", R"({"eos_token": "<|none|>"})");
        EXPECT_ERROR(loadTokenizer(folder), "\"<|none|>\" is not in tokenizer.model");
        std::filesystem::remove(folder / "special_tokens_map.json");
        put(folder / "config.json", R"({"eos_token_id": 800})");
        EXPECT_ERROR(loadTokenizer(folder), "the id 800, which should end a text, is no special token");
        put(folder / "config.json", R"({"eos_token_id": [2, 3]})");
        EXPECT_OK(loadTokenizer(folder));
    }

    void aTooLargeFileIsRefused() {
        const QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        std::filesystem::copy_file(kData / "tokenizer.model", folder / "tokenizer.model");
        std::filesystem::resize_file(folder / "tokenizer.model", 100u << 20);
        EXPECT_ERROR(loadTokenizer(folder), "tokenizer.model");
    }
};

QTEST_APPLESS_MAIN(SentencepieceTest)
#include "sentencepiece_test.moc"
