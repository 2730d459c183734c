package scenario

import (
	"math"
	"testing"
	"time"
)

// counted makes a series with one sample each 100 ms.
func counted(counts ...float64) series {
	var s series
	for i, n := range counts {
		s = append(s, sample{time.Unix(0, 0).Add(time.Duration(i) * 100 * time.Millisecond), n})
	}
	return s
}

func TestSeries(t *testing.T) {
	for name, c := range map[string]struct {
		series        series
		span          time.Duration
		rate, slowest float64
	}{
		"empty":               {nil, time.Second, 0, 0},
		"one sample":          {counted(5), time.Second, 0, 0},
		"steady":              {counted(0, 10, 20, 30), 200 * time.Millisecond, 100, 100},
		"pause":               {counted(0, 30, 30, 30, 60), 200 * time.Millisecond, 150, 0},
		"slow stretch":        {counted(0, 50, 60, 70, 120), 200 * time.Millisecond, 300, 100},
		"shorter than a span": {counted(0, 10), time.Second, 100, 100},
	} {
		if got := c.series.rate(); math.Abs(got-c.rate) > 1e-6 {
			t.Errorf("%s: rate %v, want %v", name, got, c.rate)
		}
		if got := c.series.slowest(c.span); math.Abs(got-c.slowest) > 1e-6 {
			t.Errorf("%s: slowest %v, want %v", name, got, c.slowest)
		}
	}
}
