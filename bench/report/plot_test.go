package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// drawing is what a plot's SVG file shows.
type drawing struct {
	source string
	texts  []string
	fills  map[string][]box // filled shapes by colour
	lines  map[string][]box // and straight lines
}

type box struct{ left, bottom, right, top float64 }

func (b box) height() float64 { return b.top - b.bottom }

// saved saves a document of these blocks and returns its directory.
func saved(t *testing.T, blocks ...report.Block) (dir string, err error) {
	t.Helper()
	section := &report.Section{Name: "plots"}
	section.Add(blocks...)
	document := report.Document{At: time.Unix(1_700_000_000, 0), Sections: []*report.Section{section}}
	file, err := document.Save(t.TempDir())
	return filepath.Dir(file), err
}

// drawn draws one plot, whose file is called "plot".
func drawn(t *testing.T, plot report.Block) *drawing {
	t.Helper()
	dir, err := saved(t, plot)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(dir, "plot.svg"))
	if err != nil {
		t.Fatal(err)
	}
	d := &drawing{source: string(source), fills: map[string][]box{}, lines: map[string][]box{}}
	for decoder := xml.NewDecoder(strings.NewReader(d.source)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("it is no XML: %v", err)
		}
		element, begins := token.(xml.StartElement)
		if !begins {
			continue
		}
		switch element.Name.Local {
		case "text":
			var text string
			if err := decoder.DecodeElement(&text, &element); err != nil {
				t.Fatal(err)
			}
			d.texts = append(d.texts, text)
		case "path":
			d.addPath(t, element)
		}
	}
	if strings.Contains(d.source, "NaN") || strings.Contains(d.source, "Inf") {
		t.Errorf("there is something that is no number in\n%s", d.source)
	}
	return d
}

func (d *drawing) addPath(t *testing.T, path xml.StartElement) {
	t.Helper()
	var data, style string
	for _, a := range path.Attr {
		switch a.Name.Local {
		case "d":
			data = a.Value
		case "style":
			style = a.Value
		}
	}
	into := d.fills
	_, color, found := strings.Cut(style, "fill:#")
	if !found {
		if _, color, found = strings.Cut(style, "stroke:#"); !found {
			return // black
		}
		into = d.lines
	}
	shape := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, corner := range strings.FieldsFunc(data, func(r rune) bool { return strings.ContainsRune("MLZ", r) }) {
		var x, y float64
		if _, err := fmt.Sscanf(corner, "%g,%g", &x, &y); err != nil {
			return // it has curves, and is no bar
		}
		shape = box{min(shape.left, x), min(shape.bottom, y), max(shape.right, x), max(shape.top, y)}
	}
	into[color[:6]] = append(into[color[:6]], shape)
}

// bars are the bars of a colour; the first shape with it is in the legend.
func (d *drawing) bars(t *testing.T, color string, want int) []box {
	t.Helper()
	if len(d.fills[color]) != want+1 {
		t.Fatalf("%d shapes are filled with %s, want one in the legend and %d bars: %v", len(d.fills[color]), color, want, d.fills[color])
	}
	return d.fills[color][1:]
}

func (d *drawing) shows(t *testing.T, texts ...string) {
	t.Helper()
	all := "\n" + strings.Join(d.texts, "\n") + "\n"
	for _, text := range texts {
		if !strings.Contains(all, "\n"+text+"\n") {
			t.Errorf("%q is not to be read among %q", text, d.texts)
		}
	}
}

// The colours of the first two series.
const blue, orange = "0072B2", "E69F00"

func figure(values ...float64) report.Figure { return report.Summarize(values) }

func TestBars(t *testing.T) {
	d := drawn(t, &report.Bars{
		File: "plot", Title: "frames a second", Groups: []string{"200 B", "560 B", "4 <k>B"},
		Series: []report.Series[report.Figure]{
			{Name: "lorry", Values: []report.Figure{figure(30_000, 20_000, 40_000), figure(10_000), figure(0)}},
			{Name: "bare paho & more", Values: []report.Figure{figure(60_000), {}, figure(-15_000)}},
		},
	})
	d.shows(t, "frames a second", "lorry", "bare paho & more", "200 B", "560 B", "4 <k>B", "30k", "60k", "0", "-15k")
	if zeros := strings.Count("\n"+strings.Join(d.texts, "\n\n")+"\n", "\n0\n"); zeros != 2 {
		t.Errorf("0 is to be read %d times, want at the axis and for what was measured as 0", zeros)
	}
	lorry, paho := d.bars(t, blue, 2), d.bars(t, orange, 2) // 0 is no bar, nor is what was not measured
	for name, c := range map[string]struct {
		bar   box
		value float64
	}{"560 B of lorry": {lorry[1], 10_000}, "200 B of paho": {paho[0], 60_000}, "4 kB of paho": {paho[1], 15_000}} {
		if got, want := c.bar.height()/lorry[0].height(), c.value/30_000; math.Abs(got-want) > 0.01*want {
			t.Errorf("%s is %.3f times as high as 30 000, want %.3f", name, got, want)
		}
	}
	if lorry[0].bottom != paho[0].bottom || paho[1].top != paho[0].bottom {
		t.Errorf("bars do not begin at 0: %v, %v", lorry, paho)
	}
	var whiskers []box
	for _, l := range d.lines["222222"] {
		if l.height() > 0 {
			whiskers = append(whiskers, l)
		}
	}
	if len(whiskers) != 1 { // one round has no lowest and highest
		t.Fatalf("whiskers %v", whiskers)
	}
	for name, c := range map[string]struct{ at, value float64 }{"lowest": {whiskers[0].bottom, 20_000}, "highest": {whiskers[0].top, 40_000}} {
		if got, want := (c.at-lorry[0].bottom)/lorry[0].height(), c.value/30_000; math.Abs(got-want) > 0.01*want {
			t.Errorf("the %s value is shown at %.3f of the median, want %.3f", name, got, want)
		}
	}
	if lorry[0].right > paho[0].left {
		t.Errorf("bars of a group cover each other: %v, %v", lorry[0], paho[0])
	}
	if strings.Contains(d.source, "font-family:Liberation Sans;") || !strings.Contains(d.source, ",sans-serif;") {
		t.Error("a reader without its font has no other")
	}
}

// TestBarsOfNothing checks that there is a plot also when there is nothing to show.
func TestBarsOfNothing(t *testing.T) {
	for name, bars := range map[string]report.Bars{
		"nothing":      {},
		"no series":    {Groups: []string{"a", ""}},
		"no groups":    {Series: []report.Series[report.Figure]{{Name: "lorry"}}},
		"not measured": {Groups: []string{"a"}, Series: []report.Series[report.Figure]{{Name: "lorry", Values: []report.Figure{{}}}}},
		"zero":         {Groups: []string{"a"}, Series: []report.Series[report.Figure]{{Name: "lorry", Values: []report.Figure{figure(0, 0)}}}},
	} {
		t.Run(name, func(t *testing.T) {
			bars.File, bars.Title = "plot", "title of it"
			drawn(t, &bars).shows(t, "title of it", "0")
		})
	}
}

func TestBarsRefused(t *testing.T) {
	one := []report.Series[report.Figure]{{Name: "lorry", Values: []report.Figure{figure(math.NaN())}}}
	for want, groups := range map[string][]string{
		`plot rates: series "lorry", 200 B: NaN`:                {"200 B"},
		`plot rates: series "lorry" has 1 figures for 2 groups`: {"200 B", "560 B"},
	} {
		if _, err := saved(t, &report.Bars{File: "rates", Groups: groups, Series: one}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func points(xy ...float64) []report.Point {
	var all []report.Point
	for i := 0; i < len(xy); i += 2 {
		all = append(all, report.Point{X: xy[i], Y: xy[i+1]})
	}
	return all
}

func TestLines(t *testing.T) {
	d := drawn(t, &report.Lines{
		File: "plot", Title: "latency", X: "connections", Y: "ms", LogX: true, LogY: true,
		Series: []report.Series[report.Point]{
			{Name: "lorry", Values: points(1, 0.3, 100, 0.5, 10_000, 9)}, {Name: "bare paho", Values: points(1, 0.2)}, {Name: "nobody"},
		},
	})
	d.shows(t, "latency", "connections", "ms", "lorry", "bare paho", "1", "10", "100", "1k", "10k", "0.2", "0.5", "5")
	if strings.Contains(d.source, "nobody") {
		t.Error("a series without points is in the legend")
	}
	d = drawn(t, &report.Lines{File: "plot", Series: []report.Series[report.Point]{{Name: "lorry", Values: points(0, 500, 30, 32_000)}}})
	d.shows(t, "0", "10", "20", "30", "10k", "20k", "30k")
}

func TestLinesOfLittle(t *testing.T) {
	for name, values := range map[string][]report.Point{
		"nothing": nil, "one point": points(3, 7), "one at 1": points(1, 1), "zero": points(0, 0, 1, 0), "flat": points(1, 5, 2, 5), "negative": points(-2, -5, -1, -7),
	} {
		for _, log := range []bool{false, true} {
			if log && len(values) > 0 && (values[0].X <= 0 || values[0].Y <= 0) {
				continue // TestLinesRefused
			}
			t.Run(fmt.Sprint(name, log), func(t *testing.T) {
				drawn(t, &report.Lines{
					File: "plot", Title: "title", LogX: log, LogY: log, Series: []report.Series[report.Point]{{Name: "lorry", Values: values}},
				}).shows(t, "title")
			})
		}
	}
}

func TestLinesRefused(t *testing.T) {
	for want, lines := range map[string]report.Lines{
		`plot p: series "bare paho", y: 0 has no place on a logarithmic axis`: {LogY: true, Series: []report.Series[report.Point]{{Name: "bare paho", Values: points(-1, 2, 1, 0)}}},
		`plot p: series "lorry", x: -1 has no place on a logarithmic axis`:    {LogX: true, Series: []report.Series[report.Point]{{Name: "lorry", Values: points(1, -1, -1, 2)}}},
		`plot p: series "lorry", y: +Inf is no number`:                        {Series: []report.Series[report.Point]{{Name: "lorry", Values: points(1, math.Inf(1))}}},
		`plot p: series "lorry", x: NaN is no number`:                         {LogX: true, Series: []report.Series[report.Point]{{Name: "lorry", Values: points(math.NaN(), 1)}}},
	} {
		lines.File = "p"
		if _, err := saved(t, &lines); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPlotsAreDeterministic draws the same twice.
func TestPlotsAreDeterministic(t *testing.T) {
	plot := &report.Bars{
		File: "plot", Groups: []string{"a", "b"},
		Series: []report.Series[report.Figure]{
			{Name: "lorry", Values: []report.Figure{figure(1, 2, 3), figure(2)}}, {Name: "bare", Values: []report.Figure{figure(3), figure(4, 5)}},
		},
	}
	if first, second := drawn(t, plot).source, drawn(t, plot).source; first != second {
		t.Errorf("got\n%s\nand then\n%s", first, second)
	}
}

// TestPlotsOfOneName checks that none is lost.
func TestPlotsOfOneName(t *testing.T) {
	_, err := saved(t, &report.Bars{File: "rate"}, &report.Lines{File: "rate"})
	if !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), "rate.svg") {
		t.Errorf("got %v", err)
	}
}
