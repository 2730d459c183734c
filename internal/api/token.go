package api

import (
	"net/http"
	"strings"
)

// authenticated asks for a bearer token (RFC 6750 §2.1) if there are any. Whoever has none learns that, and nothing
// else.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(s.options.Tokens) > 0 && !s.knows(r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="lorry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knows compares what a client presents with every token, so that the time taken tells nothing.
func (s *Server) knows(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	known := false
	for _, t := range s.options.Tokens {
		equal := t.Equal(strings.TrimSpace(token))
		known = known || equal && !t.IsZero() // an empty token admits nobody
	}
	return known && strings.EqualFold(scheme, "Bearer")
}
