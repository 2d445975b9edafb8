#include "ui/recipe/module_diagram.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

// 81,920 as "82 K", 2,621,440 as "2.6 M": beside a name there is no room for more.
QString brief(std::int64_t parameters) {
    const auto value = static_cast<double>(parameters);
    if (parameters >= 10'000'000) return QStringLiteral("%1 M").arg(number(value / 1e6, 0));
    if (parameters >= 1'000'000) return QStringLiteral("%1 M").arg(number(value / 1e6, 1));
    if (parameters >= 10'000) return QStringLiteral("%1 K").arg(number(value / 1e3, 0));
    if (parameters >= 1'000) return QStringLiteral("%1 K").arg(number(value / 1e3, 1));
    return number(static_cast<qint64>(parameters));
}

}  // namespace

ModuleDiagram::ModuleDiagram(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Adapted modules"));
}

QSize ModuleDiagram::sizeHint() const {
    return {characterWidth(font()) * 65, QFontMetrics(font()).height() * 13};
}

QSize ModuleDiagram::minimumSizeHint() const {
    return {characterWidth(font()) * 36, QFontMetrics(font()).height() * 13};
}

void ModuleDiagram::setModel(const jobs::PreviewModel* model, bool stale) {
    known_ = model != nullptr;
    stale_ = stale;
    modules_ = model ? model->modules : std::vector<jobs::ModuleCount>{};
    QStringList parts;
    for (const jobs::ModuleCount& module : modules_) {
        const QString name = text(module.kind);
        parts << (module.modules > 0 ? tr("%1: %2 adapted, %3 parameters each")
                                           .arg(name, number(static_cast<qint64>(module.modules)),
                                                number(static_cast<qint64>(module.parameters_each)))
                                     : tr("%1: not adapted").arg(name));
    }
    setAccessibleDescription(parts.join(QStringLiteral("; ")));
    setToolTip(parts.join(QLatin1Char('\n')));
    update();
}

ModuleDiagram::Linear ModuleDiagram::linear(const QString& kind) const {
    const auto found =
        std::find_if(modules_.begin(), modules_.end(), [&](const auto& m) { return text(m.kind) == kind; });
    QString name = kind;
    if (name.endsWith(QLatin1String("_proj"))) name.chop(5);
    if (found == modules_.end() || found->modules == 0) return {name, {}, false};
    return {name, brief(found->parameters_each), true};
}

void ModuleDiagram::drawBox(QPainter& painter, const QRectF& box, const Linear& linear) const {
    const bool strong = linear.adapted && !stale_;
    painter.setBrush(linear.adapted ? colour(Hue::AccentWash, this) : colour(Hue::Surface, this));
    painter.setPen(QPen(strong ? colour(Hue::Adapted, this) : colour(Hue::Line, this), linear.adapted ? 1.6 : 1.0));
    painter.drawRoundedRect(box, 5, 5);
    painter.setPen(colour(stale_ || !known_ ? Hue::Faint : Hue::Text, this));
    if (linear.count.isEmpty()) {
        const bool fits = QFontMetrics(font()).horizontalAdvance(linear.name) <= box.width() - 8;
        painter.setFont(fits ? font() : secondaryFont(font()));
        const QString name =
            painter.fontMetrics().elidedText(linear.name, Qt::ElideRight, static_cast<int>(box.width()));
        painter.drawText(box, Qt::AlignCenter | Qt::TextDontClip, name);
        return;
    }
    const double half = box.height() / 2;
    painter.setFont(font());
    painter.drawText(QRectF(box.left(), box.top() + 2, box.width(), half), Qt::AlignCenter, linear.name);
    painter.setFont(secondaryFont(font()));
    painter.setPen(colour(stale_ ? Hue::Faint : Hue::Adapted, this));
    painter.drawText(QRectF(box.left(), box.top() + half - 2, box.width(), half), Qt::AlignCenter, linear.count);
}

void ModuleDiagram::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double line = QFontMetrics(font()).height();
    const double width = std::min<double>(this->width(), characterWidth(font()) * 84), box_height = line * 2.5;
    const double left = 0, right = width;
    const double upper = line * 3.9, lower = line * 10.0, middle = (upper + lower) / 2 - line * 0.6;
    const double column = width / 24.0;

    // LayerNorm, the fork, three columns of boxes, and the sum.
    const double box_width = column * 4.3;
    const double norm_x = column * 1.2, norm_width = column * 5.3;
    const double first = column * 7.5, second = first + box_width + column * 0.7,
                 third = second + box_width + column * 0.7;
    const double fork = (norm_x + norm_width + first) / 2, sum = third + box_width + column * 0.8;

    QPainterPath wires;
    wires.moveTo(left, middle);
    wires.lineTo(norm_x, middle);
    wires.moveTo(norm_x + norm_width, middle);
    wires.lineTo(fork, middle);
    wires.moveTo(fork, upper);
    wires.lineTo(fork, lower);
    for (const double y : {upper, lower}) {
        wires.moveTo(fork, y);
        wires.lineTo(sum, y);
    }
    wires.moveTo(sum, upper);
    wires.lineTo(sum, lower);
    wires.moveTo(sum, middle);
    wires.lineTo(std::min(right, sum + column * 1.0), middle);
    // The residual goes round.
    const double around = lower + box_height * 0.5 + line * 0.9, branch = norm_x * 0.5;
    wires.moveTo(branch, middle);
    wires.lineTo(branch, around);
    wires.lineTo(sum, around);
    wires.lineTo(sum, lower);
    painter.setPen(QPen(colour(Hue::Faint, this), 1.2));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(wires);

    const auto centred = [&](double x, double y, double w, double h) { return QRectF(x, y - h / 2, w, h); };
    drawBox(painter, centred(norm_x, middle, norm_width, box_height * 0.85), {tr("LayerNorm"), {}, false});
    // q, k and v stand above each other: each can be adapted without the others.
    const double small = line * 2.1;
    int index = 0;
    for (const char* kind : {"q_proj", "k_proj", "v_proj"}) {
        const double y = upper + (index++ - 1) * (small + 4);
        Linear which = linear(QLatin1String(kind));
        const QRectF box = centred(first, y, box_width, small);
        painter.setBrush(which.adapted ? colour(Hue::AccentWash, this) : colour(Hue::Surface, this));
        painter.setPen(QPen(which.adapted && !stale_ ? colour(Hue::Adapted, this) : colour(Hue::Line, this),
                            which.adapted ? 1.6 : 1.0));
        painter.drawRoundedRect(box, 5, 5);
        painter.setFont(font());
        painter.setPen(colour(stale_ || !known_ ? Hue::Faint : Hue::Text, this));
        if (which.count.isEmpty()) {
            painter.drawText(box, Qt::AlignCenter, which.name);
        } else {
            painter.drawText(box.adjusted(10, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, which.name);
            painter.setFont(secondaryFont(font()));
            painter.setPen(colour(stale_ ? Hue::Faint : Hue::Adapted, this));
            painter.drawText(box.adjusted(0, 0, -10, 0), Qt::AlignVCenter | Qt::AlignRight, which.count);
        }
    }
    drawBox(painter, centred(second, upper, box_width, box_height), {tr("attention"), {}, false});
    drawBox(painter, centred(third, upper, box_width, box_height), linear(QStringLiteral("dense")));
    drawBox(painter, centred(first, lower, box_width, box_height), linear(QStringLiteral("fc1")));
    drawBox(painter, centred(second, lower, box_width, box_height), {tr("GELU"), {}, false});
    drawBox(painter, centred(third, lower, box_width, box_height), linear(QStringLiteral("fc2")));

    const double radius = line * 0.55;
    painter.setBrush(colour(Hue::Surface, this));
    painter.setPen(QPen(colour(Hue::Faint, this), 1.2));
    painter.drawEllipse(QPointF(sum, middle), radius, radius);
    painter.setFont(font());
    painter.setPen(colour(Hue::Text, this));
    painter.drawText(QRectF(sum - radius, middle - radius, 2 * radius, 2 * radius), Qt::AlignCenter,
                     QStringLiteral("+"));
}

}  // namespace studio::ui
