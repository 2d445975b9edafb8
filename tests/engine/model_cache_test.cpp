// Decoding with a KV cache gives what the whole text gives at once.
#include "engine/model_golden.h"

using namespace studio;
using test::difference;

namespace {

class ModelCacheTest : public QObject {
    Q_OBJECT

    test::PhiGolden golden_;

    // Tokens of the longest conversation of a case, and golden logits of its rows with targets by place in it.
    struct Text {
        std::vector<int> tokens;
        std::map<int, std::vector<float>> logits;
    };
    Text longest(const std::string& name, int vocab) const {
        const auto batch = golden_.batch(name);
        const auto segment =
            *std::max_element(batch.segments.begin(), batch.segments.end(),
                              [](const auto& a, const auto& b) { return a.end - a.begin < b.end - b.begin; });
        Text text;
        text.tokens.assign(batch.tokens.begin() + segment.begin, batch.tokens.begin() + segment.end);
        const auto all = golden_.tensors.floats(name + ".logits");
        int row = -1, last = -1;
        for (const auto& target : batch.targets) {
            if (target.row != last) ++row;
            last = target.row;
            if (target.row >= segment.begin && target.row < segment.end)
                text.logits[target.row - segment.begin].assign(all.begin() + row * vocab,
                                                               all.begin() + (row + 1) * vocab);
        }
        return text;
    }

  private Q_SLOTS:
    void agreesWithTheWholeText_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("prompt");  // tokens at once, before one by one
        QTest::newRow("one by one") << "paths" << 1;
        QTest::newRow("prompt of several pieces") << "paths" << 131;
        QTest::newRow("grouped queries") << "gqa_paths" << 20;
    }
    void agreesWithTheWholeText() {
        QFETCH(QString, name);
        QFETCH(int, prompt);
        const auto model = golden_.forCase(name.toStdString());
        const int vocab = model->info().vocab;
        const Text text = longest(name.toStdString(), vocab);
        const auto count = static_cast<int>(text.tokens.size());
        auto cache = model->newCache(count);
        QVERIFY(cache.has_value());
        std::vector<float> logits(static_cast<std::size_t>(vocab));
        double worst = 0;
        int compared = 0;
        for (int done = 0, next = prompt; done < count; done = next++) {
            const auto part =
                std::span(text.tokens).subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(next - done));
            auto stepped = model->step(**cache, part, 1, logits);
            QVERIFY2(stepped.has_value(), stepped ? "" : stepped.error().text().c_str());
            QCOMPARE((*cache)->size(), next);
            if (const auto at = text.logits.find(next - 1); at != text.logits.end()) {
                worst = std::max(worst, difference(logits, at->second));
                ++compared;
            }
        }
        qInfo("%d rows, logits %.2g", compared, worst);
        QVERIFY(compared > 2);
        QVERIFY(worst < 1e-4);
    }

    // Single tokens go through NF4 without expanding it.
    void decodingFromStoredWeights() {
        const auto expanded = golden_.model("gqa", "double", "F16", engine::HoldLinears::Expanded);
        const auto stored = golden_.model("gqa", "double", "F16", engine::HoldLinears::AsStored);
        std::vector<float> a(131), b(131);
        auto first = expanded->newCache(40), second = stored->newCache(40);
        for (auto* model : {expanded.get(), stored.get()}) golden_.giveAdapter(*model, "upper");
        const auto tokens = golden_.batch("gqa_paths").tokens;
        for (int done = 0; done < 40; done += done < 6 ? 1 : 3) {
            const auto part = std::span(tokens).subspan(static_cast<std::size_t>(done), done < 6 ? 1 : 3);
            if ((*first)->size() + static_cast<int>(part.size()) > 40) break;
            QVERIFY(expanded->step(**first, part, 1, a).has_value());
            QVERIFY(stored->step(**second, part, 1, b).has_value());
            QVERIFY(difference(a, b) < 2e-5);
        }
        QVERIFY((*first)->size() > 30);
    }

    // Sequences of other lengths and strengths, together and alone.
    void severalSequencesTogether_data() {
        QTest::addColumn<bool>("stored");
        QTest::newRow("expanded weights") << false;
        QTest::newRow("NF4 as stored") << true;
    }

    void severalSequencesTogether() {
        QFETCH(bool, stored);
        const auto hold = stored ? engine::HoldLinears::AsStored : engine::HoldLinears::Expanded;
        const auto model = golden_.model("gqa", "double", "F16", hold);
        golden_.giveAdapter(*model, "upper");
        constexpr std::size_t kCount = 18;  // more than are computed at a time
        std::vector<std::unique_ptr<engine::KvCache>> together, alone;
        std::vector<std::vector<float>> got(kCount, std::vector<float>(131)), expected = got;
        const auto tokens = golden_.batch("gqa_paths").tokens;
        const auto strength = [](std::size_t i) { return i % 3 == 0 ? 0.0 : i % 3 == 1 ? 1.0 : 0.4; };
        for (std::size_t i = 0; i < kCount; ++i)
            for (auto* caches : {&together, &alone}) {
                caches->push_back(std::move(*model->newCache(40)));
                QVERIFY(model->step(*caches->back(), std::span(tokens).subspan(i, 1 + i), strength(i), got[i]));
            }
        for (int round = 0; round < 4; ++round) {
            std::vector<engine::NextToken> next;
            for (std::size_t i = 0; i < kCount; ++i) {
                const int token = tokens[(5 * i + static_cast<std::size_t>(round)) % tokens.size()];
                next.push_back({together[i].get(), token, strength(i), got[i]});
                QVERIFY(model->step(*alone[i], {&token, 1}, strength(i), expected[i]));
            }
            const auto done = model->stepEach(next);
            QVERIFY2(done.has_value(), done ? "" : done.error().text().c_str());
            for (std::size_t i = 0; i < kCount; ++i) {
                QVERIFY(difference(got[i], expected[i]) < 2e-5);
                QCOMPARE(together[i]->size(), alone[i]->size());
            }
        }
        // One that is full: nobody moves.
        auto full = std::move(*model->newCache(1));
        const int token = 3;
        QVERIFY(model->step(*full, {&token, 1}, 1, expected[1]));
        const int before = together[0]->size();
        const std::vector<engine::NextToken> next{{together[0].get(), 3, 1, got[0]}, {full.get(), 3, 1, got[1]}};
        QVERIFY(!model->stepEach(next));
        QCOMPARE(together[0]->size(), before);
    }

    void truncatingAndStrength() {
        const auto model = golden_.forCase("paths");
        const auto tokens = golden_.batch("paths").tokens;
        auto cache = model->newCache(64);
        QVERIFY(cache.has_value());
        std::vector<float> first(256), again(256), base(256);
        QVERIFY(model->step(**cache, std::span(tokens).first(30), 1, first).has_value());
        QVERIFY(model->step(**cache, std::span(tokens).subspan(30, 20), 1, again).has_value());
        (*cache)->truncate(29);
        QCOMPARE((*cache)->size(), 29);
        QVERIFY(model->step(**cache, std::span(tokens).subspan(29, 1), 1, again).has_value());
        QVERIFY(difference(first, again) < 2e-5);

        auto other = model->newCache(64);
        QVERIFY(model->step(**other, std::span(tokens).first(30), 0, base).has_value());
        QVERIFY(difference(first, base) > 0.1);
        model->dropAdapter();
        auto plain = model->newCache(64);
        QVERIFY(model->step(**plain, std::span(tokens).first(30), 1, again).has_value());
        QCOMPARE(again, base);
    }

    void whatDoesNotFitIsRefusedAndChangesNothing() {
        const auto model = golden_.model("gqa", "none");
        QVERIFY(!model->newCache(0).has_value());
        QVERIFY(!model->newCache(97).has_value());  // the context is 96
        auto cache = model->newCache(10);
        std::vector<float> logits(131);
        std::vector<int> tokens(11, 5);
        QVERIFY(!model->step(**cache, tokens, 1, logits).has_value());
        QVERIFY(!model->step(**cache, {}, 1, logits).has_value());
        tokens.resize(4);
        tokens[2] = 131;
        QVERIFY(!model->step(**cache, tokens, 1, logits).has_value());
        tokens[2] = 130;
        QVERIFY(!model->step(**cache, tokens, 1, std::span(logits).first(130)).has_value());
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = model->step(**cache, tokens, 1, logits, stop.get_token());
        QVERIFY(!stopped.has_value() && stopped.error().cancelled());
        QCOMPARE((*cache)->size(), 0);
        QVERIFY(model->step(**cache, tokens, 1, logits).has_value());
        QCOMPARE((*cache)->size(), 4);
    }
};

}  // namespace

QTEST_GUILESS_MAIN(ModelCacheTest)
#include "model_cache_test.moc"
