package scenario

import (
	"math"
	"slices"
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

func TestUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		series, want series
	}{
		"empty":                {nil, nil},
		"begins and ends":      {counted(0, 0, 10, 20, 30), counted(0, 0, 10, 20, 30)[2:4]},
		"is not complete":      {counted(10, 20, 29), counted(10, 20, 29)},
		"complete at once":     {counted(0, 30), counted(0, 30)},
		"complete after a bit": {counted(0, 0, 0, 30), counted(0, 0, 0, 30)[2:]},
		"stands still":         {counted(0, 20, 20, 30), counted(0, 20, 20, 30)[1:]},
		"looked at once":       {counted(0, 20, 30), counted(0, 20, 30)[1:]},
	} {
		if got := c.series.underWay(30); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
