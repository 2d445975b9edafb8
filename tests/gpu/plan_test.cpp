// The planned peak of memory against the real one, on a phi-2-shaped checkpoint: the folder that `bench load --device
// cuda` makes, or that the environment variable STUDIO_PHI_2 names.
#include <cstdlib>
#include <filesystem>

#include "config/model_config.h"
#include "engine/gpu/gpu_phi.h"
#include "engine/gpu/plan.h"
#include "gpu/batches.h"
#include "gpu/on_device.h"

using namespace studio;
using namespace studio::test;
namespace api = engine::api;
using engine::MemoryMode;

namespace {

std::string folder() {
    if (const char* named = std::getenv("STUDIO_PHI_2"); named != nullptr) return named;
    return (std::filesystem::temp_directory_path() / "qlora-studio-bench-phi-2").string();
}

class GpuPlanTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        NEEDS_GPU();
        if (!std::filesystem::exists(folder() + "/config.json"))
            QSKIP("no phi-2-shaped checkpoint: run `qlora-studio bench load --device cuda` first");
    }

    void withinFivePercent() {
        api::ModelSource source;
        source.folder = folder();
        auto loaded = engine::gpu::GpuPhi::load(source, 0, nullptr, {});
        QVERIFY2(loaded.has_value(), loaded ? "" : loaded.error().text().c_str());
        auto& model = **loaded;
        const auto config = config::readPhiConfig(source.folder);
        QVERIFY(config.has_value());
        struct Setting {
            int conversations, length, r;
            MemoryMode mode;
        };
        const auto all = MemoryMode::KeepAll, selective = MemoryMode::Selective, recompute = MemoryMode::Recompute;
        const Setting settings[] = {{1, 256, 8, recompute},   {1, 256, 8, all},         {1, 512, 64, recompute},
                                    {1, 512, 64, selective},  {1, 512, 16, all},        {4, 300, 16, recompute},
                                    {4, 300, 16, all},        {4, 512, 32, selective},  {16, 512, 64, recompute},
                                    {16, 512, 64, selective}, {16, 512, 64, all},       {4, 2048, 8, selective},
                                    {8, 2048, 64, recompute}, {8, 2048, 16, selective}, {8, 2048, 64, all}};
        double worst = 0;
        for (const Setting& s : settings) {
            api::LoraSpec spec;
            for (const std::string& name : model.linearNames()) spec.modules.push_back({name, s.r, 1.0});
            model.dropAdapter();
            OnDevice::require(model.createAdapter(spec));
            // 300 stands for conversations of different lengths.
            std::vector<int> lengths(static_cast<std::size_t>(s.conversations), s.length);
            if (s.length == 300) lengths.back() = 300 - 7;
            const auto batch = separate(lengths, 1, 50000);
            engine::gpu::PlanRequest request;
            request.limits = engine::Limits::of(batch, true);
            request.limits.memory = s.mode;
            request.equal_length = s.length != 300;
            OnDevice::require(model.reserve(request.limits));  // what the setting before held is gone
            model.resetPeak();
            request.available = gpu::memoryState(0).total;
            std::vector<float> nll(batch.targets.size());
            engine::ForwardOptions options;
            options.training = true;
            options.memory = s.mode;
            OnDevice::require(model.device()->resetMoments());
            for (int step = 0; step < 2; ++step) {
                OnDevice::require(model.device()->zeroGradients());
                OnDevice::require(model.forward(batch, options, nll));
                OnDevice::require(model.backward(1));
                OnDevice::require(model.device()->update({}));
            }
            const auto real = model.memory();
            const auto planned = engine::gpu::planMemory(*config, spec, request);
            QVERIFY2(planned.has_value(), planned ? "" : planned.error().text().c_str());
            const double ratio = static_cast<double>(planned->peak_bytes) / static_cast<double>(real.peak_bytes);
            qInfo("%d x %d, r %d, %s: planned %.2f GiB, real %.2f GiB, ratio %.4f", s.conversations, s.length, s.r,
                  real.mode.c_str(), static_cast<double>(planned->peak_bytes) / (1 << 30),
                  static_cast<double>(real.peak_bytes) / (1 << 30), ratio);
            worst = std::max(worst, std::abs(ratio - 1));
        }
        QVERIFY2(worst < 0.05, qPrintable(QString::number(worst)));
    }
};

}  // namespace

QTEST_GUILESS_MAIN(GpuPlanTest)
#include "plan_test.moc"
