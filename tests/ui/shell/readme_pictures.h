// The pictures of the README: the real window on a real project.
#pragma once

#include <QString>

namespace studio::ui::testing {

// Trains, evaluates and chats once in build/readme (kept for the next time), and writes docs/pictures/*.png.
bool makeReadmePictures(QString* fault);

}  // namespace studio::ui::testing
