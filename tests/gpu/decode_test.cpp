// A token as one CUDA graph: a small model whose widths its kernels take, on the GPU against the processor.
#include <QTemporaryDir>

#include "engine/generate/sampler.h"
#include "engine/gpu/gpu_phi.h"
#include "engine/gpu/kv_cache.h"
#include "engine/kernels/decode_cuda.h"
#include "gpu/on_device.h"
#include "support/tiny_phi.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;
using engine::PhiModel;
using engine::gpu::GpuPhi;

namespace {

constexpr int kVocab = 264, kContext = 640;
// Of a position's logits, in the norm, and of the mean of all positions of a sequence.
constexpr double kBound = 2e-2, kMeanBound = 1e-2;

class GpuDecodeTest : public QObject {
    Q_OBJECT

    std::mt19937 random_{11};
    QTemporaryDir folder_;
    std::unique_ptr<PhiModel> cpu_;
    std::unique_ptr<GpuPhi> gpu_;

    void load(const TinyPhi& model, bool double_quant) {
        OnDevice::require(writeTinyPhi(folder_.path().toStdString(), model));
        api::ModelSource source;
        source.folder = folder_.path().toStdString();
        source.double_quant = double_quant;
        auto on_cpu = PhiModel::load(source, nullptr, {});
        QVERIFY2(on_cpu.has_value(), on_cpu ? "" : on_cpu.error().text().c_str());
        cpu_ = std::move(*on_cpu);
        auto on_gpu = GpuPhi::load(source, 0, nullptr, {});
        QVERIFY2(on_gpu.has_value(), on_gpu ? "" : on_gpu.error().text().c_str());
        gpu_ = std::move(*on_gpu);
    }

    static TinyPhi fitting() {
        TinyPhi model;
        model.vocab = kVocab;
        model.hidden = 256;
        model.intermediate = 1024;
        model.layers = 3;
        model.heads = 4;  // of 64
        model.kv_heads = 2;
        model.context = kContext;
        model.partial_rotary_factor = 0.5;
        return model;
    }

    // One rank for each linear of a block, in the order of linearNames(); 0: not adapted.
    void giveAdapter(const std::vector<int>& ranks) {
        api::LoraSpec spec;
        std::size_t next = 0;
        for (const std::string& name : cpu_->linearNames()) {
            const int r = ranks[next++ % ranks.size()];
            if (r > 0) spec.modules.push_back({name, r, 2.0});
        }
        spec.seed = random_();
        for (PhiModel* model : {cpu_.get(), static_cast<PhiModel*>(gpu_.get())})
            OnDevice::require(model->createAdapter(spec));
        std::normal_distribution<float> draw(0, 0.05f);
        const auto values = cpu_->adapter().values();
        for (float& v : values) v = draw(random_);
        const auto same = gpu_->adapter().values();
        std::copy(values.begin(), values.end(), same.begin());
        OnDevice::require(gpu_->device()->storeValues(same));
    }

    static std::unique_ptr<engine::KvCache> cacheOf(PhiModel& model, int capacity) {
        auto cache = model.newCache(capacity);
        if (!cache) qFatal("%s", cache.error().text().c_str());
        return std::move(*cache);
    }

    // A sequence in both models, whose logits are compared as it grows.
    struct Sequence {
        PhiModel &cpu, &gpu;
        double strength;
        std::unique_ptr<engine::KvCache> on_cpu, on_gpu;
        std::vector<float> expected = std::vector<float>(kVocab), got = std::vector<float>(kVocab);
        double worst = 0, sum = 0;
        int count = 0;

        Sequence(PhiModel& cpu_model, PhiModel& gpu_model, int capacity, double adapter_strength)
            : cpu(cpu_model), gpu(gpu_model), strength(adapter_strength) {
            on_cpu = cacheOf(cpu, capacity);
            on_gpu = cacheOf(gpu, capacity);
        }
        void append(std::vector<int> tokens) {
            OnDevice::require(cpu.step(*on_cpu, tokens, strength, expected, {}));
            OnDevice::require(gpu.step(*on_gpu, tokens, strength, got, {}));
            const double error = relative(got, expected);
            worst = std::max(worst, error);
            sum += error;
            ++count;
        }
        bool close() const { return worst < kBound && sum / count < kMeanBound; }
    };
    int token() { return static_cast<int>(random_() % kVocab); }
    static int best(const std::vector<float>& logits) {
        return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    }
    std::vector<int> tokens(int count) {
        std::vector<int> result;
        for (int i = 0; i < count; ++i) result.push_back(token());
        return result;
    }

  private Q_SLOTS:
    void initTestCase() { NEEDS_GPU(); }

    void everyLengthRankAndStrength_data() {
        QTest::addColumn<QList<int>>("ranks");
        QTest::addColumn<bool>("double_quant");
        QTest::newRow("no adapter") << QList<int>{} << true;
        QTest::newRow("r 16") << QList{16} << true;
        QTest::newRow("r 64, plain scales") << QList{64} << false;
        QTest::newRow("odd ranks") << QList{8, 3, 5, 6, 12, 16} << true;
        QTest::newRow("fc2 alone") << QList{0, 0, 0, 0, 0, 7} << true;
        QTest::newRow("dense 3 beside fc2 16") << QList{0, 0, 0, 3, 0, 16} << false;
    }

    // From the first token over every border between pieces of the attention.
    void everyLengthRankAndStrength() {
        QFETCH(QList<int>, ranks);
        QFETCH(bool, double_quant);
        load(fitting(), double_quant);
        QVERIFY(gpu_->decodesInOneGraph());
        if (!ranks.isEmpty()) giveAdapter({ranks.begin(), ranks.end()});
        for (const double strength : {1.0, 0.0, 0.5}) {
            Sequence s(*cpu_, *gpu_, kContext, strength);
            for (int i = 0; i < 70; ++i) s.append({token()});
            s.append(tokens(500));
            for (int i = 570; i < kContext; ++i) s.append({token()});
            qInfo("strength %.1f: relative error of logits %.2e, at most %.2e", strength, s.sum / s.count, s.worst);
            QVERIFY(s.close());
            if (ranks.isEmpty()) break;
        }
    }

    // Base and adapted side by side, each a graph of its own; then another adapter, and changed values of it.
    void caches_adaptersAndValuesTakeTurns() {
        load(fitting(), true);
        giveAdapter({16});
        Sequence adapted(*cpu_, *gpu_, 100, 1), base(*cpu_, *gpu_, 60, 0);
        for (int i = 0; i < 20; ++i) {
            adapted.append({token()});
            base.append({token()});
        }
        QVERIFY(adapted.close() && base.close());
        giveAdapter({4, 8});
        for (int i = 0; i < 10; ++i) adapted.append({token()});
        base.append({token()});
        QVERIFY(adapted.close() && base.close());
        const auto values = gpu_->adapter().values(), same = cpu_->adapter().values();
        for (std::size_t i = 0; i < values.size(); ++i) same[i] = values[i] *= -0.5f;
        OnDevice::require(gpu_->device()->storeValues(values));
        for (int i = 0; i < 10; ++i) adapted.append({token()});
        QVERIFY(adapted.close());
        gpu_->freeMemory();
        for (int i = 0; i < 5; ++i) adapted.append({token()});
        QVERIFY(adapted.close());
    }

    // One after the other without a wait between: what each gets alone, to the bit.
    void severalSequencesTogether() {
        load(fitting(), true);
        giveAdapter({16});
        constexpr std::size_t kCount = 5;
        std::vector<std::unique_ptr<engine::KvCache>> together, alone;
        std::vector<std::vector<float>> got(kCount, std::vector<float>(kVocab)), expected = got;
        const double strengths[kCount] = {1, 0, 0.5, 1, 0};
        for (std::size_t i = 0; i < kCount; ++i) {
            const auto prompt = tokens(3 + 40 * static_cast<int>(i));
            for (auto* caches : {&together, &alone}) {
                caches->push_back(cacheOf(*gpu_, 300));
                OnDevice::require(gpu_->step(*caches->back(), prompt, strengths[i], got[i], {}));
            }
        }
        for (int round = 0; round < 30; ++round) {
            std::vector<engine::NextToken> next;
            for (std::size_t i = 0; i < kCount; ++i) {
                const int one = i % 2 == 0 ? best(got[i]) : token();
                next.push_back({together[i].get(), one, strengths[i], got[i], {}});
                if (i % 2 == 0) next.back().then = api::Draw{0, 1, 0, kVocab, 0};
                OnDevice::require(gpu_->step(*alone[i], {&one, 1}, strengths[i], expected[i], {}));
            }
            OnDevice::require(gpu_->stepEach(next));
            for (std::size_t i = 0; i < kCount; ++i) {
                QVERIFY(got[i] == expected[i]);
                QCOMPARE(together[i]->size(), alone[i]->size());
            }
        }
    }

    void theCardDrawsWhatTheSamplerDraws_data() {
        QTest::addColumn<int>("vocab");
        QTest::addColumn<int>("usable");
        QTest::addColumn<float>("spread");
        QTest::addColumn<double>("temperature");
        QTest::addColumn<int>("top_k");
        QTest::addColumn<double>("top_p");
        QTest::newRow("greedy") << 51200 << 50295 << 3.0f << 0.0 << 0 << 1.0;
        QTest::newRow("temperature") << 51200 << 50295 << 4.0f << 0.7 << 0 << 1.0;
        QTest::newRow("top_p") << 51200 << 51200 << 4.0f << 0.7 << 0 << 0.9;
        QTest::newRow("top_k") << 51200 << 50295 << 1.0f << 1.0 << 50 << 1.0;
        QTest::newRow("top_k and top_p") << 51200 << 51200 << 2.0f << 1.3 << 200 << 0.5;
        QTest::newRow("few") << 37 << 31 << 2.0f << 1.0 << 0 << 0.95;
        QTest::newRow("one") << 1 << 1 << 2.0f << 1.0 << 0 << 1.0;
        QTest::newRow("the best alone") << 300 << 300 << 1.0f << 1.0 << 1 << 1.0;
        QTest::newRow("top_p of nothing") << 300 << 300 << 1.0f << 1.0 << 0 << 0.0;
    }

    void theCardDrawsWhatTheSamplerDraws() {
        QFETCH(int, vocab);
        QFETCH(int, usable);
        QFETCH(float, spread);
        QFETCH(double, temperature);
        QFETCH(int, top_k);
        QFETCH(double, top_p);
        api::GenerateRequest request;
        request.temperature = temperature;
        request.top_k = top_k;
        request.top_p = top_p;
        request.usable_vocab = usable;
        request.seed = random_();
        auto sampler = std::move(*engine::Sampler::create(request, vocab));
        const Stream stream = std::move(*gpu::openStream(0));
        auto token = std::move(*gpu::Pinned::allocate(sizeof(int)));
        int same = 0, beyond = 0;
        constexpr int kDraws = 100;
        constexpr std::ptrdiff_t kInOrder = 1000;  // the card puts a few more than that in order
        for (int i = 0; i < kDraws; ++i) {
            auto logits = normals(random_, vocab, spread);
            if (i % 3 == 0) logits[random_() % logits.size()] = -std::numeric_limits<float>::infinity();
            if (vocab == 1) logits[0] = 1;
            const auto draw = sampler.comingDraw();
            QVERIFY(draw.has_value());
            const Array<float> on_device(stream, logits);
            gpu::decodeDraw(stream, on_device.data(), *draw, reinterpret_cast<int*>(token.data()));
            OnDevice::require(gpu::finish(stream));
            const int drawn = *reinterpret_cast<int*>(token.data());
            QVERIFY(drawn >= 0 && drawn < usable);
            const auto expected = sampler.next(logits, {});
            QVERIFY(expected.has_value());
            same += drawn == *expected ? 1 : 0;
            const auto order = sampler.distribution(logits, {});
            QVERIFY(order.has_value());
            const auto at =
                std::find_if(order->begin(), order->end(), [&](const auto& one) { return one.id == *expected; });
            if (at - order->begin() >= kInOrder)
                ++beyond;
            else
                QCOMPARE(drawn, *expected);
        }
        qInfo("%d of %d drawn alike, %d beyond the %d most probable tokens", same, kDraws, beyond, int(kInOrder));
        QVERIFY(beyond <= 5);
    }

    void aRepetitionPenaltyIsNotDrawnAhead() {
        api::GenerateRequest request;
        request.repetition_penalty = 1.1;
        QVERIFY(!engine::Sampler::create(request, 10)->comingDraw());
    }

    // Right guesses, wrong ones, a sequence cut back, an adapter that changes in between: the bits of one that is
    // computed without guessing.
    void whatIsBegunAheadChangesNothing_data() {
        QTest::addColumn<double>("temperature");
        QTest::newRow("greedy") << 0.0;
        QTest::newRow("sampled") << 0.8;
    }

    void whatIsBegunAheadChangesNothing() {
        QFETCH(double, temperature);
        load(fitting(), true);
        giveAdapter({16});
        api::GenerateRequest request;
        request.temperature = temperature;
        request.seed = random_();
        auto sampler = std::move(*engine::Sampler::create(request, kVocab));
        const auto ahead = cacheOf(*gpu_, 150), plain = cacheOf(*gpu_, 150);
        std::vector<float> got(kVocab), expected(kVocab);
        int next = token();
        std::vector<int> history;
        const auto both = [&] {
            const engine::NextToken one{ahead.get(), next, 1, got, sampler.comingDraw()};
            OnDevice::require(gpu_->stepEach({&one, 1}));
            OnDevice::require(gpu_->step(*plain, {&next, 1}, 1, expected, {}));
            history.push_back(next);
        };
        // What the next token will be is known from here on, except right after a wrong guess.
        const auto& state = static_cast<engine::gpu::GpuKvCache&>(*ahead).token;
        int guessed = 0, right = 0;
        for (int i = 0; i < 120; ++i) {
            const bool begun = state.ahead.position == ahead->size();
            const int turn = state.now;
            both();
            guessed += begun ? 1 : 0;
            right += begun && state.now != turn ? 1 : 0;
            QVERIFY2(got == expected, qPrintable(QString::number(i)));
            QCOMPARE(ahead->size(), plain->size());
            next = *sampler.next(got, history);
            if (i == 25 || i == 80) next = (next + 1) % kVocab;  // not what it began with
            if (i == 6 || i == 10)
                for (auto* cache : {ahead.get(), plain.get()}) cache->truncate(2 + i / 4);
            if (i == 14) {
                const auto values = gpu_->adapter().values();
                for (float& v : values) v *= -0.5f;
                OnDevice::require(gpu_->device()->storeValues(values));
            }
            if (i == 18) {
                const auto more = tokens(7);
                for (auto* cache : {ahead.get(), plain.get()}) OnDevice::require(gpu_->step(*cache, more, 1, got, {}));
            }
            if (i == 22) gpu_->freeMemory();
            if (i == 70) giveAdapter({8});
        }
        qInfo("%d of 120 tokens were begun ahead, %d of these rightly", guessed, right);
        QVERIFY(guessed >= 45 && right >= guessed - 8 && right < guessed);
    }

    void theLastPlaceOfACacheIsNotOverrun() {
        load(fitting(), true);
        giveAdapter({16});
        const auto cache = cacheOf(*gpu_, 12);
        std::vector<float> logits(kVocab);
        for (int i = 0; i < 12; ++i) {
            const engine::NextToken one{cache.get(), token(), 1, logits, api::Draw{0, 1, 0, kVocab, 0}};
            OnDevice::require(gpu_->stepEach({&one, 1}));
        }
        QCOMPARE(cache->size(), 12);
        QCOMPARE(static_cast<engine::gpu::GpuKvCache&>(*cache).token.ahead.position, -1);
        const engine::NextToken more{cache.get(), 1, 1, logits};
        QVERIFY(!gpu_->stepEach({&more, 1}));
    }

    void theSameTokensGiveTheSameBits() {
        load(fitting(), true);
        giveAdapter({16});
        const auto sequence = tokens(90);
        std::vector<std::vector<float>> first;
        for (int round = 0; round < 2; ++round) {
            Sequence s(*cpu_, *gpu_, 100, 1);
            for (std::size_t i = 0; i < sequence.size(); ++i) {
                s.append({sequence[i]});
                if (round == 0)
                    first.push_back(s.got);
                else
                    QVERIFY(s.got == first[i]);
            }
        }
    }

    // A weight that is not finite must not come out as a number.
    void whatIsNotANumberStaysSo() {
        load(fitting(), true);
        giveAdapter({16});
        const auto values = gpu_->adapter().values();
        values[0] = std::numeric_limits<float>::quiet_NaN();
        OnDevice::require(gpu_->device()->storeValues(values));
        const auto cache = cacheOf(*gpu_, 8);
        std::vector<float> logits(kVocab);
        const int one = token();
        OnDevice::require(gpu_->step(*cache, {&one, 1}, 1, logits, {}));
        QVERIFY(std::any_of(logits.begin(), logits.end(), [](float v) { return std::isnan(v); }));
    }

    void otherWidthsGoLayerByLayer() {
        TinyPhi model = fitting();
        model.hidden = 160;
        model.heads = 2;
        model.intermediate = 256;
        load(model, true);
        QVERIFY(!gpu_->decodesInOneGraph());
        Sequence s(*cpu_, *gpu_, 40, 1);
        for (int i = 0; i < 30; ++i) s.append({token()});
        QVERIFY(s.close());
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuDecodeTest)
#include "decode_test.moc"
