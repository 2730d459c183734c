package scenario

import (
	"slices"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/report"
)

func TestRemark(t *testing.T) {
	all := &timings{all: []timedContender{{name: "slow"}, {name: "fast"}}}
	for _, c := range []struct {
		others  float64
		remarks []string
		want    int
	}{{0.05, nil, 0}, {1.5, nil, 1}, {0.05, []string{"1 was lost"}, 1}, {1.5, []string{"1 was lost"}, 2}} {
		all.rounds = [][]timing{{{others: c.others}}, {{remarks: c.remarks}}}
		section := &report.Section{}
		if all.remark(section); len(section.Blocks) != c.want {
			t.Errorf("%+v: %d remarks", c, len(section.Blocks))
		}
	}
}

func TestAdded(t *testing.T) {
	all := &timings{
		pace: part.Pace{Frames: 3}, all: []timedContender{{name: "slow"}, {name: "fast"}},
		rounds: [][]timing{{{took: took(5, 7, 9)}, {took: took(4, 4, 4)}}, {{took: took(1, 2, 3)}, {took: took(5, 5, 10)}}},
	}
	all.Rounds = 2
	for p, want := range map[float64][]float64{0.5: {5, -1}, 1: {6, -6}} {
		if got := all.added(0, p); !slices.Equal(got, want) {
			t.Errorf("quantile %v: %v more, want %v", p, got, want)
		}
	}
	var out strings.Builder
	if err := all.addedTable().Write(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "5.00 / 6.00 | -1.00 / -6.00 |") {
		t.Error(out.String())
	}
	if got := all.quantile(1, 0.5); got.Median != 3.5 || got.Lowest != 2 || got.Highest != 5 {
		t.Errorf("the reference's median is %+v", got)
	}
	if c := all.curves("").Series; len(c) != 2 || c[1].Name != "fast" || c[1].Values[0].Y != 1 {
		t.Errorf("curves %+v", c)
	}
}
