package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

const (
	minSync = 10 * time.Millisecond
	maxSync = 10 * time.Minute

	minEncryptionKey = 16 // bytes

	minBufferAge   = time.Minute
	maxBufferAge   = 10 * 365 * 24 * time.Hour
	minBufferBytes = 1 << 20
	maxBufferBytes = 1 << 50
	maxReplicas    = 5 // JetStream's own bound
)

func (n NATS) validate() fault.List {
	var faults fault.List
	external := len(n.URL) > 0
	for i, server := range n.URL {
		if reason := natsURL(server); reason != "" {
			faults.Add("url", "server %d of %d %s", i+1, len(n.URL), reason)
		}
	}
	if n.Credentials != "" && !external {
		faults.Add("credentials", "is for nats.url, which is empty")
	}
	faults = append(faults, n.TLS.validate(external).Prefixed("tls")...)
	if c := n.Embedded.Cluster; c.Name != "" || c.Listen != "" || len(c.Routes) > 0 {
		faults.Add("embedded.cluster", "is not available in this version: the embedded server runs alone; for a cluster set nats.url")
	}
	if external {
		return append(faults, n.Embedded.unused().Prefixed("embedded")...)
	}
	return append(faults, n.Embedded.validate().Prefixed("embedded")...)
}

// natsURL returns the reason why u is no NATS server's address, without quoting it.
func natsURL(u connection.URI) string {
	parsed, err := url.Parse(u.Reveal())
	switch {
	case err != nil || parsed.Hostname() == "" || !slices.Contains([]string{"nats", "tls"}, parsed.Scheme):
		return "must be nats://host:port or tls://host:port"
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "":
		return "must be nats://host:port or tls://host:port, without path, query and fragment"
	}
	if password, _ := parsed.User.Password(); password == secret.Mask {
		return fmt.Sprintf("holds the mask %s in the password's place: give the password itself", secret.Mask)
	}
	return ""
}

func (t NATSTLS) validate(external bool) fault.List {
	var faults fault.List
	for _, f := range []struct{ path, file string }{{"ca", t.CA}, {"certificate", t.Certificate}, {"key", t.Key}} {
		if f.file != "" && !external {
			faults.Add(f.path, "is for nats.url, which is empty")
		}
	}
	switch {
	case t.Certificate != "" && t.Key == "":
		faults.Add("key", "is required with certificate")
	case t.Certificate == "" && t.Key != "":
		faults.Add("certificate", "is required with key")
	}
	return faults
}

// unused reports each setting that differs from its default although the server is not started.
func (e Embedded) unused() fault.List {
	var faults fault.List
	d := defaultEmbedded()
	for _, f := range []struct {
		path string
		set  bool
	}{
		{"dir", e.Dir != d.Dir},
		{"listen", e.Listen != ""},
		{"sync", e.Sync != d.Sync},
		{"encryption_key", !e.EncryptionKey.IsZero()},
	} {
		if f.set {
			faults.Add(f.path, "has no effect beside nats.url: the embedded server is not started; remove one of the two")
		}
	}
	return faults
}

func (e Embedded) validate() fault.List {
	var faults fault.List
	if e.Dir == "" || strings.ContainsRune(e.Dir, 0) {
		faults.Add("dir", "must be the path of a directory")
	}
	_, reason := splitListen(e.Listen)
	switch {
	case e.Listen == "":
	case reason != "":
		faults.Add("listen", "%s", reason)
	case strings.Trim(e.Listen[strings.LastIndexByte(e.Listen, ':'):], ":0") == "":
		faults.Add("listen", "must name the port: clients could not know which one is taken")
	}
	if !e.Sync.Always {
		between(&faults, "sync", e.Sync.Interval, minSync, maxSync)
	}
	switch key := e.EncryptionKey.Reveal(); {
	case key == secret.Mask:
		faults.Add("encryption_key", "holds the mask %s in the key's place: give the key itself", secret.Mask)
	case key != "" && len(key) < minEncryptionKey:
		faults.Add("encryption_key", "is shorter than %d characters: it could be guessed", minEncryptionKey)
	}
	return faults
}

func (b Buffer) validate(n NATS) fault.List {
	var faults fault.List
	between(&faults, "max_age", time.Duration(b.MaxAge), minBufferAge, maxBufferAge)
	if b.MaxBytes < minBufferBytes || b.MaxBytes > maxBufferBytes {
		faults.Add("max_bytes", "must be from %s to %s", ByteSize(minBufferBytes), ByteSize(maxBufferBytes))
	}
	if b.MaxFramesPerConnection < 1 {
		faults.Add("max_frames_per_connection", "must be at least 1")
	}
	switch {
	case b.Replicas < 1 || b.Replicas > maxReplicas:
		faults.Add("replicas", "must be from 1 to %d", maxReplicas)
	case b.Replicas > 1 && len(n.URL) == 0:
		faults.Add("replicas", "are more than the one embedded server can hold: set nats.url to a NATS cluster")
	}
	return faults
}
