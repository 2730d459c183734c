package source

import (
	"errors"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// DiscardReason says why something that arrived is not a frame. The words are fit for a metric's label.
type DiscardReason string

// The reasons to discard a message.
const (
	DiscardOversize  DiscardReason = "oversize"   // longer than MaxFrameBytes
	DiscardBinary    DiscardReason = "binary"     // a binary message (RFC 6455 §5.6); the Data API speaks text
	DiscardNotJSON   DiscardReason = "not_json"   // dataapi.ErrNotJSON
	DiscardNotObject DiscardReason = "not_object" // dataapi.ErrNotObject
	DiscardNoType    DiscardReason = "no_type"    // dataapi.ErrNoType
	DiscardBadMeta   DiscardReason = "bad_meta"   // dataapi.ErrBadMeta
)

// MaxDiscardHead bounds how much of a discarded message is shown, in bytes.
const MaxDiscardHead = 256

// Discard describes a message that was received and is not forwarded. The session goes on after it.
type Discard struct {
	Reason DiscardReason
	Size   int64  // of the whole message, in bytes
	Head   []byte // its first bytes, at most MaxDiscardHead; valid only during the call it is passed to
	Err    error  // what the scanner said; nil for DiscardOversize and DiscardBinary
}

// reasonFor names what [dataapi.Scan] had against a message.
func reasonFor(err error) DiscardReason {
	switch {
	case errors.Is(err, dataapi.ErrNotObject):
		return DiscardNotObject
	case errors.Is(err, dataapi.ErrNoType):
		return DiscardNoType
	case errors.Is(err, dataapi.ErrBadMeta):
		return DiscardBadMeta
	default:
		return DiscardNotJSON
	}
}

// head returns as much of raw as a Discard shows.
func head(raw []byte) []byte { return raw[:min(len(raw), MaxDiscardHead)] }
