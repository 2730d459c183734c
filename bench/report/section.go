package report

import (
	"fmt"
	"io"
)

// Section is what one scenario has found.
type Section struct {
	Name   string  // of the scenario
	Text   string  // what was run, as Markdown
	Blocks []Block // in the order in which they are shown
	Goals  []Goal
}

// Block is a part of a section: a table, a plot, a remark.
type Block interface {
	// write writes the block as Markdown. A file that belongs to it goes into the directory.
	write(w io.Writer, dir string) error
}

// Add adds blocks.
func (s *Section) Add(blocks ...Block) { s.Blocks = append(s.Blocks, blocks...) }

// Remarkf adds a paragraph.
func (s *Section) Remarkf(format string, args ...any) { s.Add(text(fmt.Sprintf(format, args...))) }

// Verbatim adds the output of a program as it is.
func (s *Section) Verbatim(output string) { s.Add(text("```\n" + output + "```")) }

// text is Markdown.
type text string

func (t text) write(w io.Writer, _ string) error {
	_, err := fmt.Fprintln(w, string(t))
	return err
}

// write writes the section with its heading.
func (s *Section) write(w io.Writer, dir string) error {
	if _, err := fmt.Fprintf(w, "\n## %s\n\n%s\n", s.Name, s.Text); err != nil {
		return err
	}
	for _, b := range s.Blocks {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if err := b.write(w, dir); err != nil {
			return fmt.Errorf("section %s: %w", s.Name, err)
		}
	}
	return nil
}
