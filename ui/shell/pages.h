// Makes the pages, each when it is first shown.
#pragma once

#include "ui/session/page.h"

namespace studio::ui {

Page* makePage(PageId id, Session& session);
// "data", "recipe", …: names in settings and in pictures.
QString pageName(PageId id);
// What dropping files on the window and the import action do: on the Data page.
void importFiles(Page& data_page, const QStringList& files);
void chooseImport(Page& data_page);

}  // namespace studio::ui
