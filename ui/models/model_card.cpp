#include "ui/models/model_card.h"

#include <QApplication>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPainter>
#include <QTextLayout>
#include <QVBoxLayout>
#include <cmath>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

QString parametersText(std::int64_t count) {
    if (count <= 0) return absent();
    return count >= 1000000000 ? ModelCard::tr("%1 B").arg(number(double(count) / 1e9, 2))
                               : ModelCard::tr("%1 M").arg(number(double(count) / 1e6, 1));
}

// Secondary text that wraps anywhere where a word is longer than the line: paths and commands are.
class WrapText final : public QWidget {
  public:
    WrapText(const QString& words, Qt::Alignment alignment) : words_(words), alignment_(alignment) {
        setAccessibleName(words);
        QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
        policy.setHeightForWidth(true);
        setSizePolicy(policy);
    }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override {
        QTextLayout layout(words_, small());
        return static_cast<int>(std::ceil(layOut(layout, width)));
    }
    QSize sizeHint() const override { return {characterWidth(font()) * 20, heightForWidth(200)}; }
    QSize minimumSizeHint() const override { return {characterWidth(font()) * 8, fontMetrics().height()}; }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setPen(colour(Hue::Text, this));
        QTextLayout layout(words_, small());
        layOut(layout, width());
        layout.draw(&painter, QPointF(0, 0));
    }

  private:
    static QFont small() { return secondaryFont(QApplication::font()); }
    qreal layOut(QTextLayout& layout, int width) const {
        QTextOption option(alignment_);
        option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
        layout.setTextOption(option);
        layout.beginLayout();
        qreal y = 0;
        for (;;) {
            QTextLine line = layout.createLine();
            if (!line.isValid()) break;
            line.setLineWidth(width);
            line.setPosition({0, y});
            y += line.height();
        }
        layout.endLayout();
        return y;
    }
    QString words_;
    Qt::Alignment alignment_;
};

// A line of the card: what, and a value that wraps.
void addFact(QGridLayout* grid, const QString& name, const QString& value, bool sentence = false) {
    const int row = grid->rowCount();
    auto* left = new Text(Text::Kind::Secondary, name);
    auto* right = new WrapText(value, sentence ? Qt::AlignLeft : Qt::AlignRight);
    right->setAccessibleName(name + QStringLiteral(": ") + value);
    if (sentence) right->setToolTip(toolTipText(value));
    grid->addWidget(left, row, 0, Qt::AlignTop | Qt::AlignLeft);
    grid->addWidget(right, row, 1);
}

}  // namespace

ModelCard::ModelCard(const jobs::BaseModel& model, bool forgettable, QWidget* parent) : QWidget(parent), model_(model) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(4 * kSpace, 3 * kSpace, 4 * kSpace, 3 * kSpace);
    column->setSpacing(2 * kSpace);
    const QString name = text(model.name);

    auto* head = new QHBoxLayout;
    head->setSpacing(2 * kSpace);
    auto* title = new ElidedText(Text::Kind::Strong, name);
    title->setToolTip(toolTipText(pathText(model.folder)));
    head->addWidget(title, 1);
    auto* chip = new Chip;
    if (!model.usable) {
        chip->setText(tr("✕ cannot be used"));
        chip->setHues(Hue::Bad, Hue::BadWash);
    } else if (model.origin == jobs::BaseModel::Origin::BuiltIn) {
        chip->setText(tr("toy, built in"));
    } else if (model.origin == jobs::BaseModel::Origin::HubCache) {
        chip->setText(tr("Hugging Face cache"));
    } else {
        chip->setText(tr("folder"));
    }
    head->addWidget(chip);
    column->addLayout(head);

    auto* facts = new QGridLayout;
    facts->setHorizontalSpacing(4 * kSpace);
    facts->setVerticalSpacing(kSpace + 2);
    facts->setColumnStretch(1, 1);
    if (!model.usable) {
        addFact(facts, tr("Why"), text(model.problem), true);
        if (!model.to_do.empty()) addFact(facts, tr("What to do"), text(model.to_do), true);
    }
    if (model.parameters > 0)
        addFact(facts, tr("Parameters"),
                model.dtype.empty() ? parametersText(model.parameters)
                                    : tr("%1, %2").arg(parametersText(model.parameters), text(model.dtype)));
    QString size = model.bytes > 0 ? bytes(model.bytes) : absent();
    if (model.shards_expected > 1)
        size =
            tr("%1, %2 of %n weight file(s)", nullptr, model.shards_expected).arg(size, number(qint64(model.shards)));
    addFact(facts, tr("Size"), size);
    if (!model.tokenizer.empty())
        addFact(facts, tr("Tokenizer"),
                tr("%1, %2 tokens").arg(text(model.tokenizer), number(qint64(model.vocabulary))));
    if (model.context > 0) addFact(facts, tr("Context"), tr("%1 tokens").arg(number(qint64(model.context))));
    addFact(facts, tr("Licence"), model.licence.empty() ? tr("not stated") : text(model.licence));
    column->addLayout(facts);
    if (model.usable && model.origin == jobs::BaseModel::Origin::BuiltIn) {
        auto* toy = new Text(Text::Kind::Secondary,
                             tr("It shows the way within a minute and knows nothing. phi-2 is the real thing."));
        toy->setWordWrap(true);
        column->addWidget(toy);
    }
    column->addStretch(1);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(2 * kSpace);
    const auto add = [&](const QString& words, const QString& accessible, auto signal) {
        auto* button = new QPushButton(words);
        button->setAccessibleName(accessible);
        connect(button, &QPushButton::clicked, this, signal);
        buttons->addWidget(button);
    };
    if (model.usable) {
        add(tr("Chat"), tr("Chat with %1").arg(name), &ModelCard::chat);
        add(tr("Use in Recipe"), tr("Use %1 in the recipe").arg(name), &ModelCard::useInRecipe);
    }
    add(tr("Show Folder"), tr("Show the folder of %1").arg(name), &ModelCard::showFolder);
    if (forgettable) add(tr("Forget"), tr("Take the folder of %1 off the list").arg(name), &ModelCard::forget);
    buttons->addStretch(1);
    column->addLayout(buttons);
}

void ModelCard::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(colour(Hue::Line, this), 1));
    painter.setBrush(colour(Hue::Surface, this));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

CardGrid::CardGrid(QWidget* parent) : QWidget(parent), grid_(new QGridLayout(this)) {
    grid_->setContentsMargins(0, 0, 0, 0);
    grid_->setSpacing(3 * kSpace);
}

void CardGrid::setCards(const std::vector<QWidget*>& cards) {
    for (QWidget* card : cards_) {
        grid_->removeWidget(card);
        card->deleteLater();
    }
    cards_ = cards;
    columns_ = 0;
    arrange();
}

void CardGrid::arrange() {
    const int smallest = 46 * characterWidth(font());
    const int columns = std::clamp((width() + grid_->spacing()) / (smallest + grid_->spacing()), 1, 4);
    if (columns == columns_) return;
    for (int c = 0; c < 4; ++c) grid_->setColumnStretch(c, c < columns ? 1 : 0);
    columns_ = columns;
    int i = 0;
    for (QWidget* card : cards_) {
        grid_->addWidget(card, i / columns, i % columns);
        card->show();
        ++i;
    }
}

void CardGrid::resizeEvent(QResizeEvent*) {
    arrange();
}

}  // namespace studio::ui
