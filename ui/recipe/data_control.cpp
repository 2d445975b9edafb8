#include "ui/recipe/data_control.h"

#include <QComboBox>
#include <QEvent>
#include <QFontMetrics>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "ui/look/type.h"

namespace studio::ui {

DataControl::DataControl(const QString& project_folder, QWidget* parent)
    : FieldControl(parent),
      project_folder_(project_folder),
      source_(new QComboBox(this)),
      paths_(new QPlainTextEdit(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kSpace);
    layout->addWidget(source_);
    layout->addWidget(paths_);
    source_->addItems({tr("this project"), tr("files or folders")});
    source_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    source_->setMinimumContentsLength(10);
    passWheel(source_);
    paths_->setAccessibleName(tr("Files or folders, one a line"));
    paths_->setPlaceholderText(tr("one path a line"));
    paths_->setTabChangesFocus(true);
    paths_->setLineWrapMode(QPlainTextEdit::NoWrap);
    paths_->setFixedHeight(2 * QFontMetrics(font()).lineSpacing() + 5 * kSpace);
    paths_->installEventFilter(this);
    paths_->hide();
    connect(source_, &QComboBox::activated, this, [this](int index) {
        paths_->setVisible(index == 1);
        if (index == 1) {
            paths_->setFocus();
            Q_EMIT edited();
        } else {
            Q_EMIT committed();
        }
    });
    connect(paths_, &QPlainTextEdit::textChanged, this, [this] {
        if (!showing_) Q_EMIT edited();
    });
}

void DataControl::setText(const QString& text) {
    const bool own = text == project_folder_;
    if (this->text() == text) return;
    showing_ = true;
    source_->setCurrentIndex(own ? 0 : 1);
    paths_->setVisible(!own);
    paths_->setPlainText(own ? QString() : text);
    showing_ = false;
}

QString DataControl::text() const {
    return source_->currentIndex() == 0 ? project_folder_ : exactText(paths_);
}

QWidget* DataControl::entry() const {
    return source_;
}

bool DataControl::eventFilter(QObject* watched, QEvent* event) {
    if (watched == paths_ && event->type() == QEvent::FocusOut) Q_EMIT committed();
    return FieldControl::eventFilter(watched, event);
}

}  // namespace studio::ui
