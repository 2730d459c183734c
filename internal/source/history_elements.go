package source

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errNoHistory says that an answer is not what the history answers.
var errNoHistory = errors.New("not the history's answer")

// elements splits a JSON array of objects (RFC 8259 §5) into its elements while it arrives, so that no more of it is in
// memory than one element of at most limit bytes. Whether an element is JSON is its reader's matter.
type elements struct {
	in    *bufio.Reader
	limit int
	begun bool
}

func newElements(r io.Reader, limit int) *elements {
	return &elements{in: bufio.NewReaderSize(r, 16<<10), limit: limit}
}

// next returns the next element, whose bytes are the caller's, and its size; nil for one that is too long. After
// the last it returns io.EOF.
func (e *elements) next() (element []byte, size int64, err error) {
	if !e.begun {
		if err := e.expect('['); err != nil {
			return nil, 0, err
		}
	}
	c, err := e.token()
	switch {
	case err != nil:
		return nil, 0, err
	case c == ']':
		return nil, 0, e.end()
	case c == ',' && e.begun:
		if c, err = e.token(); err != nil {
			return nil, 0, err
		}
	case e.begun:
		return nil, 0, fmt.Errorf("%w: %q between two messages", errNoHistory, c)
	}
	e.begun = true
	if c != '{' {
		return nil, 0, fmt.Errorf("%w: %q where a message was to begin", errNoHistory, c)
	}
	return e.object()
}

// object reads to the closing brace of the object whose opening one was read.
func (e *elements) object() (element []byte, size int64, err error) {
	element, size = append(make([]byte, 0, 1<<10), '{'), 1
	quoted, escaped := false, false
	for depth := 1; depth > 0; {
		c, err := e.in.ReadByte()
		if err != nil {
			return nil, 0, cut(err)
		}
		if size++; size <= int64(e.limit) {
			element = append(element, c)
		}
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	if size > int64(e.limit) {
		return nil, size, nil
	}
	return element, size, nil
}

// token is the next byte that is no white space.
func (e *elements) token() (byte, error) {
	for {
		c, err := e.in.ReadByte()
		if err != nil {
			return 0, cut(err)
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, nil
		}
	}
}

func (e *elements) expect(want byte) error {
	c, err := e.token()
	if err == nil && c != want {
		err = fmt.Errorf("%w: it begins with %q, want an array", errNoHistory, c)
	}
	return err
}

// end makes sure that nothing follows the array.
func (e *elements) end() error {
	switch c, err := e.token(); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	case err != nil:
		return err
	default:
		return fmt.Errorf("%w: %q behind its end", errNoHistory, c)
	}
}

// cut says that an answer ended before its array did.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// splitElement returns an element's id and its message, byte for byte.
func splitElement(element []byte) (id string, message []byte, err error) {
	var parts struct {
		ID      json.RawMessage `json:"id"`
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(element, &parts); err != nil {
		return "", nil, fmt.Errorf("an element of the history: %w", err)
	}
	if err := json.Unmarshal(parts.ID, &id); err != nil {
		var number json.Number // not quoted
		if json.Unmarshal(parts.ID, &number) != nil {
			return "", nil, errors.New("an element of the history has no id")
		}
		id = number.String()
	}
	if id == "" || len(parts.Message) == 0 {
		return "", nil, errors.New("an element of the history lacks its id or its message")
	}
	return id, parts.Message, nil
}
