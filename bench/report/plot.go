package report

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

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

// Lines is a line chart. A series without points is left out.
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

// write writes the chart into the directory, and shows it in the Markdown.
func (b *Bars) write(w io.Writer, dir string) error {
	c, err := b.chart()
	if err != nil {
		return fmt.Errorf("plot %s: %w", b.File, err)
	}
	return c.save(w, dir, b.File)
}

// write writes the chart into the directory, and shows it in the Markdown.
func (l *Lines) write(w io.Writer, dir string) error {
	c, err := l.chart()
	if err != nil {
		return fmt.Errorf("plot %s: %w", l.File, err)
	}
	return c.save(w, dir, l.File)
}

// save writes the chart to a file of its own: that of another plot is not overwritten.
func (c *chart) save(w io.Writer, dir, file string) error {
	name := file + ".svg"
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // it is for everyone to read
	if err != nil {
		return fmt.Errorf("plot %s: %w", name, err)
	}
	_, err = f.Write(c.svg())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("plot %s: %w", name, err)
	}
	_, err = fmt.Fprintf(w, "![%s](%s)\n", c.title, name)
	return err
}

// span is the part of an axis that values need.
type span struct{ lowest, highest float64 }

// nothing is the span of no values.
func nothing() span { return span{math.Inf(1), math.Inf(-1)} }

// take widens the span for a value, which has to be one that can be drawn.
func (s *span) take(v float64, logarithmic bool) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%g is no number to draw", v)
	}
	if logarithmic && v <= 0 {
		return fmt.Errorf("%g has no place on a logarithmic axis", v)
	}
	s.lowest, s.highest = min(s.lowest, v), max(s.highest, v)
	return nil
}

func (s *span) empty() bool { return s.lowest > s.highest }
