package scenario

import (
	"math"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// durations are in order, the shortest first.
type durations []time.Duration

// newDurations sorts how long the samples took.
func newDurations(samples []part.Sample) durations {
	d := make(durations, len(samples))
	for i, s := range samples {
		d[i] = s.Took
	}
	slices.Sort(d)
	return d
}

// quantile is the shortest of them that no less than the share p are as short as (nearest rank): 1 is the longest. It
// is 0 if there are none.
func (d durations) quantile(p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	rank := math.Ceil(p*float64(len(d)) - 1e-9) // 0.07 × 100 is more than 7 to a float64
	return d[min(max(int(rank), 1), len(d))-1]
}

// pointsInDecade is how many points a curve has from one power of ten to the next.
const pointsInDecade = 20

// curve is their quantiles in milliseconds. At x stands what one in x takes longer than: at 100 the quantile 0.99.
func (d durations) curve() []report.Point {
	var points []report.Point
	for i := range math.MaxInt {
		x := math.Pow(10, float64(i)/pointsInDecade)
		if x > float64(len(d)) {
			break
		}
		points = append(points, report.Point{X: x, Y: max(milliseconds(d.quantile(1-1/x)), 0.001)}) // which a logarithm needs
	}
	return points
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
