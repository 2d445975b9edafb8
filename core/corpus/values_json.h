// Labels, emojis and scores as the store spells them.
#pragma once

#include <string>

#include "corpus/message_fields.h"

namespace studio::corpus {

// Each replaces `out`; empty for no values. {"quality":[0.75,3]}, {"+1":9}, {"toxicity":0.01}.
void labelsJson(const std::vector<LabelField>& labels, std::string& out);
void emojisJson(const std::vector<EmojiField>& emojis, std::string& out);
void detoxifyJson(const std::vector<DetoxifyField>& scores, std::string& out);

}  // namespace studio::corpus
