package report

import (
	"fmt"
	"io"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Series is one of the things that a plot compares.
type Series[T any] struct {
	Name   string
	Values []T
}

// Bars is a bar chart: a group of bars for each of Groups, in it one for each series, from 0 to the figure's median, with a
// line from its lowest to its highest.
type Bars struct {
	File   string // name of the SVG file, without directory and ending
	Title  string // also says what the bars are: "frames a second"
	Groups []string
	Series []Series[Figure] // a figure for each group; one without rounds is left out
}

// Point is one of a line.
type Point struct{ X, Y float64 }

// Lines is a line chart.
type Lines struct {
	File, Title string // as of Bars
	X, Y        string // what the axes are, with units
	LogX, LogY  bool   // logarithmic; all values must be positive then
	Series      []Series[Point]
}

const (
	plotWidth  = 8 * vg.Inch
	plotHeight = 4 * vg.Inch
)

// save writes a plot into the directory, and shows it in the Markdown.
func save(p *plot.Plot, w io.Writer, dir, file, title string) error {
	name := file + ".svg"
	if err := p.Save(plotWidth, plotHeight, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("plot %s: %w", name, err)
	}
	_, err := fmt.Fprintf(w, "![%s](%s)\n", title, name)
	return err
}

func (b *Bars) write(w io.Writer, dir string) error {
	return save(plot.New(), w, dir, b.File, b.Title)
}

func (l *Lines) write(w io.Writer, dir string) error {
	return save(plot.New(), w, dir, l.File, l.Title)
}
