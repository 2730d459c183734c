package scenario

import (
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/report"
)

func throughputText(o Options, broker string) string {
	return fmt.Sprintf(`One connection, QoS 1, a window of %d, %s; %d rounds, interleaved. Median (lowest–highest); ratios are taken round by
round. What a contender's own processes spend is its own cost; the others' is shown beside it.

- **%s** with all settings as they come; **%s** has each frame on the disk before it goes on. The simulated Network Server
  sends as fast as it is read, from when both ends are connected.
- **%s** publishes frames from memory with the client library that lorry uses: what the library can do.
- **%s** does the same without a library, with one write for all that the window has room for: what the protocol can do.
- **%s** is what a developer would write: a JetStream pull consumer, the topic made of the message by encoding/json, the
  same client library, an acknowledgement to JetStream after each PUBACK. The NATS server is a process of its own with
  lorry's default settings for the store. It has stored the frames, one to a message, before the bridge is started, so that
  whoever feeds it takes no CPU time from the bridge; lorry, too, reads most of its frames back from the store. What it
  took to store them is charged, since lorry does that as well. Reading the WebSocket is charged to lorry alone.
- **%s** is a second mosquitto that is fed by the raw publisher and queues in memory; nothing of it is durable. What the
  broker has received is counted by a subscriber to one message of %d.
- **%s**: a reader that does nothing else. It shows that the Network Server holds nobody up.`,
		o.Window, broker, o.Rounds, lorryItself, lorrySync, barePaho, rawSocket, afternoonBridge, mosquittoBridge, part.Cycle, simulatorAlone)
}

// present adds all that was found to the section.
func present(section *report.Section, races []*race) {
	section.Add(ratePlot(races))
	for _, r := range races {
		section.Remarkf("**Frames of %d bytes**", r.size)
		section.Add(r.rates(), r.costs())
		if r.size == DefaultSize {
			section.Add(r.costPlot(), r.againstBridge())
			section.Goals = r.goals()
		}
	}
	for _, r := range races {
		r.remark(section)
	}
}

func (r *race) rates() *report.Table {
	t := report.NewTable("", "frames/s", "of "+barePaho, "slowest half second", "frames per own CPU second", "others' cores")
	for _, c := range r.entrants {
		t.Add(c.name, r.figure(c.name, rate).Format(0), r.ratio(c.name, barePaho, rate, rate).Format(2),
			r.figure(c.name, func(o *outcome) float64 { return o.slowest }).Format(0),
			r.figure(c.name, efficiency).Format(0), r.figure(c.name, func(o *outcome) float64 { return o.others }).Format(2))
	}
	return t
}

// costs has a row for each process of each contender that has anything to do.
func (r *race) costs() *report.Table {
	t := report.NewTable("contender", "process", "its own", "CPU seconds per million frames", "MB resident at most")
	for _, c := range r.entrants {
		for _, one := range r.outcomes[c.name][0].costs {
			own := "no"
			if one.own {
				own = "yes"
			}
			spent := r.figure(c.name, cpuOf(one.role))
			if spent.Highest == 0 {
				continue
			}
			t.Add(c.name, one.role, own, spent.Format(1),
				r.figure(c.name, func(o *outcome) float64 { return o.costs.of(one.role).memory / 1e6 }).Format(0))
		}
	}
	return t
}

func cpuOf(role string) func(o *outcome) float64 {
	return func(o *outcome) float64 { return o.costs.of(role).cpu }
}

// againstBridge says what of the afternoon bridge lorry is compared with.
func (r *race) againstBridge() *report.Table {
	t := report.NewTable("frames per CPU second of lorry's process, of those of", "")
	for _, row := range []struct {
		name  string
		roles []string
	}{
		{"the bridge and its NATS server", []string{roleBridge, roleNATSDelivering, roleNATSStoring}},
		{"the same without what it took to store", []string{roleBridge, roleNATSDelivering}},
		{"the bridge's process alone", []string{roleBridge}},
	} {
		t.Add(row.name, r.ratio(lorryItself, afternoonBridge, efficiency, func(o *outcome) float64 {
			spent := 0.0
			for _, role := range row.roles {
				spent += o.costs.of(role).cpu
			}
			return 1e6 / spent
		}).Format(2))
	}
	return t
}

func (r *race) goals() []report.Goal {
	return []report.Goal{
		{
			What: "rate, of the bare paho publisher's (560 B, default sync)", Decimals: 2, AtLeast: 0.75,
			Measured: r.ratio(lorryItself, barePaho, rate, rate),
		},
		{
			What: "frames per CPU second, of the afternoon bridge's (560 B)", Decimals: 2, AtLeast: 2,
			Measured: r.ratio(lorryItself, afternoonBridge, efficiency, efficiency),
		},
		{
			What: "rate with sync always, of the bare paho publisher's (560 B)", Decimals: 2, AtLeast: 0.4,
			Measured: r.ratio(lorrySync, barePaho, rate, rate),
		},
	}
}

// ratePlot leaves the simulator out, beside which the others would be too small to see.
func ratePlot(races []*race) *report.Bars {
	b := &report.Bars{File: "throughput-rates", Title: "Frames a second, one connection"}
	for _, r := range races {
		b.Groups = append(b.Groups, fmt.Sprintf("%d B", r.size))
	}
	for _, c := range races[0].entrants {
		if c.name == simulatorAlone {
			continue
		}
		series := report.Series[report.Figure]{Name: c.name}
		for _, r := range races {
			series.Values = append(series.Values, r.figure(c.name, rate))
		}
		b.Series = append(b.Series, series)
	}
	return b
}

// costPlot shows by contender what its own processes and the others spend.
func (r *race) costPlot() *report.Bars {
	b := &report.Bars{File: "throughput-cpu", Title: fmt.Sprintf("CPU seconds per million frames of %d bytes", r.size)}
	own := report.Series[report.Figure]{Name: "its own processes"}
	source := report.Series[report.Figure]{Name: "where its frames come from"}
	broker := report.Series[report.Figure]{Name: roleBroker}
	for _, c := range r.entrants {
		if c.name == simulatorAlone {
			continue
		}
		b.Groups = append(b.Groups, c.name)
		own.Values = append(own.Values, r.figure(c.name, func(o *outcome) float64 { return o.costs.own() }))
		source.Values = append(source.Values, r.sourceCost(c.name))
		broker.Values = append(broker.Values, r.figure(c.name, cpuOf(roleBroker)))
	}
	b.Series = []report.Series[report.Figure]{own, source, broker}
	return b
}

// sourceCost is what the Network Server or the feeder spent; nothing where there is none.
func (r *race) sourceCost(name string) report.Figure {
	for _, one := range r.outcomes[name][0].costs {
		if one.role == roleNS || one.role == roleFeeder {
			return r.figure(name, cpuOf(one.role))
		}
	}
	return report.Figure{}
}

// remark names what happened that was not meant to.
func (r *race) remark(section *report.Section) {
	for _, c := range r.entrants {
		for round, one := range r.outcomes[c.name] {
			if len(one.remarks) > 0 {
				section.Remarkf("Not as meant: %s, frames of %d bytes, round %d: %s.", c.name, r.size, round+1, strings.Join(one.remarks, ", "))
			}
		}
	}
}
