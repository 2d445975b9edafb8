// The Models page: what it shows of what lies on the disk.
#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QTableView>
#include <fstream>

#include "config/model_config.h"
#include "io/safetensors.h"
#include "jobs/run_record.h"
#include "jobs/trainer_state.h"
#include "project/run_folder.h"
#include "ui/look/format.h"
#include "ui/models/models_page.h"
#include "ui/support/fixture.h"

using namespace studio;
using namespace studio::ui;
using studio::ui::testing::Bench;
using studio::ui::testing::photograph;
using studio::ui::testing::waitFor;

namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

// A model of the Hugging Face cache with the built-in model's files behind links, as the Hub's tools lay it out.
fs::path hubModel(const fs::path& home, const std::string& name) {
    const fs::path repository = home / "xdg_cache_home" / "huggingface" / "hub" / name;
    const fs::path snapshot = repository / "snapshots" / "810d367871c1d460086d9f82db8696f2e0a0fcd0";
    write(repository / "refs" / "main", "810d367871c1d460086d9f82db8696f2e0a0fcd0");
    fs::create_directories(snapshot);
    fs::create_directories(repository / "blobs");
    int n = 0;
    for (const auto& file : fs::directory_iterator(jobs::builtInModels() / "model")) {
        const fs::path blob = repository / "blobs" / ("b" + std::to_string(n++));
        fs::copy_file(file.path(), blob);
        fs::create_symlink(fs::relative(blob, snapshot), snapshot / file.path().filename());
    }
    write(snapshot / "README.md", "---\nlicense: mit\n---\n# phi-2\n");
    return snapshot;
}

// An adapter on q_proj and v_proj of the built-in model, as a run saves it.
void writeAdapter(const fs::path& folder, const char* base, int r) {
    fs::create_directories(folder);
    write(folder / "adapter_config.json",
          QStringLiteral(R"({"peft_type":"LORA","r":%1,"lora_alpha":%1,"target_modules":["q_proj","v_proj"],)"
                         R"("base_model_name_or_path":"%2"})")
              .arg(r)
              .arg(QString::fromUtf8(base))
              .toStdString());
    const auto phi = config::readPhiConfig(jobs::builtInModels() / "model");
    if (!phi) qFatal("no config");
    std::vector<float> zeros(std::size_t(r) * 2048);
    std::vector<io::TensorView> tensors;
    for (const auto& linear : config::linears(*phi)) {
        if (!linear.name.ends_with("q_proj") && !linear.name.ends_with("v_proj")) continue;
        const std::string name = "base_model.model." + linear.name;
        tensors.push_back(
            {name + ".lora_A.weight", io::DType::F32, {r, linear.in}, zeros.data(), std::uint64_t(r * linear.in * 4)});
        tensors.push_back({name + ".lora_B.weight",
                           io::DType::F32,
                           {linear.out, r},
                           zeros.data(),
                           std::uint64_t(linear.out * r * 4)});
    }
    const auto ops = io::realFileOps();
    if (!io::writeSafetensors(*ops, folder / "adapter_model.safetensors", tensors, {{"format", "pt"}})) qFatal("write");
}

void writeRun(const fs::path& runs, const std::string& name, int best, std::initializer_list<int> steps) {
    jobs::RunRecord record;
    record.base_folder = jobs::builtInModels() / "model";
    record.recipe.training.model_name_or_path = record.base_folder.string();
    const auto run = project::Run::create(io::realFileOps(), runs / name, name, jobs::toJson(record));
    if (!run) qFatal("%s", run.error().text().c_str());
    std::string metrics;
    for (const int step : steps) {
        const fs::path folder = runs / name / ("checkpoint-" + std::to_string(step));
        writeAdapter(folder, "Studio demo", 16);
        engine::api::TrainerState state;
        state.step = step;
        state.best_step = best;
        write(folder / "trainer_state.json", jobs::formatTrainerState(state));
        metrics += "{\"step\":" + std::to_string(step) + ",\"eval_loss\":" + std::to_string(4.2 - step * 0.001) + "}\n";
    }
    write(runs / name / "metrics.jsonl", metrics);
}

bool searched(ModelsPage& page) {
    page.resize(1280, 800);
    page.show();
    page.activated();
    return waitFor([&] { return !page.searching() && !page.statusRight().isEmpty(); });
}

}  // namespace

class ModelsPageTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void showsTheBuiltInModelAndHowToGetPhi2() {
        Bench bench;
        ModelsPage page(bench.session());
        QVERIFY(searched(page));
        QCOMPARE(page.catalogue().bases.size(), std::size_t(1));
        QVERIFY(page.catalogue().bases[0].usable);
        photograph(page, QStringLiteral("models-none"));
        QCOMPARE(testing::withoutAccessibleName(page).join(u','), QString());
        for (QPushButton* button : page.findChildren<QPushButton*>())
            if (button->text().startsWith(QStringLiteral("Copy"))) button->click();
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("microsoft/phi-2")));
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("model-00002-of-00002.safetensors")));
    }

    void saysWhatBrokenOnesLack() {
        Bench bench;
        const fs::path home = path(bench.folder());
        hubModel(home, "models--microsoft--phi-2");
        const fs::path old = home / "models" / "phi-2-instruct-old";
        write(old / "config.json", R"({"model_type":"phi-msft","n_embd":2560,"n_layer":32})");
        const fs::path half = hubModel(home, "models--someone--phi-2-dutch");
        fs::remove(fs::canonical(half / "model.safetensors"));
        const fs::path tables = home / "models" / "phi-2-bin-only";
        fs::create_directories(tables);
        fs::copy_file(jobs::builtInModels() / "model" / "config.json", tables / "config.json");
        write(tables / "pytorch_model.bin", "pickle");
        const fs::path adapter = home / "models" / "era-phi-2-oasst";
        write(
            adapter / "adapter_config.json",
            R"({"peft_type":"LORA","r":64,"lora_alpha":16,"target_modules":["Wqkv","out_proj"],"base_model_name_or_path":"microsoft/phi-2"})");
        ModelsPage page(bench.session());
        bench.session().settings().setModelFolders({pathText(home / "models")});
        QVERIFY(searched(page));
        QCOMPARE(page.catalogue().bases.size(), std::size_t(5));
        QCOMPARE(page.catalogue().bases[0].name, std::string("microsoft/phi-2"));
        QVERIFY(page.catalogue().bases[0].usable);
        QCOMPARE(page.catalogue().adapters.size(), std::size_t(1));
        QVERIFY(!page.catalogue().adapters[0].sound);
        photograph(page, QStringLiteral("models-broken"));
        photograph(page, QStringLiteral("models-broken-narrow"), {1024, 640});
        photograph(page, QStringLiteral("models-broken-wide"), {1920, 1080});
        QCOMPARE(testing::withoutAccessibleName(page).join(u','), QString());
    }

    void listsTheAdaptersOfTheRuns() {
        Bench bench;
        writeRun(bench.session().paths().runs(), "studio-r16", 40, {20, 40, 60});
        writeRun(bench.session().paths().runs(), "demo-1", 10, {10});
        const fs::path outside = path(bench.folder()) / "adapters";
        writeAdapter(outside / "era-phi-2-oasst", "microsoft/phi-2", 64);
        writeAdapter(outside / "of-no-run", (jobs::builtInModels() / "model").c_str(), 8);
        write(outside / "half-saved" / "adapter_config.json", R"({"peft_type":"LORA","r":8,"lora_alpha":8})");
        bench.session().settings().setModelFolders({pathText(outside)});
        ModelsPage page(bench.session());
        QVERIFY(searched(page));
        QCOMPARE(page.catalogue().adapters.size(), std::size_t(7));
        int best = 0, newest = 0, sound = 0;
        for (const jobs::AdapterModel& a : page.catalogue().adapters) {
            best += a.best;
            newest += a.newest;
            sound += a.sound;
        }
        QCOMPARE(best, 2);
        QCOMPARE(newest, 2);
        QCOMPARE(sound, 6);
        auto* table = page.findChild<QTableView*>();
        table->selectRow(1);
        QString run, checkpoint;
        connect(&bench.session().go(), &Navigator::chatWith, this, [&](const QString& r, const QString& c) {
            run = r;
            checkpoint = c;
        });
        for (QAction* action : page.pageActions())
            if (action->text().contains(QStringLiteral("Chat"))) action->trigger();
        QVERIFY(!run.isEmpty());
        QVERIFY(checkpoint.startsWith(QStringLiteral("checkpoint-")));
        // One of no run is chatted with, too; there is no run to evaluate it in.
        QString base, folder;
        connect(&bench.session().go(), &Navigator::chatWithAdapter, this, [&](const QString& b, const QString& f) {
            base = b;
            folder = f;
        });
        const auto& adapters = page.catalogue().adapters;
        const auto outsider = std::find_if(adapters.begin(), adapters.end(), [](const jobs::AdapterModel& a) {
            return !a.base.empty() && a.run.empty();
        });
        QVERIFY(outsider != adapters.end());
        table->selectRow(int(outsider - adapters.begin()));
        for (QPushButton* button : page.findChildren<QPushButton*>()) {
            if (button->accessibleName() == QStringLiteral("Evaluate the chosen adapter"))
                QVERIFY(!button->isEnabled());
            if (button->accessibleName() == QStringLiteral("Chat with the chosen adapter")) button->click();
        }
        QCOMPARE(folder, pathText(outside / "of-no-run"));
        QCOMPARE(base, pathText(outsider->base));
        photograph(page, QStringLiteral("models-adapters"));
        QFont font = QApplication::font(), large = font;
        large.setPointSize(14);
        QApplication::setFont(large);
        photograph(page, QStringLiteral("models-adapters-14pt"), {1280, 800});
        QApplication::setFont(font);
        QVERIFY(page.saveState().contains(QStringLiteral("adapter")));
    }

    void anOpenedFolderIsCheckedToldAndRemembered() {
        Bench bench;
        const fs::path home = path(bench.folder());
        ModelsPage page(bench.session());
        QVERIFY(searched(page));
        const fs::path nothing = home / "nothing";
        fs::create_directories(nothing);
        page.addFolder(pathText(nothing));
        QVERIFY(waitFor([&] { return !bench.session().messages().shown().isEmpty(); }));
        QVERIFY(bench.session().messages().shown().last().what.contains(QStringLiteral("config.json")));
        QVERIFY(bench.session().settings().modelFolders().isEmpty());
        const fs::path copy = home / "copy";
        fs::copy(jobs::builtInModels() / "model", copy);
        page.addFolder(pathText(copy));
        QVERIFY(waitFor([&] { return page.catalogue().bases.size() == 2; }));
        QCOMPARE(bench.session().settings().modelFolders(), QStringList{pathText(copy)});
    }

    void theTableIsASoundModel() {
        AdapterTable table;
        QAbstractItemModelTester tester(&table);
        jobs::AdapterModel adapter;
        adapter.name = "studio-r16 @ 400";
        adapter.folder = "/x/checkpoint-400";
        table.setAdapters({adapter, adapter});
        QCOMPARE(table.rowCount(), 2);
        QCOMPARE(table.index(0, AdapterTable::Validation).data().toString(), absent());
    }
};

STUDIO_WIDGET_TEST(ModelsPageTest)
#include "models_page_test.moc"
