#include "ui/look/plural.h"

#include <QCoreApplication>
#include <QTranslator>

namespace studio::ui {
namespace {

class EnglishPlurals : public QTranslator {
  public:
    using QTranslator::QTranslator;
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* source, const char*, int n) const override {
        if (n < 0 || !source) return {};  // not a counted text: the source stands as it is
        QString words = QString::fromUtf8(source);
        if (!words.contains(QLatin1String("(s)"))) return {};
        return words.replace(QLatin1String("(s)"), n == 1 ? QLatin1String() : QLatin1String("s"));
    }
};

}  // namespace

void installEnglishPlurals() {
    static bool installed = false;
    if (installed || !QCoreApplication::instance()) return;
    installed = true;
    QCoreApplication::installTranslator(new EnglishPlurals(QCoreApplication::instance()));
}

}  // namespace studio::ui
