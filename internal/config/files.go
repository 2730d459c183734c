package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

// checkFiles reports the files that the configuration names and that cannot be used now: they cannot be read, or are
// no certificates and keys. What a creds file holds is for NATS to judge.
func (c Config) checkFiles() fault.List {
	var faults fault.List
	t, h := c.NATS.TLS, c.HTTP.TLS
	for _, f := range []struct{ path, file string }{
		{"nats.credentials", c.NATS.Credentials},
		{"nats.tls.ca", t.CA},
		{"nats.tls.certificate", t.Certificate},
		{"nats.tls.key", t.Key},
		{"http.tls.certificate", h.Certificate},
		{"http.tls.key", h.Key},
	} {
		if f.file == "" {
			continue
		}
		if reason := unreadable(f.file); reason != "" {
			faults.Add(f.path, "file %q %s", f.file, reason)
		}
	}
	usable := func(file, path string) bool {
		return file != "" && !slices.ContainsFunc(faults, func(f fault.Fault) bool { return f.Path == path })
	}
	if usable(t.CA, "nats.tls.ca") {
		if reason := noAuthority(t.CA); reason != "" {
			faults.Add("nats.tls.ca", "file %q %s", t.CA, reason)
		}
	}
	for _, pair := range []struct{ path, certificate, key string }{{"nats.tls", t.Certificate, t.Key}, {"http.tls", h.Certificate, h.Key}} {
		if usable(pair.certificate, pair.path+".certificate") && usable(pair.key, pair.path+".key") {
			if _, err := tls.LoadX509KeyPair(pair.certificate, pair.key); err != nil {
				faults.Add(pair.path+".certificate", "file %q and that of %s.key are no pair: %s", pair.certificate, pair.path, err)
			}
		}
	}
	return append(faults, c.HTTP.checkTokenFiles()...)
}

// checkTokenFiles reports the token files that hold no token.
func (h HTTP) checkTokenFiles() fault.List {
	var faults fault.List
	for i, token := range h.Tokens {
		if token.TokenFile == "" {
			continue
		}
		path := document.Child(document.Index("http.tokens", i), "token_file")
		if reason := unreadable(token.TokenFile); reason != "" {
			faults.Add(path, "file %q %s", token.TokenFile, reason)
		} else if content, err := os.ReadFile(token.TokenFile); err != nil {
			faults.Add(path, "file %q %s", token.TokenFile, notRead(err))
		} else if reason := wrongToken(strings.TrimSpace(string(content))); reason != "" {
			faults.Add(path, "what file %q holds %s", token.TokenFile, reason)
		}
	}
	return faults
}

// unreadable returns the reason why a file cannot be read, empty if it can.
func unreadable(name string) string {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case err == nil && !info.Mode().IsRegular():
		return "is no regular file"
	}
	file, err := os.Open(name)
	if err != nil {
		return notRead(err)
	}
	_ = file.Close() // nothing was written
	return ""
}

// notRead is the reason of an error, without the file's name, which the fault has already.
func notRead(err error) string {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return fmt.Sprintf("cannot be read: %s", err)
}

// noAuthority returns the reason why a file holds no CA, empty if it does.
func noAuthority(name string) string {
	pem, err := os.ReadFile(name)
	switch {
	case err != nil:
		return notRead(err)
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		return "holds no certificate in PEM"
	}
	return ""
}
