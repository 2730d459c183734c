package scenario

import "github.com/lorry-mqtt/lorry/bench/report"

// outcomes are those of one contender, one for each round.
type outcomes []outcome

// figure sums up one value of the rounds.
func (all outcomes) figure(value func(o *outcome) float64) report.Figure {
	var values []float64
	for i := range all {
		values = append(values, value(&all[i]))
	}
	return report.Summarize(values)
}

// ratio sums up how a value is to a peer's, round by round; nothing without both of them.
func (all outcomes) ratio(peer outcomes, value, of func(o *outcome) float64) report.Figure {
	var ratios []float64
	for i := range min(len(all), len(peer)) {
		ratios = append(ratios, value(&all[i])/of(&peer[i]))
	}
	return report.Summarize(ratios)
}
