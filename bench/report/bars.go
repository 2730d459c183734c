package report

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart makes the bar chart, as wide as its bars need.
func (b *Bars) chart() (*chart, error) {
	c, height := newChart(b.Title), nothing()
	for _, s := range b.Series {
		if len(s.Values) != len(b.Groups) {
			return nil, fmt.Errorf("series %q has %d figures for %d groups", s.Name, len(s.Values), len(b.Groups))
		}
		for group, f := range s.Values {
			if f.Rounds == 0 {
				continue
			}
			for _, v := range []float64{f.Lowest, f.Median, f.Highest} {
				if err := height.take(v, false); err != nil {
					return nil, fmt.Errorf("series %q, %s: %w", s.Name, b.Groups[group], err)
				}
			}
		}
	}
	c.width = max(c.width, b.width(&c.plot.X.Tick.Label))
	for i, s := range b.Series {
		c.legend = append(c.legend, legendEntry{s.Name, func(canvas *draw.Canvas, in vg.Rectangle) {
			canvas.SetColor(seriesColor(i))
			canvas.Fill(in.Path())
		}})
	}
	b.axes(c.plot, height, c.width)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal = nil, gridStyle()
	c.plot.Add(grid, bars{b})
	return c, nil
}

// axisWidth is about what the axis of the figures takes.
const axisWidth = vg.Length(50)

// width is what the chart needs, so that the groups' names do not meet, and if that is not too much for a reader's screen,
// so that each bar has its median above it.
func (b *Bars) width(names *text.Style) vg.Length {
	const widest = 11 * vg.Inch
	name, label, style := vg.Length(0), vg.Length(0), labelStyle()
	for _, group := range b.Groups {
		for word := range strings.FieldsSeq(group) {
			name = max(name, widthOf(names, word)+6)
		}
	}
	for _, s := range b.Series {
		for _, f := range s.Values {
			label = max(label, widthOf(&style, short(f.Median)))
		}
	}
	bars := label * vg.Length(len(b.Series)) / groupShare
	return axisWidth + vg.Length(len(b.Groups))*max(name, min(bars, widest/vg.Length(max(1, len(b.Groups)))))
}

func labelStyle() text.Style { return textStyle(7.5, text.XCenter, text.YBottom) }

// groupShare is how much of the room between two groups' middles their bars take.
const groupShare = 0.88

// axes names the groups, and leaves room for what is written above the bars and below those of negative figures.
func (b *Bars) axes(p *plot.Plot, height span, width vg.Length) {
	const room = 0.08 // of the height
	height = height.withZero()
	all := height.highest - height.lowest
	if height.highest > 0 {
		height.highest += room * all
	}
	if height.lowest < 0 {
		height.lowest -= room * all
	}
	if all == 0 {
		height = span{0, 1}
	}
	height.linear(&p.Y)
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0 // the grid is enough

	p.X.Min, p.X.Max = -0.5, max(0, float64(len(b.Groups)-1))+0.5
	p.X.LineStyle.Width, p.X.Tick.LineStyle.Width = 0, 0 // there is a line at 0
	p.X.Padding = vg.Points(4)
	names, lines := make(plot.ConstantTicks, len(b.Groups)), 0
	for i, group := range b.Groups {
		name := wrap(&p.X.Tick.Label, group, (width-axisWidth)/vg.Length(len(b.Groups))-4)
		names[i] = plot.Tick{Value: float64(i), Label: name}
		lines = max(lines, strings.Count(name, "\n"))
	}
	for i := range names { // all of them as high as the highest, else they do not begin on the same line
		names[i].Label += strings.Repeat("\n ", lines-strings.Count(names[i].Label, "\n"))
	}
	p.X.Tick.Marker = names
}

// bars draws a chart's bars onto its axes.
type bars struct{ *Bars }

// Plot is for the plotting library.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	width := (x(1) - x(0)) * groupShare / vg.Length(max(1, len(b.Series)))
	width = min(width, 48)
	for group := range b.Groups {
		shown := 0
		for _, s := range b.Series {
			if s.Values[group].Rounds > 0 {
				shown++
			}
		}
		left := x(float64(group)) - width*vg.Length(shown)/2
		for i, s := range b.Series {
			if f := s.Values[group]; f.Rounds > 0 {
				drawBar(&c, i, f, left, width, y)
				left += width
			}
		}
	}
	zero := draw.LineStyle{Color: axisColor(), Width: vg.Points(0.7)}
	c.StrokeLine2(zero, c.Min.X, y(0), c.Max.X, y(0))
}

// drawBar draws one bar, with its whisker, and with its median if there is room for it.
func drawBar(c *draw.Canvas, series int, f Figure, left, width vg.Length, y func(float64) vg.Length) {
	const gap = vg.Length(1)
	if f.Median != 0 {
		bar := vg.Rectangle{Min: vg.Point{X: left + gap/2, Y: y(0)}, Max: vg.Point{X: left + width - gap/2, Y: y(f.Median)}}
		c.SetColor(seriesColor(series))
		c.Fill(bar.Path())
	}
	middle := left + width/2
	if f.Lowest != f.Highest {
		whisker := draw.LineStyle{Color: ink(), Width: vg.Points(0.9)}
		end := min(3, width/4)
		c.StrokeLine2(whisker, middle, y(f.Lowest), middle, y(f.Highest))
		c.StrokeLine2(whisker, middle-end, y(f.Lowest), middle+end, y(f.Lowest))
		c.StrokeLine2(whisker, middle-end, y(f.Highest), middle+end, y(f.Highest))
	}
	style, at := labelStyle(), y(max(0, f.Highest))+2
	if f.Median < 0 {
		style.YAlign, at = text.YTop, y(min(0, f.Lowest))-2
	}
	if label := short(f.Median); widthOf(&style, label) <= width+0.1 {
		c.FillText(style, vg.Point{X: middle, Y: at}, label)
	}
}
