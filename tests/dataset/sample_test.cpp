// The bundled OASST1 sample against tests/reference/dataset_counts.py.
#include <fmt/format.h>

#include <QtTest>
#include <map>

#include "byte_tokenizer.h"
#include "dataset/make_examples.h"
#include "dataset/stream.h"
#include "io/json.h"
#include "io/line_reader.h"
#include "io/sha256.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::dataset;

namespace {

const std::string kSource = STUDIO_SOURCE_DIR;

std::vector<Tree> readSample() {
    auto reader = io::LineReader::open(kSource + "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz");
    std::vector<Tree> trees;
    std::map<std::string, std::size_t> tree_of;
    std::map<std::string, int> node_of;
    while (const auto line = reader->next().value()) {
        const auto json = io::parseJson(line->text, "sample").value();
        const bool root = json["parent_id"].is_null();
        if (json["deleted"] || (!root && !node_of.contains(json["parent_id"]))) continue;
        const auto [place, created] = tree_of.emplace(json["message_tree_id"], trees.size());
        if (created) trees.push_back({place->first, {}});
        auto& nodes = trees[place->second].nodes;
        node_of[json["message_id"]] = static_cast<int>(nodes.size());
        Node& node = nodes.emplace_back();
        node.message_id = json["message_id"];
        node.parent = root ? -1 : node_of[json["parent_id"]];
        node.role = json["role"] == "assistant" ? text::Role::Assistant : text::Role::Prompter;
        if (!json["rank"].is_null()) node.rank = json["rank"].get<int>();
        node.text = json["text"];
        node.lang = json["lang"];
    }
    return trees;
}

}  // namespace

class SampleTest : public QObject {
    Q_OBJECT

    std::vector<Tree> trees_;
    std::shared_ptr<const text::ChatTemplate> template_;

    Result<Examples> make(const ExampleOptions& options) const {
        return makeExamples(trees_, test::ByteTokenizer(), *template_, options);
    }

  private Q_SLOTS:
    void initTestCase() {
        trees_ = readSample();
        template_ = text::chatTemplate("openassistant").value();
        QVERIFY(trees_.size() > 100);
    }

    void agreesWithTheReference_data() {
        QTest::addColumn<QByteArray>("row");
        const auto rows = io::readJson(kSource + "/tests/reference/data/dataset_counts.json").value();
        QCOMPARE(rows.size(), std::size_t{24});
        for (const auto& row : rows)
            QTest::addRow("%s", fmt::format("{}, {}, {}", row["paths"].get<std::string>(),
                                            row["train_on"].get<std::string>(), row["max_seq_length"].get<int>())
                                    .c_str())
                << QByteArray::fromStdString(row.dump());
    }
    void agreesWithTheReference() {
        QFETCH(QByteArray, row);
        const auto expected = io::Json::parse(row.toStdString());
        ExampleOptions options;
        options.paths = pathPolicy(expected["paths"].get<std::string>()).value();
        options.train_on = trainOn(expected["train_on"].get<std::string>()).value();
        options.max_seq_length = expected["max_seq_length"];
        const auto made = make(options);
        EXPECT_OK(made);
        const Statistics& counts = made->statistics;
        QCOMPARE(counts.conversations, expected["conversations"].get<std::int64_t>());
        QCOMPARE(counts.examples, expected["examples"].get<std::int64_t>());
        QCOMPARE(counts.tokens, expected["tokens"].get<std::int64_t>());
        QCOMPARE(counts.supervised_tokens, expected["supervised_tokens"].get<std::int64_t>());
        QCOMPARE(counts.cut_tokens, expected["cut_tokens"].get<std::int64_t>());
        QCOMPARE(counts.repetition, expected["repetition"].get<double>());
        const auto& left_out = expected["left_out"];
        QCOMPARE(counts.left_out.trees_without_reply, left_out["trees_without_reply"].get<std::int64_t>());
        QCOMPARE(counts.left_out.examples_without_target, left_out["examples_without_target"].get<std::int64_t>());
        QCOMPARE(counts.left_out.messages_out_of_order, 0);
        std::string lines;
        for (int i = 0; i < made->size(); ++i) {
            const Example example = (*made)[i];
            lines += fmt::format("{} {} {}\n", made->lastMessageId(i), example.size(),
                                 std::count(example.supervised.begin(), example.supervised.end(), 1));
        }
        QCOMPARE(io::sha256(lines), expected["sha256"].get<std::string>());
    }

    // Real trees in the rows of 2 × 2048: sound batches, well filled, far fewer rows than the paths would be.
    void batchesRealTreesWell() {
        ExampleOptions options;
        options.paths = PathPolicy::Tree;
        options.max_seq_length = 2048;
        const auto trees = std::make_shared<const Examples>(make(options).value());
        options.paths = PathPolicy::Replies;
        const auto replies = std::make_shared<const Examples>(make(options).value());
        StreamOptions stream_options;
        stream_options.shuffle = stream_options.packing = true;
        stream_options.max_rows = maxRows(2, 2048).value();
        const auto stream = ExampleStream::make(trees, trees->all(), stream_options).value();
        QVERIFY(stream->repeatedRows() > 0);
        QVERIFY(stream->rowsPerEpoch() < replies->statistics.tokens);
        std::int64_t targets = 0;
        Batch batch;
        while (stream->next(batch).value()) {
            EXPECT_OK(batch.check());
            QVERIFY(batch.rows() <= 4096);
            targets += std::ssize(batch.targets);
        }
        QCOMPARE(targets, replies->statistics.supervised_tokens);
        const double fill = static_cast<double>(stream->rowsPerEpoch()) / (4096.0 * stream->microBatches(0));
        QVERIFY2(fill > 0.85, fmt::format("{}", fill).c_str());
    }
};

QTEST_APPLESS_MAIN(SampleTest)
#include "sample_test.moc"
