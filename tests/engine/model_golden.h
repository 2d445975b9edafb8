// The cases of tests/reference/data/phi.json.
#pragma once

#include <QTemporaryDir>
#include <map>
#include <memory>

#include "engine/golden.h"
#include "engine/model/phi_model.h"
#include "io/json.h"
#include "support/tiny_phi.h"

namespace studio::test {

inline dataset::Batch batchFrom(const io::Json& json) {
    dataset::Batch batch;
    batch.tokens = json["tokens"].get<std::vector<int>>();
    batch.positions = json["positions"].get<std::vector<int>>();
    for (const auto& segment : json["segments"]) {
        dataset::Segment out{segment["begin"], segment["end"], segment["sample"], {}};
        for (const auto& range : segment["context"]) out.context.push_back({range[0], range[1]});
        batch.segments.push_back(std::move(out));
    }
    for (const auto& target : json["targets"]) batch.targets.push_back({target[0], target[1], target[2]});
    batch.samples = json["samples"].get<std::vector<dataset::SampleId>>();
    return batch;
}

class PhiGolden {
  public:
    PhiGolden() {
        auto json = io::readJson(std::string(STUDIO_SOURCE_DIR) + "/tests/reference/data/phi.json");
        if (!json) qFatal("%s", json.error().text().c_str());
        spec = std::move(*json);
    }

    std::unique_ptr<engine::PhiModel> model(const std::string& name, const std::string& quantisation,
                                            const std::string& dtype = "F16",
                                            engine::HoldLinears hold = engine::HoldLinears::WhereItFits) {
        auto& folder = folders_[name + dtype];
        if (!folder) {
            folder = std::make_unique<QTemporaryDir>();
            TinyPhi shape = name == "gqa" ? TinyPhi::gqa() : TinyPhi::mha();
            shape.dtype = dtype;
            if (auto done = writeTinyPhi(folder->path().toStdString(), shape); !done)
                qFatal("%s", done.error().text().c_str());
        }
        engine::api::ModelSource source;
        source.folder = folder->path().toStdString();
        source.load_in_4bit = quantisation != "none";
        source.double_quant = quantisation == "double";
        source.threads = 1;  // other tests run beside this one
        auto model = engine::PhiModel::load(source, nullptr, {}, hold);
        if (!model) qFatal("%s", model.error().text().c_str());
        return std::move(*model);
    }

    engine::api::LoraSpec adapter(const std::string& name) const {
        engine::api::LoraSpec lora;
        for (const auto& module : spec["adapters"][name]["modules"])
            lora.modules.push_back({module["name"], module["r"], module["scaling"]});
        return lora;
    }

    // Model with its adapter at the formula's values.
    std::unique_ptr<engine::PhiModel> forCase(const std::string& name) {
        const auto& one = spec["cases"][name];
        auto phi = model(one["model"], one["quantisation"]);
        giveAdapter(*phi, one["adapter"]);
        return phi;
    }

    void giveAdapter(engine::PhiModel& phi, const std::string& name) const {
        if (auto done = phi.createAdapter(adapter(name)); !done) qFatal("%s", done.error().text().c_str());
        for (const auto& tensor : phi.adapter().tensors())
            for (std::size_t i = 0; i < tensor.size(); ++i)
                phi.adapter().values()[tensor.offset + i] = tinyValue(tensor.name, i);
    }

    dataset::Batch batch(const std::string& name) const { return batchFrom(spec["cases"][name]["batch"]); }

    io::Json spec;
    Golden tensors{"phi.safetensors"};

  private:
    std::map<std::string, std::unique_ptr<QTemporaryDir>> folders_;
};

// Largest |a − b|, and the same relative to the largest |b|.
inline double difference(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return 1e30;
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!(d <= worst)) worst = d;  // NaN is the worst
    }
    return worst;
}

inline double relative(std::span<const float> a, std::span<const float> b) {
    double largest = 0;
    for (const float value : b) largest = std::max(largest, std::abs(static_cast<double>(value)));
    return difference(a, b) / largest;
}

}  // namespace studio::test
