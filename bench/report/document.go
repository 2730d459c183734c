package report

import (
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
	Machine  string    // what it ran on, as Markdown
	Sections []*Section
}

// Save writes the document into a directory of its own in dir, named after its time, and returns the file.
func (d *Document) Save(dir string) (file string, err error) {
	dir = filepath.Join(dir, d.At.UTC().Format("2006-01-02T150405Z"))
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // it is for everyone to read
		return "", fmt.Errorf("make a directory for the report: %w", err)
	}
	file = filepath.Join(dir, "report.md")
	f, err := os.Create(file)
	if err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(d.write(f, dir), f.Close()); err != nil {
		return "", fmt.Errorf("write the report %s: %w", file, err)
	}
	return file, nil
}

func (d *Document) write(w io.Writer, dir string) error {
	if _, err := fmt.Fprintf(w, "# lorry, %s\n\n%s\n", d.At.UTC().Format("2 January 2006 15:04 UTC"), d.Machine); err != nil {
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
	for _, s := range d.Sections {
		if err := s.write(w, dir); err != nil {
			return err
		}
	}
	return nil
}
