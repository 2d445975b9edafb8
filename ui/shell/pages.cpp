#include "ui/shell/pages.h"

#include "ui/chat/chat_page.h"
#include "ui/data/data_page.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/models/models_page.h"
#include "ui/recipe/recipe_page.h"
#include "ui/runs/runs_page.h"

namespace studio::ui {

Page* makePage(PageId id, Session& session) {
    switch (id) {
        case PageId::Data:
            return new DataPage(session);
        case PageId::Recipe:
            return new RecipePage(session);
        case PageId::Runs:
            return new RunsPage(session);
        case PageId::Evaluate:
            return new EvaluatePage(session);
        case PageId::Chat:
            return new ChatPage(session);
        case PageId::Models:
            break;
    }
    return new ModelsPage(session);
}

QString pageName(PageId id) {
    constexpr const char* kNames[] = {"data", "recipe", "runs", "evaluate", "chat", "models"};
    return QLatin1String(kNames[static_cast<int>(id)]);
}

void importFiles(Page& data_page, const QStringList& files) {
    static_cast<DataPage&>(data_page).importFiles(files);
}

void chooseImport(Page& data_page) {
    static_cast<DataPage&>(data_page).chooseFiles();
}

}  // namespace studio::ui
