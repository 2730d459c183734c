package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// checkFiles reports the files that the configuration names and that cannot be used now: they cannot be read, or are
// no certificates and keys. What a creds file holds is for NATS to judge.
func (c Config) checkFiles() fault.List {
	var faults fault.List
	t := c.NATS.TLS
	for _, f := range []struct{ path, file string }{
		{"nats.credentials", c.NATS.Credentials},
		{"nats.tls.ca", t.CA},
		{"nats.tls.certificate", t.Certificate},
		{"nats.tls.key", t.Key},
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
	if usable(t.Certificate, "nats.tls.certificate") && usable(t.Key, "nats.tls.key") {
		if _, err := tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
			faults.Add("nats.tls.certificate", "file %q and that of nats.tls.key are no pair: %s", t.Certificate, err)
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
