// Package report turns measurements into a Markdown document with plots.
//
//   - figure.go: several rounds' values as one figure
//   - goal.go: figures and what they are meant to be
//   - table.go plot.go: what is shown
//   - bars.go lines.go: the two kinds of plots; chart.go axis.go: what they share
//   - section.go document.go: one scenario, and all of them
package report
