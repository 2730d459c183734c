// Package report turns measurements into a Markdown document with plots.
//
//   - figure.go: several rounds' values as one figure
//   - goal.go: figures and what they are meant to be
//   - table.go plot.go: what is shown
//   - section.go document.go: one scenario, and all of them
package report
