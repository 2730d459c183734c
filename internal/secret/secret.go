package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Mask stands for any secret that is not empty, wherever one is printed or encoded.
const Mask = "***"

// String is a secret text. The zero value is the empty secret, which shows itself as an empty text.
//
// Values are comparable: two Strings of the same content are ==, and so reflect.DeepEqual. That comparison is for
// telling whether a configuration changed; use [String.Equal] to check what a stranger presents.
type String struct {
	// A handle is a pointer to printers that walk values by reflection, as fmt does for unexported fields, whose
	// methods it cannot call. A string here would be printed by them.
	handle unique.Handle[string]
}

// New makes a secret of s.
func New(s string) String {
	if s == "" {
		return String{}
	}
	return String{handle: unique.Make(s)}
}

// Reveal returns the secret's content. The caller answers for where it goes.
func (s String) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.handle.Value()
}

// IsZero reports whether the secret is empty. JSON's omitzero and YAML's omitempty ask it.
func (s String) IsZero() bool { return s == String{} }

// Equal reports whether the secret's content is other, in a time that tells neither content nor length apart.
// The empty secret equals the empty text: check [String.IsZero] first where an unset secret must admit nobody.
func (s String) Equal(other string) bool {
	own, theirs := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(own[:], theirs[:]) == 1
}

// String returns [Mask], or "" for the empty secret.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return Mask
}

// Format writes what [String.String] returns, whatever the verb and its flags.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what slog records: the masked text.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes the masked text. encoding/json, encoding/xml, YAML and zerolog encode by it: what was encoded
// does not decode to the same secret.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes text as the secret's content, as it is. encoding/json and YAML decode strings by it; a
// decoded [Mask] is a secret that reads "***", which the receiver may take to mean "unchanged".
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
