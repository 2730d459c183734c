package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table is a table of text.
type Table struct{ rows [][]string }

// NewTable makes a table with these columns.
func NewTable(columns ...string) *Table { return &Table{rows: [][]string{columns}} }

// Add adds a row, with one cell for each column.
func (t *Table) Add(cells ...string) {
	if len(cells) != len(t.rows[0]) {
		panic(fmt.Sprintf("report: %d cells for %d columns", len(cells), len(t.rows[0])))
	}
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	t.rows = append(t.rows, row)
}

func (t *Table) write(w io.Writer, _ string) error { return t.Write(w) }

// Write writes the table as Markdown, readable as it is: columns are padded, all but the first to the right.
func (t *Table) Write(w io.Writer) error {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width-1) + ":"
		if i == 0 {
			rule[i] = strings.Repeat("-", width)
		}
	}
	for _, row := range slices.Insert(slices.Clone(t.rows), 1, rule) {
		var line strings.Builder
		for i, cell := range row {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				cell += padding
			} else {
				cell = padding + cell
			}
			line.WriteString("| " + cell + " ")
		}
		if _, err := fmt.Fprintln(w, line.String()+"|"); err != nil {
			return err
		}
	}
	return nil
}
