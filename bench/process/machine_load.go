package process

import "time"

// Load is how busy the machine has been up to a time, and how much of that was the benchmark.
type Load struct {
	Average float64 // how many threads ran or wanted to, on average over the last minute

	at                time.Time
	busy, stolen, own time.Duration
}

// Since is how many cores all other work has taken since an earlier time, and how many of these the hypervisor gave to
// other machines.
func (l Load) Since(before Load) (others, stolen float64) {
	lasted := l.at.Sub(before.at).Seconds()
	if lasted <= 0 {
		return 0, 0
	}
	rest := (l.busy - before.busy) - (l.own - before.own)
	return max(0, rest.Seconds()/lasted), max(0, (l.stolen-before.stolen).Seconds()/lasted)
}
