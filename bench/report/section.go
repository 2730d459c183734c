package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Section is what one scenario has found.
type Section struct {
	Name   string  // of the scenario
	Text   string  // what was run, as Markdown
	Blocks []Block // in the order in which they are shown
	Goals  []Goal

	Took   time.Duration
	Failed error // why there is no more of it; nil if it is complete
}

// Block is a part of a section: a table, a plot, a remark.
type Block interface {
	// write writes the block as Markdown. A file that belongs to it goes into the directory.
	write(w io.Writer, dir string) error
}

// Add adds blocks.
func (s *Section) Add(blocks ...Block) { s.Blocks = append(s.Blocks, blocks...) }

// Remarkf adds a paragraph.
func (s *Section) Remarkf(format string, args ...any) { s.Add(paragraph(fmt.Sprintf(format, args...))) }

// Verbatim adds the output of a program as it is.
func (s *Section) Verbatim(output string) {
	s.Add(paragraph("```\n" + strings.TrimRight(output, "\n") + "\n```"))
}

// paragraph is Markdown.
type paragraph string

func (t paragraph) write(w io.Writer, _ string) error {
	_, err := fmt.Fprintln(w, string(t))
	return err
}

// write writes the section with its heading.
func (s *Section) write(w io.Writer, dir string) error {
	if _, err := fmt.Fprintf(w, "\n## %s\n", s.Name); err != nil {
		return err
	}
	for _, text := range []string{s.Text, s.failure(), s.duration()} {
		if text == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", text); err != nil {
			return err
		}
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

// failure says that the scenario failed, with its error, which may have many lines.
func (s *Section) failure() string {
	if s.Failed == nil {
		return ""
	}
	return "**It failed:**\n\n```\n" + strings.TrimSpace(s.Failed.Error()) + "\n```"
}

// duration says how long it took; nothing if that is not known.
func (s *Section) duration() string {
	if s.Took <= 0 {
		return ""
	}
	return "It took " + s.Took.Round(100*time.Millisecond).String() + "."
}
