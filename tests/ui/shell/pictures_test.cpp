// The whole window in each of its states: nothing clipped, nothing covered, the cause in words, the right title.
// STUDIO_PICTURES=1 goes through all sizes, both themes, large type and longer words; QT_SCALE_FACTOR=2 beside it
// gives the pictures of a fine screen. STUDIO_PICTURES=readme makes those of docs/pictures.
#include <QTranslator>

#include "ui/shell/readme_pictures.h"
#include "ui/shell/scenes.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

// Half as long again, as the wordier languages are; arguments, access keys and plurals stay.
class LongerWords final : public QTranslator {
  public:
    QString translate(const char*, const char* source, const char*, int) const override {
        QString words = QString::fromUtf8(source);
        const qsizetype more = (words.size() + 1) / 2;
        for (QChar& c : words) {
            if (c == u'a') c = u'å';
            if (c == u'e') c = u'é';
            if (c == u'o') c = u'ö';
        }
        // Words, not one long one: a sentence may break where it did.
        static const QString kMore = QStringLiteral(" ïpsüm dölör sït åmét cönséctétür åd");
        while (words.size() < more * 3) words += kMore.left(more * 3 - words.size());
        return words;
    }
    bool isEmpty() const override { return false; }
};

struct Variant {
    const char* name;
    int points;
    bool longer;
};

constexpr Variant kVariants[] = {{"", 10, false}, {"-14pt", 14, false}, {"-longer", 10, true}};
// One scene of each page for what the default run does not look at everywhere.
const char* const kOfEachPage[] = {"data-list",       "recipe-changes", "runs-finished",
                                   "evaluate-result", "chat-compare",   "models"};

bool everything() {
    return !qEnvironmentVariableIsEmpty("STUDIO_PICTURES");
}

void photographed(QWidget& window, const QString& name) {
    QDir().mkpath(QStringLiteral(STUDIO_BINARY_DIR "/screens"));
    for (int i = 0; i < 3; ++i) QCoreApplication::processEvents();
    const bool fine = window.devicePixelRatioF() > 1.5;
    window.grab().save(QStringLiteral(STUDIO_BINARY_DIR "/screens/window-%1%2.png")
                           .arg(name, fine ? QStringLiteral("-2x") : QString()));
}

}  // namespace

class PicturesTest : public QObject {
    Q_OBJECT

    QFont font_ = QApplication::font();
    LongerWords longer_;

  private Q_SLOTS:
    void cleanup() {
        QApplication::setFont(font_);
        QCoreApplication::removeTranslator(&longer_);
        applyTheme(ThemeChoice::Light);
    }

    void eachStateIsWhole_data() {
        QTest::addColumn<int>("scene");
        QTest::addColumn<int>("variant");
        const auto all = scenes();
        for (int v = 0; v < 3; ++v)
            for (std::size_t i = 0; i < all.size(); ++i) {
                const bool always = std::any_of(std::begin(kOfEachPage), std::end(kOfEachPage),
                                                [&](const char* name) { return all[i].name == QLatin1String(name); });
                if (v == 0 || always || everything())
                    QTest::addRow("%s%s", qPrintable(all[i].name), kVariants[v].name) << static_cast<int>(i) << v;
            }
    }
    void eachStateIsWhole() {
        QFETCH(int, scene);
        QFETCH(int, variant);
        const Variant& v = kVariants[variant];
        QFont font = font_;
        font.setPointSize(v.points);
        QApplication::setFont(font);
        if (v.longer) QCoreApplication::installTranslator(&longer_);
        const Scene wanted = scenes().at(static_cast<std::size_t>(scene));
        const auto stage = stageOf(wanted, {1280, 800});
        QVERIFY2(stage, "The scene could not be arranged.");
        MainWindow& window = *stage->window;
        if (!v.longer) seen(*stage, wanted);

        QList<QSize> sizes{{1024, 640}, {1280, 800}};
        if (everything()) sizes << QSize(1920, 1080);
        for (const QSize& size : sizes) {
            window.resize(size);
            for (int i = 0; i < 5; ++i) QCoreApplication::processEvents();
            const QString name = wanted.name + QLatin1String(v.name) + QStringLiteral("-%1").arg(size.width());
            QStringList faults;
            if (window.size() != size) faults << QStringLiteral("needs %1×%2").arg(window.width()).arg(window.height());
            for (const QString& words : clippedTexts(window)) faults << QStringLiteral("clipped: ") + words;
            for (const QString& words : overlaps(window)) faults << QStringLiteral("covered: ") + words;
            for (const QString& words : scrolledSideways(window))
                if (!mayScroll(words)) faults << QStringLiteral("scrolls sideways: ") + words;
            if (everything() || size.width() == 1280 || !faults.isEmpty()) photographed(window, name);
            if (everything()) {
                applyTheme(ThemeChoice::Dark);
                photographed(window, name + QStringLiteral("-dark"));
                applyTheme(ThemeChoice::Light);
            }
            if (!faults.isEmpty()) QTest::qFail(qPrintable(name + u'\n' + faults.join(u'\n')), __FILE__, __LINE__);
        }
    }

    void picturesOfTheReadme() {
        if (qgetenv("STUDIO_PICTURES") != "readme") QSKIP("STUDIO_PICTURES=readme makes them.");
        QString fault;
        QVERIFY2(makeReadmePictures(&fault), qPrintable(fault));
    }

  private:
    static void seen(Stage& stage, const Scene& wanted) {
        const QString words = readable(*stage.window);
        for (const QString& one : wanted.shows)
            if (!words.contains(one)) QTest::qFail(qPrintable(one + QStringLiteral(" is not in\n") + words), "", 0);
        const QString title = stage.window->windowTitle();
        if (!stage.session().hasProject()) {
            QCOMPARE(title, QStringLiteral("QLoRA Studio"));
            return;
        }
        QVERIFY2(title.startsWith(QStringLiteral("oasst1-english — ")), qPrintable(title));
        QVERIFY2(title.endsWith(QStringLiteral(" — QLoRA Studio")), qPrintable(title));
        QCOMPARE(stage.window->current(), wanted.page);
    }

    // Code that keeps its lines, and the table of all runs with all their figures.
    static bool mayScroll(const QString& area) {
        return area.contains(QLatin1String("RunsTable")) || area.contains(QLatin1String("QPlainTextEdit")) ||
               area.contains(QLatin1String("QTextEdit"));
    }
};

STUDIO_WIDGET_TEST(PicturesTest)
#include "pictures_test.moc"
