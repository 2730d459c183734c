package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

// maxFileSize bounds a configuration file: ten thousand connections with their certificates are less.
const maxFileSize = 64 << 20

// Load reads the YAML file at path, puts the environment (as of os.Environ) over it, the defaults under both, and
// validates the result, including that the files it names can be read. An empty path means no file.
//
// The error is an *[Error], which holds every fault, where the content is wrong; a *[document.SyntaxError] where it is no
// YAML at all; else it says why the file could not be read.
func Load(path string, env []string) (Config, error) {
	data, err := readFile(path)
	if err != nil {
		return Config{}, err
	}
	c, root, err := parse(path, data, env)
	if err != nil {
		return Config{}, err
	}
	return c, located(root, c.checkFiles())
}

func readFile(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("configuration file %q does not exist: name one that does with --config", path)
	case err != nil:
		return nil, fmt.Errorf("open configuration file: %w", err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read configuration file: %w", err)
	case len(data) > maxFileSize:
		return nil, fmt.Errorf("configuration file %q is larger than %s", path, ByteSize(maxFileSize))
	}
	return data, nil
}

// parse is Load without files. The node is for locating later faults.
func parse(source string, data []byte, env []string) (Config, *document.Node, error) {
	root, err := document.ParseYAML(source, data)
	if err != nil {
		return Config{}, nil, err
	}
	if root.Kind == document.Null {
		root.Kind = document.Map
	}
	warnings, err := override(root, env)
	if err != nil {
		return Config{}, nil, err
	}
	c := Defaults()
	faults := root.Decode(&c)
	for i, s := range c.Connections {
		c.Connections[i] = s.WithDefaults(c.Source)
	}
	faults = document.Merge(faults, c.Validate())
	if err := located(root, faults); err != nil {
		return Config{}, nil, err
	}
	c.Warnings = slices.Concat(warnings, c.warnings())
	return c, root, nil
}

// Error is every fault of a configuration, in the order of the lines.
type Error struct{ Faults []Fault }

// Fault is one of them, with the place of the field or of what should hold it.
type Fault struct {
	Place document.Place
	fault.Fault
}

// String reads "lorry.yaml:3: path: reason" or "LORRY_HTTP_LISTEN: path: reason".
func (f Fault) String() string { return f.Place.Prefix() + f.Fault.String() }

// Error lists every fault on a line of its own.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

func located(root *document.Node, faults fault.List) error {
	if len(faults) == 0 {
		return nil
	}
	e := &Error{}
	for _, f := range faults {
		e.Faults = append(e.Faults, Fault{root.Find(f.Path).Place, f})
	}
	slices.SortStableFunc(e.Faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.Place.Source, b.Place.Source), a.Place.Line-b.Place.Line)
	})
	return e
}
