package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Document is the report of a run.
type Document struct {
	At       time.Time // of its start
	Facts    []Fact    // what was run, and on what
	Warnings []string  // why its figures are worth less than others, as Markdown
	Sections []*Section
}

// Fact is one thing to know of a run.
type Fact struct{ Name, Value string }

// Save writes the document into a directory of its own in dir, named after its time, and returns the file. It never
// overwrites another report.
func (d *Document) Save(dir string) (file string, err error) {
	if dir, err = d.makeDirectory(dir); err != nil {
		return "", fmt.Errorf("make a directory for the report: %w", err)
	}
	file = filepath.Join(dir, "report.md")
	f, err := os.Create(file)
	if err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	w := bufio.NewWriter(f)
	if err := errors.Join(d.write(w, dir), w.Flush(), f.Close()); err != nil {
		return "", fmt.Errorf("write the report %s: %w", file, err)
	}
	return file, nil
}

// makeDirectory makes one that was not there: a run that began in the same second has another.
func (d *Document) makeDirectory(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // it is for everyone to read
		return "", err
	}
	name := filepath.Join(dir, d.At.UTC().Format("2006-01-02T150405Z"))
	made := name
	for n := 2; ; n++ {
		err := os.Mkdir(made, 0o755) //nolint:gosec // it is for everyone to read
		if !errors.Is(err, os.ErrExist) {
			return made, err
		}
		made = fmt.Sprintf("%s-%d", name, n)
	}
}

func (d *Document) write(w io.Writer, dir string) error {
	if _, err := fmt.Fprintf(w, "# lorry, %s\n", d.At.UTC().Format("2 January 2006 15:04 UTC")); err != nil {
		return err
	}
	for _, warning := range d.Warnings {
		if _, err := fmt.Fprintf(w, "\n**%s**\n", warning); err != nil {
			return err
		}
	}
	if err := d.writeContents(w); err != nil {
		return err
	}
	if summary := Summary(d.Sections); summary != nil {
		if _, err := fmt.Fprint(w, "\n## summary\n\n"); err != nil {
			return err
		}
		if err := summary.Write(w); err != nil {
			return err
		}
	}
	if len(d.Facts) > 0 {
		if _, err := fmt.Fprint(w, "\n## run\n\n"); err != nil {
			return err
		}
	}
	for _, f := range d.Facts {
		if _, err := fmt.Fprintf(w, "- %s: %s\n", f.Name, f.Value); err != nil {
			return err
		}
	}
	for _, s := range d.Sections {
		if err := s.write(w, dir); err != nil {
			return err
		}
	}
	return nil
}

// writeContents lists the sections, with what has failed.
func (d *Document) writeContents(w io.Writer) error {
	for i, s := range d.Sections {
		if i == 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		failed := ""
		if s.Failed != nil {
			failed = ": failed"
		}
		if _, err := fmt.Fprintf(w, "- [%s](#%s)%s\n", s.Name, s.Name, failed); err != nil {
			return err
		}
	}
	return nil
}
