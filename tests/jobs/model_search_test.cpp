#include "jobs/model_search.h"

#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <fstream>

#include "jobs/inspect.h"

using namespace studio;
using namespace studio::jobs;

namespace {

namespace fs = std::filesystem;

const fs::path kDemo = fs::path(STUDIO_SOURCE_DIR) / "resources" / "demo";
constexpr const char* kRevision = "810d367871c1d460086d9f82db8696f2e0a0fcd0";

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

// As the Hub's tools lay a model out: blobs, and a snapshot of links to them.
struct Hub {
    QTemporaryDir folder;
    fs::path cache = folder.path().toStdString();

    fs::path add(const std::string& repository, const char* revision = kRevision) {
        const fs::path snapshot = cache / repository / "snapshots" / revision;
        fs::create_directories(snapshot);
        fs::create_directories(cache / repository / "blobs");
        write(cache / repository / "refs" / "main", std::string(revision) + "\n");
        for (const auto& file : fs::directory_iterator(kDemo / "model")) {
            const fs::path blob = cache / repository / "blobs" / (file.path().filename().string() + "-blob");
            fs::copy_file(file.path(), blob, fs::copy_options::skip_existing);
            fs::create_symlink(fs::relative(blob, snapshot), snapshot / file.path().filename());
        }
        return snapshot;
    }
    ModelCatalogue search() const {
        SearchPlaces places;
        places.hub_caches = {cache};
        auto found = searchModels(places, {});
        return found ? std::move(*found) : ModelCatalogue{};
    }
};

BaseModel only(const ModelCatalogue& catalogue) {
    return catalogue.bases.size() == 1 ? catalogue.bases[0] : BaseModel{};
}

}  // namespace

class ModelSearchTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void findsTheBuiltInModel() {
        SearchPlaces places;
        places.built_in = kDemo;
        const auto found = searchModels(places, {});
        QVERIFY(found);
        const BaseModel model = only(*found);
        QVERIFY2(model.usable, model.problem.c_str());
        QCOMPARE(model.origin, BaseModel::Origin::BuiltIn);
        QCOMPARE(model.parameters, std::int64_t(8787776));
        QCOMPARE(model.dtype, std::string("F16"));
        QCOMPARE(model.tokenizer, std::string("sentencepiece"));
        QCOMPARE(model.vocabulary, 4096);
    }

    void readsTheHubsCache() {
        Hub hub;
        const fs::path snapshot = hub.add("models--microsoft--phi-2");
        write(snapshot / "README.md", "---\nlanguage:\n- en\nlicense: mit\n---\ntext\n");
        write(hub.cache / "datasets--OpenAssistant--oasst1" / "refs" / "main", kRevision);
        const BaseModel model = only(hub.search());
        QVERIFY2(model.usable, model.problem.c_str());
        QCOMPARE(model.name, std::string("microsoft/phi-2"));
        QCOMPARE(model.revision, std::string(kRevision));
        QCOMPARE(model.licence, std::string("MIT"));
        QVERIFY(model.bytes > 17000000);
    }

    void theRevisionOfMainCounts() {
        Hub hub;
        hub.add("models--a--b", "1111111111111111111111111111111111111111");
        hub.add("models--a--b", "2222222222222222222222222222222222222222");
        write(hub.cache / "models--a--b" / "refs" / "main", "1111111111111111111111111111111111111111");
        QCOMPARE(only(hub.search()).revision, std::string("1111111111111111111111111111111111111111"));
        write(hub.cache / "models--a--b" / "refs" / "main", "../../../etc");
        QVERIFY(only(hub.search()).usable);
    }

    void brokenOnesSayWhatTheyLack_data() {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("says");
        QTest::newRow("begun") << "begun"
                               << "no file of it is complete";
        QTest::newRow("a part is missing") << "partial"
                                           << "not complete";
        QTest::newRow("a link without its file") << "link"
                                                 << "link to a file";
        QTest::newRow("a shard is missing") << "shard"
                                            << "model-00002-of-00002.safetensors is missing";
        QTest::newRow("only a pickle") << "pickle"
                                       << "pickle";
        QTest::newRow("phi-msft") << "old"
                                  << "phi-msft";
        QTest::newRow("another architecture") << "llama"
                                              << "llama";
        QTest::newRow("no tokenizer") << "tokenizer"
                                      << "tokenizer";
        QTest::newRow("cut off") << "cut"
                                 << "model.safetensors";
        QTest::newRow("config is no json") << "config"
                                           << "config.json";
    }
    void brokenOnesSayWhatTheyLack() {
        QFETCH(const QString, what);
        QFETCH(const QString, says);
        Hub hub;
        const fs::path repository = hub.cache / "models--a--b";
        if (what == QLatin1String("begun")) {
            write(repository / "blobs" / "abc.incomplete", "x");
        } else {
            const fs::path snapshot = hub.add("models--a--b");
            const auto without = [&](const char* file) { fs::remove(snapshot / file); };
            if (what == QLatin1String("partial")) {
                without("model.safetensors");
                write(repository / "blobs" / "abc.12345678.incomplete", "x");
            } else if (what == QLatin1String("link")) {
                fs::remove(fs::canonical(snapshot / "model.safetensors"));
            } else if (what == QLatin1String("shard")) {
                without("model.safetensors");
                write(snapshot / "model-00001-of-00002.safetensors", "x");
                write(
                    snapshot / "model.safetensors.index.json",
                    R"({"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})");
            } else if (what == QLatin1String("pickle")) {
                without("model.safetensors");
                write(snapshot / "pytorch_model.bin", "x");
            } else if (what == QLatin1String("old")) {
                without("config.json");
                write(snapshot / "config.json", R"({"model_type":"phi-msft","n_embd":2560})");
            } else if (what == QLatin1String("llama")) {
                without("config.json");
                write(snapshot / "config.json", R"({"model_type":"llama"})");
            } else if (what == QLatin1String("tokenizer")) {
                without("tokenizer.model");
            } else if (what == QLatin1String("cut")) {
                fs::resize_file(fs::canonical(snapshot / "model.safetensors"), 4096);
            } else if (what == QLatin1String("config")) {
                without("config.json");
                write(snapshot / "config.json", "{");
            }
        }
        const BaseModel model = only(hub.search());
        QVERIFY(!model.usable);
        QVERIFY2(QString::fromStdString(model.problem).contains(says, Qt::CaseInsensitive), model.problem.c_str());
        QVERIFY(!model.to_do.empty());
        // `inspect` says the same of the folder on its own.
        if (!fs::exists(model.folder / "config.json")) return;
        const BaseModel alone = inspectBase(model.folder);
        const auto inspected = inspect(model.folder, {});
        QVERIFY(inspected && !inspected->sound);
        QCOMPARE(inspected->kind, std::string("model"));
        QCOMPARE(inspected->problems, std::vector<std::string>{alone.problem + " " + alone.to_do});
    }

    void inspectDescribesAWholeModel() {
        const auto whole = inspect(kDemo / "model", {});
        QVERIFY(whole && whole->sound && whole->problems.empty());
        QCOMPARE(whole->json["parameters"].get<std::int64_t>(), std::int64_t(8787776));
        const auto says = [&](const char* words) {
            return std::any_of(whole->lines.begin(), whole->lines.end(),
                               [&](const std::string& line) { return line.find(words) != std::string::npos; });
        };
        QVERIFY(says("5 layers") && says("(F16)") && says("4096 tokens"));
    }

    void namedFoldersHoldOneOrMany() {
        const QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::copy(kDemo / "model", root / "one");
        write(root / "adapter" / "adapter_config.json", R"({"peft_type":"LORA","r":8,"lora_alpha":8})");
        write(root / "notes" / "x.txt", "");
        SearchPlaces places;
        places.folders = {root, root / "one", root / "gone"};
        const auto found = searchModels(places, {});
        QVERIFY(found);
        QCOMPARE(found->bases.size(), std::size_t(2));  // once, and the one that is gone
        QVERIFY(found->bases[0].usable);
        QVERIFY(found->bases[1].problem.find("no longer there") != std::string::npos);
        QCOMPARE(found->adapters.size(), std::size_t(1));
        QVERIFY(!found->adapters[0].sound);
        QVERIFY(!judgeFolder(root / "notes").useful);
        QVERIFY(judgeFolder(root).useful);
        QVERIFY(judgeFolder(root / "one").useful);
    }

    void cachesFollowTheEnvironment() {
        for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"})
            qunsetenv(variable);
        qputenv("HOME", "/home/somebody");
        QCOMPARE(hubCaches(), std::vector<fs::path>{"/home/somebody/.cache/huggingface/hub"});
        qputenv("XDG_CACHE_HOME", "/c");
        QCOMPARE(hubCaches(), std::vector<fs::path>{"/c/huggingface/hub"});
        qputenv("HF_HOME", "/hf");
        QCOMPARE(hubCaches(), std::vector<fs::path>{"/hf/hub"});
        qputenv("HF_HUB_CACHE", "/hub");
        QCOMPARE(hubCaches(), std::vector<fs::path>{"/hub"});
    }
};

QTEST_APPLESS_MAIN(ModelSearchTest)
#include "model_search_test.moc"
