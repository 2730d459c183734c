package report

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart makes the line chart.
func (l *Lines) chart() (*chart, error) {
	c, x, y := newChart(l.Title), nothing(), nothing()
	for _, s := range l.Series {
		for _, point := range s.Values {
			if err := x.take(point.X, l.LogX); err != nil {
				return nil, fmt.Errorf("series %q, x: %w", s.Name, err)
			}
			if err := y.take(point.Y, l.LogY); err != nil {
				return nil, fmt.Errorf("series %q, y: %w", s.Name, err)
			}
		}
	}
	c.x, c.y = l.X, l.Y
	l.axes(c.plot, x, y)
	grid := &plotter.Grid{Vertical: gridStyle(), Horizontal: gridStyle()}
	c.plot.Add(grid)
	for i, s := range l.Series {
		if len(s.Values) == 0 {
			continue
		}
		pen := newPen(i, len(s.Values))
		c.plot.Add(&line{pen, s.Values})
		c.legend = append(c.legend, legendEntry{s.Name, pen.sample})
	}
	return c, nil
}

func (l *Lines) axes(p *plot.Plot, x, y span) {
	if l.LogX {
		x.logarithmic(&p.X)
	} else {
		x.linear(&p.X)
	}
	if l.LogY {
		y.logarithmic(&p.Y)
		return
	}
	const room = 0.05 // of the height, beyond the highest point
	if !y.empty() {
		y = y.withZero()
		y.highest += room * (y.highest - y.lowest)
	}
	y.linear(&p.Y)
}

// line draws a series onto the axes.
type line struct {
	pen    pen
	points []Point
}

// Plot is for the plotting library.
func (l *line) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	path := make([]vg.Point, len(l.points))
	for i, point := range l.points {
		path[i] = vg.Point{X: x(point.X), Y: y(point.Y)}
	}
	l.pen.stroke(&c, path)
}

// pen is what a series is drawn with.
type pen struct {
	style draw.LineStyle
	mark  draw.GlyphStyle // without shape: points are not marked
}

// newPen is that of the i-th series with so many points: where there are few, each has a mark.
func newPen(i, points int) pen {
	const few = 40
	p := pen{style: draw.LineStyle{Color: seriesColor(i), Width: vg.Points(1.6)}}
	if points <= few {
		shapes := []draw.GlyphDrawer{
			draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
		}
		p.mark = draw.GlyphStyle{Color: seriesColor(i), Radius: vg.Points(3), Shape: shapes[i%len(shapes)]}
		return p
	}
	dashes := [][]vg.Length{nil, {6, 2}, {2, 1.5}, {8, 2, 2, 2}}
	p.style.Dashes = dashes[i%len(dashes)]
	return p
}

func (p *pen) stroke(c *draw.Canvas, path []vg.Point) {
	c.StrokeLines(p.style, path)
	if p.mark.Shape == nil {
		return
	}
	for _, at := range path {
		c.DrawGlyphNoClip(p.mark, at)
	}
}

// sample draws the pen into the legend.
func (p *pen) sample(c *draw.Canvas, in vg.Rectangle) {
	middle := (in.Min.Y + in.Max.Y) / 2
	c.StrokeLine2(p.style, in.Min.X, middle, in.Max.X, middle)
	if p.mark.Shape != nil {
		c.DrawGlyphNoClip(p.mark, vg.Point{X: (in.Min.X + in.Max.X) / 2, Y: middle})
	}
}
