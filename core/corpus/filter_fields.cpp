#include "corpus/filter_fields.h"

#include <algorithm>
#include <vector>

namespace studio::corpus {
namespace {

using enum FieldKind;

constexpr FilterField kFields[] = {
    {"lang", Language, "m.lang", "", "", "Language code; pt covers pt-BR. Several by comma."},
    {"role", Choice, "m.role", "", "", "prompter, assistant or system."},
    {"text", Words, "", "", "", "A word, the beginning of one (wor*) or a \"phrase\"."},
    {"contains", Contains, "d.text", "", "", "Any characters, upper and lower case alike."},
    {"re", Pattern, "d.text", "", "", "A regular expression: re:/colou?r/i"},
    {"rank", Number, "m.rank", "rank", "", "Place among its siblings, 0 is best."},
    {"turns", Number, "(m.depth + 1)", "number of turns", "", "Messages from the root to this one."},
    {"depth", Number, "m.depth", "depth", "", "Messages above it; 0 for a root."},
    {"replies", Number, "m.replies", "number of replies", "", "Direct replies."},
    {"tree_messages", Number, "(SELECT t.messages FROM trees t WHERE t.id = m.tree)", "tree's number of messages", "",
     "Messages in its tree."},
    {"tree_turns", Number, "(SELECT max(x.depth) + 1 FROM messages x WHERE x.tree = m.tree)", "tree's number of turns",
     "", "Messages on the longest path of its tree."},
    {"length", Number, "m.length", "length in characters", "", "Characters."},
    {"reviews", Number, "m.review_count", "number of reviews", "", "How many people reviewed it."},
    {"review", Choice, "m.review_result", "", "", "accepted, rejected or none."},
    {"deleted", Flag, "m.deleted = 1", "are deleted", "are not deleted", ""},
    {"synthetic", Flag, "m.synthetic = 1", "are synthetic", "are not synthetic", "Written by a model."},
    {"orphan", Flag, "m.orphan = 1", "have lost their parent", "have not lost their parent",
     "Its parent is not in the store."},
    {"root", Flag, "(m.parent IS NULL AND m.orphan = 0)", "begin a conversation", "do not begin a conversation", ""},
    {"leaf", Flag, "m.replies = 0", "have no replies", "have replies", ""},
    {"same_role", Flag, "m.same_role = 1", "have the same role as the message above",
     "do not have the same role as the message above", "Turns that do not alternate."},
    {"tree", Name, "m.tree", "tree", "", "The id of a tree."},
    {"id", Name, "m.id", "id", "", "The id of a message."},
    {"parent", Name, "m.parent", "parent", "", "The id of the message above."},
    {"user", Name, "d.user_id", "author", "", "The id of its author."},
    {"model", Name, "d.model_name", "model", "", "The model that wrote it."},
    {"state", Name, "d.tree_state", "tree state", "", "For example ready_for_export."},
    {"created", Date, "m.created", "date", "", "created>=2023-03-01, created:2023"},
    {"spam", Label, "m.label_spam", "spam", "", "0 to 1, the mean of what people said; also as label.spam."},
    {"fails_task", Label, "m.label_fails_task", "fails_task", "", ""},
    {"lang_mismatch", Label, "m.label_lang_mismatch", "lang_mismatch", "", ""},
    {"pii", Label, "m.label_pii", "pii", "", ""},
    {"not_appropriate", Label, "m.label_not_appropriate", "not_appropriate", "", ""},
    {"hate_speech", Label, "m.label_hate_speech", "hate_speech", "", ""},
    {"sexual_content", Label, "m.label_sexual_content", "sexual_content", "", ""},
    {"moral_judgement", Label, "m.label_moral_judgement", "moral_judgement", "", ""},
    {"political_content", Label, "m.label_political_content", "political_content", "", ""},
    {"quality", Label, "m.label_quality", "quality", "", ""},
    {"toxicity", Label, "m.label_toxicity", "toxicity", "", ""},
    {"humor", Label, "m.label_humor", "humor", "", ""},
    {"helpfulness", Label, "m.label_helpfulness", "helpfulness", "", ""},
    {"creativity", Label, "m.label_creativity", "creativity", "", ""},
    {"violence", Label, "m.label_violence", "violence", "", ""},
    {"label.", Label, "json_extract(d.labels, ?)", "", "", "Any label by its name: label.quality>=0.5"},
    {"detoxify.", Detoxify, "json_extract(d.detoxify, ?)", "", "", "A score of Detoxify: detoxify.toxicity<0.1"},
    {"emoji.", Emoji, "json_extract(d.emojis, ?)", "", "", "How often people gave an emoji: emoji.+1>=3"},
};

constexpr FieldChoice kRoles[] = {
    {"prompter", 0, "are from a prompter", "are not from a prompter"},
    {"assistant", 1, "are from an assistant", "are not from an assistant"},
    {"system", 2, "are system messages", "are not system messages"},
};
constexpr FieldChoice kReviews[] = {
    {"accepted", 1, "were accepted in review", "were not accepted in review"},
    {"rejected", 0, "were rejected in review", "were not rejected in review"},
    {"none", std::nullopt, "have no review result", "have a review result"},
};

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::span<const FilterField> filterFields() {
    return kFields;
}

const FilterField* findField(std::string_view name) {
    for (const FilterField& field : kFields) {
        const bool is_prefix = field.name.ends_with('.');
        if (is_prefix ? name.size() > field.name.size() && name.starts_with(field.name) : name == field.name)
            return &field;
    }
    return nullptr;
}

std::span<const FieldChoice> choicesOf(const FilterField& field) {
    if (field.name == "role") return kRoles;
    return kReviews;
}

std::optional<std::string_view> nearestName(std::string_view wrong, std::span<const std::string_view> names) {
    if (wrong.size() > 64) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
    for (const std::string_view name : names) {
        if (const std::size_t d = distance(wrong, name); d < best_distance) {
            best_distance = d;
            best = name;
        }
    }
    return best;
}

std::optional<std::string_view> nearestField(std::string_view wrong) {
    std::vector<std::string_view> names;
    for (const FilterField& field : kFields) names.push_back(field.name);
    return nearestName(wrong, names);
}

}  // namespace studio::corpus
