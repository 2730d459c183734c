package app

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/config"
)

// httpOptions reads the files that the HTTP server's configuration names.
func httpOptions(cfg config.HTTP) (api.Options, error) {
	o := api.Options{Listen: cfg.Listen}
	for i, t := range cfg.Tokens {
		hash, err := t.Hash()
		if err != nil {
			return o, fmt.Errorf("http.tokens[%d].%w", i, err)
		}
		name, value, _ := strings.Cut(t.Tag, "=")
		o.Tokens = append(o.Tokens, api.Token{Hash: hash, Admin: t.Scope == config.ScopeAdmin, TagName: name, Tag: value})
	}
	if cfg.TLS.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(cfg.TLS.Certificate, cfg.TLS.Key)
		if err != nil {
			return o, fmt.Errorf("http.tls.certificate and http.tls.key: %w", err)
		}
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	return o, nil
}
