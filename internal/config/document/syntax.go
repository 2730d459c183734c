package document

import "fmt"

// maxDepth bounds the nesting of a document; no schema here is deeper than a handful.
const maxDepth = 100

// SyntaxError says why a text is no document at all. Its reason quotes no value.
type SyntaxError struct {
	Place  Place
	Reason string
}

// Error reads "file:line: reason", as far as file and line are known.
func (e *SyntaxError) Error() string { return e.Place.Prefix() + e.Reason }

// Prefix renders the place in front of a message: "file:3: ", "file: ", "line 3: " or nothing.
func (p Place) Prefix() string {
	switch {
	case p.Source != "" && p.Line > 0:
		return fmt.Sprintf("%s:%d: ", p.Source, p.Line)
	case p.Source != "":
		return p.Source + ": "
	case p.Line > 0:
		return fmt.Sprintf("line %d: ", p.Line)
	}
	return ""
}
