package scenario

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/bench/part"
)

// took makes samples that took so many milliseconds.
func took(ms ...int) durations {
	samples := make([]part.Sample, len(ms))
	for i, n := range ms {
		samples[i].Took = time.Duration(n) * time.Millisecond
	}
	return newDurations(samples)
}

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, c := range []struct {
		durations durations
		p         float64
		want      int
	}{
		{nil, 0.5, 0},
		{took(7), 0, 7}, {took(7), 0.5, 7}, {took(7), 1, 7},
		{took(3, 1, 2), 0.33, 1}, {took(3, 1, 2), 0.34, 2}, {took(3, 1, 2), 0.5, 2}, {took(3, 1, 2), 0.67, 3},
		{took(4, 3, 2, 1), 0.5, 2}, {took(4, 3, 2, 1), 0.51, 3},
		{took(hundred...), 0.07, 7}, {took(hundred...), 0.29, 29}, {took(hundred...), 0.99, 99}, {took(hundred...), 0.999, 100},
	} {
		if got := c.durations.quantile(c.p); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("%v of %d durations: %v, want %d ms", c.p, len(c.durations), got, c.want)
		}
	}
}

// TestQuantileByDefinition compares with counting.
func TestQuantileByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := took(rapid.SliceOfN(rapid.IntRange(-5, 50), 1, 200).Draw(t, "milliseconds")...)
		thousandths := rapid.IntRange(0, 1000).Draw(t, "p")
		q := d.quantile(float64(thousandths) / 1000)
		within := func(limit time.Duration) int {
			return len(d) - len(slices.DeleteFunc(slices.Clone(d), func(one time.Duration) bool { return one <= limit }))
		}
		if !slices.Contains(d, q) || 1000*within(q) < thousandths*len(d) {
			t.Fatalf("%v is no quantile of %v: %d are as short", q, d, within(q))
		}
		if q != d[0] && 1000*within(q-1) >= thousandths*len(d) {
			t.Fatalf("%v is not the shortest quantile of %v", q, d)
		}
	})
}

func TestCurve(t *testing.T) {
	ms := make([]int, 1000)
	for i := range ms {
		ms[i] = i // one takes no time, which a logarithm cannot show
	}
	points := took(ms...).curve()
	if len(points) != 3*pointsInDecade+1 {
		t.Fatalf("%d points from 1 to 1000", len(points))
	}
	for i, want := range map[int][2]float64{0: {1, 0.001}, pointsInDecade: {10, 899}, 2 * pointsInDecade: {100, 989}, 3 * pointsInDecade: {1000, 998}} {
		if p := points[i]; math.Abs(p.X-want[0]) > 1e-6 || p.Y != want[1] {
			t.Errorf("point %d is %v, want %v", i, p, want)
		}
	}
	if points := durations(nil).curve(); points != nil {
		t.Errorf("nothing has the curve %v", points)
	}
}
