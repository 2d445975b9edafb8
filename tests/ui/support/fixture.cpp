#include "ui/support/fixture.h"

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFontDatabase>
#include <QFontMetrics>
#include <QHeaderView>
#include <QLabel>
#include <QLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QStyleOptionComboBox>
#include <QTimer>
#include <QToolButton>
#include <fstream>
#include <set>

#include "corpus/importer.h"
#include "corpus/store.h"
#include "io/json.h"
#include "io/line_reader.h"
#include "ui/look/format.h"
#include "ui/look/style.h"

namespace studio::ui::testing {
bool writeFirstTrees(const std::filesystem::path& out, int trees) {
    std::ofstream file(out);
    auto reader = io::LineReader::open(Session::sampleFile());
    if (!reader) return false;
    std::set<std::string> seen;
    for (;;) {
        auto line = reader->next();
        if (!line || !*line) break;
        const io::Json json = io::Json::parse((*line)->text, nullptr, false);
        const std::string tree = json.value("message_tree_id", std::string());
        if (!seen.contains(tree) && static_cast<int>(seen.size()) == trees) continue;
        seen.insert(tree);
        file << (*line)->text << '\n';
    }
    return file.good();
}

PrivateHome::PrivateHome() {
    for (const char* variable : {"HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
        qputenv(variable, (folder_.path() + (qstrcmp(variable, "HOME") == 0
                                                 ? QString()
                                                 : QLatin1Char('/') + QString(QLatin1String(variable)).toLower()))
                              .toUtf8());
}

Bench::Bench(int sample) : settings_(std::make_unique<Settings>()) {
    session_ = std::make_unique<Session>(*settings_, makeNullLogger());
    const auto made = session_->create(path(home_.path()) / "project", QStringLiteral("oasst1-english"));
    if (!made) qFatal("%s", made.error().text().c_str());
    if (sample == 0) return;
    auto store = corpus::Store::openFile(session_->paths().corpus());
    auto file = Session::sampleFile();
    if (sample > 0) {
        file = path(home_.path()) / "sample.jsonl";
        if (!writeFirstTrees(file, sample)) qFatal("The sample could not be written.");
    }
    if (!store || !corpus::importFile(*store, file, {}, {})) qFatal("The sample could not be imported.");
    session_->tellCorpusChanged();
}

Bench::~Bench() = default;

void useTestFont() {
    const QString wanted = qEnvironmentVariable("STUDIO_TEST_FONT", QStringLiteral("DejaVu Sans"));
    if (!QFontDatabase::hasFamily(wanted)) return;
    QFont font = QApplication::font();
    font.setFamilies({wanted});
    QApplication::setFont(font);
}

bool waitFor(const std::function<bool()>& condition, int timeout_ms) {
    QElapsedTimer timer;
    timer.start();
    while (!condition()) {
        if (timer.elapsed() > timeout_ms) return false;
        // The loop rests between two looks, so that the engine has the processor.
        QEventLoop loop;
        QTimer::singleShot(5, &loop, &QEventLoop::quit);
        loop.exec();
    }
    return true;
}

void photograph(QWidget& widget, const QString& name, const QSize& size) {
    QDir().mkpath(QStringLiteral(STUDIO_BINARY_DIR "/screens"));
    widget.resize(size);
    widget.show();
    for (const ThemeChoice theme : {ThemeChoice::Dark, ThemeChoice::Light}) {
        applyTheme(theme);
        for (int i = 0; i < 4; ++i) QCoreApplication::processEvents();
        widget.grab().save(
            QStringLiteral(STUDIO_BINARY_DIR "/screens/%1-%2.png")
                .arg(name, theme == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
    }
}

QStringList withoutAccessibleName(const QWidget& root) {
    QStringList missing;
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisibleTo(&root)) continue;
        if (widget->objectName().startsWith(QLatin1String("qt_"))) continue;
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const auto* label = qobject_cast<const QLabel*>(widget);  // text to be chosen is its own name
        if (!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()) ||
            (label && !label->text().isEmpty()))
            continue;
        missing << QStringLiteral("%1 %2").arg(QLatin1String(widget->metaObject()->className()), widget->objectName());
    }
    return missing;
}

namespace {

// Room that the style leaves a combo box for its words.
int comboRoom(const QComboBox& box) {
    QStyleOptionComboBox option;
    option.initFrom(&box);
    option.frame = true;
    return box.style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, &box).width();
}

QStringList clippedSections(const QHeaderView& header) {
    QStringList clipped;
    if (header.orientation() != Qt::Horizontal || !header.model()) return clipped;
    for (int i = 0; i < header.count(); ++i) {
        const QString words = header.model()->headerData(i, Qt::Horizontal).toString();
        if (header.isSectionHidden(i) || words.isEmpty()) continue;
        if (header.fontMetrics().horizontalAdvance(words) > header.sectionSize(i)) clipped << words;
    }
    return clipped;
}

bool isControl(const QWidget& widget) {
    return qobject_cast<const QLabel*>(&widget) || qobject_cast<const QAbstractButton*>(&widget) ||
           qobject_cast<const QComboBox*>(&widget) || qobject_cast<const QLineEdit*>(&widget) ||
           qobject_cast<const QAbstractSpinBox*>(&widget) || qobject_cast<const QPlainTextEdit*>(&widget);
}

QString named(const QWidget& widget) {
    if (const auto* label = qobject_cast<const QLabel*>(&widget)) return label->text();
    const auto* button = qobject_cast<const QAbstractButton*>(&widget);
    const QString words = widget.accessibleName().isEmpty() && button ? button->text() : widget.accessibleName();
    return words.isEmpty() ? QLatin1String(widget.metaObject()->className()) + u' ' + widget.objectName() : words;
}

// Beyond what holds it, which cuts it off: the body of a form that is wider than the area that scrolls it.
bool cutAtTheSide(const QWidget& widget, const QWidget& root) {
    constexpr int kFocusRing = 4;  // may go out of the column
    for (const QWidget* around = widget.parentWidget(); around; around = around->parentWidget()) {
        // What scrolls sideways holds more than it shows.
        const auto* area = qobject_cast<const QAbstractScrollArea*>(around->parentWidget());
        if (area && area->viewport() == around && area->horizontalScrollBar()->isVisibleTo(area)) break;
        const int left = widget.mapTo(around, QPoint()).x();
        if (left < -kFocusRing || left + widget.width() > around->width() + kFocusRing) return true;
        if (around == &root || around->isWindow()) break;
    }
    return false;
}

}  // namespace

QStringList clippedTexts(const QWidget& root) {
    QStringList clipped;
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&root)) continue;
        if (isControl(*widget) && cutAtTheSide(*widget, root))
            clipped << QStringLiteral("at the side: ") + named(*widget);
        QString words;
        QSize needed;
        if (const auto* label = qobject_cast<const QLabel*>(widget)) {
            words = label->text();
            needed = label->wordWrap() ? QSize(0, label->heightForWidth(label->width())) : label->sizeHint();
        } else if (const auto* button = qobject_cast<const QAbstractButton*>(widget)) {
            const auto* tool = qobject_cast<const QToolButton*>(widget);
            if (tool && tool->toolButtonStyle() == Qt::ToolButtonIconOnly && !tool->icon().isNull()) continue;
            words = button->text();
            // One that wraps its words needs height for them, any other width.
            needed = button->hasHeightForWidth()
                         ? QSize(0, button->heightForWidth(button->width()))
                         : QSize(button->fontMetrics().size(Qt::TextShowMnemonic, words).width(), 0);
            // Icons of a rail that has no room for words are told by their tool tips.
            if (needed.width() > widget->width() + 1 && widget->width() < 1.5 * widget->height() &&
                !button->toolTip().isEmpty())
                continue;
        } else if (const auto* box = qobject_cast<const QComboBox*>(widget)) {
            // A name that a person gave may end in "…"; an empty or an editable box has nothing to clip.
            if (box->isEditable() || box->toolTip() == box->currentText()) continue;
            if (box->fontMetrics().horizontalAdvance(box->currentText()) > comboRoom(*box) + 1)
                clipped << box->currentText();
            continue;
        } else if (const auto* header = qobject_cast<const QHeaderView*>(widget)) {
            clipped << clippedSections(*header);
            continue;
        }
        if (words.isEmpty()) continue;
        if (needed.width() > widget->width() + 1 || needed.height() > widget->height() + 1) clipped << words;
    }
    return clipped;
}

QStringList overlaps(const QWidget& root) {
    QStringList found;
    for (const QWidget* parent : root.findChildren<QWidget*>()) {
        if (!parent->layout() || !parent->isVisibleTo(&root)) continue;
        QList<QWidget*> inside;
        for (QWidget* child : parent->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly))
            if (child->isVisible() && parent->layout()->indexOf(child) >= 0) inside << child;
        for (qsizetype i = 0; i < inside.size(); ++i)
            for (qsizetype j = i + 1; j < inside.size(); ++j) {
                const QRect common = inside[i]->geometry() & inside[j]->geometry();
                if (common.width() < 2 || common.height() < 2) continue;
                found << QStringLiteral("%1 “%2” and %3 “%4” in %5")
                             .arg(QLatin1String(inside[i]->metaObject()->className()), inside[i]->accessibleName(),
                                  QLatin1String(inside[j]->metaObject()->className()), inside[j]->accessibleName(),
                                  QLatin1String(parent->metaObject()->className()));
            }
    }
    return found;
}

QStringList scrolledSideways(const QWidget& root) {
    QStringList found;
    for (const auto* area : root.findChildren<QAbstractScrollArea*>()) {
        if (!area->isVisibleTo(&root) || !area->horizontalScrollBar()->isVisibleTo(area)) continue;
        found << QStringLiteral("%1 %2 “%3”")
                     .arg(QLatin1String(area->metaObject()->className()), area->objectName(), area->accessibleName());
    }
    return found;
}

}  // namespace studio::ui::testing
