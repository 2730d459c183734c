package report

import (
	"fmt"
	"slices"
)

// Figure is what several rounds measured of one thing.
type Figure struct {
	Median, Lowest, Highest float64
	Rounds                  int
}

// Summarize makes a figure of one value for each round; without any, it is zero.
func Summarize(values []float64) Figure {
	if len(values) == 0 {
		return Figure{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Figure{
		Median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Lowest: sorted[0], Highest: sorted[n-1], Rounds: n,
	}
}

// Format writes the figure as "median (lowest–highest)" with so many decimals; "–" if nothing was measured or all of
// it is 0.
func (f Figure) Format(decimals int) string {
	if f.Lowest == 0 && f.Highest == 0 {
		return "–"
	}
	median := fmt.Sprintf("%.*f", decimals, f.Median)
	if f.Rounds < 2 {
		return median
	}
	return fmt.Sprintf("%s (%.*f–%.*f)", median, decimals, f.Lowest, decimals, f.Highest)
}
