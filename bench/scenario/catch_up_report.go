package scenario

import (
	"fmt"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// report says what came of the outage, of so many frames.
func (r *outage) report(section *report.Section, frames float64) {
	section.Add(r.table(frames))
	section.Add(r.requests.table())
	if most := max(r.othersBefore, r.othersMeanwhile); most > undisturbed {
		section.Remarkf(underLoad, most)
	}
	if r.requests.late > latePace*r.requests.sent {
		section.Remarkf("Not as meant: the Network Server sent %.0f of the requests a whole interval late or more.", r.requests.late)
	}
	section.Goals = []report.Goal{
		{What: "catching up, of the live maximum", Decimals: 2, AtLeast: 0.7, Measured: once(r.catchUp / r.live)},
		{What: "live downlink_requests' p99 meanwhile", Unit: "ms", Decimals: 1, AtMost: 100, Measured: once(milliseconds(r.requests.took.quantile(0.99)))},
	}
}

// once is the figure of one round.
func once(value float64) report.Figure { return report.Summarize([]float64{value}) }

func (r *outage) table(frames float64) *report.Table {
	t := report.NewTable("", "")
	megabytes := func(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
	t.Add("frames/s acknowledged before", fmt.Sprintf("%.0f", r.live))
	t.Add("lorry's resident memory before, at most", megabytes(r.before))
	t.Add("… at the end of the outage (at most during it)", fmt.Sprintf("%s (%s)", megabytes(r.end), megabytes(r.during)))
	t.Add("… after catching up (at most meanwhile)", fmt.Sprintf("%s (%s)", megabytes(r.after), megabytes(r.catchingUp)))
	t.Add("the outage lasted", r.lasted.Round(10*time.Millisecond).String())
	t.Add("frames/s received meanwhile", fmt.Sprintf("%.0f", r.inflow))
	t.Add("frames behind at its end", fmt.Sprintf("%.0f", r.behind))
	t.Add("first frame acknowledged, after the broker is back", r.reconnect.Round(10*time.Millisecond).String())
	t.Add("frames/s acknowledged while catching up (slowest second)", fmt.Sprintf("%.0f (%.0f)", r.catchUp, r.slowest))
	t.Add("… of what it was before", fmt.Sprintf("%.2f", r.catchUp/r.live))
	t.Add("cores that the rest of the machine took, before and while catching up", fmt.Sprintf("%.2f, %.2f", r.othersBefore, r.othersMeanwhile))
	t.Add("sessions with the broker that ended or failed to begin", fmt.Sprintf("%.0f", r.sessions))
	t.Add("frames lost", fmt.Sprintf("%.0f", frames-r.arrived))
	t.Add("frames out of order", fmt.Sprintf("%.0f", r.disordered))
	t.Add("frames repeated to the subscriber (redelivered by lorry)", fmt.Sprintf("%.0f (%.0f)", r.repeated, r.redelivered))
	t.Add("messages that were never sent", fmt.Sprintf("%.0f", r.foreign))
	t.Add("frames evicted from the buffer", fmt.Sprintf("%.0f", r.evicted))
	return t
}

func (r *requests) table() *report.Table {
	t := report.NewTable("live downlink_requests", "")
	took := func(p float64) string { return fmt.Sprintf("%.1f ms", milliseconds(r.took.quantile(p))) }
	t.Add("p50, Network Server to subscriber", took(0.5))
	t.Add("p99", took(0.99))
	t.Add("the longest", took(1))
	t.Add("requests sent", fmt.Sprintf("%.0f", r.sent))
	t.Add("requests lost", fmt.Sprintf("%.0f", r.sent-r.arrived))
	t.Add("requests repeated to the subscriber", fmt.Sprintf("%.0f", r.repeated))
	t.Add("requests that overtook", fmt.Sprintf("%.0f", r.overtaken))
	t.Add("requests that expired before their turn", fmt.Sprintf("%.0f", r.expired))
	return t
}

// lines shows how the frames came and went.
func (b *backlog) lines() *report.Lines {
	l := &report.Lines{File: "catch-up", Title: "frames over time", X: "seconds", Y: "million frames"}
	for _, one := range []struct {
		name  string
		value func(m moment) float64
	}{
		{"received", func(m moment) float64 { return m.received }},
		{"acknowledged", func(m moment) float64 { return m.acknowledged }},
		{"behind", moment.behind},
	} {
		var points []report.Point
		for _, m := range b.history {
			points = append(points, report.Point{X: m.at.Sub(b.began).Seconds(), Y: one.value(m) / 1e6})
		}
		l.Series = append(l.Series, report.Series[report.Point]{Name: one.name, Values: points})
	}
	return l
}
