#include "ui/data/library.h"

#include <QElapsedTimer>
#include <algorithm>
#include <map>

#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr std::size_t kFirstTitles = 60;
constexpr std::chrono::seconds kLimit{30};  // of one question: a regular expression can take for ever

using Tree = corpus::Catalogue::Tree;

bool belongs(const corpus::Selection& selection, std::size_t tree, Scope scope) {
    switch (scope) {
        case Scope::Trainable:
            return selection.trainable[tree];
        case Scope::WithoutReply:
            return selection.kept[tree] > 0 && !selection.trainable[tree];
        case Scope::AnyMatch:
            return selection.matched[tree] > 0;
        case Scope::All:
            break;
    }
    return true;
}

void sortRows(std::vector<std::int32_t>& rows, const corpus::Catalogue& catalogue, SortBy sort) {
    const auto tree = [&](std::int32_t i) -> const Tree& { return catalogue.trees()[static_cast<std::size_t>(i)]; };
    const auto by = [&](auto before) {
        std::stable_sort(rows.begin(), rows.end(),
                         [&](std::int32_t a, std::int32_t b) { return before(tree(a), tree(b)); });
    };
    switch (sort) {
        case SortBy::File:
            return;
        case SortBy::Quality:  // unrated ones last, either way
            return by(
                [](const Tree& a, const Tree& b) { return a.best_quality.value_or(-1) > b.best_quality.value_or(-1); });
        case SortBy::LowQuality:
            return by(
                [](const Tree& a, const Tree& b) { return a.best_quality.value_or(2) < b.best_quality.value_or(2); });
        case SortBy::Turns:
            return by([](const Tree& a, const Tree& b) { return a.turns > b.turns; });
        case SortBy::Messages:
            return by([](const Tree& a, const Tree& b) { return a.messages > b.messages; });
        case SortBy::Language:
            return by([&](const Tree& a, const Tree& b) {
                return catalogue.languages()[static_cast<std::size_t>(a.language)] <
                       catalogue.languages()[static_cast<std::size_t>(b.language)];
            });
    }
}

Facets countFacets(const corpus::Catalogue& catalogue, const corpus::Selection& selection) {
    Facets facets;
    facets.quality.resize(Facets::kQualityBins);
    std::vector<Facets::Language> languages(catalogue.languages().size());
    for (std::size_t i = 0; i < languages.size(); ++i) languages[i].code = text(catalogue.languages()[i]);
    for (std::size_t i = 0; i < catalogue.trees().size(); ++i) {
        const Tree& tree = catalogue.trees()[i];
        const bool chosen = selection.trainable[i];
        const auto add = [&](Facets::Count& count) {
            ++count.total;
            count.chosen += chosen;
        };
        add(languages[static_cast<std::size_t>(tree.language)]);
        if (tree.best_quality) {
            const int bin = std::clamp(static_cast<int>(*tree.best_quality * Facets::kQualityBins + 1e-4F), 0,
                                       Facets::kQualityBins - 1);
            add(facets.quality[static_cast<std::size_t>(bin)]);
        } else {
            add(facets.unrated);
        }
        if (facets.turns.size() < tree.turns) facets.turns.resize(tree.turns);
        add(facets.turns[tree.turns - 1U]);
    }
    std::stable_sort(languages.begin(), languages.end(),
                     [](const auto& a, const auto& b) { return a.total > b.total; });
    facets.languages = std::move(languages);
    return facets;
}

}  // namespace

qint64 Listing::countOf(Scope which) const {
    switch (which) {
        case Scope::Trainable:
            return selection->trainable_conversations;
        case Scope::WithoutReply:
            return selection->conversations - selection->trainable_conversations;
        case Scope::AnyMatch:
            return std::count_if(selection->matched.begin(), selection->matched.end(), [](auto n) { return n > 0; });
        case Scope::All:
            break;
    }
    return static_cast<qint64>(catalogue->trees().size());
}

struct Library::Shelf {
    std::filesystem::path path;
    std::optional<corpus::Store> store;
    std::shared_ptr<const corpus::Catalogue> catalogue;
    std::shared_ptr<const corpus::Selection> selection;
    QString selected_by;

    Result<corpus::Store*> open() {
        if (!store) {
            STUDIO_TRY(corpus::Store opened, corpus::Store::openFile(path));
            store.emplace(std::move(opened));
        }
        return &*store;
    }
    Result<void> readCatalogue(const JobContext& job) {
        if (catalogue) return {};
        selection = nullptr;
        std::error_code ignored;
        if (!std::filesystem::exists(path, ignored)) {  // a new project
            catalogue = std::make_shared<corpus::Catalogue>();
            return {};
        }
        STUDIO_TRY(corpus::Store * opened, open());
        STUDIO_TRY(corpus::Catalogue read, corpus::Catalogue::load(*opened, job));
        catalogue = std::make_shared<corpus::Catalogue>(std::move(read));
        return {};
    }
    Result<void> answer(const QString& filter, const JobContext& job) {
        if (selection && selected_by == filter) return {};
        if (catalogue->entries().empty()) {
            selection = std::make_shared<corpus::Selection>();
            selected_by = filter;
            return {};
        }
        STUDIO_TRY(const corpus::Filter parsed, corpus::parseFilter(utf8(filter)));
        STUDIO_TRY(corpus::Store * opened, open());
        STUDIO_TRY(corpus::Selection read, corpus::select(*opened, *catalogue, parsed, job, kLimit));
        selection = std::make_shared<corpus::Selection>(std::move(read));
        selected_by = filter;
        return {};
    }
    Result<Titles> titles(const std::vector<std::int32_t>& trees) {
        std::vector<std::int64_t> rows;
        std::vector<std::int32_t> known;
        for (const std::int32_t tree : trees) {
            if (tree < 0 || static_cast<std::size_t>(tree) >= catalogue->trees().size()) continue;
            known.push_back(tree);
            const auto first = static_cast<std::size_t>(catalogue->trees()[static_cast<std::size_t>(tree)].first);
            rows.push_back(catalogue->entries()[first].row);
        }
        STUDIO_TRY(corpus::Store * opened, open());
        STUDIO_TRY(const auto lines, corpus::firstLines(*opened, rows));
        Titles result;
        for (std::size_t i = 0; i < lines.size(); ++i) result.emplace_back(known[i], visibleLine(text(lines[i])));
        return result;
    }
};

Library::Library(Session& session, QObject* parent) : QObject(parent), session_(session) {}
Library::~Library() = default;

void Library::reload() {
    if (question_) question_->cancel();
    shelf_ = nullptr;
    if (!session_.hasProject()) {
        listing_ = nullptr;
        Q_EMIT listed();
        return;
    }
    shelf_ = std::make_shared<Shelf>();
    shelf_->path = session_.paths().corpus();
}

void Library::ask(const QString& filter, Scope scope, SortBy sort) {
    if (question_) question_->cancel();
    if (!shelf_) return;
    using Answer = std::shared_ptr<const Listing>;
    question_ = session_.queries().run<Answer>(
        this,
        [shelf = shelf_, filter, scope, sort](const JobContext& job) -> Result<Answer> {
            QElapsedTimer timer;
            timer.start();
            STUDIO_CHECK(shelf->readCatalogue(job));
            STUDIO_CHECK(shelf->answer(filter, job));
            auto listing = std::make_shared<Listing>();
            listing->filter = filter;
            listing->scope = scope;
            listing->sort = sort;
            listing->catalogue = shelf->catalogue;
            listing->selection = shelf->selection;
            for (std::size_t i = 0; i < listing->catalogue->trees().size(); ++i)
                if (belongs(*listing->selection, i, scope)) listing->rows.push_back(static_cast<std::int32_t>(i));
            sortRows(listing->rows, *listing->catalogue, sort);
            listing->places.assign(listing->catalogue->trees().size(), -1);
            for (std::size_t i = 0; i < listing->rows.size(); ++i)
                listing->places[static_cast<std::size_t>(listing->rows[i])] = static_cast<std::int32_t>(i);
            listing->facets = countFacets(*listing->catalogue, *listing->selection);
            std::vector<std::int32_t> first(
                listing->rows.begin(),
                listing->rows.begin() + static_cast<std::ptrdiff_t>(std::min(listing->rows.size(), kFirstTitles)));
            if (!first.empty()) {
                STUDIO_TRY(Titles lines, shelf->titles(first));
                for (auto& [tree, line] : lines) listing->first_titles.push_back(std::move(line));
            }
            listing->milliseconds = static_cast<double>(timer.nsecsElapsed()) / 1e6;
            return Answer(std::move(listing));
        },
        [this](Result<Answer> answer) {
            if (!answer) {
                if (!answer.error().cancelled()) {
                    question_ = nullptr;
                    Q_EMIT failed(answer.error());
                }
                return;
            }
            question_ = nullptr;
            listing_ = std::move(*answer);
            Q_EMIT listed();
        });
    connect(question_, &Task::progress, this, &Library::progress);
}

void Library::giveUp() {
    if (question_) question_->cancel();
    question_ = nullptr;
}

void Library::titles(QObject* receiver, std::vector<std::int32_t> trees, std::function<void(Titles)> done) {
    if (!shelf_) return;
    session_.queries().run<Titles>(
        receiver,
        [shelf = shelf_, trees = std::move(trees)](const JobContext&) -> Result<Titles> {
            if (!shelf->catalogue) return Titles{};
            return shelf->titles(trees);
        },
        [done = std::move(done)](Result<Titles> result) { done(result ? std::move(*result) : Titles{}); });
}

void Library::conversation(QObject* receiver, std::int64_t tree_row,
                           std::function<void(Result<std::shared_ptr<const corpus::Conversation>>)> done) {
    if (!shelf_) return;
    using Answer = std::shared_ptr<const corpus::Conversation>;
    session_.queries().run<Answer>(
        receiver,
        [shelf = shelf_, tree_row](const JobContext&) -> Result<Answer> {
            STUDIO_TRY(corpus::Store * store, shelf->open());
            STUDIO_TRY(corpus::Conversation read, corpus::readConversation(*store, tree_row));
            return Answer(std::make_shared<const corpus::Conversation>(std::move(read)));
        },
        std::move(done));
}

void Library::find(QObject* receiver, const QString& message_id,
                   std::function<void(Result<std::optional<std::int32_t>>)> done) {
    if (!shelf_) return;
    using Answer = std::optional<std::int32_t>;
    session_.queries().run<Answer>(
        receiver,
        [shelf = shelf_, id = utf8(message_id)](const JobContext& job) -> Result<Answer> {
            STUDIO_CHECK(shelf->readCatalogue(job));
            if (shelf->catalogue->entries().empty()) return Answer{};
            STUDIO_TRY(corpus::Store * store, shelf->open());
            STUDIO_TRY(const auto message, store->message(id));
            if (!message) return Answer{};
            const auto index = shelf->catalogue->indexOf(message->row);
            if (!index) return Answer{};
            return Answer(shelf->catalogue->entries()[static_cast<std::size_t>(*index)].tree);
        },
        std::move(done));
}

}  // namespace studio::ui
