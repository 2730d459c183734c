package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// Token admits whoever presents the text that it is the hash of.
type Token struct {
	Hash  [sha256.Size]byte
	Admin bool // may change connections; else only look
	// Tag restricts the bearer to the connections that have the tag TagName with this value.
	TagName, Tag string
}

// bearer is who asks.
type bearer struct {
	Token
	key string // tells one who asks from another, for the rate
}

// everyone is the bearer where there are no tokens.
func everyone(remote string) bearer { return bearer{Token{Admin: true}, "remote " + remote} }

type bearerKey struct{}

// asking returns who asks, and nobody in particular if that was not found out: then nothing is allowed.
func asking(ctx context.Context) bearer {
	b, _ := ctx.Value(bearerKey{}).(bearer)
	return b
}

// sees reports whether the bearer may know of a connection with these tags.
func (b bearer) sees(tags map[string]string) bool {
	value, tagged := tags[b.TagName]
	return b.TagName == "" || tagged && value == b.Tag
}

// bearerOf finds the token that a client presents (RFC 6750 §2.1) by comparing hashes with every token, so that the
// time taken tells nothing.
func (s *Server) bearerOf(r *http.Request) (bearer, bool) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	presented := sha256.Sum256([]byte(strings.TrimSpace(text)))
	found := -1
	for i := range s.options.Tokens {
		if subtle.ConstantTimeCompare(s.options.Tokens[i].Hash[:], presented[:]) == 1 {
			found = i
		}
	}
	if found < 0 || !strings.EqualFold(scheme, "Bearer") {
		return bearer{}, false
	}
	return bearer{s.options.Tokens[found], "token " + hex.EncodeToString(presented[:])}, true
}
