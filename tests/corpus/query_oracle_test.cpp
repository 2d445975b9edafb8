// Random small corpora and random filters: SQL and the oracle have to agree on every message.
#include <random>

#include "corpus/query.h"
#include "corpus_support.h"
#include "filter_oracle.h"

using namespace studio;
using namespace studio::test;
using corpus::Filter;

namespace {

class Dice {
  public:
    explicit Dice(std::uint32_t seed) : random_(seed) {}
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
    bool chance(std::uint32_t percent) { return below(100) < percent; }
    template <std::size_t N>
    std::string any(const char* const (&of)[N]) {
        return of[below(N)];
    }

  private:
    std::mt19937 random_;
};

constexpr const char* kWords[] = {"alpha", "beta", "Gamma", "delta.", "alphabet", "x-ray", "C++"};
constexpr const char* kLanguages[] = {"en", "pt", "pt-BR", "de", "ptx"};
constexpr const char* kDates[] = {"2023-02-28T23:59:59.999999Z", "2023-03-01T00:00:00Z", "2023-03-15T12:00:00+02:00",
                                  "2023-12-31T23:00:00-05:00", "2024-01-01T04:00:00Z"};
constexpr const char* kLabels[] = {"quality", "toxicity", "spam", "own_label"};

std::vector<OracleMessage> randomCorpus(Dice& dice) {
    std::vector<OracleMessage> all;
    const std::uint32_t n = 5 + dice.below(60);
    std::map<std::string, std::size_t> index;
    for (std::uint32_t i = 0; i < n; ++i) {
        OracleMessage om;
        corpus::Message& m = om.message;
        m.message_id = "m" + std::to_string(i);
        const OracleMessage* parent = !all.empty() && dice.chance(75) ? &all[dice.below(i)] : nullptr;
        m.tree_id = parent ? parent->message.tree_id : "t" + std::to_string(i);
        if (parent) {
            m.parent_id = parent->message.message_id;
            m.depth = parent->message.depth + 1;
            m.role = dice.chance(90) == (parent->message.role == corpus::Role::Prompter) ? corpus::Role::Assistant
                                                                                         : corpus::Role::Prompter;
            om.same_role = m.role == parent->message.role;
            ++all[index[*m.parent_id]].message.replies;
        } else if (dice.chance(25)) {
            m.parent_id = "gone";
            m.orphan = true;
            m.role = dice.chance(50) ? corpus::Role::Assistant : corpus::Role::Prompter;
        }
        for (std::uint32_t w = dice.below(6); w > 0; --w) m.text += (m.text.empty() ? "" : " ") + dice.any(kWords);
        m.length = static_cast<std::int64_t>(m.text.size());
        if (dice.chance(90)) m.lang = dice.any(kLanguages);
        if (dice.chance(70)) m.user_id = "u" + std::to_string(dice.below(3));
        if (dice.chance(20)) m.model_name = "chip20b";
        if (dice.chance(80)) m.tree_state = dice.chance(50) ? "growing" : "ready_for_export";
        if (dice.chance(80)) m.created_date = dice.any(kDates);
        if (dice.chance(60)) m.rank = static_cast<int>(dice.below(4));
        if (dice.chance(60)) m.review_count = static_cast<int>(dice.below(4));
        if (dice.chance(70)) m.review_result = dice.chance(60);
        m.deleted = dice.chance(15);
        m.synthetic = dice.chance(15);
        for (const char* label : kLabels)
            if (dice.chance(60))
                m.labels[label] = {dice.chance(90) ? std::optional(dice.below(5) / 4.0) : std::nullopt, 2};
        if (dice.chance(40)) m.emojis["+1"] = dice.below(4);
        if (dice.chance(60)) m.detoxify["toxicity"] = dice.below(5) / 4.0;
        index[m.message_id] = all.size();
        all.push_back(om);
    }
    std::map<std::string, int> sizes, turns;
    for (const OracleMessage& om : all) {
        ++sizes[om.message.tree_id];
        turns[om.message.tree_id] = std::max(turns[om.message.tree_id], om.message.depth + 1);
    }
    for (OracleMessage& om : all) {
        om.tree_messages = sizes[om.message.tree_id];
        om.tree_turns = turns[om.message.tree_id];
    }
    return all;
}

Json asRow(const corpus::Message& m) {
    Json r = row(m.message_id, m.parent_id.value_or(""), m.tree_id,
                 m.role == corpus::Role::Prompter ? "prompter" : "assistant", m.text);
    const auto set = [&](const char* key, const auto& value) { r[key] = value ? Json(*value) : Json(); };
    set("lang", m.lang);
    set("user_id", m.user_id);
    set("model_name", m.model_name);
    set("tree_state", m.tree_state);
    set("created_date", m.created_date);
    set("rank", m.rank);
    set("review_count", m.review_count);
    set("review_result", m.review_result);
    r["deleted"] = m.deleted;
    r["synthetic"] = m.synthetic;
    for (const auto& [name, label] : m.labels)
        r["labels"][name] = {{"value", label.value ? Json(*label.value) : Json()}, {"count", *label.count}};
    for (const auto& [name, count] : m.emojis) r["emojis"][name] = count;
    for (const auto& [name, score] : m.detoxify) r["detoxify"][name] = score;
    return r;
}

std::string randomCondition(Dice& dice) {
    constexpr const char* kSigns[] = {"=", "!=", "<", "<=", ">", ">=", ":"};
    constexpr const char* kEqual[] = {":", "!="};
    constexpr const char* kIntegers[] = {"rank",       "turns",  "depth",   "replies", "tree_messages",
                                         "tree_turns", "length", "reviews", "emoji.+1"};
    constexpr const char* kReals[] = {"quality", "label.toxicity",  "label.quality",
                                      "spam",    "label.own_label", "detoxify.toxicity"};
    constexpr const char* kFlags[] = {"deleted", "synthetic", "orphan", "root", "leaf", "same_role"};
    constexpr const char* kOthers[] = {
        "role:assistant",   "role!=prompter",   "review:accepted", "review:none,rejected",
        "review!=accepted", "created>=2023-03", "created:2023-03", "created<2023-12-31",
        "created>2023",     "created!=2023",    "state:growing",   "model:chip20b",
        "user!=u1",         "user:u0,u2",       "id:m1,m4",        "parent:m0,m1",
        "parent!=m0",       "tree:t0,t3",       "tree!=t0"};
    constexpr const char* kTexts[] = {"alpha",
                                      "alph*",
                                      "\"alpha beta\"",
                                      "\"x-ray\"",
                                      "text!=beta",
                                      "contains:A",
                                      "contains:\"c++\"",
                                      "contains!=\"a b\"",
                                      "re:/^alpha/",
                                      "re:/GAMMA|beta$/i",
                                      "re!=/a.a/",
                                      "\"gamma delta\"*"};
    switch (dice.below(8)) {
        case 0:
            return dice.any(kIntegers) + dice.any(kSigns) + std::to_string(dice.below(5));
        case 1:
            return dice.any(kReals) + dice.any(kSigns) + (dice.chance(50) ? "0.5" : "0.25");
        case 2:
            return dice.any(kReals) + (dice.chance(50) ? ":none" : ":any");
        case 3:
            return dice.any(kIntegers) + ":1..3";
        case 4:
            return dice.any(kFlags) + (dice.chance(30) ? ":no" : "");
        case 5:
            return "lang" + dice.any(kEqual) + dice.any(kLanguages) + (dice.chance(30) ? ",de" : "");
        case 6:
            return dice.any(kOthers);
        default:
            return dice.any(kTexts);
    }
}

std::string randomFilter(Dice& dice, int depth) {
    if (depth == 0 || dice.chance(35)) return randomCondition(dice);
    std::string out;
    const char* between = dice.chance(50) ? " OR " : " ";
    for (std::uint32_t i = 1 + dice.below(3); i > 0; --i) {
        if (!out.empty()) out += between;
        out += (dice.chance(30) ? "-(" : "(") + randomFilter(dice, depth - 1) + ")";
    }
    return out;
}

}  // namespace

class QueryOracleTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void agrees_data() {
        QTest::addColumn<quint32>("seed");
        for (quint32 seed = 1; seed <= 12; ++seed) QTest::addRow("seed %u", seed) << seed;
    }
    void agrees() {
        QFETCH(quint32, seed);
        Dice dice(seed);
        const std::vector<OracleMessage> all = randomCorpus(dice);
        std::vector<Json> rows;
        for (const OracleMessage& om : all) rows.push_back(asRow(om.message));
        Importing files;
        const auto report = files.import(lines(rows));
        EXPECT_OK(report);
        QCOMPARE(report->messages, std::uint64_t(all.size()));

        int matched = 0, unmatched = 0;
        for (int i = 0; i < 250; ++i) {
            const std::string text = randomFilter(dice, 3);
            const auto filter = corpus::parseFilter(text);
            QVERIFY2(filter, (text + ": " + (filter ? "" : filter.error().text())).c_str());
            const auto found = corpus::query(files.store, *filter, {.message_ids = true});
            EXPECT_OK(found);
            std::vector<std::string> expected;
            std::map<std::string, int> trees;
            std::int64_t roots = 0, orphans = 0;
            for (const OracleMessage& om : all) {
                if (!Oracle::matches(*filter->root(), om)) continue;
                expected.push_back(om.message.message_id);
                ++trees[om.message.tree_id];
                roots += !om.message.parent_id;
                orphans += om.message.orphan;
            }
            QVERIFY2(found->message_ids == expected, text.c_str());
            QCOMPARE(found->messages, std::int64_t(expected.size()));
            QCOMPARE(found->conversations, std::int64_t(trees.size()));
            QCOMPARE(found->roots, roots);
            QCOMPARE(found->orphans, orphans);
            matched += static_cast<int>(expected.size());
            unmatched += static_cast<int>(all.size() - expected.size());
        }
        QVERIFY(matched > 250 && unmatched > 250);  // the filters do select
    }
};

QTEST_GUILESS_MAIN(QueryOracleTest)
#include "query_oracle_test.moc"
