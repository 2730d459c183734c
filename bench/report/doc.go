// Package report turns measurements into Markdown.
//
//   - figure.go: several rounds' values as one figure
//   - table.go: tables
package report
