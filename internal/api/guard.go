package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guarded lets through what every request has to be: no other site's doing, by somebody who may ask, not too often.
func (s *Server) guarded(next http.Handler) http.Handler {
	// A page of another site, open in the operator's browser, must not change connections: a browser says where a
	// request comes from.
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.problem(w, http.StatusForbidden, "the request comes from another site")
	}))
	return origin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := s.admit(w, r)
		if !ok {
			return
		}
		if !s.rates.take(who.key) {
			w.Header().Set("Retry-After", "1")
			s.problem(w, http.StatusTooManyRequests, "too many requests: wait a second")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bearerKey{}, who)))
	}))
}

// admit finds out who asks. Whoever has no token learns that, and nothing else.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (bearer, bool) {
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	if len(s.options.Tokens) == 0 {
		if !ownName(r.Host) {
			s.problem(w, http.StatusMisdirectedRequest, "without http.tokens only requests to an IP address or to localhost are answered")
			return bearer{}, false
		}
		return everyone(remote), true
	}
	if who, ok := s.bearerOf(r); ok {
		return who, true
	}
	if !s.failures.take(remote) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return bearer{}, false
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="lorry"`)
	w.WriteHeader(http.StatusUnauthorized)
	return bearer{}, false
}

// ownName reports whether a Host header names this machine in a way that no other site's DNS can.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// unrestricted is for what tells of all connections at once.
func (s *Server) unrestricted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asking(r.Context()).TagName != "" {
			s.problem(w, http.StatusForbidden, "this token is for some connections only")
			return
		}
		next.ServeHTTP(w, r)
	})
}
