#include <fmt/format.h>

#include <QTemporaryDir>
#include <QtTest>

#include "io/safetensors.h"
#include "support/bad_safetensors.h"
#include "support/expect.h"

using namespace studio;
using namespace studio::test;
namespace fs = std::filesystem;

namespace {

// A shard with one-byte tensors of these names.
std::string shard(const std::vector<std::string>& names) {
    std::string header;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string tensor = oneTensor("U8", "[1]", fmt::format("[{},{}]", i, i + 1));
        header += fmt::format("{}\"{}\"{}", i == 0 ? '{' : ',', names[i], tensor.substr(4, tensor.size() - 5));
    }
    header += '}';
    return safetensors(header, names.size());
}

}  // namespace

class SafetensorsFolderTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> directory_;
    fs::path folder_;

    void index(const std::string& weight_map) {
        put(folder_ / "model.safetensors.index.json",
            R"({"metadata":{"total_size":3},"weight_map":)" + weight_map + "}");
    }

  private Q_SLOTS:
    void init() {
        directory_ = std::make_unique<QTemporaryDir>();
        folder_ = directory_->path().toStdString();
    }

    void oneFileIsAModel() {
        put(folder_ / "model.safetensors", shard({"a", "b"}));
        const auto opened = io::SafetensorsFolder::open(folder_);
        EXPECT_OK(opened);
        QCOMPARE(opened->tensors().size(), std::size_t{2});
        QCOMPARE(opened->totalBytes(), std::uint64_t{2});
    }

    void shardsAreOneModel() {
        put(folder_ / "model-1.safetensors", shard({"a", "b"}));
        put(folder_ / "model-2.safetensors", shard({"c"}));
        index(R"({"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"})");
        const auto opened = io::SafetensorsFolder::open(folder_);
        EXPECT_OK(opened);
        QCOMPARE(opened->tensors().size(), std::size_t{3});
        const auto* c = opened->find("c");
        QVERIFY(c && c->file->path().filename() == "model-2.safetensors");
        QVERIFY(!opened->find("d"));
    }

    // The Hub's cache holds links to files elsewhere.
    void filesMayBeLinks() {
        fs::create_directory(folder_ / "blobs");
        fs::create_directory(folder_ / "snapshot");
        put(folder_ / "blobs" / "1f", shard({"a"}));
        fs::create_symlink("../blobs/1f", folder_ / "snapshot" / "model.safetensors");
        EXPECT_OK(io::SafetensorsFolder::open(folder_ / "snapshot"));
    }

    void badIndexesAreRefused_data() {
        QTest::addColumn<QString>("map");
        QTest::addColumn<QString>("phrase");
        QTest::newRow("parent folder") << R"({"a":"../../x.safetensors"})"
                                       << "no plain name";
        QTest::newRow("absolute") << R"({"a":"/etc/x.safetensors"})"
                                  << "no plain name";
        QTest::newRow("sub-folder") << R"({"a":"sub/x.safetensors"})"
                                    << "no plain name";
        QTest::newRow("hidden") << R"({"a":".x.safetensors"})"
                                << "no plain name";
        QTest::newRow("dots") << R"({"a":".."})"
                              << "no plain name";
        QTest::newRow("backslash") << R"({"a":"..\\x.safetensors"})"
                                   << "no plain name";
        QTest::newRow("zero byte") << R"({"a":"x\u0000.safetensors"})"
                                   << "no plain name";
        QTest::newRow("pickle") << R"({"a":"pytorch_model-1.bin"})"
                                << "no plain name";
        QTest::newRow("empty name") << R"({"a":""})"
                                    << "no plain name";
        QTest::newRow("not a text") << R"({"a":1})"
                                    << "not a text";
        QTest::newRow("no map") << "[]"
                                << "no \"weight_map\"";
        QTest::newRow("empty map") << "{}"
                                   << "is empty";
        QTest::newRow("tensor mapped twice") << R"({"a":"s1.safetensors","a":"s2.safetensors"})"
                                             << "occurs twice";
        QTest::newRow("missing shard") << R"({"a":"s1.safetensors","b":"s1.safetensors","x":"s9.safetensors"})"
                                       << "not complete";
        QTest::newRow("tensor is not in its shard")
            << R"({"a":"s1.safetensors","b":"s1.safetensors","c":"s2.safetensors","x":"s1.safetensors"})"
            << "but it is not there";
        QTest::newRow("tensor is in another shard")
            << R"({"a":"s1.safetensors","b":"s2.safetensors","c":"s2.safetensors"})"
            << "but it is not there";
        QTest::newRow("tensor is not listed") << R"({"a":"s1.safetensors","c":"s2.safetensors"})"
                                              << "does not list";
        QTest::newRow("shards share a tensor") << R"({"a":"s1.safetensors","b":"s1.safetensors","c":"s3.safetensors"})"
                                               << "is both in";
        QTest::newRow("shard is damaged") << R"({"a":"s4.safetensors"})"
                                          << "at least 8";
    }
    void badIndexesAreRefused() {
        QFETCH(QString, map);
        QFETCH(QString, phrase);
        put(folder_ / "s1.safetensors", shard({"a", "b"}));
        put(folder_ / "s2.safetensors", shard({"c"}));
        put(folder_ / "s3.safetensors", shard({"a", "c"}));
        put(folder_ / "s4.safetensors", "short");
        index(map.toStdString());
        const auto opened = io::SafetensorsFolder::open(folder_);
        EXPECT_ERROR(opened, phrase.toStdString());
    }

    // Fault 28.
    void picklesAreNeverRead_data() {
        QTest::addColumn<QString>("file");
        for (const char* name :
             {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "consolidated.pth"})
            QTest::newRow(name) << name;
    }
    void picklesAreNeverRead() {
        QFETCH(QString, file);
        put(folder_ / file.toStdString(), "PK");
        const auto opened = io::SafetensorsFolder::open(folder_);
        EXPECT_ERROR(opened, "a pickle");
        EXPECT_ERROR(opened, "safe_serialization=True");
    }

    void anythingElseSaysWhatIsMissing() {
        EXPECT_ERROR(io::SafetensorsFolder::open(folder_), "neither model.safetensors nor");
        EXPECT_ERROR(io::SafetensorsFolder::open(folder_ / "absent"), "does not exist");
        put(folder_ / "file", "x");
        EXPECT_ERROR(io::SafetensorsFolder::open(folder_ / "file"), "is a file");
        fs::create_symlink("loop", folder_ / "loop");
        EXPECT_ERROR(io::SafetensorsFolder::open(folder_ / "loop"), "cannot be opened");
        fs::create_directory(folder_ / "model.safetensors");
        EXPECT_ERROR(io::SafetensorsFolder::open(folder_), "is a folder, not a file");
    }
};

QTEST_APPLESS_MAIN(SafetensorsFolderTest)
#include "safetensors_folder_test.moc"
