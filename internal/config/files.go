package config

import (
	"errors"
	"io/fs"
	"os"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// checkFiles reports the files that the configuration names and that cannot be read now. What is in them is judged
// by who uses them.
func (c Config) checkFiles() fault.List {
	var faults fault.List
	for _, f := range []struct{ path, file string }{
		{"nats.credentials", c.NATS.Credentials},
		{"nats.tls.ca", c.NATS.TLS.CA},
		{"nats.tls.certificate", c.NATS.TLS.Certificate},
		{"nats.tls.key", c.NATS.TLS.Key},
	} {
		if f.file == "" {
			continue
		}
		if reason := unreadable(f.file); reason != "" {
			faults.Add(f.path, "file %q %s", f.file, reason)
		}
	}
	return faults
}

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
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return "cannot be read: " + err.Error()
	}
	_ = file.Close() // nothing was written
	return ""
}
