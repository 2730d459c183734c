package report_test

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/report"
)

func TestFigure(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   string
	}{
		"nothing":      {nil, "–"},
		"zero":         {[]float64{0, 0}, "–"},
		"one round":    {[]float64{12.34}, "12.3"},
		"odd number":   {[]float64{3, 1, 2}, "2.0 (1.0–3.0)"},
		"even number":  {[]float64{4, 1, 2, 3}, "2.5 (1.0–4.0)"},
		"zero at most": {[]float64{-1, 0}, "-0.5 (-1.0–0.0)"},
		"zero at best": {[]float64{0, 1}, "0.5 (0.0–1.0)"},
	} {
		if got := report.Summarize(c.values).Format(1); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSummarizeLeavesItsArgument(t *testing.T) {
	values := []float64{2, 1}
	report.Summarize(values)
	if values[0] != 2 {
		t.Errorf("it sorted the values: %v", values)
	}
}

func TestTable(t *testing.T) {
	table := report.NewTable("", "frames/s")
	table.Add("lorry", "1 (0–2)")
	table.Add("a", "12")
	table.Add("a|b", "")
	const want = `|       | frames/s |
| ----- | -------: |
| lorry |  1 (0–2) |
| a     |       12 |
| a\|b  |          |
`
	var out strings.Builder
	if err := table.Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}
