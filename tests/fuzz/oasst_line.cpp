// libFuzzer target: any bytes as a line of an import file, through the parser, every reader of conversations and the
// spelling of the store.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "corpus/conversation_reader.h"
#include "corpus/values_json.h"
#include "text/utf8.h"

using namespace studio;

namespace {

class Sink final : public corpus::MessageSink {
  public:
    // What the importer relies on.
    Result<void> add(const corpus::MessageFields& fields) override {
        const bool named = !fields.message_id.empty() && fields.tree_id && !fields.tree_id->empty();
        if (!named || text::validPrefix(fields.text) != fields.text.size()) std::abort();
        if (fields.parent_id && fields.parent_id->empty()) std::abort();
        if (fields.rank && *fields.rank < 0) std::abort();
        for (std::size_t i = 1; i < fields.labels.size(); ++i)
            if (!(fields.labels[i - 1].name < fields.labels[i].name)) std::abort();
        corpus::labelsJson(fields.labels, json_);
        corpus::emojisJson(fields.emojis, json_);
        corpus::detoxifyJson(fields.detoxify, json_);
        return {};
    }
    void reject(std::string_view, std::string reason) override {
        if (reason.empty()) std::abort();
    }
    corpus::DroppedValues& dropped() override { return dropped_; }

  private:
    std::string json_;
    corpus::DroppedValues dropped_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    corpus::JsonLineParser parser;
    const auto object = parser.parse(line, 0);
    if (!object) {
        if (object.error().empty()) std::abort();
        return 0;
    }
    Sink sink;
    corpus::ConversationReader reader;
    (void)reader.read(*object, {line, 1}, sink);
    return 0;
}
