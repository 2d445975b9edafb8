// What a real card does when memory runs out and when a kernel reads a bad address. In a process of its own: after the
// last of these tests the card is lost to it.
#include "engine/border/engine.h"
#include "engine/faulty_phi.h"
#include "engine/kernels/rows_cuda.h"
#include "engine/run_support.h"
#include "gpu/batches.h"
#include "gpu/on_device.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;

namespace {

constexpr int kVocab = 4096;
constexpr const char* kFolder = STUDIO_SOURCE_DIR "/resources/demo/model";

class GpuFaultTest : public QObject {
    Q_OBJECT

    std::shared_ptr<ListLogger> log_ = std::make_shared<ListLogger>();
    std::unique_ptr<engine::LocalEngine> engine_;

    api::ModelSource source() const {
        api::ModelSource source;
        source.folder = kFolder;
        source.device = "cuda";
        return source;
    }

    std::unique_ptr<api::Model> model() { return model(*engine_); }
    std::unique_ptr<api::Model> model(engine::LocalEngine& from) {
        auto loaded = from.load(source(), {});
        if (!loaded) qFatal("%s", loaded.error().text().c_str());
        api::LoraSpec spec;
        for (int layer = 0; layer < 5; ++layer)
            for (const char* name : {"self_attn.q_proj", "self_attn.v_proj", "mlp.fc1", "mlp.fc2"})
                spec.modules.push_back({"model.layers." + std::to_string(layer) + "." + name, 8, 2.0});
        if (auto created = (*loaded)->createAdapter(spec); !created) qFatal("%s", created.error().text().c_str());
        return std::move(*loaded);
    }

    static std::vector<dataset::Batch> data() {
        std::vector<dataset::Batch> batches;
        for (int i = 0; i < 4; ++i) batches.push_back(separate({40 + i, 17, 60}, 10 * i + 1, kVocab));
        return batches;
    }

    static api::TrainPlan plan() {
        api::TrainPlan plan;
        plan.total_steps = 8;
        plan.lr_scheduler = "constant";
        plan.learning_rate = 1e-3;
        plan.lora_dropout = 0.1;
        plan.steps_per_epoch = 4;
        plan.save_steps = 3;
        plan.deterministic = true;
        return plan;
    }

    static Result<api::TrainResult> train(api::Model& model, Record& record, const api::Checkpoint* resume = nullptr) {
        ListSource source(data());
        api::Mailbox mailbox;
        return model.train(plan(), source, nullptr, resume, record, record, mailbox, {});
    }

    // Takes all but `megabytes` of the card.
    static std::vector<gpu::Memory> takeAllBut(std::uint64_t megabytes) {
        std::vector<gpu::Memory> taken;
        const auto stream = gpu::openStream(0);
        for (std::uint64_t piece = std::uint64_t{8} << 30; piece >= std::uint64_t{2} << 20; piece /= 2)
            while (gpu::memoryState(0).free > (megabytes << 20) + piece) {
                auto memory = gpu::Memory::allocate(piece, *stream);
                if (!memory) break;
                taken.push_back(std::move(*memory));
            }
        return taken;
    }

  private Q_SLOTS:
    void initTestCase() { engine_ = std::make_unique<engine::LocalEngine>(api::Services{log_}); }

    void cardsWithoutBfloat16AreRefusedWithASentence() {
        const gpu::Card turing{0, "NVIDIA T4", "GPU-1", std::uint64_t{16} << 30, 7, 5, 40};
        const gpu::Card ampere{1, "NVIDIA RTX A4000", "GPU-2", std::uint64_t{16} << 30, 8, 6, 48};
        const auto none = gpu::usableCards({turing}, "80,86,90a");
        QVERIFY(!none && none.error().code == ErrorCode::Device);
        QVERIFY2(none.error().message.find("NVIDIA T4") != std::string::npos, none.error().message.c_str());
        QVERIFY(none.error().message.find("bfloat16") != std::string::npos && !none.error().hint.empty());
        const auto one = gpu::usableCards({turing, ampere}, "80,86,90a");
        QVERIFY(one && one->size() == 1 && one->front().uuid == "GPU-2");
        QVERIFY(!gpu::usableCards({}, "80,86,90a"));
    }

    void cardsTheBuildHasNoCodeForAreRefusedWithASentence() {
        const auto usable = [](int major, int minor, const char* built_for) {
            return gpu::usableCards({gpu::Card{0, "Card", "GPU-1", 1, major, minor, 1}}, built_for);
        };
        QVERIFY(usable(8, 9, "80,86,90a") && usable(8, 0, "80") && usable(9, 0, "80,90a") && usable(12, 0, "90a,120"));
        QVERIFY(!usable(8, 0, "86") && !usable(8, 6, "90a") && !usable(10, 0, "80,90a,120"));
        const auto other = usable(10, 3, "80,90a");
        QVERIFY(!other && other.error().code == ErrorCode::Device);
        QVERIFY2(other.error().message.find("80,90a") != std::string::npos, other.error().message.c_str());
        QVERIFY2(other.error().hint.find("STUDIO_CUDA_ARCHITECTURES=103") != std::string::npos,
                 other.error().hint.c_str());
    }

    // As the driver and CUDA tell it: 35, a driver that is too old or missing; 100, no card.
    void whyThereIsNoCardIsSaid() {
        const auto says = [](const Error& error, const char* words) {
            return error.code == ErrorCode::Device && error.message.find(words) != std::string::npos &&
                   !error.hint.empty();
        };
        QVERIFY(says(gpu::noCards(35, 12040, nullptr), "supports CUDA 12.4, and CUDA 13.0 is needed"));
        QVERIFY(gpu::noCards(35, 12040, nullptr).hint.find("580") != std::string::npos);
        QVERIFY(says(gpu::noCards(35, 0, nullptr), "no NVIDIA driver is installed"));
        QVERIFY(says(gpu::noCards(100, 13000, "7"), "CUDA_VISIBLE_DEVICES is \"7\""));
        QVERIFY(says(gpu::noCards(0, 13000, ""), "CUDA_VISIBLE_DEVICES is \"\""));
        QVERIFY(says(gpu::noCards(100, 13000, nullptr), "There is no NVIDIA GPU"));
    }

    // By number, as the driver gives them.
    void aStatusTellsWhetherTheProcessCanGoOn() {
        using gpu::Failure;
        QVERIFY(gpu::failureOf(0) == Failure::None);
        QVERIFY(gpu::failureOf(2) == Failure::OutOfMemory);
        QVERIFY(gpu::failureOf(46) == Failure::Busy);               // exclusive mode
        for (const int lost : {214, 700, 702, 716, 719, 710, 999})  // ECC, address, time-out, alignment, launch, assert
            QVERIFY2(gpu::failureOf(lost) == Failure::Lost, qPrintable(QString::number(lost)));
        for (const int other : {1, 35, 100, 209})  // value, driver, no card, no kernel for the card
            QVERIFY2(gpu::failureOf(other) == Failure::Other, qPrintable(QString::number(other)));
    }

    void memoryThatRunsOutKeepsTheRun() {
        NEEDS_GPU();
        const auto whole = model();
        Record expected;
        QVERIFY(train(*whole, expected));

        // At a step in the middle somebody else takes everything: the second try cannot help, the run ends, resumable.
        const auto second = model();
        Record record;
        std::vector<gpu::Memory> taken;
        record.on_step = [&](std::int64_t step) -> Result<void> {
            if (step == 4) taken = takeAllBut(24);
            return {};
        };
        api::Mailbox mailbox;
        auto batches = data();
        // The fifth micro-batch is far longer than all before, so that the buffers must grow.
        std::vector<int> lengths(400, 120);
        batches.insert(batches.begin() + 3, separate(lengths, 91, kVocab));
        std::rotate(batches.begin(), batches.begin() + 4, batches.end());
        ListSource longer(batches, false);
        const auto ended = second->train(plan(), longer, nullptr, nullptr, record, record, mailbox, {});
        QVERIFY(!ended);
        qInfo("%s", ended.error().text().c_str());
        QVERIFY2(ended.error().code == ErrorCode::OutOfMemory, ended.error().text().c_str());
        QVERIFY(!record.checkpoints.empty());
        QCOMPARE(record.checkpoints.back().view().state.step, std::int64_t(record.steps.size()));
        QVERIFY(!log_->warnings.empty());  // it was tried once more

        // A load finds no room either, and says so.
        auto rest_of_card = takeAllBut(2);
        const auto loaded = engine_->load(source(), {});
        QVERIFY(!loaded);
        qInfo("%s", loaded.error().text().c_str());
        QVERIFY(loaded.error().code == ErrorCode::OutOfMemory);
        QVERIFY(loaded.error().hint.starts_with("Close other programs"));
        rest_of_card.clear();
        taken.clear();
        // With the memory back the same model goes on.
        Record rest;
        api::Mailbox quiet;
        ListSource again(batches, false);
        const auto resumed =
            second->train(plan(), again, nullptr, &record.checkpoints.back().view(), rest, rest, quiet, {});
        QVERIFY2(resumed, resumed ? "" : resumed.error().text().c_str());
    }

    void memoryGivenBackBringsTheSameStep() {
        NEEDS_GPU();
        const auto whole = model();
        Record straight;
        QVERIFY(train(*whole, straight));
        for (const char* plan : {"forward 1 memory", "backward 5 memory", "forward 8 throw"}) {
            const auto faults = std::make_shared<Faults>(plan);
            engine::LocalEngine broken({log_}, faultyMakers(faults));
            const auto interrupted = model(broken);
            Record record;
            QVERIFY(train(*interrupted, record));
            QCOMPARE(faults->freed, 1);
            QVERIFY(record.at(8)->bytes() == straight.at(8)->bytes());
        }
    }

    // Last: nothing works on the card afterwards.
    void anIllegalAddressEndsTheUseOfTheCard() {
        NEEDS_GPU();
        const auto trained = model();
        Record record;
        record.on_step = [](std::int64_t step) -> Result<void> {
            if (step != 5) return {};
            // Rows from an address that is nobody's, on a stream of their own.
            const auto stream = gpu::openStream(0);
            auto memory = gpu::Memory::allocate(4096, *stream);
            const Matrix nowhere{reinterpret_cast<std::byte*>(std::uintptr_t{1} << 20), 8, 64, 64, Element::BF16};
            const Matrix here{memory->data(), 8, 64, 64, Element::BF16};
            gpu::copyRows(*stream, nowhere, here);
            return {};
        };
        QCOMPARE(engine_->device().kind, std::string("cuda"));
        const auto result = train(*trained, record);
        QVERIFY(!result);
        qInfo("%s", result.error().text().c_str());
        QVERIFY2(result.error().code == ErrorCode::DeviceLost, result.error().text().c_str());
        QVERIFY(result.error().hint.starts_with("Restart the program."));
        QCOMPARE(record.checkpoints.size(), std::size_t{1});  // of step 3; nothing was saved after
        QCOMPARE(record.checkpoints.back().view().state.step, std::int64_t{3});

        const auto same = [&](const auto& later) { return !later && later.error().text() == result.error().text(); };
        QVERIFY(same(engine_->load(source(), {})));
        Record none;
        QVERIFY(same(train(*trained, none)));
        api::GenerateRequest request;
        request.prompt = {1, 2, 3};
        QVERIFY(same(trained->generate(request)));
        QCOMPARE(engine_->device().kind, std::string("cuda"));  // as it was known before
        // The model, its buffers and the engine go away without a fuss; the process ends with the test's result.
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuFaultTest)
#include "fault_test.moc"
