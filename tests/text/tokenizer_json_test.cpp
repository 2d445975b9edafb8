#include <QTemporaryDir>
#include <QtTest>
#include <functional>

#include "io/file.h"
#include "io/json.h"
#include "text/tokenizer.h"
#include "tiny_bpe.h"

using namespace studio;
using namespace studio::test;
using namespace studio::text;

using Edit = std::function<void(io::Json&)>;
Q_DECLARE_METATYPE(Edit)

namespace {

// The tiny BPE as one file.
io::Json tinyJson() {
    io::Json vocabulary = io::Json::object();
    for (const auto& [spelling, id] : TinyBpe().vocabulary)
        vocabulary[io::Json::parse(spelling).get<std::string>()] = std::stoi(id);
    const auto added = [](const char* content, int id, bool special) {
        return io::Json{{"id", id},        {"content", content},     {"single_word", false}, {"lstrip", false},
                        {"rstrip", false}, {"normalized", !special}, {"special", special}};
    };
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", io::Json::array({added("<|endoftext|>", 261, true), added("  ", 262, false)})},
            {"normalizer", nullptr},
            {"pre_tokenizer",
             {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
            {"post_processor", {{"type", "ByteLevel"}, {"add_prefix_space", true}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model",
             {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"continuing_subword_prefix", ""},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", false},
              {"vocab", vocabulary},
              {"merges", {"h e", "l l", "he ll", "hell o", "\u0120 he"}}}}};
}

}  // namespace

class TokenizerJsonTest : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    std::filesystem::path folder_;

    Result<std::shared_ptr<const Tokenizer>> load(const io::Json& json) const {
        put(folder_ / "tokenizer.json", json.dump(1));
        return loadTokenizer(folder_);
    }

  private Q_SLOTS:
    void init() {
        folder_ = dir_.path().toStdString();
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) std::filesystem::remove_all(entry);
    }

    void worksLikeTheThreeFiles() {
        const auto tokenizer = load(tinyJson());
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->eos(), TinyBpe::kEos);
        QVERIFY((*tokenizer)->isSpecial(261) && !(*tokenizer)->isSpecial(262));
        QCOMPARE((*tokenizer)->encode("hello  hex"), (std::vector<int>{TinyBpe::kHello, 262, 256, 'x'}));
        std::vector<int> ids;
        (*tokenizer)->encodeWithSpecials("<|endoftext|> he", ids);
        QCOMPARE(ids, (std::vector<int>{261, 260}));
    }

    void mergesMayBePairs() {
        io::Json json = tinyJson();
        json["model"]["merges"] =
            io::Json::array({{"h", "e"}, {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {"\u0120", "he"}});
        const auto tokenizer = load(json);
        EXPECT_OK(tokenizer);
        QCOMPARE((*tokenizer)->encode("hello"), std::vector<int>{TinyBpe::kHello});
    }

    void partsMayComeInAnyOrder() {
        io::Json reversed = io::Json::object();
        const io::Json json = tinyJson();
        for (auto part = json.rbegin(); part != json.rend(); ++part) reversed[part.key()] = part.value();
        EXPECT_OK(load(reversed));
    }

    // The whole of phi-2, put together from its files.
    void phi2sFilesAsOneGiveTheSameIds() {
        const std::filesystem::path phi = std::filesystem::path(STUDIO_SOURCE_DIR) / "tests/reference/data/phi-2";
        std::string merges, added;
        const std::string lines = slurp(phi / "merges.txt");
        for (std::size_t begin = lines.find('\n') + 1; begin < lines.size();) {
            const std::size_t end = lines.find('\n', begin);
            merges += (merges.empty() ? "" : ",") + io::Json(lines.substr(begin, end - begin)).dump();
            begin = end + 1;
        }
        const io::Json ids = *io::readJson(phi / "added_tokens.json");
        for (const auto& [content, id] : ids.items())
            added += (added.empty() ? "" : ",") + io::Json{{"content", content}, {"id", id}, {"special", false}}.dump();
        put(folder_ / "tokenizer.json",
            R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "added_tokens": [)" + added +
                R"(], "model": {"vocab": )" + slurp(phi / "vocab.json") + ", \"merges\": [" + merges + "]}}");
        const auto one = loadTokenizer(folder_), three = loadTokenizer(phi);
        EXPECT_OK(one);
        EXPECT_OK(three);
        QCOMPARE((*one)->size(), 50295);
        for (const char* text : {"Hello world", "a  b\t\tc", "日本語のテキスト", "I'm don't <|endoftext|>"}) {
            std::vector<int> a, b;
            (*one)->encodeWithSpecials(text, a);
            (*three)->encodeWithSpecials(text, b);
            QCOMPARE(a, b);
            QCOMPARE((*one)->encode(text), (*three)->encode(text));
        }
    }

    void filesOfAnotherKindAreRefused_data() {
        QTest::addColumn<Edit>("edit");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const char* phrase, Edit edit) {
            QTest::newRow(name) << edit << QString(phrase);
        };
        row("word piece", "the model is \"WordPiece\", not \"BPE\"",
            [](io::Json& j) { j["model"]["type"] = "WordPiece"; });
        row("unigram", "the vocabulary is not an object", [](io::Json& j) {
            j["model"].erase("type");
            j["model"]["vocab"] = io::Json::array({io::Json::array({"<unk>", 0.0})});
        });
        row("normaliser", "changes the text before it is cut", [](io::Json& j) {
            j["normalizer"] = {{"type", "NFC"}};
        });
        row("other pattern", "the pre-tokenizer is \"Sequence\"",
            [](io::Json& j) { j["pre_tokenizer"]["type"] = "Sequence"; });
        row("no pre-tokenizer", "there is no byte-level pre-tokenizer",
            [](io::Json& j) { j["pre_tokenizer"] = nullptr; });
        row("prefix", "\"add_prefix_space\": true", [](io::Json& j) { j["pre_tokenizer"]["add_prefix_space"] = true; });
        row("no pattern", "\"use_regex\": false", [](io::Json& j) { j["pre_tokenizer"]["use_regex"] = false; });
        row("dropout", "left out at random", [](io::Json& j) { j["model"]["dropout"] = 0.1; });
        row("suffix", "\"end_of_word_suffix\" is set", [](io::Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; });
        row("byte fallback", "\"byte_fallback\" is on", [](io::Json& j) { j["model"]["byte_fallback"] = true; });
        row("whole words first", "\"ignore_merges\" is on", [](io::Json& j) { j["model"]["ignore_merges"] = true; });
        row("strips spaces", "has the flag rstrip, which is not supported",
            [](io::Json& j) { j["added_tokens"][0]["rstrip"] = true; });
    }
    void filesOfAnotherKindAreRefused() {
        QFETCH(Edit, edit);
        QFETCH(QString, phrase);
        io::Json json = tinyJson();
        edit(json);
        const auto loaded = load(json);
        EXPECT_ERROR(loaded, phrase.toStdString());
        QCOMPARE(loaded.error().code, ErrorCode::Unsupported);
    }

    void brokenFilesAreRefused_data() {
        QTest::addColumn<Edit>("edit");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const char* phrase, Edit edit) {
            QTest::newRow(name) << edit << QString(phrase);
        };
        row("hole", "tokenizer.json, line", [](io::Json& j) { j["model"]["vocab"].erase("he"); });
        row("duplicate id", "both have the id 257", [](io::Json& j) { j["model"]["vocab"]["hell"] = 257; });
        row("id too large", "ids are from 0 to 1048575", [](io::Json& j) { j["model"]["vocab"]["hell"] = 1 << 20; });
        row("id of a wrong type", "is not a whole number", [](io::Json& j) { j["model"]["vocab"]["hell"] = "x"; });
        row("merge of one", "a merge is two tokens, this one has 1",
            [](io::Json& j) { j["model"]["merges"][1] = "ll"; });
        row("merge of three", "a merge is two tokens, this one has 3",
            [](io::Json& j) { j["model"]["merges"][1] = "l l l"; });
        row("pair of three", "a merge is two tokens, this one has 3", [](io::Json& j) {
            j["model"]["merges"][1] = io::Json::array({"l", "l", "l"});
        });
        row("merge of numbers", "tokenizer.json, line", [](io::Json& j) {
            j["model"]["merges"][1] = io::Json::array({1, 2});
        });
        row("merge that is a number", "tokenizer.json, line", [](io::Json& j) { j["model"]["merges"][1] = 5; });
        row("unknown merge", "needs the token \"xy\", which tokenizer.json does not have",
            [](io::Json& j) { j["model"]["merges"][1] = "x y"; });
        row("merges of a wrong type", "tokenizer.json", [](io::Json& j) { j["model"]["merges"] = "h e"; });
        row("no merges", "\"vocab\" or \"merges\" is missing", [](io::Json& j) { j["model"].erase("merges"); });
        row("no vocabulary", "\"vocab\" or \"merges\" is missing", [](io::Json& j) { j["model"].erase("vocab"); });
        row("no model", "\"vocab\" or \"merges\" is missing", [](io::Json& j) { j.erase("model"); });
        row("model of a wrong type", "tokenizer.json", [](io::Json& j) { j["model"] = 5; });
        row("type of a wrong type", "\"type\" must be a string", [](io::Json& j) { j["model"]["type"] = 5; });
        row("flag of a wrong type", "\"ignore_merges\" must be true or false",
            [](io::Json& j) { j["model"]["ignore_merges"] = 5; });
        row("added token without id", "an added token needs an id",
            [](io::Json& j) { j["added_tokens"][1].erase("id"); });
        row("added token without content", "needs a \"content\"",
            [](io::Json& j) { j["added_tokens"][1].erase("content"); });
        row("added token of another's id", "both have the id 257",
            [](io::Json& j) { j["added_tokens"][1]["id"] = 257; });
        row("added token twice", "is there twice", [](io::Json& j) { j["added_tokens"][1] = j["added_tokens"][0]; });
        row("added tokens of a wrong type", "tokenizer.json", [](io::Json& j) { j["added_tokens"] = 5; });
    }
    void brokenFilesAreRefused() {
        QFETCH(Edit, edit);
        QFETCH(QString, phrase);
        io::Json json = tinyJson();
        edit(json);
        const auto loaded = load(json);
        EXPECT_ERROR(loaded, phrase.toStdString());
        QCOMPARE(loaded.error().code, ErrorCode::Corrupt);
    }

    void textThatIsNotTheJsonIsRefused_data() {
        QTest::addColumn<QByteArray>("text");
        for (const char* text :
             {"", "{", "[]", "5", "nonsense", "{} {}", "{\"model\": {\"vocab\": {\"a\": 1}, \"vocab\": {}}}"})
            QTest::newRow(text) << QByteArray(text);
        QTest::newRow("deep") << QByteArray(100'000, '[');
        QTest::newRow("deep inside") << "{\"x\": " + QByteArray(5000, '[') + QByteArray(5000, ']') + "}";
        QTest::newRow("cut off") << QByteArray::fromStdString(tinyJson().dump()).chopped(300);
    }
    void textThatIsNotTheJsonIsRefused() {
        QFETCH(QByteArray, text);
        put(folder_ / "tokenizer.json", text.toStdString());
        EXPECT_ERROR(loadTokenizer(folder_), "tokenizer.json");
    }
};

QTEST_APPLESS_MAIN(TokenizerJsonTest)
#include "tokenizer_json_test.moc"
