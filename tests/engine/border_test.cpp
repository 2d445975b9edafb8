// The engine's library, opened as the program opens it, on a small random model.
#include <dlfcn.h>

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>

#include "engine/api/engine.h"
#include "engine/conversations.h"
#include "engine/run_support.h"
#include "support/tiny_phi.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;

namespace {

const std::string kLibrary = STUDIO_BINARY_DIR "/lib/libstudio_engine.so";

bool torchIsLoaded() {
    QFile maps("/proc/self/maps");
    return maps.open(QIODevice::ReadOnly) && maps.readAll().contains("libtorch");
}

class Nll final : public api::LossObserver {
  public:
    Result<void> onBatch(const dataset::Batch&, std::span<const float> nll) noexcept override {
        values.insert(values.end(), nll.begin(), nll.end());
        return {};
    }
    double mean() const {
        double sum = 0;
        for (const float value : values) sum += value;
        return sum / static_cast<double>(values.size());
    }
    std::vector<float> values;
};

}  // namespace

class BorderTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    api::Engine* engine_ = nullptr;
    std::unique_ptr<api::Model> model_;
    ListLogger* log_ = nullptr;

    api::LoraSpec lora() const {
        api::LoraSpec spec;
        for (const char* layer : {"0", "1"})
            for (const char* linear : {"self_attn.q_proj", "self_attn.v_proj", "self_attn.dense", "mlp.fc1", "mlp.fc2"})
                spec.modules.push_back({std::string("model.layers.") + layer + "." + linear, 4, 2.0});
        spec.seed = 7;
        return spec;
    }

    api::TrainPlan plan() const {
        api::TrainPlan plan;
        plan.total_steps = 7;
        plan.accumulation = 2;
        plan.steps_per_epoch = 3;
        plan.learning_rate = 2e-2;
        plan.lr_scheduler = "cosine";
        plan.max_grad_norm = 1;
        plan.weight_decay = 0.01;
        plan.lora_dropout = 0.2;
        plan.resid_dropout = 0.1;
        plan.save_steps = 1;
        plan.eval_steps = 3;
        return plan;
    }

    Result<api::TrainResult> train(const api::TrainPlan& plan, Record& record, api::Mailbox& mailbox,
                                   const api::Checkpoint* resume = nullptr, std::stop_token stop = {}) {
        if (auto made = model_->createAdapter(lora()); !made) return fail(made.error());
        ListSource data(conversations()), evaluation(conversations());
        return model_->train(plan, data, &evaluation, resume, record, record, mailbox, {stop, {}});
    }

    double meanLoss(double strength = 1) {
        ListSource data(conversations());
        Nll nll;
        if (auto done = model_->losses(data, strength, nll, {}); !done) qFatal("%s", done.error().text().c_str());
        return nll.mean();
    }

  private Q_SLOTS:
    void initTestCase() {
        QVERIFY(!torchIsLoaded());
        const auto log = std::make_shared<ListLogger>();
        log_ = log.get();
        const auto opened = api::openEngine({log}, kLibrary);
        QVERIFY2(opened, opened ? "" : opened.error().text().c_str());
        engine_ = *opened;
        QVERIFY(torchIsLoaded());
        QVERIFY(writeTinyPhi(folder_.path().toStdString(), TinyPhi::mha()));
        auto loaded = engine_->load(source(), {});
        QVERIFY2(loaded, loaded ? "" : loaded.error().text().c_str());
        model_ = std::move(*loaded);
    }

    api::ModelSource source() const {
        api::ModelSource source;
        source.folder = folder_.path().toStdString();
        source.threads = 1;  // other tests run beside this one
        source.device = "cpu";
        return source;
    }

    void itMeasuresItsDevice() {
        const auto rate = engine_->productRate("cpu", {});
        QVERIFY2(rate, rate ? "" : rate.error().text().c_str());
        QVERIFY(rate->flops > 0 && std::isfinite(rate->flops));
        QCOMPARE(rate->size, 1024);
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = engine_->productRate("cpu", {stop.get_token(), {}});
        QVERIFY(!stopped && stopped.error().cancelled());
    }

    void itSaysWhatItIs() {
        QVERIFY2(engine_->buildInfo().starts_with("LibTorch 2."), std::string(engine_->buildInfo()).c_str());
        QVERIFY(engine_->device().kind == "cpu" || engine_->device().kind == "cuda");
        QCOMPARE(model_->info().device.kind, std::string("cpu"));
        QCOMPARE(model_->info().layers, 2);
        QCOMPARE(model_->info().vocab, 256);
        QVERIFY(model_->info().quantised);
        QCOMPARE(model_->info().device.threads, 1);
    }

    void aMissingLibraryIsASentence() {
        const auto opened = api::openEngine({}, folder_.path().toStdString() + "/none.so");
        QVERIFY(!opened && opened.error().code == ErrorCode::NotFound);
    }

    void aFileThatIsNoLibraryIsASentence() {
        const auto opened = api::openEngine({}, folder_.path().toStdString() + "/config.json");
        QVERIFY(!opened && opened.error().code == ErrorCode::Device);
    }

    void anotherVersionOfTheProgramGetsNoEngine() {
        void* library = dlopen(kLibrary.c_str(), RTLD_NOW | RTLD_LOCAL);
        QVERIFY(library);
        const auto entry = reinterpret_cast<api::Entry>(dlsym(library, api::kEntryName));
        const api::Services services;
        QVERIFY(!entry(api::kApiVersion + 1, &services));
        QVERIFY(!entry(api::kApiVersion, nullptr));
    }

    void devicesByTheirWords() {
        QCOMPARE(engine_->deviceFor("cpu")->kind, std::string("cpu"));
        QCOMPARE(engine_->deviceFor("auto")->name, engine_->device().name);
        for (const char* words : {"cuda:GPU-none", "cuda:99", "abacus"}) {
            const auto device = engine_->deviceFor(words);
            QVERIFY2(!device, words);
            QVERIFY(!device.error().message.empty() && !device.error().hint.empty());
        }
    }

    void whatCannotBeLoadedIsASentence_data() {
        QTest::addColumn<QString>("device");
        QTest::addColumn<QString>("folder");
        QTest::newRow("other device") << "cuda:GPU-none" << folder_.path();
        QTest::newRow("unknown device") << "abacus" << folder_.path();
        QTest::newRow("no folder") << "auto" << folder_.path() + "/none";
    }
    void whatCannotBeLoadedIsASentence() {
        QFETCH(QString, device);
        QFETCH(QString, folder);
        api::ModelSource other = source();
        other.device = device.toStdString();
        other.folder = folder.toStdString();
        const auto loaded = engine_->load(other, {});
        QVERIFY(!loaded);
        QVERIFY(!loaded.error().message.empty() && !loaded.error().hint.empty());
    }

    void withoutAnAdapterThereIsNothingToTrain() {
        model_->dropAdapter();
        QVERIFY(!model_->hasAdapter());
        QVERIFY(model_->adapter().empty());
        QVERIFY(!model_->gradients(conversation(6, 1), false));
        ListSource data(conversations());
        Record record;
        api::Mailbox mailbox;
        const auto result = model_->train(plan(), data, nullptr, nullptr, record, record, mailbox, {});
        QVERIFY(!result);
        QCOMPARE(result.error().message, std::string("There is no adapter to train."));
    }

    void trainingLowersTheLossAndStrengthZeroIsTheBase() {
        model_->dropAdapter();
        const double base = meanLoss();
        Record record;
        api::Mailbox mailbox;
        auto longer = plan();
        longer.total_steps = 30;
        longer.lora_dropout = longer.resid_dropout = 0;
        const auto result = train(longer, record, mailbox);
        QVERIFY2(result, result ? "" : result.error().text().c_str());
        QVERIFY(meanLoss() < 0.8 * base);
        QCOMPARE(meanLoss(0), base);
        QCOMPARE(result->state.last_eval_loss, meanLoss());
    }

    void resumingAtAnyStepEqualsNeverStopping() {
        Record straight;
        api::Mailbox mailbox;
        QVERIFY(train(plan(), straight, mailbox));
        QCOMPARE(straight.checkpoints.size(), std::size_t{7});
        for (std::int64_t k = 1; k < 7; ++k) {
            Record resumed;
            QVERIFY(train(plan(), resumed, mailbox, &straight.at(k)->view()));
            QVERIFY(resumed.at(7)->bytes() == straight.at(7)->bytes());
            const std::size_t lines = resumed.metrics.size();
            QVERIFY(std::equal(resumed.metrics.begin(), resumed.metrics.end(), straight.metrics.end() - lines));
        }
    }

    void chatsAndLossesInBetweenLeaveNoTrace() {
        Record without, with;
        api::Mailbox quiet, busy;
        QVERIFY(train(plan(), without, quiet));
        std::unique_ptr<api::Generation> answer;
        int tokens = 0, losses = 0;
        busy.post(std::make_shared<Task>([&](api::Model& model) {
            if (!answer) {
                api::GenerateRequest request;
                request.prompt = {1, 2, 3};
                request.temperature = 1;
                request.max_new_tokens = 8;
                answer = std::move(*model.generate(request));
            }
            if (answer->next()->id < 0) return true;
            ++tokens;
            return false;
        }));
        busy.post(std::make_shared<Task>([&](api::Model& model) {
            ListSource data(conversations());
            Nll nll;
            return model.losses(data, 1, nll, {}) && ++losses == 3;
        }));
        QVERIFY(train(plan(), with, busy));
        QCOMPARE(tokens, 8);
        QCOMPARE(losses, 3);
        QVERIFY(with.metrics == without.metrics);
        QVERIFY(with.at(7)->bytes() == without.at(7)->bytes());
    }

    void aTaskCannotChangeTheAdapterThatIsBeingTrained() {
        Record record;
        api::Mailbox mailbox;
        bool refused = false;
        mailbox.post(std::make_shared<Task>([&](api::Model& model) {
            ListSource data(conversations());
            api::Mailbox inner;
            Record none;
            model.dropAdapter();
            const auto made = model.createAdapter(lora());
            const auto read = model.loadAdapter(lora(), model.adapter());
            const auto trained = model.train(plan(), data, nullptr, nullptr, none, none, inner, {});
            const auto dumped = model.gradients(conversation(6, 1), false);
            refused =
                model.hasAdapter() && !made && made.error().code == ErrorCode::Busy && !read && !trained && !dumped;
            return true;
        }));
        QVERIFY(train(plan(), record, mailbox));
        QVERIFY(refused);
        QVERIFY(model_->createAdapter(lora()));  // afterwards it can
    }

    void cancelKeepsTheLastFinishedStep() {
        Record straight, stopped, resumed;
        api::Mailbox mailbox;
        auto rare = plan();
        rare.save_steps = 0;
        QVERIFY(train(rare, straight, mailbox));
        std::stop_source stop;
        stopped.on_step = [&](std::int64_t step) -> Result<void> {
            if (step == 4) stop.request_stop();
            return {};
        };
        const auto result = train(rare, stopped, mailbox, nullptr, stop.get_token());
        QVERIFY(!result && result.error().cancelled());
        QCOMPARE(stopped.checkpoints.size(), std::size_t{1});
        QVERIFY(train(rare, resumed, mailbox, &stopped.at(4)->view()));
        QVERIFY(resumed.at(7)->bytes() == straight.at(7)->bytes());
    }

    void gradientsAreThoseOfTheLoss() {
        Record record;
        api::Mailbox mailbox;
        auto one = plan();
        one.total_steps = 3;  // B is no longer zero
        QVERIFY(train(one, record, mailbox));
        const auto batch = conversation(20, 6);
        const auto dump = model_->gradients(batch, true);
        QVERIFY(dump);
        QCOMPARE(dump->target_nll.size(), batch.targets.size());
        QCOMPARE(dump->target_logits.size(), batch.targets.size() * 256);
        // The loss is that of the logits.
        double sum = 0;
        for (std::size_t t = 0; t < batch.targets.size(); ++t) {
            const float* logits = dump->target_logits.data() + t * 256;
            double all = 0;
            for (int v = 0; v < 256; ++v) all += std::exp(static_cast<double>(logits[v]));
            sum += std::log(all) - logits[batch.targets[t].token];
        }
        QVERIFY(std::abs(sum / 19 - dump->loss) < 1e-5);

        // And the gradient that of the loss, along itself.
        std::vector<std::vector<float>> values;
        std::vector<io::TensorView> moved = model_->adapter();
        QCOMPARE(moved.size(), dump->gradients.size());
        double squared = 0;
        for (const auto& gradient : dump->gradients)
            for (std::size_t i = 0; i < gradient.bytes / 4; ++i)
                squared += std::pow(static_cast<const float*>(gradient.data)[i], 2);
        const double h = 1e-2 / std::sqrt(squared);
        for (std::size_t t = 0; t < moved.size(); ++t) {
            QCOMPARE(moved[t].name, dump->gradients[t].name);
            const auto* from = static_cast<const float*>(moved[t].data);
            const auto* along = static_cast<const float*>(dump->gradients[t].data);
            auto& to = values.emplace_back(from, from + moved[t].bytes / 4);
            for (std::size_t i = 0; i < to.size(); ++i) to[i] += static_cast<float>(h * along[i]);
            moved[t].data = to.data();
        }
        const double before = dump->loss;
        QVERIFY(model_->loadAdapter(lora(), moved));
        const auto again = model_->gradients(batch, false);
        QVERIFY(again && again->target_logits.empty());
        const double after = again->loss;
        QVERIFY2(std::abs((after - before) / (h * squared) - 1) < 0.05,
                 qPrintable(QString::number((after - before) / (h * squared))));
    }

    void anAnswersProbabilitiesAreThoseOfTheLosses() {
        Record record;
        api::Mailbox mailbox;
        QVERIFY(train(plan(), record, mailbox));
        api::GenerateRequest request;
        request.prompt = {5, 77, 200, 13};
        request.max_new_tokens = 10;
        auto answer = model_->generate(request);
        QVERIFY(answer);
        std::vector<int> tokens = request.prompt;
        std::vector<double> expected;
        for (auto token = (*answer)->next(); token && token->id >= 0; token = (*answer)->next()) {
            const auto logits = (*answer)->lastLogits();
            QCOMPARE(logits.size(), std::size_t{256});
            double all = 0;
            for (const float logit : logits) all += std::exp(static_cast<double>(logit));
            expected.push_back(std::log(all) - logits[token->id]);
            tokens.push_back(token->id);
        }
        QCOMPARE(expected.size(), std::size_t{10});
        dataset::Batch batch;
        batch.tokens = tokens;
        batch.samples = {0};
        batch.segments = {{0, 14, 0, {}}};
        for (int i = 0; i < 14; ++i) batch.positions.push_back(i);
        for (int i = 3; i < 13; ++i) batch.targets.push_back({i, tokens[i + 1], 1});
        ListSource data({batch});
        Nll nll;
        QVERIFY(model_->losses(data, 1, nll, {}));
        for (int i = 0; i < 10; ++i) QVERIFY(std::abs(nll.values[i] - expected[i]) < 1e-4);
    }

    void anAnswerOutlivesItsModel() {
        auto other = engine_->load(source(), {});
        QVERIFY(other);
        api::GenerateRequest request;
        request.prompt = {1, 2};
        auto answer = (*other)->generate(request);
        QVERIFY(answer);
        other->reset();
        QVERIFY((*answer)->next());
    }

    void aPromptThatDoesNotFitNamesBothLengths() {
        api::GenerateRequest request;
        request.prompt.assign(300, 1);
        const auto answer = model_->generate(request);
        QVERIFY(!answer);
        QVERIFY(answer.error().message.find("300") != std::string::npos);
        QVERIFY(answer.error().message.find("256") != std::string::npos);
    }

    void clampedSettingsAreLogged() {
        log_->warnings.clear();
        api::GenerateRequest request;
        request.prompt = {1};
        request.top_p = 2;
        QVERIFY(model_->generate(request));
        QCOMPARE(log_->warnings.size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(BorderTest)
#include "border_test.moc"
