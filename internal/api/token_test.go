package api

import (
	"net/http"
	"slices"
	"testing"
)

func TestTokens(t *testing.T) {
	const first, second = "0123456789abcdef", "fedcba9876543210=="
	o := options()
	o.Tokens = []Token{token(first, true, ""), token(second, false, "")}
	s := start(t, o)
	for authorization, admitted := range map[string]bool{
		"Bearer " + first:                true,
		"bearer " + second:               true, // a scheme has no case (RFC 9110 §11.1)
		"Bearer  " + first:               true,
		"":                               false,
		"Bearer":                         false,
		"Bearer ":                        false, // is not the empty token
		first:                            false,
		"Basic " + first:                 false,
		"Bearer " + first + "0":          false,
		"Bearer " + first[1:]:            false,
		"Bearer 0123456789ABCDEF":        false,
		"Bearer " + first + " " + first:  false,
		"Bearer ***":                     false,
		"Bearer " + first + ", Bearer x": false,
	} {
		got := ask(t, s, "GET", "/metrics", authorization)
		if admitted {
			if got.status != http.StatusOK || got.body == "" {
				t.Errorf("%q: %+v", authorization, got)
			}
			continue
		}
		var names []string
		for name := range got.header {
			names = append(names, name)
		}
		slices.Sort(names)
		if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != `Bearer realm="lorry"` || got.body != "" ||
			!slices.Equal(names, []string{"Content-Length", "Date", "Www-Authenticate"}) {
			t.Errorf("%q: %+v", authorization, got)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} { // which a kubelet asks without a token
		if got := ask(t, s, "GET", path, ""); got.status != http.StatusOK {
			t.Errorf("%s: %+v", path, got)
		}
	}
}
