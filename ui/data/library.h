// The project's conversations as the page asks for them: a filter's answer, first lines, one conversation. The work is
// done on the session's query thread; nothing here waits.
#pragma once

#include <QObject>
#include <QPointer>
#include <QStringList>
#include <functional>
#include <memory>
#include <vector>

#include "corpus/catalogue.h"
#include "corpus/conversation.h"
#include "corpus/filter.h"
#include "ui/session/session.h"

namespace studio::ui {

enum class Scope { Trainable, WithoutReply, AnyMatch, All };
enum class SortBy { File, Quality, LowQuality, Turns, Messages, Language };

struct Facets {
    struct Count {
        qint64 total = 0, chosen = 0;
    };
    struct Language : Count {
        QString code;
    };
    static constexpr int kQualityBins = 20;
    std::vector<Language> languages;  // the most frequent first
    std::vector<Count> quality;       // of kQualityBins equal parts of 0 … 1
    Count unrated;                    // trees without a rated reply
    std::vector<Count> turns;         // index 0: one message deep
};

// What the store says to one filter. Immutable; shared between threads.
struct Listing {
    QString filter;
    Scope scope = Scope::Trainable;
    SortBy sort = SortBy::File;
    std::shared_ptr<const corpus::Catalogue> catalogue;
    std::shared_ptr<const corpus::Selection> selection;
    std::vector<std::int32_t> rows;     // indices of trees, as listed
    std::vector<std::int32_t> places;   // of each tree among the rows; −1: not listed
    std::vector<QString> first_titles;  // of the first rows, so that they are there at once
    Facets facets;
    double milliseconds = 0;
    qint64 countOf(Scope which) const;
};

class Library : public QObject {
    Q_OBJECT
  public:
    explicit Library(Session& session, QObject* parent = nullptr);
    ~Library() override;

    // Another project, or its corpus has changed: what was known is read again.
    void reload();
    // Asks for the listing; a question that is still being answered is dropped.
    void ask(const QString& filter, Scope scope, SortBy sort);
    void giveUp();  // the question; the listing stays as it was
    bool busy() const { return !question_.isNull(); }
    const std::shared_ptr<const Listing>& listing() const { return listing_; }

    using Titles = std::vector<std::pair<std::int32_t, QString>>;
    void titles(QObject* receiver, std::vector<std::int32_t> trees, std::function<void(Titles)> done);
    void conversation(QObject* receiver, std::int64_t tree_row,
                      std::function<void(Result<std::shared_ptr<const corpus::Conversation>>)> done);
    // The tree that holds a message, as an index into the catalogue; nullopt where the project has no such message.
    void find(QObject* receiver, const QString& message_id,
              std::function<void(Result<std::optional<std::int32_t>>)> done);

  Q_SIGNALS:
    void listed();
    void failed(const studio::Error& error);
    void progress(const studio::Progress& value);  // of a question that takes its time: "Indexing words"

  private:
    struct Shelf;  // touched by the query thread only
    Session& session_;
    std::shared_ptr<Shelf> shelf_;
    std::shared_ptr<const Listing> listing_;
    QPointer<Task> question_;
};

}  // namespace studio::ui
