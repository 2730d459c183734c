package api

import (
	"fmt"
	"net/http"
)

// healthz says that the process runs.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	s.line(w, http.StatusOK, "ok")
}

// readyz says whether the node can do its work, and if not, why.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.options.Ready(); err != nil {
		s.line(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	s.line(w, http.StatusOK, "ready")
}

func (s *Server) line(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := fmt.Fprintln(w, text); err != nil {
		s.options.Log.Debug().Err(err).Msg("http client went away")
	}
}
