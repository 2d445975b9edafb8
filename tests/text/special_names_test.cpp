// Which tokens are special, and which of them ends a text.
#include "text/special_names.h"

#include <QTemporaryDir>
#include <QtTest>

#include "text/tokenizer.h"
#include "tiny_bpe.h"

using namespace studio;
using namespace studio::test;
using namespace studio::text;

class SpecialNamesTest : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    std::filesystem::path folder_;

    void write(const char* file, const char* text) const { put(folder_ / file, text); }

  private Q_SLOTS:
    void init() {
        folder_ = dir_.path().toStdString();
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) std::filesystem::remove_all(entry);
        TinyBpe tiny;
        tiny.add("<eos>");
        tiny.write(folder_);
    }

    void theFirstFileThatNamesAnEndWins() {
        QCOMPARE((*loadTokenizer(folder_))->eos(), TinyBpe::kEos);  // none does: <|endoftext|>
        write("config.json", R"({"eos_token_id": 262})");
        QCOMPARE((*loadTokenizer(folder_))->eos(), 262);
        write("special_tokens_map.json", R"({"eos_token": {"content": "<|endoftext|>"}})");
        QCOMPARE((*loadTokenizer(folder_))->eos(), TinyBpe::kEos);
        write("tokenizer_config.json", R"({"eos_token": "<eos>"})");
        const auto tokenizer = *loadTokenizer(folder_);
        QCOMPARE(tokenizer->eosText(), std::string_view("<eos>"));
        QVERIFY(tokenizer->isSpecial(261) && tokenizer->isSpecial(262));  // both are named by a file
    }

    void withoutAnyEndLoadingFails() {
        TinyBpe tiny;
        tiny.vocabulary.back().first = "\"<other>\"";
        tiny.write(folder_);
        EXPECT_ERROR(loadTokenizer(folder_), "do not say which token ends a text");
    }

    void aPaddingTokenAddsNothing() {
        write("tokenizer_config.json", R"({"pad_token": "[PAD]", "eos_token": "<|endoftext|>", "added_tokens_decoder": {
            "263": {"content": "[PAD]", "special": true}, "264": {"content": "<x>", "special": false}}})");
        const auto tokenizer = loadTokenizer(folder_);
        EXPECT_OK(tokenizer);
        QVERIFY((*tokenizer)->tokenBytes(263).empty());
        QCOMPARE((*tokenizer)->tokenBytes(264), std::string_view("<x>"));
        QCOMPARE((*tokenizer)->encode("[PAD]").size(), std::size_t{5});
    }

    void aPaddingTokenOfTheVocabularyStaysOrdinary() {
        write("tokenizer_config.json", R"({"pad_token": "hello"})");
        const auto tokenizer = loadTokenizer(folder_);
        EXPECT_OK(tokenizer);
        QVERIFY(!(*tokenizer)->isSpecial(TinyBpe::kHello));
        QCOMPARE((*tokenizer)->encode("hello"), std::vector<int>{TinyBpe::kHello});
    }

    void anAddedPaddingTokenIsSpecial() {
        write("tokenizer_config.json", R"({"pad_token": "[PAD]"})");
        write("added_tokens.json", R"({"[PAD]": 263, "  ": 264})");
        const auto tokenizer = loadTokenizer(folder_);
        EXPECT_OK(tokenizer);
        QVERIFY((*tokenizer)->isSpecial(263) && !(*tokenizer)->isSpecial(264));
        QCOMPARE((*tokenizer)->encode("[PAD]").size(), std::size_t{5});
        QCOMPARE((*tokenizer)->encode("  "), std::vector<int>{264});
    }

    void furtherSpecialTokensAreFoundInAnyForm() {
        write("special_tokens_map.json",
              R"({"bos_token": "<eos>", "additional_special_tokens": ["<x>", {"content": "<y>"}],
            "extra_special_tokens": {"image": "<z>"}})");
        write("added_tokens.json", R"({"<x>": 263, "<y>": 264, "<z>": 265, "<w>": 266})");
        const auto tokenizer = *loadTokenizer(folder_);
        for (const int id : {261, 262, 263, 264, 265}) QVERIFY(tokenizer->isSpecial(id));
        QVERIFY(!tokenizer->isSpecial(266));
        std::vector<int> ids;
        tokenizer->encodeWithSpecials("<x><eos><w>", ids);
        QCOMPARE(ids, (std::vector<int>{263, 262, 266}));
    }

    void aChatTemplateIsNeverLookedAt() {
        write("tokenizer_config.json", R"({"chat_template": "{{ ''.__class__ }}", "eos_token": "<eos>"})");
        EXPECT_OK(loadTokenizer(folder_));
        write("tokenizer_config.json", R"({"chat_template": [1, {"name": 2}], "eos_token": "<eos>"})");
        EXPECT_OK(loadTokenizer(folder_));
    }

    void brokenFilesAreRefused_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const char* file, const char* text, const char* phrase) {
            QTest::newRow(name) << QString(file) << QByteArray(text) << QString(phrase);
        };
        const char* const config = "tokenizer_config.json";
        row("not JSON", config, "{", "tokenizer_config.json");
        row("a list", config, "[]", "tokenizer_config.json: an object is expected");
        row("eos of a wrong type", config, R"({"eos_token": 5})", "\"eos_token\": a token's spelling must be a string");
        row("eos without content", config, R"({"eos_token": {"x": 1}})", "the token has no \"content\"");
        row("unknown eos", config, R"({"eos_token": "<none>"})",
            "tokenizer_config.json: the end-of-text token \"<none>\" is not in the vocabulary");
        row("a plain byte as eos", config, R"({"eos_token": "A"})", "the special token \"A\" is a plain byte");
        row("a word as eos", config, R"({"eos_token": "hello"})", "would make the special or added token \"hello\"");
        row("list of numbers", config, R"({"additional_special_tokens": [1]})",
            "\"additional_special_tokens\": a token's");
        row("no list", config, R"({"additional_special_tokens": "<x>"})", "a list of tokens is expected");
        row("decoder of a wrong type", config, R"({"added_tokens_decoder": []})",
            "an object from ids to tokens is expected");
        row("id that is none", config, R"({"added_tokens_decoder": {"x": {"content": "<x>"}}})",
            "\"x\": ids are whole numbers");
        row("id too large", config, R"({"added_tokens_decoder": {"1048576": {"content": "<x>"}}})",
            "whole numbers below 1048576");
        row("other id than in the vocabulary", config, R"({"added_tokens_decoder": {"300": {"content": "<eos>"}}})",
            "the token \"<eos>\" has the id 300, but 262 in vocab.json");
        row("id of another token", config, R"({"added_tokens_decoder": {"262": {"content": "<x>"}}})",
            "both have the id 262");
        row("flag of a wrong type", config, R"({"added_tokens_decoder": {"263": {"content": "<x>", "special": 1}}})",
            "\"special\" must be true or false");
        row("flag that is not honoured", config,
            R"({"added_tokens_decoder": {"263": {"content": "<x>", "lstrip": true}}})",
            "the added token \"<x>\" has the flag lstrip, which is not supported");
        row("prefix", config, R"({"add_prefix_space": true})", "\"add_prefix_space\" is on, which is not supported");
        row("eos id without token", "config.json", R"({"eos_token_id": 400})", "no token has the id 400");
        row("eos id of a wrong type", "config.json", R"({"eos_token_id": "x"})", "ids are whole numbers below 1048576");
        row("negative eos id", "config.json", R"({"eos_token_id": -1})", "ids are whole numbers below 1048576");
    }
    void brokenFilesAreRefused() {
        QFETCH(QString, file);
        QFETCH(QByteArray, text);
        QFETCH(QString, phrase);
        write(file.toUtf8().constData(), text.constData());
        EXPECT_ERROR(loadTokenizer(folder_), phrase.toStdString());
    }
};

QTEST_APPLESS_MAIN(SpecialNamesTest)
#include "special_names_test.moc"
