package report

import "fmt"

// Goal is a figure and what it is meant to be.
type Goal struct {
	What     string // "rate, of the bare publisher's"
	Unit     string // "ms"; empty for a ratio
	Decimals int
	Measured Figure
	// One of them is the bound for the median, the other is 0. If both are, the median must not be above 0.
	AtLeast, AtMost float64
}

// Reached tells whether the median is within the bound.
func (g *Goal) Reached() bool {
	if g.Measured.Rounds == 0 {
		return false
	}
	if g.AtLeast > 0 {
		return g.Measured.Median >= g.AtLeast
	}
	return g.Measured.Median <= g.AtMost
}

// bound is the goal in words.
func (g *Goal) bound() string {
	if g.AtLeast > 0 {
		return g.unit(fmt.Sprintf("≥ %g", g.AtLeast))
	}
	return g.unit(fmt.Sprintf("≤ %g", g.AtMost))
}

// measured is the figure in words, also if it is 0.
func (g *Goal) measured() string {
	if g.Measured.Rounds == 0 {
		return "not measured"
	}
	if g.Measured.Lowest == 0 && g.Measured.Highest == 0 {
		return g.unit("0")
	}
	return g.unit(g.Measured.Format(g.Decimals))
}

func (g *Goal) unit(s string) string {
	if g.Unit == "" {
		return s
	}
	return s + " " + g.Unit
}

// Summary is the table of all sections' goals; nil if they have none.
func Summary(sections []*Section) *Table {
	t := NewTable("scenario", "figure", "goal", "measured", "reached")
	for _, s := range sections {
		for i := range s.Goals {
			g, reached := &s.Goals[i], "no"
			if g.Reached() {
				reached = "yes"
			}
			t.Add(s.Name, g.What, g.bound(), g.measured(), reached)
		}
	}
	if len(t.rows) == 1 {
		return nil
	}
	return t
}
