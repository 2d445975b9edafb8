#include <fmt/format.h>

#include <QTemporaryDir>
#include <QtTest>
#include <functional>

#include "byte_tokenizer.h"
#include "dataset/make_examples.h"
#include "dataset/prepared.h"
#include "dataset/stream.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "support/expect.h"
#include "trees.h"

using namespace studio;
using namespace studio::dataset;
namespace fs = std::filesystem;

namespace {

Examples make(PathPolicy policy, TrainOn train_on = TrainOn::Assistant) {
    ExampleOptions options;
    options.paths = policy;
    options.train_on = train_on;
    options.max_seq_length = 50;
    options.validation_fraction = 0.2;
    return makeExamples(test::randomForest(4), test::ByteTokenizer(), test::ShortTemplate(), options).value();
}

Provenance provenance() {
    Provenance from;
    from.sources = {{"a.jsonl.gz", std::string(64, 'a'), 123'456'789'012}, {"β.jsonl", std::string(64, '0'), 0}};
    from.filter = "lang:en rank<2 \"quoted\"";
    from.chat_template = "short";
    from.tokenizer_sha256 = std::string(64, 'f');
    from.vocab_size = 258;
    from.eos = 256;
    from.validation_fraction = 0.2;
    from.seed = 0xffff'ffff'ffff'fffful;
    return from;
}

Result<void> write(const fs::path& folder, const Examples& examples) {
    io::FileOps ops;
    return writePrepared(ops, folder, examples, provenance());
}

bool equal(const Examples& a, const Examples& b) {
    return a.paths == b.paths && a.train_on == b.train_on && a.max_seq_length == b.max_seq_length &&
           a.tree_ids == b.tree_ids && a.message_ids == b.message_ids && a.split == b.split &&
           a.statistics == b.statistics && a.example_tree == b.example_tree &&
           a.example_last_message == b.example_last_message && a.span_end == b.span_end && a.token_end == b.token_end &&
           a.spans == b.spans && a.tokens == b.tokens && a.kinds == b.kinds && a.supervised == b.supervised;
}

// The tensors of a folder, to change one and write them back with a manifest that agrees.
using Arrays = std::map<std::string, std::pair<io::TensorInfo, std::vector<std::byte>>>;

void rewrite(const fs::path& folder, const std::function<void(Arrays&)>& change) {
    Arrays arrays;
    const auto file = io::SafetensorsFile::open(folder / "tokens.safetensors").value();
    for (const io::TensorInfo& tensor : file.tensors()) arrays[tensor.name] = {tensor, file.read(tensor).value()};
    change(arrays);
    std::vector<io::TensorView> views;
    for (const auto& [name, array] : arrays) {
        const std::uint64_t size = array.second.size();
        views.push_back({name,
                         array.first.dtype,
                         {static_cast<std::int64_t>(size * 8 / io::bitSize(array.first.dtype))},
                         array.second.data(),
                         size});
    }
    io::FileOps ops;
    QVERIFY(io::writeSafetensors(ops, folder / "tokens.safetensors", views, {}));
    auto manifest = io::readJson(folder / "manifest.json").value();
    manifest["tokens"]["sha256"] = io::sha256File(folder / "tokens.safetensors").value();
    test::put(folder / "manifest.json", manifest.dump());
}

template <class T>
T& item(Arrays& arrays, const char* name, std::size_t index) {
    return reinterpret_cast<T*>(arrays.at(name).second.data())[index];
}

}  // namespace

class PreparedTest : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    int next_ = 0;
    fs::path folder() { return fs::path(dir_.path().toStdString()) / fmt::format("prepared {}", next_++); }

  private Q_SLOTS:
    void readsBackWhatItWrote_data() {
        QTest::addColumn<int>("policy");
        QTest::addColumn<int>("train_on");
        for (const auto policy : {PathPolicy::Best, PathPolicy::Leaves, PathPolicy::Replies, PathPolicy::Tree})
            for (const auto train_on : {TrainOn::Assistant, TrainOn::All})
                QTest::addRow("%s, %s", name(policy).data(), name(train_on).data())
                    << static_cast<int>(policy) << static_cast<int>(train_on);
    }
    void readsBackWhatItWrote() {
        QFETCH(int, policy);
        QFETCH(int, train_on);
        const auto examples =
            std::make_shared<const Examples>(make(static_cast<PathPolicy>(policy), static_cast<TrainOn>(train_on)));
        const fs::path at = folder();
        EXPECT_OK(write(at, *examples));
        QVERIFY(isPreparedFolder(at));
        auto read = readPrepared(at);
        EXPECT_OK(read);
        QCOMPARE(read->provenance, provenance());
        QVERIFY(equal(read->examples, *examples));

        StreamOptions options;
        options.packing = options.shuffle = true;
        options.max_rows = 120;
        const auto again = std::make_shared<const Examples>(std::move(read->examples));
        auto one = ExampleStream::make(examples, examples->of(Split::Train), options).value();
        auto two = ExampleStream::make(again, again->of(Split::Train), options).value();
        for (Batch a, b; one->next(a).value();) {
            QVERIFY(two->next(b).value());
            QCOMPARE(a, b);
        }
    }

    void writesTheSameBytesTwice() {
        const Examples examples = make(PathPolicy::Tree);
        const fs::path one = folder(), two = folder();
        EXPECT_OK(write(one, examples));
        EXPECT_OK(write(two, examples));
        for (const char* file : {"manifest.json", "tokens.safetensors"})
            QCOMPARE(test::slurp(one / file), test::slurp(two / file));
    }

    void carriesAnEmptyDataset() {
        const Examples nothing =
            makeExamples({}, test::ByteTokenizer(), test::ShortTemplate(), ExampleOptions()).value();
        const fs::path at = folder();
        EXPECT_OK(write(at, nothing));
        const auto read = readPrepared(at);
        EXPECT_OK(read);
        QVERIFY(equal(read->examples, nothing));
    }

    void replacesAnEarlierPrepare() {
        const fs::path at = folder();
        EXPECT_OK(write(at, make(PathPolicy::Best)));
        EXPECT_OK(write(at, make(PathPolicy::Tree)));
        QCOMPARE(readPrepared(at).value().examples.paths, PathPolicy::Tree);
    }

    void keepsItsHandsOffOtherFolders() {
        const fs::path at = folder();
        fs::create_directories(at);
        test::put(at / "adapter_model.safetensors", "mine");
        test::put(at / "manifest.json", "{}");
        QVERIFY(!isPreparedFolder(at));
        EXPECT_ERROR(write(at, make(PathPolicy::Best)), "holds other files");
        QCOMPARE(test::slurp(at / "manifest.json"), std::string("{}"));
        test::put(at / "file", "");
        EXPECT_ERROR(write(at / "file", make(PathPolicy::Best)), "file");
        EXPECT_ERROR(readPrepared(at), "prepared data");
    }

    // Whichever system call fails, once or from then on: what is taken for sound is the old data or the new.
    void survivesFailureAtAnyPoint_data() {
        QTest::addColumn<QString>("plan");
        QTest::newRow("once") << "ENOSPC:once:%1";
        QTest::newRow("for ever") << "ENOSPC:always:%1";
    }
    void survivesFailureAtAnyPoint() {
        QFETCH(QString, plan);
        const Examples before = make(PathPolicy::Best), after = make(PathPolicy::Tree);
        int failures = 0;
        for (int call = 1;; ++call) {
            const fs::path fresh = folder(), existing = folder();
            EXPECT_OK(write(existing, before));
            const auto written = [&](const fs::path& at) {
                const auto ops = io::faultyFileOps(plan.arg(call).toStdString()).value();
                return writePrepared(*ops, at, after, provenance());
            };
            const auto result = written(fresh);
            if (result) break;
            ++failures;
            EXPECT_ERROR(result, "no space left");
            if (plan.contains("once")) QVERIFY(!fs::exists(fresh));
            if (const auto read = readPrepared(fresh)) QVERIFY(equal(read->examples, after));

            QVERIFY(!written(existing));
            const auto read = readPrepared(existing);
            if (read)
                QVERIFY(equal(read->examples, before) || equal(read->examples, after));
            else
                EXPECT_ERROR(read, "prepare again");
            EXPECT_OK(write(existing, after));  // and the cure works
            EXPECT_OK(readPrepared(existing));
        }
        QVERIFY(failures >= 10);
    }

    void refusesDamagedTokens_data() {
        QTest::addColumn<std::function<void(Arrays&)>>("change");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* name, const char* phrase, std::function<void(Arrays&)> change) {
            QTest::newRow(name) << std::move(change) << QString(phrase);
        };
        row("token too large", "vocabulary", [](Arrays& a) { item<int>(a, "tokens", 3) = 258; });
        row("token negative", "vocabulary", [](Arrays& a) { item<int>(a, "tokens", 3) = -1; });
        row("kind", "kind", [](Arrays& a) { item<std::uint8_t>(a, "kinds", 0) = 6; });
        row("target", "neither", [](Arrays& a) { item<std::uint8_t>(a, "supervised", 1) = 2; });
        row("first token a target", "first token", [](Arrays& a) { item<std::uint8_t>(a, "supervised", 0) = 1; });
        row("prompter's token a target", "no assistant wrote",
            [](Arrays& a) { item<std::uint8_t>(a, "supervised", 1) = 1; });
        row("no target at all", "no target", [](Arrays& a) {
            for (std::byte& flag : a.at("supervised").second) flag = std::byte{0};
        });
        row("one target fewer", "counts", [](Arrays& a) {
            std::size_t i = a.at("supervised").second.size();
            while (item<std::uint8_t>(a, "supervised", i - 1) == 0) --i;
            item<std::uint8_t>(a, "supervised", i - 1) = 0;
            item<std::uint8_t>(a, "supervised", i - 2) = 1;
            item<std::uint8_t>(a, "supervised", i - 3) = 0;
        });
        row("split", "split", [](Arrays& a) { item<std::uint8_t>(a, "tree_split", 0) = 2; });
        row("tree", "nowhere", [](Arrays& a) { item<int>(a, "example_tree", 0) = 1'000'000; });
        row("message", "nowhere", [](Arrays& a) { item<int>(a, "span_message", 0) = -1; });
        row("last message", "nowhere", [](Arrays& a) { item<int>(a, "example_last_message", 0) = -5; });
        row("parent after child", "does not follow", [](Arrays& a) { item<int>(a, "span_parent", 1) = 1; });
        row("parent below none", "does not follow", [](Arrays& a) { item<int>(a, "span_parent", 1) = -2; });
        row("span size", "impossible length", [](Arrays& a) { item<int>(a, "span_tokens", 0) = 0; });
        row("span sizes beyond counting", "impossible length", [](Arrays& a) {
            item<int>(a, "span_tokens", 0) = 50;
            item<int>(a, "span_tokens", 1) = std::numeric_limits<int>::max();
        });
        row("span sizes sum", "own all tokens", [](Arrays& a) { --item<int>(a, "span_tokens", 0); });
        row("spans of an example", "own the spans",
            [](Arrays& a) { item<int>(a, "example_spans", 0) = 1'000'000'000; });
        row("no spans", "own the spans", [](Arrays& a) { item<int>(a, "example_spans", 0) = 0; });
        row("ids overlap", "one after the other", [](Arrays& a) { item<std::int64_t>(a, "tree_id_ends", 1) = 0; });
        row("ids beyond", "one after the other",
            [](Arrays& a) { item<std::int64_t>(a, "message_id_ends", 0) = std::numeric_limits<std::int64_t>::max(); });
        row("more bytes than ids", "more bytes", [](Arrays& a) { a.at("tree_id_bytes").second.resize(9999); });
        row("lists differ", "differ in number", [](Arrays& a) { a.at("kinds").second.pop_back(); });
        row("no tokens", "no list “tokens”", [](Arrays& a) { a.erase("tokens"); });
        row("tokens of another type", "no list “tokens”",
            [](Arrays& a) { a.at("tokens").first.dtype = io::DType::F32; });
    }
    void refusesDamagedTokens() {
        QFETCH(std::function<void(Arrays&)>, change);
        QFETCH(QString, phrase);
        const fs::path at = folder();
        EXPECT_OK(write(at, make(PathPolicy::Tree)));
        rewrite(at, [](Arrays&) {});
        EXPECT_OK(readPrepared(at));
        rewrite(at, change);
        EXPECT_ERROR(readPrepared(at), phrase.toStdString());
    }

    void refusesAPathThatIsNoChain() {
        const fs::path at = folder();
        EXPECT_OK(write(at, make(PathPolicy::Leaves)));
        rewrite(at, [](Arrays& arrays) {
            std::size_t first_span = 0, example = 0;
            while (item<int>(arrays, "example_spans", example) < 3)
                first_span += item<int>(arrays, "example_spans", example++);
            item<int>(arrays, "span_parent", first_span + 2) = 0;
        });
        EXPECT_ERROR(readPrepared(at), "does not follow");
    }

    void refusesADamagedManifest_data() {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("phrase");
        const auto row = [](const char* pointer, const char* value, const char* phrase) {
            QTest::addRow("%s = %s", pointer, value) << pointer << value << phrase;
        };
        row("/format", "\"else\"", "prepared data");
        row("/version", "2", "newer");
        row("/version", "0", "version");
        row("/tokens/sha256", "\"00\"", "sha256");
        row("/tokens", "[]", "tokens");
        row("/paths", "\"all\"", "paths");
        row("/train_on", "1", "train_on");
        row("/max_seq_length", "-1", "max_seq_length");
        row("/max_seq_length", "1e30", "max_seq_length");
        row("/max_seq_length", "3", "longer than max_seq_length");
        row("/seed", "-1", "seed");
        row("/sources", "{}", "sources");
        row("/sources/0", "1", "sources");
        row("/sources/0/bytes", "-1", "bytes");
        row("/tokenizer/vocab_size", "0", "vocab_size");
        row("/tokenizer/vocab_size", "5000000000", "vocab_size");
        row("/validation_fraction", "1.5", "validation_fraction");
        row("/counts/tokens", "1", "counts");
        row("/counts/examples", "1", "counts");
        row("/counts/conversations", "1", "counts");
        row("/counts/conversations", "null", "conversations");
        row("/counts/repetition", "0", "repetition");
        row("/counts/left_out", "3", "left_out");
    }
    void refusesADamagedManifest() {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        QFETCH(QString, phrase);
        const fs::path at = folder();
        EXPECT_OK(write(at, make(PathPolicy::Best)));
        auto manifest = io::readJson(at / "manifest.json").value();
        manifest[io::Json::json_pointer(pointer.toStdString())] = io::Json::parse(value.toStdString());
        test::put(at / "manifest.json", manifest.dump());
        EXPECT_ERROR(readPrepared(at), phrase.toStdString());
    }

    void noticesAChangedByte() {
        const fs::path at = folder();
        EXPECT_OK(write(at, make(PathPolicy::Best)));
        std::string bytes = test::slurp(at / "tokens.safetensors");
        bytes[bytes.size() / 2] ^= 1;
        test::put(at / "tokens.safetensors", bytes);
        EXPECT_ERROR(readPrepared(at), "does not match its manifest");
        fs::remove(at / "tokens.safetensors");
        QVERIFY(!readPrepared(at));
        EXPECT_ERROR(readPrepared(at / "nowhere"), "");
    }
};

QTEST_GUILESS_MAIN(PreparedTest)
#include "prepared_test.moc"
