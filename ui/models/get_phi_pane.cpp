#include "ui/models/get_phi_pane.h"

#include <QApplication>
#include <QClipboard>
#include <QScrollBar>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr const char* kRepository = "microsoft/phi-2";
constexpr const char* kCommand = "pip install huggingface_hub\nhf download microsoft/phi-2";
constexpr quint64 kBytes = 5559367680;  // of its weights
constexpr quint64 kNeeded = 6000000000;

QString sizeText() {
    return GetPhiPane::tr("%1 GB").arg(number(double(kBytes) / 1e9, 2));
}

QStringList files() {
    return {QStringLiteral("config.json"),
            QStringLiteral("model.safetensors.index.json"),
            QStringLiteral("model-00001-of-00002.safetensors"),
            QStringLiteral("model-00002-of-00002.safetensors"),
            QStringLiteral("vocab.json"),
            QStringLiteral("merges.txt"),
            QStringLiteral("added_tokens.json"),
            QStringLiteral("tokenizer_config.json"),
            QStringLiteral("special_tokens_map.json")};
}

}  // namespace

GetPhiPane::GetPhiPane(QWidget* parent)
    : QScrollArea(parent),
      state_(new Text(Text::Kind::Body)),
      room_(new Text(Text::Kind::Secondary)),
      place_(new Text(Text::Kind::Secondary)),
      command_(new QPlainTextEdit) {
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    auto* inner = new QWidget;
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
    column->setSpacing(2 * kSpace);
    auto* title = new Text(Text::Kind::Section, tr("How to get phi-2"));
    title->setWordWrap(true);
    column->addWidget(title);
    state_->setWordWrap(true);
    column->addWidget(state_);
    auto* facts = new FactList;
    facts->layout()->setContentsMargins(0, 0, 0, 0);
    facts->setFacts(
        {{tr("Repository"), QLatin1String(kRepository)}, {tr("Size"), sizeText()}, {tr("Licence"), tr("MIT")}});
    column->addWidget(facts);
    room_->setWordWrap(true);
    column->addWidget(room_);

    column->addSpacing(kSpace);
    column->addWidget(new Text(Text::Kind::Section, tr("The files")));
    auto* list = new Text(Text::Kind::Secondary, files().join(QLatin1Char('\n')));
    list->setTextInteractionFlags(Qt::TextSelectableByMouse);
    list->setAccessibleName(tr("Files of phi-2"));
    column->addWidget(list);

    column->addSpacing(kSpace);
    auto* label = new Text(Text::Kind::Section, tr("With Hugging Face's own tool"));
    label->setWordWrap(true);
    column->addWidget(label);
    command_->setPlainText(QLatin1String(kCommand));
    command_->setReadOnly(true);
    command_->setTabChangesFocus(true);
    command_->setAccessibleName(tr("Commands that fetch phi-2"));
    fitCommand();
    label->setBuddy(command_);
    column->addWidget(command_);
    place_->setWordWrap(true);
    column->addWidget(place_);
    auto* copy = new QPushButton(icon(Glyph::Copy), tr("Copy These Instructions"));
    copy->setAccessibleName(copy->text());
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(sentence(folder_)); });
    column->addWidget(copy, 0, Qt::AlignLeft);
    column->addStretch(1);
    setWidget(inner);
    setFacts(false, {}, 0);
}

void GetPhiPane::fitCommand() {
    command_->setFont(codeFont(font()));
    const int lines = std::max(2, static_cast<int>(command_->document()->size().height()));
    command_->setFixedHeight(lines * QFontMetrics(command_->font()).lineSpacing() + 4 * kSpace);
}

void GetPhiPane::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    QMetaObject::invokeMethod(this, &GetPhiPane::fitCommand, Qt::QueuedConnection);
}

void GetPhiPane::changeEvent(QEvent* event) {
    QScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange) fitCommand();
}

int GetPhiPane::leastWidth() const {
    return widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width();
}

QSize GetPhiPane::sizeHint() const {
    return {44 * characterWidth(font()), 400};
}

void GetPhiPane::setFacts(bool there, const QString& place, quint64 free_bytes) {
    folder_ = place;
    state_->setText(there ? tr("✓ phi-2 is on this computer and can be used.")
                          : tr("phi-2 is the model this program is made for. It is not on this computer yet."));
    state_->setHue(there ? Hue::Good : Hue::Text);
    const bool tight = free_bytes > 0 && free_bytes < kNeeded && !there;
    room_->setVisible(free_bytes > 0 && !there);
    room_->setText(tight ? tr("⚠ Only %1 are free there; it needs %2.").arg(bytes(free_bytes), bytes(kNeeded))
                         : tr("%1 are free there.").arg(bytes(free_bytes)));
    room_->setHue(tight ? Hue::Careful : Hue::Secondary);
    place_->setText(place.isEmpty()
                        ? tr("Then press Refresh.")
                        : tr("It comes into %1, where this program looks; then press Refresh. Files that were fetched "
                             "otherwise may lie in any folder: “Open Folder…” takes it in.")
                              .arg(place));
}

QString GetPhiPane::sentence(const QString& place) {
    return tr("phi-2: https://huggingface.co/%1 (MIT licence, %2). Fetch it with “hf download %1”, which puts it into "
              "%3, or put these files into one folder and open it on the Models page: %4.")
        .arg(QLatin1String(kRepository), sizeText(), place, files().join(QStringLiteral(", ")));
}

}  // namespace studio::ui
