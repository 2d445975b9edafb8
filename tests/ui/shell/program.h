// The program as a person has it: settings, session and window, on a home of its own.
#pragma once

#include <QLabel>
#include <QTest>
#include <QTextDocument>
#include <fstream>

#include "ui/look/format.h"
#include "ui/session/run_service.h"
#include "ui/shell/main_window.h"
#include "ui/support/fixture.h"

namespace studio::ui::testing {

// One start of the program. What it remembers is in the home that PrivateHome has set.
struct Program {
    Settings settings;
    Session session{settings, makeNullLogger()};
    MainWindow window{session};

    Program() {
        window.resize(1280, 800);
        window.show();
        window.activateWindow();
        waitFor([this] { return window.isActiveWindow(); }, 2000);
    }
    template <class P>
    P& page(PageId id) {
        return static_cast<P&>(window.page(id));
    }
    // The banner of this id, as it is shown now.
    std::optional<Message> banner(const QString& id) const {
        for (const Message& message : const_cast<Session&>(session).messages().shown())
            if (message.id == id) return message;
        return std::nullopt;
    }
    bool waitForBanner(const QString& id, int timeout_ms = 20000) {
        return waitFor([this, id] { return banner(id).has_value(); }, timeout_ms);
    }
    // Every page, shown once and painted.
    void lookAtAllPages() {
        for (int i = 0; i < 6; ++i) {
            window.showPage(static_cast<PageId>(i));
            waitFor([this] { return session.files().idle() && session.surveys().idle() && session.queries().idle(); });
            QCoreApplication::processEvents();
            window.grab();
        }
    }
};

// A project below the home, with the first `trees` conversations of the sample.
inline std::filesystem::path makeProject(const PrivateHome& home, const QString& name, int trees = 0);

inline void writeText(const std::filesystem::path& file, std::string_view bytes) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::string readText(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// A sentence, a next step, and the thing is named.
inline void expectTold(const Message& message, const QString& names) {
    qInfo().noquote() << "   " << message.what << "|" << message.to_do << "|" << message.action;
    QVERIFY2(message.what.contains(names), qPrintable(message.what));
    QVERIFY(message.what.trimmed().endsWith(QLatin1Char('.')));
    QVERIFY2(!message.to_do.isEmpty() || !message.action.isEmpty(), qPrintable(message.what));
}

// Labels, buttons and tips below `root` that Qt would read as markup.
inline QStringList markup(const QWidget& root) {
    QStringList found;
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (const auto* label = qobject_cast<const QLabel*>(widget))
            if (label->textFormat() == Qt::RichText ||
                (label->textFormat() != Qt::PlainText && Qt::mightBeRichText(label->text())))
                found << label->text();
        // An escaped tip is rich by its entities only; tags of a stranger are what must not be in it.
        if (widget->toolTip().contains(QLatin1String("<img")) || widget->toolTip().contains(QLatin1String("<a ")))
            found << widget->toolTip();
    }
    return found;
}

}  // namespace studio::ui::testing

#include "corpus/importer.h"
#include "corpus/store.h"
#include "project/project.h"

namespace studio::ui::testing {

inline std::filesystem::path makeProject(const PrivateHome& home, const QString& name, int trees) {
    const auto folder = path(home.path()) / utf8(name);
    const auto made = project::Project::create(folder, utf8(name));
    if (!made) qFatal("%s", made.error().text().c_str());
    if (trees == 0) return folder;
    const auto file = path(home.path()) / (utf8(name) + ".jsonl");
    auto store = corpus::Store::openFile(made->paths().corpus());
    if (!writeFirstTrees(file, trees) || !store || !corpus::importFile(*store, file, {}, {}))
        qFatal("The sample could not be imported.");
    return folder;
}

}  // namespace studio::ui::testing
