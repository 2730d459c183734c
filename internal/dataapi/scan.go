package dataapi

import (
	"fmt"
	"strconv"
	"unsafe"
)

// MaxTypeBytes is the length of the longest `type` accepted. The longest that the Data API names has 17 bytes.
const MaxTypeBytes = 256

// Scan checks that raw is a message and extracts its envelope without decoding the rest. It allocates nothing
// unless the type is unknown, or the type, a field that it extracts, or a key directly in the message, its meta or
// its params has escapes.
//
// The message is an object whose `type` is a non-empty string of at most MaxTypeBytes, whose `meta` is an object
// or absent, and whose `params` may be anything or absent; other keys are ignored. Otherwise Scan fails
// with an error that is ErrNotJSON, ErrNotObject, ErrNoType or ErrBadMeta, and an empty envelope.
//
// The envelope's byte slices alias raw: they are valid for as long as raw is left unchanged.
func Scan(raw []byte) (Envelope, error) {
	s := scanner{text: raw, envelope: Envelope{Bare: true}}
	if err := s.message(atTop); err != nil {
		return Envelope{}, err
	}
	kind := s.decoded(s.kind)
	switch {
	case s.kind.absent():
		return Envelope{}, fmt.Errorf("%w: the key is absent", ErrNoType)
	case raw[s.kind.start] != '"':
		return Envelope{}, fmt.Errorf("%w: not a string at byte %d", ErrNoType, s.kind.start)
	case len(kind) == 0:
		return Envelope{}, fmt.Errorf("%w: empty string at byte %d", ErrNoType, s.kind.start)
	case len(kind) > MaxTypeBytes:
		return Envelope{}, fmt.Errorf("%w: %d bytes at byte %d, at most %d are accepted",
			ErrNoType, len(kind), s.kind.start, MaxTypeBytes)
	case !s.meta.absent() && raw[s.meta.start] != '{':
		return Envelope{}, fmt.Errorf("%w at byte %d", ErrBadMeta, s.meta.start)
	}
	s.envelope.Type = intern(kind)
	return s.envelope, nil
}

// scanner reads a message once from one end to the other, and keeps what the envelope is made of as it passes. The last
// of equal keys has the last word, since what it says replaces what was kept.
type scanner struct {
	text
	depth      int  // how many objects and arrays are open
	escaped    bool // the value read last, a string, has escapes
	envelope   Envelope
	kind, meta span
}

// span is where in a message a value is.
type span struct {
	start, end int
	escaped    bool // of a string
}

// absent is true of no member's value: before each there is at least a bracket.
func (v span) absent() bool { return v.start == 0 }

// place tells where in the message a value is, as far as it matters for the envelope and the identity.
type place int

const (
	elsewhere place = iota
	atTop
	atMeta
	atParams
)

// message reads all of the text, which must be one object. It fails with ErrNotJSON or ErrNotObject.
func (s *scanner) message(at place) error {
	begin := skipSpace(s.text, 0)
	switch end := skipSpace(s.text, s.value(begin, at)); {
	case end != len(s.text):
		return notJSON(s.text)
	case s.peek(begin) != '{':
		return fmt.Errorf("%w: it begins with %q", ErrNotObject, s.peek(begin))
	}
	return nil
}

// value reads any value. Like all that follow, it returns the offset behind it, or fault.
func (s *scanner) value(i int, at place) int {
	switch s.peek(i) {
	case '"':
		i, s.escaped = s.skipString(i)
		return i
	case '{':
		return s.object(i, at)
	case '[':
		return s.array(i)
	case 't':
		return s.skipWord(i, "true")
	case 'f':
		return s.skipWord(i, "false")
	case 'n':
		return s.skipWord(i, "null")
	default:
		return s.skipNumber(i)
	}
}

// object recurses, MaxDepth deep at most, as array does.
func (s *scanner) object(i int, at place) int {
	if s.depth++; s.depth > MaxDepth {
		return s.fault()
	}
	if i = skipSpace(s.text, i+1); s.peek(i) != '}' {
		i = s.member(i, at)
		for s.peek(i) == ',' {
			i = s.member(skipSpace(s.text, i+1), at)
		}
	}
	s.depth--
	return s.skip(i, '}')
}

func (s *scanner) array(i int) int {
	if s.depth++; s.depth > MaxDepth {
		return s.fault()
	}
	if i = skipSpace(s.text, i+1); s.peek(i) != ']' {
		i = skipSpace(s.text, s.value(i, elsewhere))
		for s.peek(i) == ',' {
			i = skipSpace(s.text, s.value(skipSpace(s.text, i+1), elsewhere))
		}
	}
	s.depth--
	return s.skip(i, ']')
}

// member reads a member of the object at a place, and the space behind it.
func (s *scanner) member(i int, at place) int {
	end, escaped := s.skipString(i)
	start := skipSpace(s.text, s.skip(skipSpace(s.text, end), ':'))
	if at == elsewhere || s.failed(start) {
		return skipSpace(s.text, s.value(start, elsewhere))
	}
	key := s.text[i+1 : end-1]
	if escaped {
		key = checked(s.text).decode(i+1, end-1)
	}
	switch at {
	case atTop:
		end = s.topMember(key, start)
	case atMeta:
		end = s.metaMember(key, start)
	case atParams:
		end = s.paramsMember(key, start)
	}
	return skipSpace(s.text, end)
}

// topMember reads the value of a member of the message.
func (s *scanner) topMember(key []byte, start int) (end int) {
	switch string(key) {
	case "type":
		end = s.value(start, elsewhere)
		s.kind = span{start, end, s.escaped}
	case "meta":
		s.envelope.Meta = Meta{}
		end = s.value(start, atMeta)
		s.meta = span{start, end, s.escaped}
	case "params":
		s.envelope.TxTime = 0
		s.envelope.Bare = s.peek(start) == '{' || s.peek(start) == 'n' // until there is a member
		end = s.value(start, atParams)
	default:
		end = s.value(start, elsewhere)
	}
	return end
}

// metaMember reads the value of a member of meta.
func (s *scanner) metaMember(key []byte, start int) (end int) {
	if end = s.value(start, elsewhere); s.failed(end) {
		return end
	}
	m, value := &s.envelope.Meta, span{start, end, s.escaped}
	switch string(key) {
	case "network":
		m.Network = s.field(value)
	case "application":
		m.Application = s.field(value)
	case "device":
		m.Device = s.field(value)
	case "device_addr":
		m.DeviceAddr = s.field(value)
	case "gateway":
		m.Gateway = s.field(value)
	case "packet_hash":
		m.PacketHash = s.field(value)
	case "packet_id":
		m.PacketID = s.field(value)
	case "time":
		m.Time = s.seconds(value)
	case "history":
		m.History = s.peek(start) == 't'
	}
	return end
}

// paramsMember reads the value of a member of params.
func (s *scanner) paramsMember(key []byte, start int) (end int) {
	end = s.value(start, elsewhere)
	s.envelope.Bare = false
	if string(key) == "tx_time" && !s.failed(end) {
		s.envelope.TxTime = s.seconds(span{start, end, s.escaped})
	}
	return end
}

// field returns a value's string, or its number or boolean as written, as a slice of the message if possible.
// It is nil for what [Meta] counts as lacking.
func (s *scanner) field(value span) []byte {
	switch s.peek(value.start) {
	case '"':
		return s.decoded(value)
	case '{', '[', 'n':
		return nil
	}
	return s.text[value.start:value.end:value.end]
}

// decoded returns what a string stands for, and nil for an empty one and for anything else.
func (s *scanner) decoded(value span) []byte {
	start, end := value.start+1, value.end-1
	if s.peek(value.start) != '"' || start == end {
		return nil
	}
	if value.escaped {
		return checked(s.text).decode(start, end)
	}
	return s.text[start:end:end]
}

// seconds returns a number's value, and 0 for anything else and for what no float64 can hold.
func (s *scanner) seconds(value span) float64 {
	if c := s.peek(value.start); c != '-' && (c < '0' || '9' < c) {
		return 0
	}
	// ParseFloat keeps nothing of the string, and nobody writes to the message meanwhile: it need not be copied.
	number := s.text[value.start:value.end]
	seconds, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(number), len(number)), 64) //nolint:gosec // see above
	if err != nil {
		return 0 // beyond float64
	}
	return seconds
}
