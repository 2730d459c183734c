package fault

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with one field of an input.
type Fault struct {
	// Path leads to the field, in the words of the input: keys joined by ".", elements as "[i]". Empty when the
	// input as a whole is at fault.
	Path string `json:"path"`
	// Reason says what is wrong and, where it helps, what would be right. It holds no secret.
	Reason string `json:"reason"`
}

// String reads "path: reason", or the reason alone when there is no path.
func (f Fault) String() string {
	if f.Path == "" {
		return f.Reason
	}
	return f.Path + ": " + f.Reason
}

// List holds faults in the order found. Its zero value is an empty list, ready to use.
//
// A List is an error, so that errors.As finds it again however it was wrapped. Return [List.Err], never the List
// itself, where an error is asked for: an empty List in an error interface is not nil.
type List []Fault

// Add appends a fault of the field at path, its reason formatted as by fmt.Sprintf.
func (l *List) Add(path, format string, args ...any) {
	*l = append(*l, Fault{Path: path, Reason: fmt.Sprintf(format, args...)})
}

// Err returns nil when the list is empty, else the list as an error.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Error lists every fault as [Fault.String] has it, joined by "; ".
func (l List) Error() string {
	var b strings.Builder
	for i, f := range l {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// Prefixed returns a copy of the list in which every path is seen from further out: "uri" with the prefix
// "connections[2]" becomes "connections[2].uri", "[0]" with the prefix "tags" becomes "tags[0]", and a fault without
// a path gets the prefix as its path.
func (l List) Prefixed(prefix string) List {
	if len(l) == 0 {
		return nil
	}
	out := make(List, len(l))
	for i, f := range l {
		out[i] = Fault{Path: join(prefix, f.Path), Reason: f.Reason}
	}
	return out
}

func join(prefix, path string) string {
	if prefix == "" || path == "" || strings.HasPrefix(path, "[") {
		return prefix + path
	}
	return prefix + "." + path
}
