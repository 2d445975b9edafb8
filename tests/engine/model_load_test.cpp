// Checkpoints and adapters that are wrong each get a sentence that names what is wrong.
#include <limits>

#include "engine/model_golden.h"
#include "io/file.h"

using namespace studio;

namespace {

class ModelLoadTest : public QObject {
    Q_OBJECT

    test::PhiGolden golden_;

    static Result<std::unique_ptr<engine::PhiModel>> load(const test::ChangeTensor& change, bool four_bit = true,
                                                          const JobContext& job = {}) {
        QTemporaryDir folder;
        const std::string path = folder.path().toStdString();
        if (auto done = test::writeTinyPhi(path, test::TinyPhi::gqa(), change); !done)
            qFatal("%s", done.error().text().c_str());
        engine::api::ModelSource source;
        source.folder = path;
        source.load_in_4bit = four_bit;
        source.threads = 1;
        return engine::PhiModel::load(source, nullptr, job);
    }

    static bool says(const Error& error, const char* text) {
        qInfo("%s", error.text().c_str());
        return QString::fromStdString(error.text()).contains(text) && !error.hint.empty();
    }

  private Q_SLOTS:
    void wrongTensors_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("tensor");
        QTest::newRow("missing linear") << "missing"
                                        << "model.layers.1.self_attn.q_proj.weight";
        QTest::newRow("missing bias") << "missing"
                                      << "lm_head.bias";
        QTest::newRow("another shape") << "shape"
                                       << "model.layers.2.mlp.fc2.weight";
        QTest::newRow("one dimension") << "flat"
                                       << "model.layers.0.mlp.fc1.weight";
        QTest::newRow("unknown") << "unknown"
                                 << "model.layers.0.self_attn.q_layernorm.weight";
        QTest::newRow("a fourth layer") << "unknown"
                                        << "model.layers.3.mlp.fc1.bias";
        QTest::newRow("frequencies of old checkpoints") << "known"
                                                        << "model.layers.0.self_attn.rotary_emb.inv_freq";
        QTest::newRow("not a number, linear") << "nan"
                                              << "model.layers.2.mlp.fc2.weight";
        QTest::newRow("infinite, embedding") << "infinite"
                                             << "model.embed_tokens.weight";
        QTest::newRow("not a number, norm") << "nan"
                                            << "model.final_layernorm.bias";
        QTest::newRow("infinite, head") << "infinite"
                                        << "lm_head.weight";
    }
    void wrongTensors() {
        QFETCH(QString, kind);
        QFETCH(QString, tensor);
        const auto name = tensor.toStdString();
        const bool extra_tensor = kind == "unknown" || kind == "known";
        for (const bool four_bit : {true, false}) {
            if (extra_tensor) break;
            const auto model = load(
                [&](test::TinyTensor& one) {
                    if (one.name != name) return;
                    if (kind == "missing") one.name.clear();
                    if (kind == "shape") std::swap(one.shape[0], one.shape[1]);
                    if (kind == "flat") one.shape = {one.shape[0] * one.shape[1]};
                    if (kind == "nan") one.values.back() = std::numeric_limits<float>::quiet_NaN();
                    if (kind == "infinite") one.values.front() = -std::numeric_limits<float>::infinity();
                },
                four_bit);
            QVERIFY(!model.has_value());
            QVERIFY(says(model.error(), name.c_str()));
        }
        if (!extra_tensor) return;
        // A tensor more than the configuration knows of: one of a fourth layer under the name, the others left out.
        QTemporaryDir folder;
        test::TinyPhi shape = test::TinyPhi::gqa();
        const std::string path = folder.path().toStdString();
        bool added = false;
        shape.layers = 4;
        QVERIFY(test::writeTinyPhi(path, shape, [&](test::TinyTensor& one) {
                    const bool extra = one.name.starts_with("model.layers.3.");
                    if (extra && !added) {
                        one.name = name;
                        added = true;
                    } else if (extra) {
                        one.name.clear();
                    }
                }).has_value());
        auto config = io::readFile(path + "/config.json", 1 << 20);
        QVERIFY(config.has_value());
        const auto at = config->find("\"num_hidden_layers\": 4");
        QVERIFY(at != std::string::npos);
        config->replace(at, 22, "\"num_hidden_layers\": 3");
        QVERIFY(io::writeFileAtomic(path + "/config.json", *config).has_value());
        engine::api::ModelSource source;
        source.folder = path;
        const auto model = engine::PhiModel::load(source, nullptr, {});
        QCOMPARE(model.has_value(), kind == "known");
        QVERIFY(model.has_value() || says(model.error(), name.c_str()));
    }

    void infoDescribesTheModel() {
        const auto model = load({});
        QVERIFY(model.has_value());
        QCOMPARE((*model)->info().kv_heads, 2);
        QCOMPARE((*model)->info().head_dim, 20);
        QCOMPARE((*model)->info().rotary_dim, 8);
        QVERIFY((*model)->info().quantised);
        QCOMPARE(QString::fromStdString((*model)->info().device.kind), QString("cpu"));
    }

    // What transformers and bitsandbytes saved in 4 bits is what quantising the same weights here gives.
    void fourBitCheckpoints_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("nested") << "nested";
        QTest::newRow("plain") << "plain";
    }
    void fourBitCheckpoints() {
        QFETCH(QString, name);
        const std::string stored =
            std::string(STUDIO_SOURCE_DIR) + "/tests/reference/data/phi-4bit/" + name.toStdString();
        QTemporaryDir folder;
        QVERIFY(
            test::writeTinyPhi(folder.path().toStdString(), {40, 64, 96, 1, 2, 2, 64, 0.4, "F16", false}).has_value());
        dataset::Batch batch;
        batch.samples = {0};
        batch.segments = {{0, 40, 0, {}}};
        for (int i = 0; i < 40; ++i) {
            batch.tokens.push_back(i * 7 % 40);
            batch.positions.push_back(i);
            if (i > 0) batch.targets.push_back({i - 1, i * 7 % 40, 1});
        }
        std::vector<float> losses[3];
        const std::pair<std::string, bool> sources[] = {
            {stored, true}, {stored, false}, {folder.path().toStdString(), true}};
        for (int i = 0; i < 3; ++i) {
            engine::api::ModelSource source;
            source.folder = sources[i].first;
            source.load_in_4bit = sources[i].second;  // what the checkpoint is decides
            source.double_quant = name == "nested";
            source.threads = 1;
            const auto model = engine::PhiModel::load(
                source, nullptr, {}, i == 0 ? engine::HoldLinears::AsStored : engine::HoldLinears::Expanded);
            QVERIFY2(model.has_value(), model ? "" : model.error().text().c_str());
            QVERIFY((*model)->info().quantised);
            losses[i].resize(batch.targets.size());
            QVERIFY((*model)->forward(batch, {}, losses[i]).has_value());
        }
        QCOMPARE(losses[0], losses[2]);
        QCOMPARE(losses[1], losses[2]);
    }

    void wrongFourBitCheckpoints_data() {
        QTest::addColumn<QByteArray>("find");
        QTest::addColumn<QByteArray>("replace");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("block size") << QByteArray("\"blocksize\": 64") << QByteArray("\"blocksize\": 32")
                                    << QByteArray("blocks of 64");
        QTest::newRow("code") << QByteArray("\"quant_type\": \"nf4\"") << QByteArray("\"quant_type\": \"fp4\"")
                              << QByteArray("nf4");
        QTest::newRow("shape") << QByteArray("\"shape\": [64, 96]") << QByteArray("\"shape\": [96, 64]")
                               << QByteArray("shape");
        QTest::newRow("offset") << QByteArray("\"nested_offset\": 0.") << QByteArray("\"nested_offset\": \"\"")
                                << QByteArray("quant_state");
        QTest::newRow("missing part") << QByteArray("fc1.weight.quant_map") << QByteArray("fc1.weight.quant_mop")
                                      << QByteArray("quant_map");
        QTest::newRow("table") << QByteArray("\x00\x00\x80\xbf\xb1\x39\x32\xbf", 8)
                               << QByteArray("\x00\x00\x80\xbf\xb1\x39\x32\xbe", 8) << QByteArray("code table");
        QTest::newRow("scale") << QByteArray("scale") << QByteArray() << QByteArray("not finite");
    }
    void wrongFourBitCheckpoints() {
        QFETCH(QByteArray, find);
        QFETCH(QByteArray, replace);
        QFETCH(QByteArray, says);
        const QString good = QString(STUDIO_SOURCE_DIR) + "/tests/reference/data/phi-4bit/nested/";
        QTemporaryDir folder;
        QVERIFY(QFile::copy(good + "config.json", folder.filePath("config.json")));
        QFile in(good + "model.safetensors");
        QVERIFY(in.open(QIODevice::ReadOnly));
        QByteArray bytes = in.readAll();
        if (find == "scale") {
            auto file = io::SafetensorsFile::open((good + "model.safetensors").toStdString());
            QVERIFY(file.has_value());
            const auto* tensor = file->find("model.layers.0.mlp.fc2.weight.nested_absmax");
            QVERIFY(tensor != nullptr);
            std::uint64_t header = 0;
            std::memcpy(&header, bytes.constData(), 8);
            const float infinite = std::numeric_limits<float>::infinity();
            std::memcpy(bytes.data() + 8 + header + tensor->begin, &infinite, 4);
        } else {
            const auto at = bytes.indexOf(find);
            QVERIFY(at >= 0);
            bytes.replace(at, find.size(), replace);
        }
        QCOMPARE(bytes.size(), in.size());
        QFile out(folder.filePath("model.safetensors"));
        QVERIFY(out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size());
        out.close();
        engine::api::ModelSource source;
        source.folder = folder.path().toStdString();
        source.threads = 1;
        const auto model = engine::PhiModel::load(source, nullptr, {});
        QVERIFY(!model.has_value());
        QVERIFY(this->says(model.error(), says.constData()));
    }

    void foldersThatAreNone() {
        engine::api::ModelSource source;
        source.folder = "/nowhere/at/all";
        QVERIFY(!engine::PhiModel::load(source, nullptr, {}).has_value());
        source.device = "cuda";
        const auto model = engine::PhiModel::load(source, nullptr, {});
        QVERIFY(!model.has_value());
        QVERIFY(says(model.error(), "cuda"));
    }

    void progressIsReportedAndStoppingStops() {
        std::stop_source stop;
        std::uint64_t reports = 0;
        JobContext job{stop.get_token(), [&](const Progress& progress) {
                           QVERIFY(progress.done <= progress.total);
                           if (++reports == 3) stop.request_stop();
                       }};
        const auto model = load({}, true, job);
        QVERIFY(!model.has_value());
        QVERIFY(model.error().cancelled());
        QCOMPARE(reports, std::uint64_t{3});
    }

    void newAdaptersAreUniformAndOfTheirSeed() {
        const auto model = golden_.model("mha", "none");
        auto spec = golden_.adapter("all");
        spec.seed = 11;
        QVERIFY(model->createAdapter(spec).has_value());
        const auto first = std::vector<float>(model->adapter().values().begin(), model->adapter().values().end());
        for (const auto& tensor : model->adapter().tensors()) {
            const auto values = std::span(first).subspan(tensor.offset, tensor.size());
            if (tensor.name.ends_with("lora_B.weight")) {
                QVERIFY(std::ranges::all_of(values, [](float value) { return value == 0; }));
                continue;
            }
            // U(−1/√in, 1/√in): bounds, mean 0 and variance bound²/3 within four standard errors.
            const double bound = 1 / std::sqrt(static_cast<double>(tensor.cols)),
                         n = static_cast<double>(values.size());
            double sum = 0, squares = 0;
            for (const float value : values) {
                QVERIFY(std::abs(value) <= bound);
                sum += value / bound;
                squares += value / bound * value / bound;
            }
            QVERIFY(std::abs(sum / n) < 4 * std::sqrt(1.0 / 3 / n));
            QVERIFY(std::abs(squares / n - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / n));
        }
        QVERIFY(model->createAdapter(spec).has_value());
        QVERIFY(std::ranges::equal(model->adapter().values(), first));
        spec.seed = 12;
        QVERIFY(model->createAdapter(spec).has_value());
        QVERIFY(!std::ranges::equal(model->adapter().values(), first));
        // Leaving a module out does not change the others.
        auto fewer = golden_.adapter("all");
        fewer.seed = 11;
        std::erase_if(fewer.modules, [](const auto& module) { return module.name.ends_with("fc1"); });
        std::map<std::string, float> firsts;
        QVERIFY(model->createAdapter(golden_.adapter("all")).has_value());
        spec.seed = 11;
        QVERIFY(model->createAdapter(spec).has_value());
        for (const auto& tensor : model->adapter().tensors())
            firsts[tensor.name] = model->adapter().values()[tensor.offset];
        QVERIFY(model->createAdapter(fewer).has_value());
        QVERIFY(model->adapter().tensors().size() < firsts.size());
        for (const auto& tensor : model->adapter().tensors())
            QCOMPARE(model->adapter().values()[tensor.offset], firsts.at(tensor.name));
    }

    void wrongAdapterSpecs() {
        const auto model = golden_.model("gqa", "none");
        const auto refused = [&](const engine::api::LoraSpec& spec, const char* text) {
            const auto made = model->createAdapter(spec);
            return !made.has_value() && says(made.error(), text) && !model->hasAdapter();
        };
        QVERIFY(refused({}, "no linear"));
        QVERIFY(refused({{{"model.layers.0.self_attn.Wqkv", 4, 1}}, 0, 0}, "Wqkv"));
        QVERIFY(refused({{{"lm_head", 4, 1}}, 0, 0}, "lm_head"));
        QVERIFY(refused({{{"model.layers.0.mlp.fc1", 0, 1}}, 0, 0}, "rank"));
        QVERIFY(refused({{{"model.layers.0.mlp.fc1", 2, std::numeric_limits<double>::infinity()}}, 0, 0}, "scaling"));
        QVERIFY(refused({{{"model.layers.0.mlp.fc1", 2, 1}, {"model.layers.0.mlp.fc1", 2, 1}}, 0, 0}, "twice"));
    }

    void wrongAdapterTensors() {
        const auto model = golden_.model("gqa", "none");
        const auto spec = golden_.adapter("output");
        golden_.giveAdapter(*model, "output");
        const auto good = model->adapter().valueViews();
        const auto values = std::vector<float>(model->adapter().values().begin(), model->adapter().values().end());
        // Copies, so that the views outlive the adapter they came from.
        const auto copies = [&] {
            std::vector<io::TensorView> views = good;
            for (std::size_t i = 0; i < views.size(); ++i)
                views[i].data = values.data() + model->adapter().tensors()[i].offset;
            return views;
        };
        QVERIFY(model->loadAdapter(spec, copies()).has_value());
        QVERIFY(std::ranges::equal(model->adapter().values(), values));

        const auto refused = [&](std::vector<io::TensorView> views, const char* text) {
            const auto loaded = model->loadAdapter(spec, views);
            return !loaded.has_value() && says(loaded.error(), text) &&
                   std::ranges::equal(model->adapter().values(), values);
        };
        auto views = copies();
        views.pop_back();
        QVERIFY(refused(views, good.back().name.c_str()));
        views = copies();
        views[1].name += ".x";
        QVERIFY(refused(views, ".x"));
        views = copies();
        views.push_back(views[0]);
        QVERIFY(refused(views, "twice"));
        views = copies();
        std::swap(views[0].shape[0], views[0].shape[1]);
        QVERIFY(refused(views, "should be"));
        views = copies();
        views[0].bytes -= 4;
        QVERIFY(refused(views, good[0].name.c_str()));
        views = copies();
        views[0].dtype = io::DType::I32;
        QVERIFY(refused(views, "I32"));
        auto poisoned = values;
        poisoned[5] = std::numeric_limits<float>::quiet_NaN();
        views = copies();
        views[0].data = poisoned.data() + model->adapter().tensors()[0].offset;
        QVERIFY(refused(views, "not finite"));
    }

    void sixteenBitAdaptersAreWidened() {
        const auto model = golden_.model("gqa", "none");
        golden_.giveAdapter(*model, "output");
        const auto values = std::vector<float>(model->adapter().values().begin(), model->adapter().values().end());
        const std::vector<_Float16> halves(values.begin(), values.end());  // the formula's values are exact in F16
        std::vector<io::TensorView> views;
        for (const auto& tensor : model->adapter().tensors())
            views.push_back({tensor.name,
                             io::DType::F16,
                             {tensor.rows, tensor.cols},
                             halves.data() + tensor.offset,
                             tensor.size() * 2});
        QVERIFY(model->createAdapter(golden_.adapter("output")).has_value());
        QVERIFY(!std::ranges::equal(model->adapter().values(), values));
        QVERIFY(model->loadAdapter(golden_.adapter("output"), views).has_value());
        QVERIFY(std::ranges::equal(model->adapter().values(), values));
    }
};

}  // namespace

QTEST_GUILESS_MAIN(ModelLoadTest)
#include "model_load_test.moc"
