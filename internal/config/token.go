package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Scope is what a token's bearer may do.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // look
	ScopeAdmin Scope = "admin" // look and change
)

// Token is a bearer token of the HTTP API: itself, its hash, or the file that holds it, and what its bearer may do.
//
// A file has it as a mapping, or as a text: the token, or "sha256:" and its hash, with scope admin.
type Token struct {
	Token     secret.String `yaml:"token"`
	SHA256    string        `yaml:"sha256"`     // of the token, 64 hexadecimal digits
	TokenFile string        `yaml:"token_file"` // path; white space around the token does not count
	Scope     Scope         `yaml:"scope"`
	Tag       string        `yaml:"tag"` // NAME=VALUE: nothing but connections with that tag; empty: all
}

const (
	minToken   = 16 // bytes
	hashPrefix = "sha256:"
)

var (
	tokenPattern = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // b64token, RFC 6750 §2.1
	hashPattern  = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	tagPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=.+$`)
)

// UnmarshalText decodes the short form. The environment has no other.
func (t *Token) UnmarshalText(text []byte) error {
	*t = Token{Scope: ScopeAdmin}
	if hash, found := strings.CutPrefix(string(text), hashPrefix); found {
		t.SHA256 = hash
	} else {
		t.Token = secret.New(string(text))
	}
	return nil
}

// UnmarshalDocument implements [document.Unmarshaler].
func (t *Token) UnmarshalDocument(n *document.Node) fault.List {
	if n.Kind == document.Map {
		type plain Token // without this method
		var long plain
		faults := n.Decode(&long)
		*t = Token(long)
		return faults
	}
	var text secret.String
	if faults := n.Decode(&text); len(faults) > 0 {
		return faults
	}
	_ = t.UnmarshalText([]byte(text.Reveal())) // which takes any text
	return nil
}

func (t Token) validate() fault.List {
	var faults fault.List
	given := 0
	for _, set := range []bool{!t.Token.IsZero(), t.SHA256 != "", t.TokenFile != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		faults.Add("", "needs one of token, sha256 and token_file")
	}
	if !t.Token.IsZero() {
		if reason := wrongToken(t.Token.Reveal()); reason != "" {
			faults.Add("", "%s", reason)
		}
	}
	if t.SHA256 != "" && !hashPattern.MatchString(t.SHA256) {
		faults.Add("sha256", "must be the token's SHA-256 in 64 hexadecimal digits: printf %%s TOKEN | sha256sum")
	}
	if t.Scope != ScopeRead && t.Scope != ScopeAdmin {
		faults.Add("scope", "must be %s or %s", ScopeRead, ScopeAdmin)
	}
	if t.Tag != "" && !tagPattern.MatchString(t.Tag) {
		faults.Add("tag", "must be a tag's name and value, such as customer=acme")
	}
	return faults
}

// wrongToken returns the reason why a text is no token to use, empty if it is one.
func wrongToken(t string) string {
	switch {
	case t == secret.Mask:
		return fmt.Sprintf("holds the mask %s in the token's place: give the token itself", secret.Mask)
	case len(t) < minToken:
		return fmt.Sprintf("is shorter than %d characters: it could be guessed; openssl rand -hex 32 makes one", minToken)
	case !tokenPattern.MatchString(t):
		return "must be of letters, digits and - . _ ~ + /, = at the end only (RFC 6750 §2.1)"
	}
	return ""
}

// same reports whether two entries are the same token, as far as they tell without reading a file.
func (t Token) same(other Token) bool {
	a, errA := t.Hash()
	b, errB := other.Hash()
	if t.TokenFile != "" || other.TokenFile != "" {
		return t.TokenFile == other.TokenFile
	}
	return errA == nil && errB == nil && a == b
}

// Hash returns the token's SHA-256, for which it may have to read its file.
func (t Token) Hash() ([sha256.Size]byte, error) {
	switch {
	case t.SHA256 != "":
		var hash [sha256.Size]byte
		if n, err := hex.Decode(hash[:], []byte(t.SHA256)); err != nil || n != len(hash) {
			return hash, errors.New("sha256 is no hash")
		}
		return hash, nil
	case t.TokenFile != "":
		content, err := os.ReadFile(t.TokenFile)
		if err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("token_file: %w", err)
		}
		text := strings.TrimSpace(string(content))
		if reason := wrongToken(text); reason != "" {
			return [sha256.Size]byte{}, fmt.Errorf("token_file: the content of %q %s", t.TokenFile, reason)
		}
		return sha256.Sum256([]byte(text)), nil
	default:
		return sha256.Sum256([]byte(t.Token.Reveal())), nil
	}
}
