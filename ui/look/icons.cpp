#include "ui/look/icons.h"

#include <QApplication>
#include <QIconEngine>
#include <QPainterPath>
#include <QPalette>
#include <functional>

#include "ui/look/colours.h"

namespace studio::ui {
namespace {

// Glyphs are drawn on a field of 16 × 16.
void strokes(QPainter& p, std::initializer_list<QLineF> lines) {
    for (const QLineF& line : lines) p.drawLine(line);
}

void polyline(QPainter& p, const QPolygonF& points) {
    p.drawPolyline(points);
}

void draw(QPainter& p, Glyph glyph, const QColor& colour) {
    const auto fill = [&] {
        p.setBrush(colour);
        p.setPen(Qt::NoPen);
    };
    switch (glyph) {
        case Glyph::Data:
            strokes(p, {{2, 4, 14, 4}, {2, 8, 14, 8}, {2, 12, 9, 12}});
            break;
        case Glyph::Recipe:
            strokes(p, {{4, 2, 4, 14}, {8, 2, 8, 14}, {12, 2, 12, 14}});
            p.setBrush(colour);
            for (const QPointF& c : {QPointF(4, 10), QPointF(8, 5), QPointF(12, 9)}) p.drawEllipse(c, 1.6, 1.6);
            break;
        case Glyph::Runs:
            polyline(p, {{2, 2}, {2, 14}, {14, 14}});
            polyline(p, {{4, 4}, {6, 8}, {9, 10.5}, {14, 11.5}});
            break;
        case Glyph::Evaluate:
            strokes(p, {{2, 14, 14, 14}, {4, 14, 4, 9}, {8, 14, 8, 4}, {12, 14, 12, 7}});
            break;
        case Glyph::Chat: {
            QPainterPath path(QPointF(2, 3));
            path.lineTo(14, 3);
            path.lineTo(14, 11);
            path.lineTo(7, 11);
            path.lineTo(4, 14);
            path.lineTo(4, 11);
            path.lineTo(2, 11);
            path.closeSubpath();
            p.drawPath(path);
            break;
        }
        case Glyph::Models:
            p.drawPolygon(QPolygonF({{8, 1.5}, {13.5, 4.5}, {13.5, 11.5}, {8, 14.5}, {2.5, 11.5}, {2.5, 4.5}}));
            polyline(p, {{2.5, 4.5}, {8, 7.5}, {13.5, 4.5}});
            strokes(p, {{8, 7.5, 8, 14.5}});
            break;
        case Glyph::Play:
            fill();
            p.drawPolygon(QPolygonF({{4, 2.5}, {13.5, 8}, {4, 13.5}}));
            break;
        case Glyph::Pause:
            fill();
            p.drawRect(QRectF(3.5, 3, 3.2, 10));
            p.drawRect(QRectF(9.3, 3, 3.2, 10));
            break;
        case Glyph::Stop:
            fill();
            p.drawRect(QRectF(3.5, 3.5, 9, 9));
            break;
        case Glyph::Tick:
            polyline(p, {{2.5, 8.5}, {6.5, 12.5}, {13.5, 4}});
            break;
        case Glyph::Cross:
        case Glyph::Close:
            strokes(p, {{3.5, 3.5, 12.5, 12.5}, {12.5, 3.5, 3.5, 12.5}});
            break;
        case Glyph::Careful:
            p.drawPolygon(QPolygonF({{8, 2}, {14.5, 13.5}, {1.5, 13.5}}));
            strokes(p, {{8, 6.5, 8, 9.5}, {8, 11.4, 8, 11.7}});
            break;
        case Glyph::Info:
            p.drawEllipse(QPointF(8, 8), 6, 6);
            strokes(p, {{8, 7.5, 8, 11.2}, {8, 4.8, 8, 5.1}});
            break;
        case Glyph::Clock:
            p.drawEllipse(QPointF(8, 8), 6, 6);
            polyline(p, {{8, 4.5}, {8, 8}, {10.5, 9.5}});
            break;
        case Glyph::Broken:
            strokes(p, {{2, 8, 6, 8}, {10, 8, 14, 8}, {6.5, 5, 7.5, 11}, {8.7, 5, 9.7, 11}});
            break;
        case Glyph::Left:
            polyline(p, {{10, 3.5}, {5.5, 8}, {10, 12.5}});
            break;
        case Glyph::Right:
            polyline(p, {{6, 3.5}, {10.5, 8}, {6, 12.5}});
            break;
        case Glyph::Down:
            polyline(p, {{3.5, 6}, {8, 10.5}, {12.5, 6}});
            break;
        case Glyph::Revert: {
            p.drawArc(QRectF(3, 3.5, 10, 10), -150 * 16, 270 * 16);
            polyline(p, {{2.2, 4.4}, {4.6, 6.8}, {7.4, 4.8}});
            break;
        }
        case Glyph::Copy:
            p.drawRect(QRectF(2.5, 5, 8, 9));
            polyline(p, {{5.5, 5}, {5.5, 2.2}, {13.5, 2.2}, {13.5, 11}, {10.5, 11}});
            break;
        case Glyph::Edit:
            p.drawPolygon(QPolygonF({{2.5, 13.5}, {3.4, 10}, {11, 2.5}, {13.5, 5}, {6, 12.6}}));
            break;
        case Glyph::Folder:
            p.drawPolygon(QPolygonF({{1.5, 3.5}, {6, 3.5}, {7.5, 5.5}, {14.5, 5.5}, {14.5, 13}, {1.5, 13}}));
            break;
        case Glyph::Search:
            p.drawEllipse(QPointF(7, 7), 4.5, 4.5);
            strokes(p, {{10.3, 10.3, 14, 14}});
            break;
        case Glyph::Plus:
            strokes(p, {{8, 2.5, 8, 13.5}, {2.5, 8, 13.5, 8}});
            break;
        case Glyph::Filter:
            p.drawPolygon(QPolygonF({{2, 3}, {14, 3}, {9.5, 8.5}, {9.5, 13.5}, {6.5, 12}, {6.5, 8.5}}));
            break;
    }
}

// Paints for each state with the colours the application has at that moment.
class GlyphEngine final : public QIconEngine {
  public:
    explicit GlyphEngine(Glyph glyph) : glyph_(glyph) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const QPalette palette = QApplication::palette();
        QColor ink = palette.color(QPalette::Active, QPalette::ButtonText);
        if (mode == QIcon::Disabled) ink = palette.color(QPalette::Disabled, QPalette::ButtonText);
        if (mode == QIcon::Selected) ink = palette.color(QPalette::Active, QPalette::HighlightedText);
        drawGlyph(*painter, glyph_, rect, ink);
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap result(size);
        result.fill(Qt::transparent);
        QPainter painter(&result);
        paint(&painter, QRect(QPoint(0, 0), size), mode, state);
        return result;
    }
    QIconEngine* clone() const override { return new GlyphEngine(glyph_); }

  private:
    Glyph glyph_;
};

}  // namespace

void drawGlyph(QPainter& painter, Glyph glyph, const QRectF& box, const QColor& ink) {
    const double side = std::min(box.width(), box.height());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(box.center() - QPointF(side / 2, side / 2));
    painter.scale(side / 16, side / 16);
    painter.setPen(QPen(ink, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(Qt::NoBrush);
    draw(painter, glyph, ink);
    painter.restore();
}

QIcon icon(Glyph glyph) {
    return QIcon(new GlyphEngine(glyph));
}

QIcon programIcon() {
    QIcon result;
    for (const int size : {16, 24, 32, 48, 64, 128}) {
        QPixmap pixmap(size, size);
        pixmap.fill(Qt::transparent);
        QPainter p(&pixmap);
        p.setRenderHint(QPainter::Antialiasing);
        p.scale(size / 16.0, size / 16.0);
        p.setPen(Qt::NoPen);
        p.setBrush(QColor(0x34, 0x57, 0xd5));
        p.drawRoundedRect(QRectF(0.5, 0.5, 15, 15), 3.5, 3.5);
        p.setPen(QPen(Qt::white, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        p.drawPolyline(QPolygonF({{3.5, 4}, {5.5, 8}, {8.5, 10.5}, {12.5, 11.5}}));
        p.setPen(QPen(QColor(0xc3, 0xa3, 0xff), 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        p.drawPolyline(QPolygonF({{8.5, 5}, {10.5, 5}, {12.5, 3.8}}));
        p.end();
        result.addPixmap(pixmap);
    }
    return result;
}

}  // namespace studio::ui
