package report

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is a plot with its title and its legend, which stand above it: so they never cover anything.
type chart struct {
	title  string
	legend []legendEntry
	x, y   string // what the axes are; empty if that needs no words
	plot   *plot.Plot
	width  vg.Length
}

// legendEntry is a series' name and what it is drawn with.
type legendEntry struct {
	name   string
	sample func(c *draw.Canvas, in vg.Rectangle)
}

func newChart(title string) *chart {
	c := &chart{title: title, plot: plot.New(), width: plotWidth}
	c.plot.BackgroundColor = nil // the whole sheet has one
	for _, axis := range []*plot.Axis{&c.plot.X, &c.plot.Y} {
		axis.Tick.Label = textStyle(9, axis.Tick.Label.XAlign, axis.Tick.Label.YAlign)
		axis.Tick.Length = vg.Points(4)
		axis.Tick.Color, axis.Color = axisColor(), axisColor()
		axis.Padding = 0
	}
	return c
}

// ink is the colour of text.
func ink() color.Color { return color.RGBA{0x22, 0x22, 0x22, 0xff} }

func axisColor() color.Color { return color.RGBA{0x88, 0x88, 0x88, 0xff} }

func gridStyle() draw.LineStyle {
	return draw.LineStyle{Color: color.RGBA{0xe4, 0xe4, 0xe4, 0xff}, Width: vg.Points(0.7)}
}

// seriesColor is that of the i-th series, of Okabe and Ito's palette: with each kind of colour vision they are told
// apart. Its yellow is left out, which white paper swallows.
func seriesColor(i int) color.Color {
	palette := []color.RGBA{
		{0x00, 0x72, 0xb2, 0xff}, // blue
		{0xe6, 0x9f, 0x00, 0xff}, // orange
		{0x00, 0x9e, 0x73, 0xff}, // bluish green
		{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
		{0x56, 0xb4, 0xe9, 0xff}, // sky blue
		{0xd5, 0x5e, 0x00, 0xff}, // vermilion
		{0x55, 0x55, 0x55, 0xff}, // for black
	}
	return palette[i%len(palette)]
}

func textStyle(points float64, x text.XAlignment, y text.YAlignment) text.Style {
	face := plotfont.Font{Typeface: "Liberation", Variant: "Sans"}
	return text.Style{
		Color: ink(), Font: plotfont.From(face, vg.Points(points)), XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler,
	}
}

// widthOf is the room that a text needs, also in the wider font that a reader may have instead.
func widthOf(style *text.Style, s string) vg.Length {
	const wider = 1.15
	return style.Width(s) * wider
}

// wrap breaks a text at its spaces, so that each line is no longer than width, if its words are not.
func wrap(style *text.Style, s string, width vg.Length) string {
	var lines []string
	for word := range strings.FieldsSeq(s) {
		if last := len(lines) - 1; last >= 0 && widthOf(style, lines[last]+" "+word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return strings.Join(lines, "\n")
}

// svg draws the chart. Readers without the fonts that it was measured with get others of the same widths, or at least of
// the same kind.
func (c *chart) svg() []byte {
	title := textStyle(12, text.XLeft, text.YTop)
	title.Font.Weight = font.WeightBold
	heading := wrap(&title, c.title, c.width-2*margin)
	above := margin + title.Height(heading) + vg.Points(8)

	paper := vgsvg.New(c.width, plotHeight)
	sheet := draw.New(paper)
	sheet.SetColor(color.White)
	sheet.Fill(sheet.Path())
	sheet.FillText(title, vg.Point{X: margin, Y: sheet.Max.Y - margin}, heading)
	above += c.drawLegend(&sheet, sheet.Max.Y-above)
	// The library's own labels take room at the side on a logarithmic axis.
	below := vg.Length(margin)
	if c.y != "" {
		label := textStyle(9, text.XLeft, text.YTop)
		sheet.FillText(label, vg.Point{X: margin, Y: sheet.Max.Y - above}, c.y)
		above += label.Height(c.y) + vg.Points(5)
	}
	if c.x != "" {
		label := textStyle(9, text.XCenter, text.YBottom)
		sheet.FillText(label, vg.Point{X: c.width / 2, Y: below}, c.x)
		below += label.Height(c.x) + vg.Points(4)
	}
	c.plot.Draw(draw.Crop(sheet, margin, -margin, below, -above))

	var out bytes.Buffer
	if _, err := paper.WriteTo(&out); err != nil {
		panic(fmt.Sprintf("report: write to memory: %v", err))
	}
	const family = `style="font-family:Liberation Sans`
	return bytes.ReplaceAll(out.Bytes(), []byte(family+";"), []byte(family+",Arial,Helvetica,sans-serif;"))
}

const (
	margin       = vg.Length(8)
	sampleWidth  = vg.Length(16)
	legendLine   = vg.Length(14)
	legendIndent = vg.Length(5)  // from a sample to its name
	legendGap    = vg.Length(12) // from a name to the next sample
)

// drawLegend writes the series' names one after the other, and returns the height that they take. A chart of one thing
// has no need of it unless that has a name.
func (c *chart) drawLegend(sheet *draw.Canvas, top vg.Length) (height vg.Length) {
	style := textStyle(9, text.XLeft, text.YCenter)
	x, y := margin, top-legendLine/2
	for _, e := range c.legend {
		if e.name == "" {
			continue
		}
		width := sampleWidth + legendIndent + widthOf(&style, e.name)
		if x > margin && x+width > c.width-margin {
			x, y = margin, y-legendLine
		}
		e.sample(sheet, vg.Rectangle{Min: vg.Point{X: x, Y: y - 4}, Max: vg.Point{X: x + sampleWidth, Y: y + 4}})
		sheet.FillText(style, vg.Point{X: x + sampleWidth + legendIndent, Y: y}, e.name)
		x += width + legendGap
		height = top - y + legendLine
	}
	return height
}
