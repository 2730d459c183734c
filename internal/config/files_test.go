package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// What a TLS file holds is found out before anything starts, by check as by run.
func TestCertificatesAndKeysAreLookedInto(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := testkit.NewCA(t)
	first, second := ca.Client(t, "first"), ca.Client(t, "second")
	authority, certificate := write("ca.pem", ca.PEM()), write("certificate.pem", first.Certificate)
	key, otherKey := write("key.pem", first.Key), write("other.pem", second.Key)

	env := func(ca, certificate, key string) []string {
		return []string{"LORRY_NATS_URL=tls://nats.example", "LORRY_NATS_TLS_CA=" + ca, "LORRY_NATS_TLS_CERTIFICATE=" + certificate,
			"LORRY_NATS_TLS_KEY=" + key}
	}
	load(t, "", env(authority, certificate, key)...)
	for _, c := range []struct {
		env  []string
		want string
	}{
		{env(key, certificate, key), `LORRY_NATS_TLS_CA: nats.tls.ca: file "` + key + `" holds no certificate in PEM`},
		{env(authority, certificate, otherKey), `LORRY_NATS_TLS_CERTIFICATE: nats.tls.certificate: file "` + certificate +
			`" and that of nats.tls.key are no pair: tls: private key does not match public key`},
		{env(authority, certificate, certificate), `LORRY_NATS_TLS_CERTIFICATE: nats.tls.certificate: file "` + certificate +
			`" and that of nats.tls.key are no pair: tls: found a certificate rather than a key`},
	} {
		_, err := config.Load("", c.env)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}
